//! How unusual the steps of a series are.

use std::sync::OnceLock;

use burn::tensor::{Device, Tensor};
use regard_bundle::{BundleInfo, Companion, Schema, ScoreSettings, ScoreSum, Workers, threshold};
use regard_data::series::AnomalyWindows;
use regard_model::{Transformer, TransformerConfig};
use regard_ops::Key;

use super::{Batch, Evaluation, Report, SeriesForecasting, Split, Targets, Task};
use crate::config::{AnomalyConfig, Config};
use crate::error::TrainError;
use crate::evaluate::outputs;
use crate::metrics::AnomalyReport;

/// A forecaster whose errors are the scores: of each step the mean absolute error of all forecasts of it, averaged over
/// the last `anomaly.smooth` steps. Trained on the first part of a series as it is; labels are read for the figures of
/// the test part alone.
pub struct SeriesAnomaly {
    forecasts: SeriesForecasting,
    settings: AnomalyConfig,
    /// For each series a flag a row.
    labels: Option<Vec<Vec<bool>>>,
    /// Of the training part's scores, under the model that is judged.
    threshold: OnceLock<f32>,
}

impl SeriesAnomaly {
    /// Reads the data, and the labels if there are some.
    ///
    /// # Errors
    ///
    /// As [`SeriesForecasting::load`], or if the labels cannot be read.
    pub fn load(config: &Config) -> Result<Self, TrainError> {
        let forecasts = SeriesForecasting::load(config)?;
        let table = &forecasts.data().table;
        let labels = match &config.anomaly.windows {
            None => None,
            Some(path) => {
                let windows = AnomalyWindows::load(path, table.path())?;
                let marked = (0..table.n_series())
                    .map(|series| Ok(windows.mark(table, series)?.is_anomalous))
                    .collect::<Result<Vec<_>, TrainError>>()?;
                Some(marked)
            }
        };
        Ok(Self {
            forecasts,
            settings: config.anomaly.clone(),
            labels,
            threshold: OnceLock::new(),
        })
    }

    /// The score of every row of every series, one series after the other; NaN where no window of the part tells it.
    fn scores(&self, split: Split, outputs: &[Vec<f32>]) -> Vec<f32> {
        let table = &self.forecasts.data().table;
        let windows = self.forecasts.windows(split);
        let mut sums: Vec<ScoreSum> = (0..table.n_series())
            .map(|series| ScoreSum::new(table.len(series)))
            .collect();
        for (unit, output) in outputs.iter().enumerate() {
            let window = windows.window(unit);
            let truth = self.forecasts.truth(split, unit);
            sums[window.series].add(window.future().start, window.horizon, output, &truth);
        }
        sums.iter()
            .flat_map(|sum| sum.scores(self.settings.smooth))
            .collect()
    }
}

impl Task for SeriesAnomaly {
    fn model(&self) -> TransformerConfig {
        self.forecasts.model()
    }

    fn n_units(&self, split: Split) -> usize {
        self.forecasts.n_units(split)
    }

    fn lengths(&self, split: Split) -> Vec<u32> {
        self.forecasts.lengths(split)
    }

    fn n_rows(&self, split: Split, unit: usize) -> usize {
        self.forecasts.n_rows(split, unit)
    }

    fn batch(
        &self,
        split: Split,
        units: &[usize],
        randomness: Option<Key>,
        device: &Device,
    ) -> Batch {
        self.forecasts.batch(split, units, randomness, device)
    }

    fn row_losses(&self, output: Tensor<3>, targets: &Targets) -> Tensor<1> {
        self.forecasts.row_losses(output, targets)
    }

    fn calibrate(
        &self,
        model: &Transformer,
        workers: Workers,
        device: &Device,
    ) -> Result<(), TrainError> {
        let outputs = outputs(model, self, Split::Train, workers, device);
        let scores = self.scores(Split::Train, &outputs);
        let found = threshold(&scores, self.settings.quantile)
            .ok_or(crate::metrics::MetricsError::NothingToJudge)?;
        // A second model of the same run would be the same model.
        let _ = self.threshold.set(found);
        Ok(())
    }

    fn evaluate(&self, split: Split, outputs: &[Vec<f32>]) -> Result<Evaluation, TrainError> {
        let evaluation = self.forecasts.evaluate(split, outputs)?;
        let (Split::Test, Some(threshold), Report::Forecast(forecast)) =
            (split, self.threshold.get(), &evaluation.report)
        else {
            return Ok(evaluation);
        };
        let scores = self.scores(split, outputs);
        let labels = self.labels.as_ref().map(|labels| labels.concat());
        let report = AnomalyReport::new(forecast.clone(), &scores, labels.as_deref(), *threshold);
        Ok(Evaluation {
            split,
            report: Report::Anomaly(report),
        })
    }

    fn data_fingerprint(&self) -> String {
        self.forecasts.data_fingerprint()
    }

    fn bundle_info(&self, step: u64) -> BundleInfo {
        let mut info = self.forecasts.bundle_info(step);
        if let (Schema::Series(schema), Some(threshold)) = (&mut info.schema, self.threshold.get())
        {
            schema.scores = Some(ScoreSettings {
                smooth: self.settings.smooth,
                threshold: f64::from(*threshold),
            });
        }
        info
    }

    fn companion(&self) -> Companion<'_> {
        self.forecasts.companion()
    }

    fn summary(&self) -> Vec<String> {
        let mut lines = self.forecasts.summary();
        if let Some(labels) = &self.labels {
            let data = self.forecasts.data();
            let in_training = data
                .spans(Split::Train)
                .iter()
                .chain(data.spans(Split::Valid));
            let labelled = in_training
                .flat_map(|span| &labels[span.series][span.rows.clone()])
                .filter(|label| **label)
                .count();
            if labelled > 0 {
                lines.push(format!(
                    "labels: {labelled} steps of the training and validation parts are labelled as anomalous; the model \
                     learns from them as they are"
                ));
            }
        }
        lines
    }
}
