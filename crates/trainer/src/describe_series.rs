//! A finished run of series looked back at: how good its model is, on which windows it errs, and its scores over time.

use std::ops::Range;

use burn::module::Module;
use regard_bundle::{AttentionMaps, Bundle, BundleInfo, SeriesModel, pooled, rollout};
use regard_model::Pooling;

use crate::config::{self, Config};
use crate::error::TrainError;
use crate::evaluate::outputs;
use crate::privacy::require_same_data;
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
    /// What the model attends to in the worst window; none as above, or if its mechanism gives no weights.
    pub attention: Option<PatchAttention>,
    /// Scores of each series; none if the run finds no anomalies, or as above.
    pub courses: Vec<ScoreCourse>,
}

/// A window with what was told of it, in the data's units; NaN = missing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ToldWindow {
    /// `best`, `median` or `worst`.
    pub rank: &'static str,
    /// Its number among the windows of its part.
    pub unit: usize,
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

/// The attention over the patches of one channel of a window.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PatchAttention {
    /// The name of the channel, the one that was told worst.
    pub channel: String,
    /// The steps of each patch that the blocks see, counted from the first of the window.
    pub patches: Vec<Range<usize>>,
    /// For each head of each layer the weight that each patch gets, the mean over the patches that attend to it.
    pub heads: Vec<HeadAttention>,
    /// The share of each patch that reaches the head by attention: [`regard_bundle::rollout`] from all patches alike, since
    /// a forecast is a linear map of all of them.
    pub reach: Vec<f64>,
}

/// What one head attends to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HeadAttention {
    /// Its layer, from 0.
    pub layer: usize,
    /// Its number in the layer, from 0.
    pub head: usize,
    /// For each patch the weight that it gets; together 1.
    pub weights: Vec<f64>,
}

impl PatchAttention {
    /// From the maps of the layers over `patches`; none without layers that give weights.
    pub(crate) fn new(
        channel: String,
        patches: Vec<Range<usize>>,
        layers: &[AttentionMaps],
    ) -> Option<Self> {
        let n = patches.len();
        layers.first()?;
        let heads = layers.iter().flat_map(|maps| {
            (0..maps.n_heads()).map(move |head| {
                let mut weights = vec![0.0; n];
                for row in maps.head(head).chunks(n) {
                    for (sum, weight) in weights.iter_mut().zip(row) {
                        *sum += f64::from(*weight) / n as f64;
                    }
                }
                HeadAttention {
                    layer: maps.layer(),
                    head,
                    weights,
                }
            })
        });
        Some(Self {
            channel,
            heads: heads.collect(),
            reach: rollout(layers, pooled(Pooling::Mean, n)),
            patches,
        })
    }
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
            Ok(match with_examples {
                true => described.with_examples(judged(&task), &task),
                false => described.plain,
            })
        }
        config::Task::SeriesAnomaly => {
            let task = SeriesAnomaly::load(&config)?;
            let described = describe(bundle, config, &task, settings)?;
            if !with_examples {
                return Ok(described.plain);
            }
            let courses = task.courses(judged(&task), &described.outputs);
            let described = described.with_examples(judged(&task), task.forecasts());
            Ok(SeriesDescription {
                courses,
                ..described
            })
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
    model: SeriesModel,
}

impl Described {
    /// With windows of a part, and what the model attends to in the last of them, the worst one.
    fn with_examples(self, split: Split, forecasts: &SeriesForecasting) -> SeriesDescription {
        let windows = forecasts.told_windows(split, &self.outputs);
        let model = &self.model;
        let attention = windows
            .last()
            .and_then(|window| forecasts.attention(model.model(), split, window, model.device()));
        SeriesDescription {
            windows,
            attention,
            ..self.plain
        }
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
    require_same_data(
        &config,
        &settings.folder,
        &task.data_fingerprint(),
        &info.data_fingerprint,
    )?;
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
            attention: None,
            courses: Vec::new(),
        },
        outputs,
        model,
    })
}
