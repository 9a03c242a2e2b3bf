//! Forecasts of series.

use burn::tensor::{Device, Tensor};
use regard_bundle::{BundleInfo, Companion, Schema, channel_rows, series_input};
use regard_data::series::WindowIndex;
use regard_model::{EmbeddingConfig, HeadConfig, SeriesConfig, TransformerConfig};
use regard_ops::Key;

use super::encoder::encoder;
use super::series_data::SeriesData;
use super::series_losses::{pinball, squared_error};
use super::{Batch, Evaluation, Report, Split, Targets, Task};
use crate::config::Config;
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
    /// If the data cannot be read, is not what the configuration says, or a part is too short for a window.
    pub fn load(config: &Config) -> Result<Self, TrainError> {
        let data = SeriesData::load(config)?;
        let settings = &config.data;
        let windows = data.windows(settings.lookback, settings.horizon, settings.stride)?;
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

    /// What is to be told of a window, `[channels, horizon]` in scaled units.
    pub(super) fn truth(&self, split: Split, unit: usize) -> Vec<f32> {
        let (_, future) = self.data.scaled(&self.windows(split).window(unit));
        channel_rows(&future, self.data.n_channels()).concat()
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
        stem: None,
    }
}

impl Task for SeriesForecasting {
    fn model(&self) -> TransformerConfig {
        let embedding = channel_embedding(&self.config, self.data.has_missing);
        let head = HeadConfig::Forecast {
            n_outputs: self.quantiles.len().max(1),
            horizon: self.config.data.horizon,
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
        for unit in units {
            let (past, future) = self.data.scaled(&self.windows(split).window(*unit));
            rows.extend(channel_rows(&past, n));
            targets.extend(channel_rows(&future, n).into_iter().flatten());
        }
        Batch {
            input: series_input(&model, &rows, device),
            targets: Targets::Values {
                values: targets,
                width: self.config.data.horizon,
            },
            unit_of_row: (0..rows.len()).map(|row| row / n).collect(),
            n_tokens: rows.len() * model.embedding.max_positions(),
        }
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

    fn data_fingerprint(&self) -> String {
        self.data.table.fingerprint().as_str().to_owned()
    }

    fn bundle_info(&self, step: u64) -> BundleInfo {
        BundleInfo {
            task: self.config.task.name().to_owned(),
            model: self.model(),
            schema: Schema::Series(self.data.schema(&self.config.data, &self.quantiles)),
            labels: Vec::new(),
            step,
            data_fingerprint: self.data_fingerprint(),
        }
    }

    fn companion(&self) -> Companion<'_> {
        Companion::Scaler(&self.data.scaler)
    }

    fn summary(&self) -> Vec<String> {
        let mut lines: Vec<String> = Split::ALL
            .into_iter()
            .map(|split| self.data.summary(split, self.n_units(split)))
            .collect();
        lines.push(format!(
            "channels: {}; {}{}",
            self.data.table.columns().join(", "),
            self.data.table.frequency(),
            if self.data.has_missing {
                "; some values are missing"
            } else {
                ""
            }
        ));
        lines
    }
}
