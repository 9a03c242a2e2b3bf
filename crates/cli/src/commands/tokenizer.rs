//! `regard tokenizer`: a vocabulary from texts, for many runs or for private ones.

use regard_data::{Column, Format, Records, Source, TokenizerConfig, TokenizerTrainer};
use regard_trainer::files::write_whole;
use serde_json::json;

use crate::args::TokenizerArgs;
use crate::errors::{HintExt, UsageError};
use crate::output::Printer;

/// A text counts with what so many tokens of it may hold; how many a model sees is its own setting.
const MAX_LENGTH: usize = 4096;

/// Trains a tokenizer and writes it.
pub fn run(args: &TokenizerArgs, printer: &Printer) -> anyhow::Result<()> {
    let config = TokenizerConfig {
        kind: args.kind.into(),
        vocab_size: args.vocab_size,
        min_frequency: args.min_frequency,
        max_length: MAX_LENGTH,
        lowercase: !args.keep_case,
        file: None,
    };
    config
        .validate()
        .map_err(|error| UsageError(error.to_string()))?;
    let mut trainer = TokenizerTrainer::new(&config)?;
    let mut texts = 0_u64;
    for file in &args.files {
        let source = Source::new(file);
        let format = source
            .format()
            .hint("name it .csv, .tsv, .jsonl, or .txt for one text a line")?;
        let records = Records::open(&source)?;
        let column = match format {
            Format::Lines => 0,
            _ => records.column(&Column::Name(args.text_column.clone()))?,
        };
        for record in records {
            trainer.add(&record?.text(column)?)?;
            texts += 1;
        }
    }
    let tokenizer = trainer.finish()?;
    write_whole(&args.out, &tokenizer.to_json()?)?;
    let value = json!({
        "schema": super::SCHEMA,
        "tokenizer": args.out,
        "texts": texts,
        "tokens": tokenizer.vocab_size(),
    });
    let text = format!(
        "{} tokens from {texts} texts: {}\n",
        tokenizer.vocab_size(),
        args.out.display()
    );
    printer.report(args.report.format, &value, text)
}
