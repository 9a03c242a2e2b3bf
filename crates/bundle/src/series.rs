//! Models of series.

use burn::tensor::{Device, Tensor};
use regard_data::series::{Calendar, RepeatedTimes, Scaler};
use regard_data::{Column, Format, Source};
use regard_model::{
    CalendarRow, EmbeddingConfig, HeadConfig, Input, Transformer, TransformerConfig,
};
use regard_ops::Context;
use serde::{Deserialize, Serialize};

use crate::scores::{ScoreSum, Smoothing};
use crate::text::ClassPrediction;
use crate::workers::Workers;

/// Windows of a batch.
const BATCH: usize = 32;
/// Windows whose errors are added up at once.
const CHUNK: usize = 1024;

/// What a model of series takes: where its columns stand in a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesSchema {
    /// The column of times, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_column: Option<Column>,
    /// The column that says which series a row belongs to, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_column: Option<Column>,
    /// Whether what lies behind the steps that a classifier takes is cut off; else a longer series is refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cuts_long_series: bool,
    /// The column of labels, for a model that classifies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_column: Option<Column>,
    /// The names of the channels, in the order of the scaler.
    pub channels: Vec<String>,
    /// Whether tables begin with a line of column names.
    pub header: bool,
    /// The format of files whose names do not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// The quantiles that are forecast; empty for points.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<f64>,
    /// The steps that the model tells.
    pub horizon: usize,
    /// What becomes of rows of one series with one time.
    #[serde(default)]
    pub repeated_times: RepeatedTimes,
    /// What the model knows of the time of each step, of those to come too.
    #[serde(default, skip_serializing_if = "Calendar::is_empty")]
    pub calendar: Calendar,
    /// Whether each series of a table is laid out by itself: no missing row is filled in, and clocks with offsets are UTC.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub each_by_itself: bool,
    /// How scores of anomalies are made, for a model that finds them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<ScoreSettings>,
}

/// How scores of anomalies are made of a model's errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreSettings {
    /// The steps whose scores are averaged.
    pub smooth: usize,
    /// Which they are.
    #[serde(default)]
    pub smoothing: Smoothing,
    /// The score above which a step is called unusual.
    pub threshold: f64,
}

impl SeriesSchema {
    /// A file laid out as the training data was.
    #[must_use]
    pub fn source(&self, path: &std::path::Path) -> Source {
        let source = Source::new(path).with_header(self.header);
        match (self.format, source.format()) {
            (Some(format), Err(_)) => source.with_format(format),
            _ => source,
        }
    }
}

/// The channels of a window `[steps, channels]` as rows of one channel each.
#[must_use]
pub fn channel_rows(window: &[f32], channels: usize) -> Vec<Vec<f32>> {
    (0..channels)
        .map(|c| window.iter().skip(c).step_by(channels).copied().collect())
        .collect()
}

/// A batch of rows for a model that takes series. Where it goes by the calendar, `calendar` holds for each row what is
/// known of its steps and of those to come, `[steps + horizon, features]`; otherwise it is not read.
///
/// # Panics
///
/// If the model takes none, or as [`regard_model::SeriesConfig::batch_with_calendar`].
#[must_use]
pub fn series_input(
    model: &TransformerConfig,
    rows: &[Vec<f32>],
    calendar: &[&[f32]],
    device: &Device,
) -> Input {
    let EmbeddingConfig::Series(embedding) = &model.embedding else {
        panic!("a model of text was given series");
    };
    let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    Input::series(match embedding.calendar {
        0 => embedding.batch(&rows, device),
        width => {
            let known: Vec<CalendarRow<'_>> = (rows.iter().zip(calendar))
                .map(|(row, known)| {
                    let (seen, to_come) = known.split_at(row.len() / embedding.channels * width);
                    CalendarRow { seen, to_come }
                })
                .collect();
            embedding.batch_with_calendar(&rows, &known, device)
        }
    })
}

/// A window that a model forecasts behind.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesWindow {
    /// Its steps `[lookback, channels]` in the data's units, NaN = missing.
    pub values: Vec<f32>,
    /// What the calendar tells of them and of the steps to come, `[lookback + horizon, features]`; empty for a model that
    /// does not go by it.
    pub calendar: Vec<f32>,
}

/// The steps to come of one window.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// `[channels, outputs, horizon]`, one after the other: for each quantile, or the point.
    values: Vec<f32>,
    n_outputs: usize,
    horizon: usize,
}

