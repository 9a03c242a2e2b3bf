//! A finished run of series looked back at: how good its model is, on which windows it errs, and its scores over time.

use std::ops::Range;

use burn::module::Module;
use regard_bundle::{Bundle, BundleInfo};

use crate::config::{self, Config};
use crate::error::TrainError;
use crate::evaluate::outputs;
use crate::run::RunSettings;
use crate::task::{Baselines, Evaluation, SeriesAnomaly, SeriesForecasting, Split, Task};

/// A finished run of series that forecasts, or finds anomalies by forecasts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SeriesDescription {
    /// The run's configuration.
    pub config: Config,
    /// What its bundle is.
    pub info: BundleInfo,
    /// The trained numbers of its model.
    pub n_parameters: usize,
    /// Lines on the parts of its data.
    pub data: Vec<String>,
    /// The model on its test data, or on its validation data if there is no test data.
    pub evaluation: Evaluation,
    /// What is reached on the test data without a model; none for a private run.
    pub baselines: Option<Baselines>,
    /// The best, the median and the worst window; none if the configuration keeps examples out of reports.
    pub windows: Vec<ToldWindow>,
    /// Scores of each series; none if the run finds no anomalies, or as above.
    pub courses: Vec<ScoreCourse>,
}

/// A window with what was told of it, in the data's units; NaN = missing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ToldWindow {
    /// `best`, `median` or `worst`.
    pub rank: &'static str,
    /// When the first told step is, or which row.
    pub begins: String,
    /// The mean squared error of scaled values.
    pub mse: f64,
    /// The quantiles that are told, empty for a point.
    pub quantiles: Vec<f64>,
    /// Each channel.
    pub channels: Vec<ToldChannel>,
}

/// One channel of a [`ToldWindow`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ToldChannel {
    /// Its name.
    pub name: String,
    /// What was seen.
    pub past: Vec<f32>,
    /// What came.
    pub truth: Vec<f32>,
    /// What was told: the point, or each quantile.
    pub told: Vec<Vec<f32>>,
}

/// The scores of the test part of one series.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ScoreCourse {
    /// The name of the series.
    pub series: String,
    /// The name of its first channel.
    pub channel: String,
    /// When the first and the last row are, or which rows.
    pub ends: [String; 2],
    /// The first channel, in the data's units.
    pub values: Vec<f32>,
    /// The score of each row.
    pub scores: Vec<f32>,
    /// Labelled stretches.
    pub labelled: Vec<Range<usize>>,
    /// The score above which a step is called unusual.
    pub threshold: f64,
}

/// Looks back at the finished run of series in the settings' folder.
///
/// # Errors
///
/// If there is no finished run, it does not forecast, or its data can no longer be read or has changed.
pub fn describe_series(settings: &RunSettings) -> Result<SeriesDescription, TrainError> {
    let bundle = Bundle::load(&settings.folder, &settings.device)?;
    let config = config::load::<&str>(&settings.folder.join("config.toml"), &[])?;
    let info = bundle.info().clone();
    let with_examples = config.report.examples;
    match config.task {
        config::Task::SeriesForecasting => {
            let task = SeriesForecasting::load(&config)?;
            let described = describe(bundle, config, &task, settings)?;
            let windows = |outputs: &[Vec<f32>]| task.told_windows(judged(&task), outputs);
            Ok(described.with_examples(with_examples, windows, |_| Vec::new()))
        }
        config::Task::SeriesAnomaly => {
            let task = SeriesAnomaly::load(&config)?;
            let described = describe(bundle, config, &task, settings)?;
            let windows = |outputs: &[Vec<f32>]| {
                let forecasts = task.forecasts();
                forecasts.told_windows(judged(&task), outputs)
            };
            let courses = |outputs: &[Vec<f32>]| task.courses(judged(&task), outputs);
            Ok(described.with_examples(with_examples, windows, courses))
        }
        _ => Err(TrainError::TextAlone {
            what: "this page of a run",
            task: info.task,
        }),
    }
}

/// A description without examples, and what they come from.
struct Described {
    plain: SeriesDescription,
    outputs: Vec<Vec<f32>>,
}

impl Described {
    fn with_examples(
        self,
        wanted: bool,
        windows: impl Fn(&[Vec<f32>]) -> Vec<ToldWindow>,
        courses: impl Fn(&[Vec<f32>]) -> Vec<ScoreCourse>,
    ) -> SeriesDescription {
        let mut described = self.plain;
        if wanted {
            described.windows = windows(&self.outputs);
            described.courses = courses(&self.outputs);
        }
        described
    }
}

/// The part that the model is judged on: the test part, or the validation part where there is none.
fn judged(task: &dyn Task) -> Split {
    match task.n_units(Split::Test) {
        0 => Split::Valid,
        _ => Split::Test,
    }
}

fn describe(
    bundle: Bundle,
    config: Config,
    task: &dyn Task,
    settings: &RunSettings,
) -> Result<Described, TrainError> {
    let info = bundle.info().clone();
    if task.data_fingerprint() != info.data_fingerprint {
        return Err(TrainError::OtherData {
            folder: settings.folder.clone(),
        });
    }
    let model = bundle.into_series_model()?;
    let RunSettings {
        device, workers, ..
    } = settings;
    task.calibrate(model.model(), *workers, device)?;
    let judged = judged(task);
    let outputs = outputs(model.model(), task, judged, *workers, device);
    let baselines = match (judged, &config.privacy) {
        (Split::Test, None) => task.baselines()?,
        // Baselines are fitted without noise, and would tell what the run keeps for itself.
        _ => None,
    };
    Ok(Described {
        plain: SeriesDescription {
            n_parameters: model.model().num_params(),
            data: task.summary(),
            evaluation: task.evaluate(judged, &outputs)?,
            baselines,
            config,
            info,
            windows: Vec::new(),
            courses: Vec::new(),
        },
        outputs,
    })
}
