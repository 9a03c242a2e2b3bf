//! Forecasts of series.

use burn::tensor::{Device, Tensor};
use regard_bundle::{
    BundleInfo, Companion, Schema, channel_rows, put_quantiles_in_order, record, series_input,
};
use regard_data::series::baseline::{Ridge, RidgeBase, RidgeConfig};
use regard_data::series::{Window, WindowIndex};
use regard_model::weights::{HostTensor, apply, collect};
use regard_model::{EmbeddingConfig, HeadConfig, SeriesConfig, Transformer, TransformerConfig};
use regard_ops::Key;

use super::encoder::encoder;
use super::series_data::SeriesData;
use super::series_losses::{pinball, squared_error};
use super::{Baselines, Batch, Evaluation, Report, Split, Targets, Task, baselines};
use crate::config::{Config, LinearSkip};
use crate::describe_series::{PatchAttention, ToldChannel, ToldWindow};
use crate::error::TrainError;
use crate::metrics::ForecastMetrics;

/// The steps to come of each channel. A unit is a window, and each channel of it is a row: the model sees one channel
/// at a time (Nie et al. 2023).
pub struct SeriesForecasting {
    data: SeriesData,
    windows: [WindowIndex; 3],
    config: Config,
    quantiles: Vec<f64>,
}

impl SeriesForecasting {
    /// Reads the data.
    ///
    /// # Errors
    ///
    /// If the data cannot be read, is not what the configuration says, or a part is too short for a window or has no known value.
    pub fn load(config: &Config) -> Result<Self, TrainError> {
        let data = SeriesData::load(config)?;
        let settings = &config.data;
        let windows = data.windows(settings.lookback, settings.horizon, settings.stride)?;
        for split in [Split::Valid, Split::Test] {
            data.require_known(split)?;
        }
        Ok(Self {
            data,
            windows,
            config: config.clone(),
            quantiles: config.model.quantiles.clone().unwrap_or_default(),
        })
    }

    /// The table and its parts.
    pub(super) fn data(&self) -> &SeriesData {
        &self.data
    }

    /// The windows of a part.
    pub(super) fn windows(&self, split: Split) -> &WindowIndex {
        &self.windows[split as usize]
    }

    /// Of the windows of a part the one that was told best, the median and the one that was told worst, by the squared
    /// error of scaled values; windows without a known step take no part.
    pub(crate) fn told_windows(&self, split: Split, outputs: &[Vec<f32>]) -> Vec<ToldWindow> {
        let n = self.data.n_channels();
        let told = |unit: usize| -> Vec<Vec<Vec<f32>>> {
            let width = outputs[unit].len() / n;
            let of_channel = |channel: &[f32]| {
                let mut channel = channel.to_vec();
                put_quantiles_in_order(&mut channel, self.config.data.horizon);
                let steps = channel.chunks(self.config.data.horizon);
                steps.map(<[f32]>::to_vec).collect()
            };
            outputs[unit].chunks(width).map(of_channel).collect()
        };
        let middle = self.quantiles.len() / 2;
        let mut ranked: Vec<(f64, usize)> = (0..outputs.len())
            .map(|unit| {
                let (_, future) = self.data.scaled(split, &self.windows(split).window(unit));
                let points = told(unit)
                    .into_iter()
                    .map(|mut channel| channel.swap_remove(middle));
                let points: Vec<Vec<f32>> = points.collect();
                (window_error(&points, &channel_rows(&future, n)), unit)
            })
            .filter(|(error, _)| !error.is_nan())
            .collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        let Some(last) = ranked.len().checked_sub(1) else {
            return Vec::new();
        };
        [("best", 0), ("median", last / 2), ("worst", last)]
            .into_iter()
            .map(|(rank, place)| {
                let (mse, unit) = ranked[place];
                let window = self.windows(split).window(unit);
                let (past, future) = self.data.scaled(split, &window);
                let (past, future) = (channel_rows(&past, n), channel_rows(&future, n));
                let channels = (past.iter().zip(&future).zip(told(unit)).enumerate())
                    .map(|(channel, ((past, truth), told))| {
                        let unscaled = |values: &[f32]| -> Vec<f32> {
                            let unscale = |value: &f32| self.data.scaler.unscale(channel, *value);
                            values.iter().map(unscale).collect()
                        };
                        ToldChannel {
                            name: self.data.table(split).columns()[channel].clone(),
                            past: unscaled(past),
                            truth: unscaled(truth),
                            told: told.iter().map(|steps| unscaled(steps)).collect(),
                        }
                    })
                    .collect();
                ToldWindow {
                    rank,
                    unit,
                    begins: self.data.when(split, window.series, window.future().start),
                    mse,
                    quantiles: self.quantiles.clone(),
                    channels,
                }
            })
            .collect()
    }

