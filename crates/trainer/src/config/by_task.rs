//! Which keys a task has, and the defaults that are its own.
//!
//! A key that a task does not have is refused where it is written, with the tasks that have it, and is not in the
//! resolved file.

use super::keys::{DefaultValue, Key};
use super::names::Task;

use Task::{SeriesAnomaly, SeriesClassification, SeriesForecasting, TextClassification};

/// The tasks that cut one table into windows.
const WINDOWS: &[Task] = &[SeriesForecasting, SeriesAnomaly];
const TEXT: &[Task] = &[TextClassification];
const CLASSES: &[Task] = &[TextClassification, SeriesClassification];
const SERIES: &[Task] = &[SeriesForecasting, SeriesClassification, SeriesAnomaly];

impl Key {
    /// The tasks that have this key.
    #[must_use]
    pub fn tasks(&self) -> &'static [Task] {
        match (self.section(), self.name()) {
            ("tokenizer", _) | ("data", "text_column") => TEXT,
            ("data", "label_column" | "labels") | ("model", "pooling") => CLASSES,
            ("train", "label_smoothing" | "class_weights" | "mixup") => CLASSES,
            ("train", "word_dropout") => TEXT,
            ("train", "jitter" | "scaling") | ("model.stem", _) | ("data", "max_steps") => {
                &[SeriesClassification]
            }
            ("data", "calendar" | "lookback" | "horizon" | "stride" | "repeated_times")
            | ("data.split", _)
            | ("model", "linear_skip") => WINDOWS,
            ("data", "time_column" | "id_column" | "target_columns" | "scaler")
            | ("model.patch", _)
            | ("model", "instance_norm") => SERIES,
            ("model", "quantiles") => &[SeriesForecasting],
            ("anomaly", _) => &[SeriesAnomaly],
            // Of whole series nothing is shown.
            ("report", "examples") => &[TextClassification, SeriesForecasting, SeriesAnomaly],
            _ => Task::ALL,
        }
    }

    /// Whether a task has this key.
    pub(super) fn is_of(&self, task: Task) -> bool {
        self.tasks().contains(&task)
    }

    /// What the key is in a task when the configuration does not set it.
    #[must_use]
    pub fn default_in(&self, task: Task) -> DefaultValue {
        let own = match (task, self.section(), self.name()) {
            (TextClassification, ..) => None,
            (SeriesForecasting | SeriesAnomaly, "data", "valid") => {
                return DefaultValue::Unset("what data.split says");
            }
            (SeriesClassification, "model", "instance_norm") => Some("false"),
            (SeriesClassification, "model.patch", _) => Some("1"),
            (SeriesForecasting | SeriesAnomaly, "eval", "metric") => Some("\"mse\""),
            (SeriesClassification, "report", "examples") => Some("false"),
            (SeriesAnomaly, "data.split", "train") => Some("0.12"),
            (SeriesAnomaly, "data.split", "valid") => Some("0.03"),
            (SeriesAnomaly, "data.split", "test") => Some("0.85"),
            (_, "privacy", "unit") => Some("\"series\""),
            (_, "model", "d_model") => Some("16"),
            (_, "model", "d_ff") => Some("128"),
            (_, "model", "n_layers") => Some("2"),
            (_, "model", "dropout") => Some("0.2"),
            _ => None,
        };
        own.map_or(self.default(), DefaultValue::Is)
    }
}

#[cfg(test)]
mod tests {
    use super::super::KEYS;
    use super::*;

    #[test]
    fn every_key_is_some_tasks_and_every_default_of_a_task_is_a_value() {
        for key in KEYS {
            assert!(!key.tasks().is_empty(), "{}", key.path());
            for task in Task::ALL {
                if let DefaultValue::Is(text) = key.default_in(*task) {
                    let table: toml::Table = format!("value = {text}").parse().unwrap();
                    let value = table["value"].clone();
                    assert_eq!(key.kind().check(value.clone()), Ok(value), "{}", key.path());
                }
            }
        }
    }
}
