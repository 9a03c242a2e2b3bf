//! `regard train`.

use std::path::{Path, PathBuf};

use regard_trainer::config::{self, Config};
use regard_trainer::task::Evaluation;
use regard_trainer::{Outcome, Progress, RunSettings};
use serde_json::json;

use super::figures::{Figures, to_json};
use super::model_facts::ModelFacts;
use crate::args::{SettingsArgs, TrainArgs};
use crate::device::Compute;
use crate::output::Printer;
use crate::signals::Signals;

/// Trains, or goes on.
pub fn run(args: &TrainArgs, printer: &Printer) -> anyhow::Result<()> {
    let mut config = config::load(&args.settings.config, &args.settings.overrides)?;
    // Named in the resolved file, so that the file of a run goes on with that run.
    config.name = Some(run_name(&args.settings, &config));
    let compute = Compute::open(&args.compute)?;
    if args.dry_run {
        return dry_run(args, &config, &compute, printer);
    }
    let folder = args
        .out
        .clone()
        .unwrap_or_else(|| default_folder(&args.settings, &config));
    let signals = Signals::install()?;
    let settings = RunSettings {
        folder: folder.clone(),
        device: compute.device.clone(),
        workers: compute.workers,
        requests: signals.requests.clone(),
    };
    let outcome = signals.told(train(&config, &settings, &compute, printer), printer)?;
    let test = match &outcome.test {
        Some(test) => Some(test.clone()),
        None => match regard_trainer::evaluate_run(&settings) {
            // The model is there, whatever has become of the data that it was trained on.
            Err(error) if outcome.already_complete => {
                printer.warning(format_args!(
                    "the test data cannot be judged again: {}",
                    in_full(&error)
                ));
                None
            }
            test => test?,
        },
    };
    let page = page(&config, &settings, &outcome, &compute, printer);
    report(
        args,
        &config,
        &outcome,
        test.as_ref(),
        page.as_deref(),
        printer,
    )
}

/// Writes the run's report and gives its path. A run is not lost with its report: a failure is a warning.
fn page(
    config: &Config,
    settings: &RunSettings,
    outcome: &Outcome,
    compute: &Compute,
    printer: &Printer,
) -> Option<PathBuf> {
    let path = settings.folder.join(super::report::FILE);
    if !config.report.html {
        return None;
    }
    if outcome.already_complete && path.is_file() {
        return Some(path);
    }
    match super::report::write(settings, compute, &path) {
        Ok(_) => Some(path),
        Err(error) => {
            printer.warning(format_args!(
                "the report was not written: {error:#}; `regard report {}` makes it again",
                settings.folder.display()
            ));
            None
        }
    }
}

/// Says what the run would be.
fn dry_run(
    args: &TrainArgs,
    config: &Config,
    compute: &Compute,
    printer: &Printer,
) -> anyhow::Result<()> {
    let task = regard_trainer::task::load(config)?;
    task.summary().iter().for_each(|line| printer.note(line));
    let run = regard_trainer::dry_run::dry_run(config, &*task, &compute.device, compute.workers)?;
    for warning in &run.warnings {
        printer.warning(warning);
    }
    let model = ModelFacts::new(&run, compute);
    let value = json!({"schema": super::SCHEMA, "model": model.to_json()});
    printer.report(args.report.format, &value, model)
}

/// An error with its causes, on one line.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        if !text.contains(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        cause = error.source();
    }
    text
}

/// Where a run goes that was told no folder.
pub fn default_folder(settings: &SettingsArgs, config: &Config) -> PathBuf {
    PathBuf::from("runs").join(run_name(settings, config))
}

/// The run's name: the configuration's, or its file's.
fn run_name(settings: &SettingsArgs, config: &Config) -> String {
    let stem = settings.config.file_stem().unwrap_or_default();
    config
        .name
        .clone()
        .unwrap_or_else(|| stem.to_string_lossy().into_owned())
}

/// Trains while the printer shows how it goes.
pub fn train(
    config: &Config,
    settings: &RunSettings,
    compute: &Compute,
    printer: &Printer,
) -> anyhow::Result<Outcome> {
    let mut bar = None;
    let metric = config.eval.metric;
    let mut last_evaluation = String::new();
    let outcome = regard_trainer::train(config, settings, &mut |progress| match progress {
        Progress::Data(lines) => lines.iter().for_each(|line| printer.note(line)),
        Progress::Begin {
            n_parameters,
            done_steps,
            total_steps,
            steps_per_epoch,
        } => {
            printer.note(format_args!(
                "model: {n_parameters} parameters, {total_steps} steps ({steps_per_epoch} an epoch) on {} with {} threads",
                compute.name, compute.threads
            ));
            if done_steps > 0 {
                printer.note(format_args!("continuing after step {done_steps}"));
            }
            bar = Some(printer.progress(total_steps, done_steps));
        }
        Progress::Step { step, report, .. } => {
            if let Some(bar) = &mut bar {
                bar.update(
                    step,
                    format_args!("loss {:.4}{last_evaluation}", report.loss),
                );
            }
        }
        Progress::Evaluated {
            step,
            evaluation,
            is_best,
        } => {
            let value = evaluation.metric(metric);
            let split = evaluation.split.name();
            printer.detail(format_args!(
                "step {step}: {split} {} {value:.4}, loss {:.4}{}",
                metric.name(),
                evaluation.loss(),
                if is_best { " (best)" } else { "" }
            ));
            last_evaluation = format!(", {split} {} {value:.4}", metric.name());
        }
        Progress::Note(text) => printer.note(text),
        Progress::Warning(text) => printer.warning(text),
        _ => {}
    });
    drop(bar);
    Ok(outcome?)
}

fn report(
    args: &TrainArgs,
    config: &Config,
    outcome: &Outcome,
    test: Option<&Evaluation>,
    page: Option<&Path>,
    printer: &Printer,
) -> anyhow::Result<()> {
    let folder = args
        .out
        .clone()
        .unwrap_or_else(|| default_folder(&args.settings, config));
    let mut value = json!({
        "schema": super::SCHEMA,
        "run": folder,
        "already_complete": outcome.already_complete,
        "steps": outcome.step,
        "stopped_early": outcome.stopped_early,
        "best": {
            "step": outcome.best.step,
            "metric": config.eval.metric.name(),
            "value": outcome.best.value,
        },
        "test": test.map(|test| to_json(config.task.name(), test)),
        "report": page,
    });
    let mut text = format!(
        "{}: {} steps{}, {} validation {} {:.4} at step {}\n",
        if outcome.already_complete {
            "already complete"
        } else {
            "done"
        },
        outcome.step,
        if outcome.stopped_early {
            " (stopped early)"
        } else {
            ""
        },
        config.eval.keep.name(),
        config.eval.metric.name(),
        outcome.best.value,
        outcome.best.step,
    );
    if let Some(test) = test {
        text.push('\n');
        text.push_str(&Figures::of(test).to_string());
    }
    let mut text = super::eval::with_statement(text, &folder, &mut value)?;
    text.push_str(&format!("\nrun: {}\n", folder.display()));
    if let Some(page) = page {
        text.push_str(&format!("report: {}\n", page.display()));
    }
    printer.report(args.report.format, &value, text)
}