    /// What the model attends to in a window of a part, on the channel that was told worst; none if its mechanism gives no
    /// weights.
    pub(crate) fn attention(
        &self,
        model: &Transformer,
        split: Split,
        window: &ToldWindow,
        device: &Device,
    ) -> Option<PatchAttention> {
        let error = |(index, channel): (usize, &ToldChannel)| {
            let scaled = |values: &[f32]| -> Vec<f32> {
                let scale = |value: &f32| self.data.scaler.scale(index, *value);
                values.iter().map(scale).collect()
            };
            let points = scaled(&channel.told[channel.told.len() / 2]);
            window_error(&[points], &[scaled(&channel.truth)])
        };
        let errors: Vec<f64> = window.channels.iter().enumerate().map(error).collect();
        let known = (0..errors.len()).filter(|index| !errors[*index].is_nan());
        let channel = known.max_by(|a, b| errors[*a].total_cmp(&errors[*b]))?;
        let input = self.batch(split, &[window.unit], None, device).input;
        let recording = record(model, &input);
        // A patch without a known value is hidden, and the maps leave it out.
        let hidden = input.mask().padding().map(|padding| padding.row(channel));
        let embedding = channel_embedding(&self.config, self.data.has_missing);
        let patches = (0..embedding.max_positions())
            .filter(|patch| hidden.as_ref().is_none_or(|hidden| !hidden[*patch]))
            .map(|patch| {
                let begin = patch * embedding.patch_stride;
                begin..(begin + embedding.patch_length).min(embedding.max_steps)
            });
        PatchAttention::new(
            window.channels[channel].name.clone(),
            patches.collect(),
            &recording.attention[channel],
        )
    }

    /// What is to be told of a window, `[channels, horizon]` in scaled units.
    pub(super) fn truth(&self, split: Split, unit: usize) -> Vec<f32> {
        let (_, future) = self.data.scaled(split, &self.windows(split).window(unit));
        channel_rows(&future, self.data.n_channels()).concat()
    }
}

/// The mean squared error of a window's points, missing steps left out.
fn window_error(points: &[Vec<f32>], truth: &[Vec<f32>]) -> f64 {
    let pairs = points.iter().flatten().zip(truth.iter().flatten());
    let known = pairs.filter(|(_, truth)| !truth.is_nan());
    let (sum, n) = known.fold((0.0, 0.0), |(sum, n), (point, truth)| {
        (sum + f64::from(point - truth).powi(2), n + 1.0)
    });
    sum / n
}

/// The ridge that a skip begins as. A model that normalises each window tells a multiple of a window that multiple of
/// its forecast, and so does a ridge less the last value and without an intercept; a model that knows the level needs both.
fn ridge_of_skip(lookback: usize, horizon: usize, instance_norm: bool) -> RidgeConfig {
    let config = RidgeConfig::new(lookback.min(Ridge::MOST_ROWS), horizon);
    match instance_norm {
        true => RidgeConfig {
            has_intercept: false,
            ..config
        },
        false => RidgeConfig {
            base: RidgeBase::Zero,
            ..config
        },
    }
}

/// The embedding of single channels that a configuration describes.
pub(super) fn channel_embedding(config: &Config, has_missing: bool) -> SeriesConfig {
    let model = &config.model;
    SeriesConfig {
        channels: 1,
        max_steps: config.data.lookback,
        patch_length: model.patch.length,
        patch_stride: model.patch.stride,
        // As PatchTST, whose patches overlap; without an overlap the last patch would be all copies.
        end_padding: model.patch.stride < model.patch.length,
        position: model.position.into(),
        instance_norm: model.instance_norm,
        missing: has_missing,
        calendar: config.data.calendar.width(),
        stem: None,
    }
}

impl Task for SeriesForecasting {
    fn model(&self) -> TransformerConfig {
        let embedding = channel_embedding(&self.config, self.data.has_missing);
        let head = HeadConfig::Forecast {
            n_outputs: self.quantiles.len().max(1),
            horizon: self.config.data.horizon,
            linear_skip: self.config.model.linear_skip != LinearSkip::None,
        };
        encoder(&self.config.model, EmbeddingConfig::Series(embedding), head)
    }

    fn n_units(&self, split: Split) -> usize {
        self.windows(split).len()
    }

    fn lengths(&self, split: Split) -> Vec<u32> {
        let positions = self.model().embedding.max_positions();
        vec![positions as u32; self.n_units(split)]
    }

    fn n_rows(&self, _split: Split, _unit: usize) -> usize {
        self.data.n_channels()
    }

    fn series_of(&self, unit: usize) -> Option<usize> {
        Some(self.windows(Split::Train).window(unit).series)
    }

