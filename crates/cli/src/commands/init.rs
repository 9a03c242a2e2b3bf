//! `regard init`.

use anyhow::Context;
use regard_data::Format;
use regard_trainer::config::Task;
use regard_trainer::init::{InitOptions, PrivateInitOptions, propose, propose_private};

use crate::args::{InitArgs, TableFormat};
use crate::errors::UsageError;
use crate::output::Printer;

/// Proposes a configuration on stdout.
pub fn run(args: &InitArgs, printer: &Printer) -> anyhow::Result<()> {
    if let Some(fault) = args.fault() {
        return Err(UsageError(fault).into());
    }
    let format = args.input_format.map(|format| match format {
        TableFormat::Csv => Format::Csv,
        TableFormat::Tsv => Format::Tsv,
        TableFormat::Jsonl => Format::JsonLines,
    });
    if args.private {
        let proposal = propose_private(&PrivateInitOptions {
            train: args.train.clone(),
            valid: args.valid.clone(),
            test: args.test.clone(),
            task: args.task.unwrap_or(Task::TextClassification),
            format,
            text_column: args.text_column.clone(),
            label_column: args.label_column.clone(),
            dataset_size: args.dataset_size,
            labels: args.labels.clone(),
            tokenizer: args.tokenizer.clone(),
            max_length: args.max_length,
        })?;
        return printer.result(&proposal);
    }
    let processors = std::thread::available_parallelism().context("cannot count the processors")?;
    let proposal = propose(&InitOptions {
        train: args.train.clone(),
        valid: args.valid.clone(),
        test: args.test.clone(),
        format,
        text_column: args.text_column.clone(),
        label_column: args.label_column.clone(),
        task: args.task,
        processors: processors.get(),
    })?;
    printer.result(&proposal.to_toml())
}
