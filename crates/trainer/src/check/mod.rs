//! Everything that can be known of a run before it begins: what is wrong with its settings and its data, and what one
//! step of it takes. Nothing is written.

mod classes;
mod data;
mod series;

use std::path::Path;

use burn::tensor::Device;
use regard_bundle::{Companion, Workers};
use regard_data::DataError;
use regard_data::doctor::{Lengths, Level, Problem, Ruler};

use crate::config::{self, Config, ConfigError, Origin};
use crate::dry_run::{DryRun, dry_run};
use crate::error::TrainError;
use crate::task::text_parts::TextParts;
use crate::task::{self, SeriesClassification, Split, Task};
use data::DataReport;

/// A larger share of unknown tokens is worth knowing.
const MANY_UNKNOWN: f64 = 0.1;
/// A model that does not know this share of the tokens reads something else.
const MOST_UNKNOWN: f64 = 0.3;
/// A larger share of cut texts is worth knowing.
const MANY_CUT: f64 = 0.1;
/// Most of such texts are half read.
const MOST_CUT: f64 = 0.5;

/// What a check found.
#[derive(Debug)]
pub struct Check {
    /// Whether the settings could be read; if not, training stops at them, whatever the data is.
    pub settings_are_right: bool,
    /// What the parts are counted in: `rows`, which are texts, `windows` or `series`.
    pub unit: &'static str,
    /// The labels of the training data.
    pub labels: Vec<String>,
    /// The parts of the data, as far as they could be read.
    pub parts: Vec<PartReport>,
    /// What is wrong, the most important first.
    pub problems: Vec<Problem>,
    /// The model; absent if something is wrong that keeps it from being made.
    pub model: Option<DryRun>,
}

/// A part of the data.
#[derive(Clone, Debug)]
pub struct PartReport {
    /// Which.
    pub split: Split,
    /// How many rows, windows or series can be used.
    pub rows: usize,
    /// How many of them each label has; none where the labels are not known to be those of the training data.
    pub label_counts: Vec<usize>,
    /// Lengths in tokens, where there is a tokenizer.
    pub lengths: Option<Lengths>,
}

impl Check {
    /// Whether training would begin.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.count(Level::Error) == 0
    }

    /// How many problems are of this level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.problems
            .iter()
            .filter(|problem| problem.level == level)
            .count()
    }
}

/// Checks the configuration at `path`, its data and its model.
///
/// # Errors
///
/// If there is no such configuration. Everything else that is wrong is in the result.
pub fn check<S: AsRef<str>>(
    path: &Path,
    overrides: &[S],
    device: &Device,
    workers: Workers,
) -> Result<Check, TrainError> {
    let mut problems = Vec::new();
    let (config, settings_are_right) = match config::load(path, overrides) {
        Ok(config) => (Some(config), true),
        Err(error) => {
            match &error {
                ConfigError::Invalid {
                    problems: found, ..
                } => {
                    problems.extend(found.iter().map(|problem| of_settings(problem, path)));
                }
                _ => return Err(error.into()),
            }
            // What is wrong with the model's settings says nothing against looking at the data.
            (config::load_data_alone(path, overrides)?, false)
        }
    };
    let DataReport {
        mut labels,
        mut parts,
        problems: of_data,
    } = match &config {
        None => DataReport::default(),
        Some(config) => match config.task {
            config::Task::TextClassification => data::look_at(config),
            config::Task::SeriesForecasting | config::Task::SeriesAnomaly => {
                series::look_at(config)
            }
            // Reading it finds what is wrong, one fault at a time.
            config::Task::SeriesClassification => DataReport::default(),
        },
    };
    problems.extend(of_data);
    let can_begin = problems.iter().all(|problem| problem.level != Level::Error);
    let mut model = None;
    if let Some(config) = config.as_ref().filter(|_| can_begin) {
        match look_at_model(
            config,
            &mut labels,
            &mut parts,
            &mut problems,
            device,
            workers,
        ) {
            Ok(found) => model = Some(found),
            Err(error) => problems.push(of_error(&error)),
        }
    }
    // Stable: within a level in the order in which they were found.
    problems.sort_by_key(|problem| problem.level);
    Ok(Check {
        unit: match config.as_ref().map(|config| config.task) {
            None | Some(config::Task::TextClassification) => "rows",
            Some(task) => task.units(),
        },
        settings_are_right,
        labels,
        parts,
        problems,
        model,
    })
}

