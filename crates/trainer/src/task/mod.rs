//! Tasks as values.
//!
//! A task knows how to read its examples, how to make a batch of some units with its masks, what the
//! loss of each row is, and what outputs are worth. The loop knows no task by name.

mod baselines;
mod classes;
mod encoder;
pub(crate) mod held_out;
mod series_anomaly;
mod series_classification;
pub(crate) mod series_data;
mod series_forecasting;
mod series_losses;
mod text_classification;
pub(crate) mod text_parts;

use std::path::Path;

use burn::tensor::{Device, Tensor};
use regard_bundle::{BundleInfo, Companion, Workers};
use regard_data::TokenCache;
use regard_model::{Input, Transformer, TransformerConfig};
use regard_ops::Key;

pub use baselines::{Baseline, Baselines};
pub use series_anomaly::SeriesAnomaly;
pub use series_classification::SeriesClassification;
pub use series_forecasting::SeriesForecasting;
pub use series_losses::{pinball, squared_error};
pub use text_classification::{TextClassification, cross_entropy};

use crate::config::{Config, MetricName, Task as TaskName};
use crate::error::TrainError;
use crate::metrics::{AnomalyReport, ClassificationReport, ForecastReport};

/// A part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// What the model learns from.
    Train,
    /// What the best model is chosen by.
    Valid,
    /// What nothing is chosen by.
    Test,
}

impl Split {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// The name in logs and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }
}

/// What the rows of a batch should give.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Targets {
    /// A class for each row.
    Classes(Vec<u32>),
    /// Numbers for each row, NaN = missing.
    Values {
        /// Row after row.
        values: Vec<f32>,
        /// How many of a row.
        width: usize,
    },
}

impl Targets {
    /// The classes.
    ///
    /// # Panics
    ///
    /// If the targets are none.
    #[must_use]
    pub fn classes(&self) -> &[u32] {
        match self {
            Self::Classes(classes) => classes,
            Self::Values { .. } => panic!("classes are the targets of a classifier"),
        }
    }

    /// The numbers, row after row.
    ///
    /// # Panics
    ///
    /// If the targets are none.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        match self {
            Self::Values { values, .. } => values,
            Self::Classes(_) => panic!("numbers are the targets of a model of series"),
        }
    }

    /// The targets of the rows `order`, one after the other.
    #[must_use]
    pub fn reordered(&self, order: &[usize]) -> Self {
        match self {
            Self::Classes(classes) => {
                Self::Classes(order.iter().map(|row| classes[*row]).collect())
            }
            Self::Values { values, width } => Self::Values {
                values: order
                    .iter()
                    .flat_map(|row| &values[row * width..][..*width])
                    .copied()
                    .collect(),
                width: *width,
            },
        }
    }
}

/// Some units as rows on a device.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What the model takes.
    pub input: Input,
    /// What it should give.
    pub targets: Targets,
    /// The unit of each row, numbered from 0 within the batch: a row is not a unit.
    pub unit_of_row: Vec<usize>,
    /// The positions that are not filling.
    pub n_tokens: usize,
}

/// A task.
pub trait Task: Send + Sync {
    /// The shape of the model that the task needs.
    fn model(&self) -> TransformerConfig;

    /// The number of units of a part of the data.
    fn n_units(&self, split: Split) -> usize;

    /// The length of each unit, for batches of similar lengths.
    fn lengths(&self, split: Split) -> Vec<u32>;

    /// The number of rows of a unit.
    fn n_rows(&self, split: Split, unit: usize) -> usize {
        let _ = (split, unit);
        1
    }

    /// The series that a window of the training part is cut from; none where the task cuts none.
    fn series_of(&self, unit: usize) -> Option<usize> {
        let _ = unit;
        None
    }

    /// Makes a batch. `randomness` names the step, for what the task changes at random in training
    /// (word dropout); without it nothing is changed.
    fn batch(
        &self,
        split: Split,
        units: &[usize],
        randomness: Option<Key>,
        device: &Device,
    ) -> Batch;

    /// The loss of each row.
    ///
    /// # Shapes
    ///
    /// - output: `[rows, answers, features]`, what the model gave
    /// - result: `[rows]`
    fn row_losses(&self, output: Tensor<3>, targets: &Targets) -> Tensor<1>;

    /// The model as it begins, where the data says more than the seed: a linear skip that begins as a ridge.
    ///
    /// # Errors
    ///
    /// If the data has no such beginning.
    fn begin(&self, model: Transformer) -> Result<Transformer, TrainError> {
        Ok(model)
    }

