//! `regard tune`.

use std::fmt::Write as _;
use std::path::PathBuf;

use regard_trainer::config::{self, Config};
use regard_trainer::files;
use regard_trainer::tune::{
    Plan, Trial, TrialOutcome, TrialResult, TuneOutcome, TuneProgress, TuneSettings, Values,
    default_ranges, tune,
};
use serde_json::{Map, Value, json};

use super::train::default_folder;
use super::tune_page;
use crate::args::TuneArgs;
use crate::device::Compute;
use crate::output::Printer;
use crate::signals::Signals;

/// The most trials that the report for people lists; the page and the JSON have all.
const MOST_LISTED: usize = 10;

/// Searches, or goes on.
pub fn run(args: &TuneArgs, printer: &Printer) -> anyhow::Result<()> {
    let (mut config, mut ranges) =
        config::load_search(&args.settings.config, &args.settings.overrides)?;
    let folder = args.out.clone().unwrap_or_else(|| {
        let mut name = default_folder(&args.settings, &config).into_os_string();
        name.push("-tune");
        name.into()
    });
    // The best configuration trains in a folder of its own, beside the run of this one.
    let stem = default_folder(&args.settings, &config);
    let stem = stem.file_name().unwrap_or_default().to_string_lossy();
    config.name = Some(format!("{stem}-tuned"));
    if ranges.is_empty() {
        ranges = default_ranges(&config);
        printer.note("no [tune.ranges] in the configuration: searching the default ones");
    }
    for (path, range) in &ranges {
        printer.note(format_args!("  {path} = {range}"));
    }
    let compute = Compute::open(&args.compute)?;
    let signals = Signals::install()?;
    let settings = TuneSettings {
        folder,
        device: compute.device.clone(),
        workers: compute.workers,
        requests: signals.requests.clone(),
        seed: args.seed.unwrap_or(config.seed),
        budget: args.budget,
    };
    let mut teller = Teller {
        printer,
        metric: config.eval.metric.name(),
        n_runs: 0,
        done_runs: 0,
        bar: None,
    };
    let outcome = tune(&config, &ranges, &settings, &mut |progress| {
        teller.tell(progress);
    });
    drop(teller);
    let outcome = signals.told(outcome.map_err(Into::into), printer)?;
    let page = settings.folder.join("report.html");
    let report = tune_page::page(args, &config, &ranges, &outcome)?;
    // What was found is on disk already: a page that cannot be written is no reason to fail.
    let written = files::write_whole(&page, report.to_html().as_bytes());
    if let Err(error) = &written {
        printer.warning(format_args!("there is no report: {error}"));
    }
    let told = Told {
        config: &config,
        outcome: &outcome,
        folder: settings.folder,
        budget: settings.budget.to_string(),
        page: written.is_ok().then_some(page),
    };
    printer.report(args.report.format, &told.json(), told.text()?)
}

/// Shows how a search goes.
struct Teller<'a> {
    printer: &'a Printer,
    metric: &'static str,
    n_runs: usize,
    done_runs: usize,
    bar: Option<crate::output::Progress<'a>>,
}

impl Teller<'_> {
    fn tell(&mut self, progress: TuneProgress<'_>) {
        let printer = self.printer;
        match progress {
            TuneProgress::Data(lines) => lines.iter().for_each(|line| printer.note(line)),
            TuneProgress::Measuring => printer.note("measuring the speed of this machine"),
            TuneProgress::Planned {
                plan,
                seconds,
                done_runs,
            } => {
                printer.note(format_args!("plan: {}", shape(plan)));
                if let Some(seconds) = seconds {
                    printer.note(format_args!("it should take {}", duration(seconds)));
                }
                if done_runs > 0 {
                    printer.note(format_args!("continuing after run {done_runs}"));
                }
                (self.n_runs, self.done_runs) = (plan.n_runs(), done_runs);
                self.bar = Some(printer.progress(plan.total_steps(), 0));
            }
            TuneProgress::Step {
                trial,
                rung,
                done_steps,
                loss,
            } => {
                if let Some(bar) = &mut self.bar {
                    let rung = rung + 1;
                    bar.update(
                        done_steps,
                        format_args!("trial {trial} on rung {rung}, loss {loss:.4}"),
                    );
                }
            }
            TuneProgress::Ended { result, values } => {
                self.done_runs += 1;
                printer.note(format_args!(
                    "run {} of {}: trial {} on rung {}, {}: {}",
                    self.done_runs,
                    self.n_runs,
                    result.trial,
                    result.rung + 1,
                    self.figure(result),
                    one_line(values)
                ));
            }
            TuneProgress::Warning(text) => printer.warning(text),
            _ => {}
        }
    }

    fn figure(&self, result: &TrialResult) -> String {
        match &result.outcome {
            TrialOutcome::Scored { value, .. } => format!("{} {value:.4}", self.metric),
            TrialOutcome::Failed(why) => format!("failed ({why})"),
            _ => String::new(),
        }
    }
}

/// A search and what came out, for the report.
struct Told<'a> {
    config: &'a Config,
    outcome: &'a TuneOutcome,
    folder: PathBuf,
    budget: String,
    page: Option<PathBuf>,
}