fn look_at_model(
    config: &Config,
    labels: &mut Vec<String>,
    parts: &mut Vec<PartReport>,
    problems: &mut Vec<Problem>,
    device: &Device,
    workers: Workers,
) -> Result<DryRun, TrainError> {
    let task: Box<dyn Task> = match config.task {
        config::Task::TextClassification => task::load(config)?,
        config::Task::SeriesClassification => {
            let task = SeriesClassification::load(config)?;
            *labels = task.bundle_info(0).labels;
            parts.extend(classes::parts(&task, labels.len()));
            problems.extend(classes::rare(config, labels, parts));
            Box::new(task)
        }
        config::Task::SeriesForecasting | config::Task::SeriesAnomaly => {
            let task = task::load(config)?;
            parts.extend(Split::ALL.map(|split| PartReport {
                split,
                rows: task.n_units(split),
                label_counts: Vec::new(),
                lengths: None,
            }));
            task
        }
    };
    measure(config, &*task, parts)?;
    for part in parts.iter() {
        problems.extend(of_lengths(config, part));
    }
    let model = dry_run(config, &*task, device, workers)?;
    problems.extend(model.warnings.iter().map(|warning| {
        let (message, hint) = parted(warning.clone());
        let mut problem = Problem::new(Level::Warning, message);
        problem.hint = hint;
        problem
    }));
    Ok(model)
}

/// Measures every text under the tokenizer that training would use.
fn measure(config: &Config, task: &dyn Task, parts: &mut [PartReport]) -> Result<(), TrainError> {
    let Companion::Tokenizer(tokenizer) = task.companion() else {
        return Ok(());
    };
    let texts = TextParts::read(config, None)?;
    let ruler = Ruler::new(tokenizer)?;
    let mut lengths = Split::ALL.map(|_| Lengths::default());
    texts.visit(&Split::ALL, |text| {
        ruler.measure(text.text, &mut lengths[text.split as usize])?;
        Ok::<(), DataError>(())
    })?;
    for part in parts {
        part.lengths = Some(std::mem::take(&mut lengths[part.split as usize]));
    }
    Ok(())
}

/// What lengths and vocabulary say.
fn of_lengths(config: &Config, part: &PartReport) -> Vec<Problem> {
    let Some(lengths) = &part.lengths else {
        return Vec::new();
    };
    let name = part.split.name();
    let level = |is_worse| {
        if is_worse {
            Level::Warning
        } else {
            Level::Note
        }
    };
    let mut problems = Vec::new();
    let cut = lengths.cut_share();
    if part.split == Split::Train && cut > MANY_CUT {
        let most = config.tokenizer.max_length;
        let message = format!(
            "{:.0} % of the {name} texts are cut at {most} tokens",
            100.0 * cut
        );
        let problem = Problem::new(level(cut > MOST_CUT), message);
        problems.push(match lengths.summary() {
            Some(summary) => problem.hint(format!(
                "95 of 100 texts fit into tokenizer.max_length = {}; longer texts take more time and memory",
                summary.p95
            )),
            None => problem,
        });
    }
    let unknown = lengths.unknown_share();
    if part.split != Split::Train && unknown > MANY_UNKNOWN {
        let message = format!(
            "{:.0} % of the tokens of the {name} data do not occur in the vocabulary",
            100.0 * unknown
        );
        problems.push(Problem::new(level(unknown > MOST_UNKNOWN), message).hint(
            "pieces of words are never unknown: tokenizer.kind = \"bpe\"; or train on more texts",
        ));
    }
    problems
}

fn of_settings(problem: &config::Problem, path: &Path) -> Problem {
    let key = match problem.key.as_str() {
        "" => String::new(),
        key => format!("`{key}`: "),
    };
    let what = format!(
        "{key}expected {}, found {}",
        problem.expected, problem.found
    );
    let mut told = match &problem.origin {
        Origin::Argument(argument) => {
            Problem::new(Level::Error, format!("--set {argument}: {what}"))
        }
        Origin::Line(_) | Origin::Nowhere => Problem::new(Level::Error, what).in_file(path),
    };
    if let Origin::Line(line) = problem.origin {
        told.line = Some(line as u64);
    }
    told.hint.clone_from(&problem.hint);
    told
}

fn of_error(error: &TrainError) -> Problem {
    if let TrainError::Data(error) = error {
        return Problem::of_error(error);
    }
    let (message, hint) = parted(error.to_string());
    let mut problem = Problem::new(Level::Error, message);
    problem.hint = hint;
    problem
}

/// A message and its advice, which follows the last semicolon.
fn parted(message: String) -> (String, Option<String>) {
    match message.rsplit_once("; ") {
        Some((what, how)) => (what.to_owned(), Some(how.to_owned())),
        None => (message, None),
    }
}