    /// Finds what depends on the chosen model and on the training part, before the test part is judged and the bundle
    /// made: the threshold of anomalies.
    ///
    /// # Errors
    ///
    /// If an output is not finite.
    fn calibrate(
        &self,
        model: &Transformer,
        workers: Workers,
        device: &Device,
    ) -> Result<(), TrainError> {
        let _ = (model, workers, device);
        Ok(())
    }

    /// What the outputs of a part of the data are worth: `outputs[u]` is unit `u`'s.
    ///
    /// # Errors
    ///
    /// If an output is not finite.
    fn evaluate(&self, split: Split, outputs: &[Vec<f32>]) -> Result<Evaluation, TrainError>;

    /// What is reached on the test part without a model; none where there is nothing to hold a model against.
    ///
    /// # Errors
    ///
    /// If the test part has nothing to judge.
    fn baselines(&self) -> Result<Option<Baselines>, TrainError> {
        Ok(None)
    }

    /// The hash of the data that a run depends on.
    fn data_fingerprint(&self) -> String;

    /// What a bundle says of a model of this task.
    fn bundle_info(&self, step: u64) -> BundleInfo;

    /// What goes into the bundle beside the weights.
    fn companion(&self) -> Companion<'_>;

    /// Lines for a person on the data.
    fn summary(&self) -> Vec<String>;
}

/// What a model is worth on a part of the data.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Evaluation {
    /// The part.
    pub split: Split,
    /// The figures.
    pub report: Report,
}

/// The figures of an evaluation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Report {
    /// Of a classification.
    Classes {
        /// The names of the classes.
        labels: Vec<String>,
        /// The figures.
        report: ClassificationReport,
    },
    /// Of forecasts.
    Forecast(ForecastReport),
    /// Of scores of anomalies, and of the forecasts that they come from.
    Anomaly(AnomalyReport),
}

impl Evaluation {
    /// A figure by name.
    #[must_use]
    pub fn metric(&self, name: MetricName) -> f64 {
        match &self.report {
            Report::Classes { report, .. } => report.metric(name),
            Report::Forecast(report) => report.metric(name),
            Report::Anomaly(report) => report.forecast.metric(name),
        }
    }

    /// What training makes small.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.metric(MetricName::Loss)
    }

    /// The names of the classes and the figures, if the model classifies.
    #[must_use]
    pub fn classes(&self) -> Option<(&[String], &ClassificationReport)> {
        match &self.report {
            Report::Classes { labels, report } => Some((labels, report)),
            Report::Forecast(_) | Report::Anomaly(_) => None,
        }
    }

    /// All figures by name, in the order of documents.
    #[must_use]
    pub fn metrics(&self) -> Vec<(&'static str, f64)> {
        let report = match &self.report {
            Report::Classes { report, .. } => report,
            Report::Forecast(report) => return report.metrics(),
            Report::Anomaly(report) => return report.metrics(),
        };
        vec![
            ("accuracy", report.accuracy),
            ("macro_f1", report.macro_f1),
            ("mcc", report.mcc),
            ("ece", report.ece),
            ("brier", report.brier),
            ("loss", report.loss),
        ]
    }
}

/// Reads the data of the task that a configuration names. What is too much for memory goes to a temporary file, which is
/// removed with the task.
///
/// # Errors
///
/// If the data cannot be read or is not what the configuration says.
pub fn load(config: &Config) -> Result<Box<dyn Task>, TrainError> {
    load_with_cache(config, TokenCache::temporary(cache_bytes(config)))
}

/// [`load`] for a run that may be killed and go on: what is too much for memory goes to `folder` and is found there again.
///
/// # Errors
///
/// As [`load`].
pub fn load_in(config: &Config, folder: &Path) -> Result<Box<dyn Task>, TrainError> {
    load_with_cache(config, TokenCache::in_folder(folder, cache_bytes(config)))
}

fn load_with_cache(config: &Config, cache: TokenCache) -> Result<Box<dyn Task>, TrainError> {
    match config.task {
        TaskName::TextClassification => Ok(Box::new(TextClassification::load(config, cache)?)),
        TaskName::SeriesForecasting => Ok(Box::new(SeriesForecasting::load(config)?)),
        TaskName::SeriesClassification => Ok(Box::new(SeriesClassification::load(config)?)),
        TaskName::SeriesAnomaly => Ok(Box::new(SeriesAnomaly::load(config)?)),
    }
}

fn cache_bytes(config: &Config) -> u64 {
    config.data.memory_mib << 20
}