impl Forecast {
    /// The steps of one output of one channel, in the data's units.
    ///
    /// # Panics
    ///
    /// If there is no such channel or output.
    #[must_use]
    pub fn steps(&self, channel: usize, output: usize) -> &[f32] {
        assert!(output < self.n_outputs, "{} outputs", self.n_outputs);
        &self.values[(channel * self.n_outputs + output) * self.horizon..][..self.horizon]
    }

    /// The steps to come.
    #[must_use]
    pub fn horizon(&self) -> usize {
        self.horizon
    }
}

/// A trained model of series.
#[derive(Debug)]
pub struct SeriesModel {
    config: TransformerConfig,
    schema: SeriesSchema,
    scaler: Scaler,
    labels: Vec<String>,
    model: Transformer,
    device: Device,
    workers: Workers,
}

impl SeriesModel {
    /// Puts the parts together. `model` is of `config` and lives on `device`, without autodiff.
    #[must_use]
    pub fn new(
        config: TransformerConfig,
        schema: SeriesSchema,
        scaler: Scaler,
        model: Transformer,
        device: Device,
    ) -> Self {
        Self {
            config,
            schema,
            scaler,
            labels: Vec::new(),
            model,
            device,
            workers: Workers::new(1),
        }
    }

    /// With the names of the classes, for a model that classifies.
    #[must_use]
    pub fn with_labels(mut self, labels: Vec<String>) -> Self {
        self.labels = labels;
        self
    }

    /// The names of the classes; none if the model does not classify.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The class of each series `[length, channels]` in the data's units, NaN = missing; in order.
    ///
    /// # Panics
    ///
    /// If the model does not classify, a series is longer than any that it knows, or a value is missing in a model that
    /// does not take that.
    #[must_use]
    pub fn classify(&self, series: &[&[f32]]) -> Vec<ClassPrediction> {
        assert!(!self.labels.is_empty(), "the model does not classify");
        let n_classes = self.labels.len();
        let batches: Vec<&[&[f32]]> = series.chunks(BATCH).collect();
        let answers = self.workers.map(batches.len(), |batch| {
            let rows: Vec<Vec<f32>> = (batches[batch].iter())
                .map(|series| {
                    let mut scaled = series.to_vec();
                    self.scaler.scale_rows(&mut scaled);
                    scaled
                })
                .collect();
            let input = series_input(&self.config, &rows, &[], &self.device);
            values_of(self.model.forward(&input, &mut Context::evaluation()))
        });
        answers
            .concat()
            .chunks(n_classes)
            .map(|logits| ClassPrediction::from_logits(logits, false))
            .collect()
    }

    /// With several threads, each working on a batch of its own.
    #[must_use]
    pub fn with_workers(mut self, workers: Workers) -> Self {
        self.workers = workers;
        self
    }

    /// What it takes.
    #[must_use]
    pub fn schema(&self) -> &SeriesSchema {
        &self.schema
    }

