//! `regard bench seeds`.

use std::fmt::Write as _;

use anyhow::Context;
use regard_trainer::{RunSettings, config, evaluate_run};
use serde_json::{Map, Value, json};

use super::train::{default_folder, train};
use crate::args::BenchSeedsArgs;
use crate::device::Compute;
use crate::errors::{HintExt, UsageError};
use crate::output::Printer;
use crate::signals::Signals;

/// Trains with each seed; reports mean and standard error of the metric on the test data.
///
/// Each seed's run has a folder of its own and is not trained again when it is complete.
pub fn run(args: &BenchSeedsArgs, printer: &Printer) -> anyhow::Result<()> {
    let compute = Compute::open(&args.compute)?;
    let signals = Signals::install()?;
    let mut rows = Vec::new();
    let mut values = Vec::new();
    let mut metric = "";
    for &seed in &args.seeds.0 {
        let mut overrides = args.settings.overrides.clone();
        overrides.push(format!("seed={seed}"));
        let config = config::load(&args.settings.config, &overrides)?;
        metric = config.eval.metric.name();
        if !config.has_test_data() {
            return Err(UsageError("the configuration has no test data".to_owned()))
                .hint("set data.test to a file or a share");
        }
        let all = args.out.clone().unwrap_or_else(|| {
            let mut name = default_folder(&args.settings, &config).into_os_string();
            name.push("-seeds");
            name.into()
        });
        let settings = RunSettings {
            folder: all.join(format!("seed-{seed}")),
            device: compute.device.clone(),
            workers: compute.workers,
            requests: signals.requests.clone(),
        };
        printer.note(format_args!("seed {seed}: {}", settings.folder.display()));
        let outcome = signals.told(train(&config, &settings, &compute, printer), printer)?;
        let test = match outcome.test {
            Some(test) => test,
            None => evaluate_run(&settings)?.context("the run has no test data")?,
        };
        let value = test.metric(config.eval.metric);
        printer.note(format_args!("seed {seed}: test {metric} {value:.4}"));
        values.push(value);
        let mut row = Map::new();
        row.insert("seed".to_owned(), json!(seed));
        row.insert("value".to_owned(), json!(value));
        for (name, value) in test.metrics() {
            row.insert(name.to_owned(), json!(value));
        }
        row.insert("steps".to_owned(), json!(outcome.step));
        rows.push(Value::Object(row));
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    // One seed says nothing of the spread.
    let standard_error = (values.len() > 1).then(|| (squares / (n - 1.0) / n).sqrt());
    let mut value = json!({
        "schema": super::SCHEMA,
        "metric": metric,
        "mean": mean,
        "standard_error": standard_error,
        "rows": rows,
    });
    if standard_error.is_none() {
        value["standard_error_reason"] = json!("one seed says nothing of the spread");
    }
    let mut text = String::new();
    for (seed, value) in args.seeds.0.iter().zip(&values) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "seed {seed}  {value:.4}");
    }
    let spread = standard_error.map_or("unknown, with one seed".to_owned(), |e| format!("{e:.4}"));
    let _ = writeln!(
        text,
        "test {metric}: mean {mean:.4}, standard error {spread}"
    );
    printer.report(args.report.format, &value, text)
}