impl Told<'_> {
    fn metric(&self) -> &'static str {
        self.config.eval.metric.name()
    }

    fn best_trial(&self) -> &Trial {
        &self.outcome.trials[self.outcome.best.trial]
    }

    fn json(&self) -> Value {
        let outcome = self.outcome;
        let best = &outcome.best;
        let scored = scored(&best.outcome);
        json!({
            "schema": super::SCHEMA,
            "search": self.folder,
            "already_complete": outcome.already_complete,
            "metric": self.metric(),
            "mode": self.config.eval.mode().name(),
            "budget": self.budget,
            "planned_seconds": outcome.planned_seconds,
            "seconds": outcome.seconds,
            "report": self.page,
            "rungs": outcome.plan.rungs,
            "best": {
                "trial": best.trial,
                "rung": best.rung,
                "steps": best.steps,
                "value": scored.map(|(value, _)| value),
                "loss": scored.map(|(_, loss)| loss),
                "as_configured": outcome.base_value,
                "settings": settings(&self.best_trial().values),
                "configuration": outcome.best_file,
            },
            "trials": outcome.trials.iter().map(|trial| self.trial_json(trial)).collect::<Vec<_>>(),
        })
    }

    fn trial_json(&self, trial: &Trial) -> Value {
        let results: Vec<Value> = trial
            .results
            .iter()
            .map(|result| {
                let scored = scored(&result.outcome);
                let failed = match &result.outcome {
                    TrialOutcome::Failed(why) => Some(why),
                    _ => None,
                };
                json!({
                    "rung": result.rung,
                    "steps": result.steps,
                    "value": scored.map(|(value, _)| value),
                    "loss": scored.map(|(_, loss)| loss),
                    "failed": failed,
                    "seconds": result.seconds,
                })
            })
            .collect();
        json!({
            "trial": trial.number,
            "settings": settings(&trial.values),
            "results": results,
        })
    }

    fn text(&self) -> anyhow::Result<String> {
        let outcome = self.outcome;
        let best = &outcome.best;
        let metric = self.metric();
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}: trial {} of {} is the best, validation {metric} {} after {} steps{}",
            if outcome.already_complete {
                "already complete"
            } else {
                "done"
            },
            best.trial,
            outcome.trials.len(),
            figure(best.value()),
            best.steps,
            match outcome.base_value {
                _ if best.trial == 0 => " (the configuration as it stands)".to_owned(),
                Some(base) => format!(" (as configured: {base:.4})"),
                None => String::new(),
            }
        );
        let values = &self.best_trial().values;
        let width = values.keys().map(String::len).max().unwrap_or(0);
        for (path, value) in values {
            let before = self.config.value(path)?;
            let before = before.map_or("not set".to_owned(), |value| value.to_string());
            let _ = writeln!(text, "  {path:width$} = {value}  (was {before})");
        }
        text.push('\n');
        self.list(&mut text);
        let _ = writeln!(
            text,
            "\nThe best of many looks better on the data that chose it than it is: judge it on test data.\n\
             \nconfiguration: {}",
            outcome.best_file.display()
        );
        if let Some(page) = &self.page {
            let _ = writeln!(text, "report: {}", page.display());
        }
        let _ = writeln!(text, "next: regard train {}", outcome.best_file.display());
        Ok(text)
    }

    /// Lists the trials that came farthest.
    fn list(&self, text: &mut String) {
        let trials = self.outcome.ranked();
        let metric = self.metric();
        let _ = writeln!(text, "trial  steps  {metric:>8}  settings");
        for trial in trials.iter().take(MOST_LISTED) {
            let Some(result) = trial.results.last() else {
                continue;
            };
            let width = metric.len().max(8);
            let _ = writeln!(
                text,
                "{:>5}  {:>5}  {:>width$}  {}",
                trial.number,
                result.steps,
                figure(result.value()),
                one_line(&trial.values)
            );
        }
        if trials.len() > MOST_LISTED {
            let _ = writeln!(text, "and {} more", trials.len() - MOST_LISTED);
        }
    }
}

fn scored(outcome: &TrialOutcome) -> Option<(f64, f64)> {
    match outcome {
        TrialOutcome::Scored { value, loss, .. } => Some((*value, *loss)),
        _ => None,
    }
}

fn figure(value: Option<f64>) -> String {
    value.map_or("failed".to_owned(), |value| format!("{value:.4}"))
}

/// Settings on a line, without their sections, which the keys that are searched do not need.
fn one_line(values: &Values) -> String {
    if values.is_empty() {
        return "as configured".to_owned();
    }
    let names = values.iter().map(|(path, value)| {
        let name = path.rsplit('.').next().unwrap_or(path);
        format!("{name}={value}")
    });
    names.collect::<Vec<_>>().join(" ")
}

fn settings(values: &Values) -> Map<String, Value> {
    let settings = values
        .iter()
        .map(|(path, value)| (path.clone(), json!(value)));
    settings.collect()
}

/// A plan in a line.
fn shape(plan: &Plan) -> String {
    let rungs = plan.rungs.iter().map(|rung| {
        let trials = match rung.trials {
            1 => "1 trial".to_owned(),
            n => format!("{n} trials"),
        };
        format!("{trials} of {} steps", rung.steps)
    });
    rungs.collect::<Vec<_>>().join(", then ")
}

fn duration(seconds: f64) -> String {
    match seconds.round() as u64 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}