    fn batch(
        &self,
        split: Split,
        units: &[usize],
        _randomness: Option<Key>,
        device: &Device,
    ) -> Batch {
        let n = self.data.n_channels();
        let model = self.model();
        let mut rows = Vec::with_capacity(units.len() * n);
        let mut targets = Vec::with_capacity(units.len() * n * self.config.data.horizon);
        let windows: Vec<Window> = (units.iter())
            .map(|unit| self.windows(split).window(*unit))
            .collect();
        let known: Vec<Vec<f32>> = (windows.iter())
            .map(|window| {
                self.data
                    .calendar(split, window, &self.config.data.calendar)
            })
            .collect();
        // Every channel of a window is a row of its own.
        let known: Vec<&[f32]> = (known.iter())
            .flat_map(|known| vec![known.as_slice(); n])
            .collect();
        for window in &windows {
            let (past, future) = self.data.scaled(split, window);
            rows.extend(channel_rows(&past, n));
            targets.extend(channel_rows(&future, n).into_iter().flatten());
        }
        Batch {
            input: series_input(&model, &rows, &known, device),
            targets: Targets::Values {
                values: targets,
                width: self.config.data.horizon,
            },
            unit_of_row: (0..rows.len()).map(|row| row / n).collect(),
            n_tokens: rows.len() * model.embedding.max_positions(),
        }
    }

    fn begin(&self, model: Transformer) -> Result<Transformer, TrainError> {
        if self.config.model.linear_skip != LinearSkip::Ridge {
            return Ok(model);
        }
        let data = &self.config.data;
        let config = ridge_of_skip(data.lookback, data.horizon, self.config.model.instance_norm);
        let seen = config.lookback;
        let part = |split| self.data.part(split);
        let (train, valid) = (part(Split::Train), part(Split::Valid));
        let ridge =
            Ridge::fit(config, train, valid, &self.data.scaler).ok_or(TrainError::NoRidge)?;
        let (weights, intercept) = ridge.matrix(0);
        let n_outputs = self.quantiles.len().max(1);
        // What lies before the rows that the ridge sees counts for nothing.
        let row = |row: &[f32]| [&vec![0.0; data.lookback - seen], row].concat();
        let rows: Vec<f32> = weights.chunks(seen).flat_map(row).collect();
        let mut tensors = collect(&model);
        tensors.insert(
            "head.skip.weight",
            HostTensor {
                shape: vec![n_outputs * data.horizon, data.lookback],
                values: rows.repeat(n_outputs),
            },
        );
        tensors.insert(
            "head.skip.bias",
            HostTensor {
                shape: vec![n_outputs * data.horizon],
                values: intercept.repeat(n_outputs),
            },
        );
        Ok(apply(model, tensors, "the ridge")?)
    }

    fn row_losses(&self, output: Tensor<3>, targets: &Targets) -> Tensor<1> {
        match self.quantiles.as_slice() {
            [] => squared_error(output, targets.values()),
            quantiles => pinball(output, targets.values(), quantiles),
        }
    }

    fn evaluate(&self, split: Split, outputs: &[Vec<f32>]) -> Result<Evaluation, TrainError> {
        let settings = &self.config.data;
        let sizes = [settings.lookback, settings.horizon];
        let mut metrics = ForecastMetrics::new(&self.data.scaler, sizes, &self.quantiles);
        for (unit, output) in outputs.iter().enumerate() {
            metrics.add(output, &self.truth(split, unit))?;
        }
        Ok(Evaluation {
            split,
            report: Report::Forecast(metrics.report()?),
        })
    }

    fn baselines(&self) -> Result<Option<Baselines>, TrainError> {
        baselines::of_forecasts(&self.data, &self.config.data)
    }

    fn data_fingerprint(&self) -> String {
        self.data.fingerprint()
    }

    fn bundle_info(&self, step: u64) -> BundleInfo {
        BundleInfo {
            task: self.config.task.name().to_owned(),
            model: self.model(),
            schema: Schema::Series(self.data.schema(&self.config, &self.quantiles)),
            labels: Vec::new(),
            step,
            data_fingerprint: self.data_fingerprint(),
        }
    }

    fn companion(&self) -> Companion<'_> {
        Companion::Scaler(&self.data.scaler)
    }

    fn summary(&self) -> Vec<String> {
        let table = self.data.table(Split::Train);
        let has_rows = |split: &Split| !self.data.spans(*split).is_empty();
        let mut lines: Vec<String> = (Split::ALL.into_iter().filter(has_rows))
            .map(|split| self.data.summary(split, self.windows(split)))
            .collect();
        let whole = self.data.n_for_training_alone(&self.config);
        if whole > 0 {
            lines.push(format!(
                "series: {whole} of {} are too short for all parts, and are for training alone",
                table.n_series()
            ));
        }
        lines.push(format!(
            "channels: {}; {}{}",
            table.columns().join(", "),
            table.frequency(),
            match (&self.config.privacy, self.data.has_missing) {
                (Some(_), _) => "; values may be missing",
                (None, true) => "; some values are missing",
                (None, false) => "",
            }
        ));
        lines
    }
}
