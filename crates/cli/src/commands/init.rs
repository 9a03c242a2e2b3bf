//! `regard init`.

use anyhow::Context;
use regard_data::Format;
use regard_trainer::init::{InitOptions, propose};

use crate::args::{InitArgs, TableFormat};
use crate::output::Printer;

/// Proposes a configuration on stdout.
pub fn run(args: &InitArgs, printer: &Printer) -> anyhow::Result<()> {
    let processors = std::thread::available_parallelism().context("cannot count the processors")?;
    let proposal = propose(&InitOptions {
        train: args.train.clone(),
        valid: args.valid.clone(),
        test: args.test.clone(),
        format: args.input_format.map(|format| match format {
            TableFormat::Csv => Format::Csv,
            TableFormat::Tsv => Format::Tsv,
            TableFormat::Jsonl => Format::JsonLines,
        }),
        text_column: args.text_column.clone(),
        label_column: args.label_column.clone(),
        processors: processors.get(),
    })?;
    printer.result(&proposal.to_toml())
}
