//! `regard eval`.

use std::path::Path;

use regard_bundle::Bundle;
use regard_trainer::privacy::Statement;
use regard_trainer::{Requests, RunSettings, baselines_of_run, evaluate_file, evaluate_run};
use serde_json::{Value, json};

use super::beside;
use super::figures::{Figures, to_json};
use crate::args::EvalArgs;
use crate::device::Compute;
use crate::errors::{HintExt, UsageError};
use crate::output::Printer;

/// Judges a model on a file, or on the test data of its run.
pub fn run(args: &EvalArgs, printer: &Printer) -> anyhow::Result<()> {
    let compute = Compute::open(&args.compute)?;
    if let Some(data) = &args.data {
        let bundle = Bundle::load(&args.run, &compute.device)?;
        let task = bundle.info().task.clone();
        let evaluation = evaluate_file(bundle, data, compute.workers)?;
        let mut value = to_json(&task, &evaluation);
        // It is no part of the run's data.
        value["split"] = json!(data);
        let title = data.display().to_string();
        let figures = Figures {
            title: &title,
            report: &evaluation.report,
        };
        let text = with_statement(figures.to_string(), &args.run, &mut value)?;
        return printer.report(args.report.format, &value, text);
    }
    if !args.run.join("config.toml").is_file() {
        // A bundle by itself knows no data; and what is no bundle gets its own message.
        Bundle::load(&args.run, &compute.device)?;
        return Err(UsageError(format!(
            "{} is a bundle, which knows no test data",
            args.run.display()
        )))
        .hint("give --data FILE");
    }
    let settings = RunSettings {
        folder: args.run.clone(),
        device: compute.device.clone(),
        workers: compute.workers,
        requests: Requests::default(),
    };
    let Some(evaluation) = evaluate_run(&settings)? else {
        return Err(UsageError(format!(
            "the run {} has no test data",
            args.run.display()
        )))
        .hint("give --data FILE, or set data.test before training");
    };
    let bundle = Bundle::load(&args.run, &compute.device)?;
    let mut value = to_json(&bundle.info().task, &evaluation);
    let mut text = Figures::of(&evaluation).to_string();
    if args.baselines {
        let Some(baselines) = baselines_of_run(&args.run)? else {
            return Err(UsageError(format!(
                "the run {} has nothing to hold its model against",
                args.run.display()
            )))
            .hint("series have baselines; those of anomalies need labels, anomaly.windows");
        };
        text = beside::with_baselines(&text, &evaluation, &baselines, &mut value);
    }
    let text = with_statement(text, &args.run, &mut value)?;
    printer.report(args.report.format, &value, text)
}

/// The figures with what a privately trained model promises.
pub fn with_statement(mut text: String, run: &Path, value: &mut Value) -> anyhow::Result<String> {
    if let Some(statement) = Statement::of_bundle(run)? {
        value["privacy"] = json!(statement);
        text.push('\n');
        text.push_str(&statement.to_string());
    }
    Ok(text)
}