    /// The scale of each channel's training data.
    #[must_use]
    pub fn scaler(&self) -> &Scaler {
        &self.scaler
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Transformer {
        &self.model
    }

    /// Where the model lives.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The most steps that the model sees.
    #[must_use]
    pub fn lookback(&self) -> usize {
        match &self.config.embedding {
            EmbeddingConfig::Series(series) => series.max_steps,
            _ => 0,
        }
    }

    /// Whether values may be missing, since some were in training.
    #[must_use]
    pub fn takes_missing(&self) -> bool {
        matches!(&self.config.embedding, EmbeddingConfig::Series(series) if series.missing)
    }

    /// The score of each step of a series, a window as long as it with no step to come: the mean absolute
    /// error of all forecasts of it in scaled units, averaged over the last steps as the schema says; NaN for the first
    /// steps, which nothing tells. None if the model does not find anomalies.
    ///
    /// # Panics
    ///
    /// As [`SeriesModel::forecast`].
    #[must_use]
    pub fn scores(&self, series: &SeriesWindow) -> Option<Vec<f32>> {
        let settings = self.schema.scores.as_ref()?;
        let n = self.scaler.columns().len();
        let (lookback, horizon) = (self.lookback(), self.schema.horizon);
        let SeriesWindow { values, calendar } = series;
        let steps = values.len() / n;
        let width = self.schema.calendar.width();
        let mut scaled = values.clone();
        self.scaler.scale_rows(&mut scaled);
        let mut sum = ScoreSum::new(steps);
        let starts: Vec<usize> = (0..(steps + 1).saturating_sub(lookback + horizon)).collect();
        for starts in starts.chunks(CHUNK) {
            let pasts: Vec<SeriesWindow> = starts
                .iter()
                .map(|start| {
                    let seen = start * n..(start + lookback) * n;
                    let known = start * width..(start + lookback + horizon) * width;
                    SeriesWindow {
                        values: values[seen].to_vec(),
                        calendar: calendar[known].to_vec(),
                    }
                })
                .collect();
            for (start, points) in starts.iter().zip(self.forecast_scaled(&pasts)) {
                let first = start + lookback;
                let truth = channel_rows(&scaled[first * n..(first + horizon) * n], n).concat();
                sum.add(first, horizon, &points, &truth);
            }
        }
        Some(sum.scores(settings.smooth, settings.smoothing))
    }

    /// Forecasts behind windows, in order.
    ///
    /// Quantiles of a step may cross; they are put in order.
    ///
    /// # Panics
    ///
    /// If the model does not forecast, a window has other sizes, or a value is missing in a model that does not take
    /// that.
    #[must_use]
    pub fn forecast(&self, windows: &[SeriesWindow]) -> Vec<Forecast> {
        let HeadConfig::Forecast {
            n_outputs, horizon, ..
        } = self.config.head
        else {
            panic!("the model does not forecast");
        };
        let unscale = |mut values: Vec<f32>| {
            for (channel, outputs) in values.chunks_mut(n_outputs * horizon).enumerate() {
                for value in outputs.iter_mut() {
                    *value = self.scaler.unscale(channel, *value);
                }
                put_quantiles_in_order(outputs, horizon);
            }
            Forecast {
                values,
                n_outputs,
                horizon,
            }
        };
        self.forecast_scaled(windows)
            .into_iter()
            .map(unscale)
            .collect()
    }

    /// [`SeriesModel::forecast`] in scaled units and as the model gives it: for each window
    /// `[channels, outputs, horizon]`, one after the other.
    ///
    /// # Panics
    ///
    /// As [`SeriesModel::forecast`].
    #[must_use]
    pub fn forecast_scaled(&self, windows: &[SeriesWindow]) -> Vec<Vec<f32>> {
        let HeadConfig::Forecast {
            n_outputs, horizon, ..
        } = self.config.head
        else {
            panic!("the model does not forecast");
        };
        let channels = self.scaler.columns().len();
        let batches: Vec<&[SeriesWindow]> = windows.chunks(BATCH).collect();
        let answers = self.workers.map(batches.len(), |batch| {
            let rows: Vec<Vec<f32>> = (batches[batch].iter())
                .flat_map(|window| {
                    let mut scaled = window.values.clone();
                    self.scaler.scale_rows(&mut scaled);
                    channel_rows(&scaled, channels)
                })
                .collect();
            // Every channel of a window is a row of its own.
            let calendar: Vec<&[f32]> = (batches[batch].iter())
                .flat_map(|window| vec![window.calendar.as_slice(); channels])
                .collect();
            let input = series_input(&self.config, &rows, &calendar, &self.device);
            values_of(self.model.forward(&input, &mut Context::evaluation()))
        });
        let per_window = channels * n_outputs * horizon;
        answers
            .concat()
            .chunks(per_window)
            .map(<[f32]>::to_vec)
            .collect()
    }
}

/// Sorts the outputs `[outputs, horizon]` of each step: quantiles that cross are no quantiles.
pub fn put_quantiles_in_order(outputs: &mut [f32], horizon: usize) {
    for step in 0..horizon {
        let mut quantiles: Vec<f32> = outputs
            .iter()
            .skip(step)
            .step_by(horizon)
            .copied()
            .collect();
        quantiles.sort_by(f32::total_cmp);
        for (i, value) in quantiles.into_iter().enumerate() {
            outputs[i * horizon + step] = value;
        }
    }
}

/// Copies a tensor to the host.
fn values_of(output: Tensor<3>) -> Vec<f32> {
    output
        .into_data()
        .try_into_vec_as::<f32>()
        .expect("a float tensor converts to f32")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_become_rows_and_quantiles_are_put_quantiles_in_order() {
        let rows = channel_rows(&[1.0, 10.0, 2.0, 20.0, 3.0, 30.0], 2);
        assert_eq!(rows, [vec![1.0, 2.0, 3.0], vec![10.0, 20.0, 30.0]]);
        let mut outputs = [3.0, 1.0, 2.0, 5.0, 1.0, 0.0];
        put_quantiles_in_order(&mut outputs, 2);
        assert_eq!(outputs, [1.0, 0.0, 2.0, 1.0, 3.0, 5.0]);
    }
}
