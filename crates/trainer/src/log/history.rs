//! A log read back: the course of a run.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;

use super::{EventKind, LogError};

/// A step of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrainPoint {
    /// Steps made so far.
    pub step: u64,
    /// The loss before the update; NaN if it was not finite.
    pub loss: f64,
    /// The norm of the gradient before clipping; NaN if it was not finite.
    pub grad_norm: f64,
    /// The learning rate of the update.
    pub learning_rate: f64,
    /// The units of the draw.
    pub units: u64,
    /// The positions that were not filling.
    pub tokens: u64,
    /// How long it took; 0 if the log does not say it.
    pub seconds: f64,
}

/// An evaluation of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EvalPoint {
    /// Steps made so far.
    pub step: u64,
    /// The figures by name.
    pub metrics: BTreeMap<String, f64>,
    /// How long it took; 0 if the log does not say it.
    pub seconds: f64,
}

/// The course of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The steps in their order.
    pub train: Vec<TrainPoint>,
    /// The evaluations on the validation data.
    pub evaluations: Vec<EvalPoint>,
    /// What a person should have known.
    pub warnings: Vec<String>,
    /// The step of the best model; absent if the run has not ended.
    pub best_step: Option<u64>,
    /// Whether the run ended before its last step because the metric no longer improved.
    pub stopped_early: bool,
    /// The most memory that the process took, in MiB; absent where the system does not tell it.
    pub peak_rss_mib: Option<f64>,
}

#[derive(Deserialize)]
struct Line {
    step: u64,
    kind: EventKind,
    #[serde(flatten)]
    fields: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    volatile: Volatile,
}

#[derive(Default, Deserialize)]
struct Volatile {
    #[serde(default)]
    seconds: f64,
    peak_rss_mib: Option<f64>,
}

impl Line {
    fn number(&self, name: &str) -> f64 {
        let value = self.fields.get(name).and_then(serde_json::Value::as_f64);
        value.unwrap_or(f64::NAN)
    }

    fn count(&self, name: &str) -> u64 {
        let value = self.fields.get(name).and_then(serde_json::Value::as_u64);
        value.unwrap_or(0)
    }
}

impl History {
    /// Reads a log. Half a line at the end is passed over: a killed process may have left it.
    ///
    /// # Errors
    ///
    /// [`LogError::Io`]; [`LogError::Damaged`] if a whole line is no event.
    pub fn read(path: &Path) -> Result<Self, LogError> {
        let failed = |source| LogError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        };
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        let mut history = Self::default();
        let mut text = String::new();
        for number in 1.. {
            text.clear();
            let length = file.read_line(&mut text).map_err(failed)?;
            if length == 0 || !text.ends_with('\n') {
                break;
            }
            let line: Line = serde_json::from_str(&text).map_err(|error| LogError::Damaged {
                path: path.to_owned(),
                line: number,
                found: error.to_string(),
            })?;
            history.add(&line);
        }
        Ok(history)
    }

    fn add(&mut self, line: &Line) {
        let memory = line.volatile.peak_rss_mib.into_iter();
        self.peak_rss_mib = memory.chain(self.peak_rss_mib).reduce(f64::max);
        match line.kind {
            EventKind::Train => self.train.push(TrainPoint {
                step: line.step,
                loss: line.number("loss"),
                grad_norm: line.number("grad_norm"),
                learning_rate: line.number("learning_rate"),
                units: line.count("units"),
                tokens: line.count("tokens"),
                seconds: line.volatile.seconds,
            }),
            EventKind::Eval => self.evaluations.push(EvalPoint {
                step: line.step,
                metrics: line
                    .fields
                    .iter()
                    .filter(|(name, _)| !["schema", "epoch"].contains(&name.as_str()))
                    .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)))
                    .collect(),
                seconds: line.volatile.seconds,
            }),
            EventKind::Warning => {
                let message = line.fields.get("message").and_then(|text| text.as_str());
                self.warnings.extend(message.map(str::to_owned));
            }
            EventKind::End => {
                self.best_step = line.fields.get("best_step").and_then(|step| step.as_u64());
                let stopped = line.fields.get("stopped_early");
                self.stopped_early = stopped.and_then(|stopped| stopped.as_bool()) == Some(true);
            }
            EventKind::Checkpoint => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Event, EventLog};
    use super::*;

    #[test]
    fn what_was_logged_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut log = EventLog::open(&path, 0).unwrap();
        let step = |step, loss| {
            Event::new(EventKind::Train, step, 0)
                .with_number("loss", loss)
                .with_number("grad_norm", 1.5)
                .with_number("learning_rate", 1e-3)
                .with("units", 8)
                .with("tokens", 90)
                .with_volatile("seconds", 0.25)
                .with_volatile("peak_rss_mib", 40.0 + step as f64)
        };
        log.write(&step(1, 0.5)).unwrap();
        log.write(&step(2, f64::NAN)).unwrap();
        let evaluation = Event::new(EventKind::Eval, 2, 0)
            .with("split", "valid")
            .with_number("accuracy", 0.75);
        log.write(&evaluation).unwrap();
        log.write(&Event::new(EventKind::Warning, 2, 0).with("message", "careful"))
            .unwrap();
        let end = Event::new(EventKind::End, 2, 0)
            .with("best_step", 1)
            .with("stopped_early", true);
        log.write(&end).unwrap();
        std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, b"{\"schema\":1,"))
            .unwrap();

        let history = History::read(&path).unwrap();
        assert_eq!(history.train.len(), 2);
        let first = TrainPoint {
            step: 1,
            loss: 0.5,
            grad_norm: 1.5,
            learning_rate: 1e-3,
            units: 8,
            tokens: 90,
            seconds: 0.25,
        };
        assert_eq!(history.train[0], first);
        assert!(history.train[1].loss.is_nan());
        let metrics: Vec<_> = history.evaluations[0].metrics.iter().collect();
        assert_eq!(metrics, [(&"accuracy".to_owned(), &0.75)]);
        assert_eq!(history.warnings, ["careful"]);
        assert_eq!((history.best_step, history.stopped_early), (Some(1), true));
        assert_eq!(history.peak_rss_mib, Some(42.0));

        std::fs::write(&path, "{\"step\":1}\n").unwrap();
        let message = History::read(&path).unwrap_err().to_string();
        assert!(
            message
                .contains("is damaged in line 1: expected an event as JSON, found missing field"),
            "{message}"
        );
    }
}
