//! How unusual the steps of a series are.

use std::ops::Range;
use std::sync::OnceLock;

use burn::tensor::{Device, Tensor};
use regard_bundle::{
    BundleInfo, Companion, Schema, ScoreSettings, ScoreSum, Smoothing, Workers, threshold,
};
use regard_data::series::{AnomalyWindows, Span};
use regard_model::{Transformer, TransformerConfig};
use regard_ops::Key;

use super::{
    Baselines, Batch, Evaluation, Report, SeriesForecasting, Split, Targets, Task, baselines,
};
use crate::config::{AnomalyConfig, AnomalySmoothing, Config, ThresholdPart};
use crate::describe_series::ScoreCourse;
use crate::error::TrainError;
use crate::evaluate::outputs;
use crate::metrics::AnomalyReport;

/// A forecaster whose errors are the scores: of each step the mean absolute error of all forecasts of it, averaged over
/// `anomaly.smooth` steps. Trained on the first part of a series as it is; labels are read for the figures of
/// the test part alone.
pub struct SeriesAnomaly {
    forecasts: SeriesForecasting,
    settings: AnomalyConfig,
    is_private: bool,
    /// For each series of the test part's table a flag a row.
    labels: Option<Vec<Vec<bool>>>,
    /// Of the scores of `anomaly.threshold_on`, under the model that is judged.
    threshold: OnceLock<f32>,
}

impl SeriesAnomaly {
    /// Reads the data, and the labels if there are some.
    ///
    /// # Errors
    ///
    /// As [`SeriesForecasting::load`], or if the labels cannot be read or none is in the test part.
    pub fn load(config: &Config) -> Result<Self, TrainError> {
        let forecasts = SeriesForecasting::load(config)?;
        let table = forecasts.data().table(Split::Test);
        let labels = match &config.anomaly.windows {
            None => None,
            Some(path) => {
                let windows = AnomalyWindows::load(path, table.path())?;
                let marked = (0..table.n_series())
                    .map(|series| Ok(windows.mark(table, series)?.is_anomalous))
                    .collect::<Result<Vec<_>, TrainError>>()?;
                let is_marked =
                    |span: &Span| marked[span.series][span.rows.clone()].contains(&true);
                if !forecasts.data().spans(Split::Test).iter().any(is_marked) {
                    return Err(TrainError::NoLabelledStep {
                        path: path.clone(),
                        windows: windows.len(),
                    });
                }
                Some(marked)
            }
        };
        Ok(Self {
            forecasts,
            settings: config.anomaly.clone(),
            is_private: config.privacy.is_some(),
            labels,
            threshold: OnceLock::new(),
        })
    }

    /// The forecasts that the scores come from.
    pub(crate) fn forecasts(&self) -> &SeriesForecasting {
        &self.forecasts
    }

    /// The scores of a part over time; none before the threshold is found.
    pub(crate) fn courses(&self, split: Split, outputs: &[Vec<f32>]) -> Vec<ScoreCourse> {
        let Some(threshold) = self.threshold.get() else {
            return Vec::new();
        };
        let (data, scores) = (self.forecasts.data(), self.scores(split, outputs));
        let table = data.table(split);
        let labels = (self.labels.as_ref()).filter(|_| data.share_a_table(split, Split::Test));
        let starts: Vec<usize> = (0..table.n_series())
            .scan(0, |start, series| {
                let this = *start;
                *start += table.len(series);
                Some(this)
            })
            .collect();
        (data.spans(split).iter())
            .map(|span| {
                let (series, rows) = (span.series, span.rows.clone());
                let start = starts[series];
                let labels = labels.map(|labels| labels[series][rows.clone()].to_vec());
                ScoreCourse {
                    series: table.id(series).to_owned(),
                    channel: table.columns()[0].clone(),
                    ends: [rows.start, rows.end - 1].map(|row| data.when(split, series, row)),
                    values: (rows.clone())
                        .map(|row| table.value(series, row, 0))
                        .collect(),
                    scores: scores[start + rows.start..start + rows.end].to_vec(),
                    labelled: stretches(&labels.unwrap_or_default()),
                    threshold: f64::from(*threshold),
                }
            })
            .collect()
    }

    /// The score of every row of every series, one series after the other; NaN where no window of the part tells it.
    fn scores(&self, split: Split, outputs: &[Vec<f32>]) -> Vec<f32> {
        let table = self.forecasts.data().table(split);
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
            .flat_map(|sum| sum.scores(self.settings.smooth, smoothing(&self.settings)))
            .collect()
    }
}

/// Rows with a flag that follow each other.
fn stretches(flags: &[bool]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for row in (0..flags.len()).filter(|row| flags[*row]) {
        match found.last_mut() {
            Some(last) if last.end == row => last.end += 1,
            _ => found.push(row..row + 1),
        }
    }
    found
}

fn smoothing(settings: &AnomalyConfig) -> Smoothing {
    match settings.smoothing {
        AnomalySmoothing::Past => Smoothing::Past,
        AnomalySmoothing::Around => Smoothing::Around,
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

    fn series_of(&self, unit: usize) -> Option<usize> {
        self.forecasts.series_of(unit)
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

    fn begin(&self, model: Transformer) -> Result<Transformer, TrainError> {
        self.forecasts.begin(model)
    }

    fn calibrate(
        &self,
        model: &Transformer,
        workers: Workers,
        device: &Device,
    ) -> Result<(), TrainError> {
        let part = match self.settings.threshold_on {
            ThresholdPart::Train => Split::Train,
            ThresholdPart::Valid => Split::Valid,
        };
        let scores = self.scores(part, &outputs(model, self, part, workers, device));
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

    fn baselines(&self) -> Result<Option<Baselines>, TrainError> {
        let data = self.forecasts.data();
        Ok(baselines::of_anomalies(
            data,
            self.labels.as_deref(),
            self.settings.smooth,
        ))
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
                smoothing: smoothing(&self.settings),
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
        // How many steps of private data are labelled is private.
        if let (Some(labels), false) = (&self.labels, self.is_private) {
            let data = self.forecasts.data();
            let in_training = [Split::Train, Split::Valid]
                .into_iter()
                .filter(|split| data.share_a_table(*split, Split::Test));
            let labelled = in_training
                .flat_map(|split| data.spans(split))
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
