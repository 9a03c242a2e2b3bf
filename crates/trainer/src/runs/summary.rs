//! One run: where it stands, and how good it is.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::Value;

use crate::checkpoint::{Best, CheckpointStore, TrainingState};
use crate::config::{self, Config};
use crate::lock::RunLock;
use crate::run::checkpoint_files;

/// The most that is read of a log's end: a few hundred lines.
const MAX_TAIL_BYTES: u64 = 64 << 10;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunState {
    /// A process works on it.
    Running,
    /// Nobody works on it and there are steps left; `regard train` goes on.
    Stopped,
    /// Its bundle is made.
    Complete,
    /// A file of it cannot be used.
    Damaged,
}

impl RunState {
    /// The state's name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Complete => "complete",
            Self::Damaged => "damaged",
        }
    }
}

/// What the files of a run say of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunSummary {
    /// How far it is.
    pub state: RunState,
    /// What is wrong with its files.
    pub problem: Option<String>,
    /// Its configuration, if that can be read.
    pub config: Option<Config>,
    /// The steps done: as the log has it while the run is going on, else as its newest checkpoint.
    pub step: u64,
    /// The steps of the whole run, known from its first checkpoint on.
    pub total_steps: Option<u64>,
    /// The best evaluation on the validation data.
    pub best: Option<Best>,
    /// `eval.metric` on the test data, once the run is complete.
    pub test: Option<f64>,
}

/// Whether a folder is, or was going to be, a run.
pub(super) fn is_run(folder: &Path) -> bool {
    folder.join("config.toml").is_file()
        || folder.join("events.jsonl").is_file()
        || folder.join("checkpoints").is_dir()
}

/// Reads what a run's folder says of the run. The files of its checkpoints and its bundle are not
/// opened: whether their bytes are whole is for `regard train` and `regard eval` to find.
#[must_use]
pub fn summarize(folder: &Path) -> RunSummary {
    let mut problems = Vec::new();
    let config = config::load::<&str>(&folder.join("config.toml"), &[]);
    let config = config.map_err(|error| problems.push(one_line(&error))).ok();
    let store = CheckpointStore::open(
        &folder.join("checkpoints"),
        checkpoint_files(
            config
                .as_ref()
                .is_some_and(|config| config.train.ema().is_some()),
        ),
    );
    let saved = store.newest_state().unwrap_or_else(|error| {
        problems.push(one_line(&error));
        None
    });
    let log = Log::read(&folder.join("events.jsonl"), saved.as_ref()).unwrap_or_else(|error| {
        problems.push(error);
        Log::default()
    });
    let is_running = RunLock::is_held(folder).unwrap_or_else(|error| {
        problems.push(one_line(&error));
        false
    });
    let saved_step = saved.as_ref().map_or(0, |saved| saved.step);
    let has_bundle = folder.join("bundle").join("bundle.json").is_file();
    let state = if is_running {
        RunState::Running
    } else if !problems.is_empty() {
        RunState::Damaged
    } else if log.has_ended && has_bundle {
        RunState::Complete
    } else {
        RunState::Stopped
    };
    let metric = config.as_ref().map(|config| config.eval.metric.name());
    RunSummary {
        step: match state {
            RunState::Running => log.step.max(saved_step),
            _ => saved_step,
        },
        total_steps: log.total_steps,
        test: match (state, metric, &log.last) {
            (RunState::Complete, Some(metric), Some(end)) if end["split"] == "test" => {
                end[metric].as_f64()
            }
            _ => None,
        },
        best: saved.and_then(|saved| saved.best),
        problem: (!problems.is_empty()).then(|| problems.join("; ")),
        config,
        state,
    }
}

/// What the end of a log says.
#[derive(Default)]
struct Log {
    step: u64,
    total_steps: Option<u64>,
    has_ended: bool,
    last: Option<Value>,
}

impl Log {
    fn read(path: &Path, saved: Option<&TrainingState>) -> Result<Self, String> {
        let failed = |error: io::Error| format!("cannot read {}: {error}", path.display());
        let offset = saved.map_or(0, |saved| saved.log_offset);
        let mut file = match File::open(path) {
            Ok(file) => file,
            // A run without a checkpoint may have been stopped before its first line.
            Err(error) if error.kind() == io::ErrorKind::NotFound && offset == 0 => {
                return Ok(Self::default());
            }
            Err(error) => return Err(failed(error)),
        };
        let length = file.metadata().map_err(failed)?.len();
        if length < offset {
            return Err(format!(
                "{} has {length} bytes, fewer than its checkpoint remembers",
                path.display()
            ));
        }
        // The line that ends where the checkpoint says is the one of the checkpoint itself, unless
        // somebody asked for it: then it begins there.
        let is_of_checkpoint = |event: &Value| event["kind"] == "checkpoint";
        let checkpoint = match last_event(&mut file, offset).map_err(failed)? {
            Some(event) if is_of_checkpoint(&event) => Some(event),
            _ => first_event(&mut file, offset).map_err(failed)?,
        };
        let last = last_event(&mut file, length).map_err(failed)?;
        let total_steps = checkpoint.and_then(|event| event["volatile"]["total_steps"].as_f64());
        let step = last.as_ref().and_then(|event| event["step"].as_u64());
        Ok(Self {
            step: step.unwrap_or(0),
            // Numbers under "volatile" are floats.
            total_steps: total_steps.map(|steps| steps as u64),
            has_ended: last.as_ref().is_some_and(|event| event["kind"] == "end"),
            last,
        })
    }
}

/// The event of the last whole line before byte `end`.
fn last_event(file: &mut File, end: u64) -> io::Result<Option<Value>> {
    let begin = end.saturating_sub(MAX_TAIL_BYTES);
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(begin))?;
    file.take(end - begin).read_to_end(&mut bytes)?;
    // A killed process leaves half a line.
    let mut lines = bytes.split(|byte| *byte == b'\n').rev().skip(1);
    Ok(lines.find_map(|line| serde_json::from_slice(line).ok()))
}

/// The event of the first line behind byte `begin`, if it is whole.
fn first_event(file: &mut File, begin: u64) -> io::Result<Option<Value>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(begin))?;
    file.take(MAX_TAIL_BYTES).read_to_end(&mut bytes)?;
    let line = bytes.split_inclusive(|byte| *byte == b'\n').next();
    Ok(line.and_then(|line| serde_json::from_slice(line).ok()))
}

/// An error without the list that some go on with: there is one line for a run.
pub(super) fn one_line(error: &dyn std::error::Error) -> String {
    let text = match error.source() {
        Some(source) if !error.to_string().contains(&source.to_string()) => {
            format!("{error}: {source}")
        }
        _ => error.to_string(),
    };
    let first = text.lines().next().unwrap_or_default();
    first.trim_end_matches(':').to_owned()
}
