//! How good forecasts are.

use regard_bundle::put_quantiles_in_order;
use regard_data::series::Scaler;

use super::MetricsError;
use crate::config::MetricName;

/// What forecasts of some windows are worth. Missing values take no part.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ForecastReport {
    /// Windows.
    pub n: usize,
    /// Steps that the model saw of each.
    pub lookback: usize,
    /// Steps that it told.
    pub horizon: usize,
    /// The channels' names.
    pub channels: Vec<String>,
    /// What training makes small: the mean squared error of scaled values, or their pinball loss.
    pub loss: f64,
    /// The mean squared error of values that were scaled by the training part.
    pub mse: f64,
    /// Their mean absolute error.
    pub mae: f64,
    /// The mean squared error in the data's own units, over all channels.
    pub mse_original: f64,
    /// The mean absolute error in the data's own units.
    pub mae_original: f64,
    /// The mean pinball loss of scaled values, where quantiles are forecast.
    pub pinball: Option<f64>,
    /// For each quantile the share of values at or below it, which is the quantile where the model is calibrated.
    pub coverage: Vec<(f64, f64)>,
    /// The mean squared error of scaled values at each step of the horizon.
    pub mse_by_step: Vec<f64>,
    /// The mean squared error of scaled values of each channel.
    pub mse_by_channel: Vec<f64>,
}

impl ForecastReport {
    /// A figure by name; NaN for one that forecasts do not have.
    #[must_use]
    pub fn metric(&self, name: MetricName) -> f64 {
        match name {
            MetricName::Mse => self.mse,
            MetricName::Mae => self.mae,
            MetricName::Pinball => self.pinball.unwrap_or(f64::NAN),
            MetricName::Loss => self.loss,
            MetricName::Accuracy | MetricName::MacroF1 | MetricName::Mcc => f64::NAN,
        }
    }

    /// All figures by name, in the order of documents.
    #[must_use]
    pub fn metrics(&self) -> Vec<(&'static str, f64)> {
        let mut metrics = vec![
            ("mse", self.mse),
            ("mae", self.mae),
            ("mse_original", self.mse_original),
            ("mae_original", self.mae_original),
        ];
        metrics.extend(self.pinball.map(|pinball| ("pinball", pinball)));
        metrics.push(("loss", self.loss));
        metrics
    }
}

/// A sum with its number of terms.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    n: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.n += 1.0;
    }

    fn value(self) -> f64 {
        self.sum / self.n
    }
}

/// Forecasts, judged one window after the other.
#[derive(Clone, Debug)]
pub struct ForecastMetrics {
    lookback: usize,
    horizon: usize,
    channels: Vec<String>,
    /// The unit of each channel's scaled values.
    units: Vec<f64>,
    /// Empty for points.
    quantiles: Vec<f64>,
    n: usize,
    absolute: Mean,
    squared_original: Mean,
    absolute_original: Mean,
    pinball: Mean,
    below: Vec<Mean>,
    by_step: Vec<Mean>,
    by_channel: Vec<Mean>,
}

impl ForecastMetrics {
    /// For windows of `lookback` and `horizon` steps of the scaler's channels; without `quantiles` a forecast is a
    /// point.
    #[must_use]
    pub fn new(scaler: &Scaler, [lookback, horizon]: [usize; 2], quantiles: &[f64]) -> Self {
        Self {
            lookback,
            horizon,
            channels: scaler.columns().to_vec(),
            units: scaler.std().to_vec(),
            quantiles: quantiles.to_vec(),
            n: 0,
            absolute: Mean::default(),
            squared_original: Mean::default(),
            absolute_original: Mean::default(),
            pinball: Mean::default(),
            below: vec![Mean::default(); quantiles.len()],
            by_step: vec![Mean::default(); horizon],
            by_channel: vec![Mean::default(); scaler.columns().len()],
        }
    }

    /// Adds a window, in scaled units; quantiles of a step that cross are put in order: the outputs `[channels, quantiles or 1, horizon]` and the truth
    /// `[channels, horizon]`, NaN = missing.
    ///
    /// # Errors
    ///
    /// If an output is not finite.
    pub fn add(&mut self, outputs: &[f32], truth: &[f32]) -> Result<(), MetricsError> {
        let n_outputs = self.quantiles.len().max(1);
        let point = nearest_to_half(&self.quantiles);
        if let Some(output) = outputs.iter().find(|output| !output.is_finite()) {
            return Err(MetricsError::NotFinite {
                value: f64::from(*output),
                index: self.n,
            });
        }
        let rows = outputs.chunks(n_outputs * self.horizon);
        let rows = rows.zip(truth.chunks(self.horizon));
        for (channel, (outputs, truth)) in rows.enumerate() {
            // As they are predicted.
            let mut outputs = outputs.to_vec();
            put_quantiles_in_order(&mut outputs, self.horizon);
            let unit = self.units[channel];
            let known = truth.iter().enumerate().filter(|(_, t)| !t.is_nan());
            for (step, &truth) in known {
                let at = |output: usize| f64::from(outputs[output * self.horizon + step]);
                let truth = f64::from(truth);
                let error = truth - at(point);
                self.absolute.add(error.abs());
                self.squared_original.add((error * unit).powi(2));
                self.absolute_original.add((error * unit).abs());
                self.by_step[step].add(error * error);
                self.by_channel[channel].add(error * error);
                for (i, q) in self.quantiles.iter().enumerate() {
                    let error = truth - at(i);
                    self.pinball.add((q * error).max((q - 1.0) * error));
                    self.below[i].add(f64::from(u8::from(truth <= at(i))));
                }
            }
        }
        self.n += 1;
        Ok(())
    }

    /// The figures.
    ///
    /// # Errors
    ///
    /// If there was no window, or no value in any.
    pub fn report(&self) -> Result<ForecastReport, MetricsError> {
        if self.absolute.n == 0.0 {
            return Err(MetricsError::NothingToJudge);
        }
        let mse = self.by_channel.iter().map(|mean| mean.sum).sum::<f64>() / self.absolute.n;
        let pinball = (!self.quantiles.is_empty()).then(|| self.pinball.value());
        let shares = self.below.iter().map(|mean| mean.value());
        Ok(ForecastReport {
            n: self.n,
            lookback: self.lookback,
            horizon: self.horizon,
            channels: self.channels.clone(),
            loss: pinball.unwrap_or(mse),
            mse,
            mae: self.absolute.value(),
            mse_original: self.squared_original.value(),
            mae_original: self.absolute_original.value(),
            pinball,
            coverage: self.quantiles.iter().copied().zip(shares).collect(),
            mse_by_step: self.by_step.iter().map(|mean| mean.value()).collect(),
            mse_by_channel: self.by_channel.iter().map(|mean| mean.value()).collect(),
        })
    }
}

/// The quantile that stands for a point: the median, or what is nearest to it; 0 where there are none.
fn nearest_to_half(quantiles: &[f64]) -> usize {
    let distance = |i: usize| (quantiles[i] - 0.5).abs();
    (0..quantiles.len())
        .min_by(|a, b| distance(*a).total_cmp(&distance(*b)))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaler() -> Scaler {
        let text = r#"{"columns": ["a", "b"], "mean": [5.0, 0.0], "std": [2.0, 10.0]}"#;
        serde_json::from_str(text).expect("a scaler")
    }

    #[test]
    fn errors_are_means_over_what_is_known_in_both_units() {
        let mut metrics = ForecastMetrics::new(&scaler(), [4, 2], &[]);
        metrics
            .add(&[1.0, 2.0, 3.0, 4.0], &[2.0, f32::NAN, 3.0, 7.0])
            .unwrap();
        let report = metrics.report().unwrap();
        assert_eq!((report.n, report.lookback, report.horizon), (1, 4, 2));
        assert_eq!((report.mse, report.mae), (10.0 / 3.0, 4.0 / 3.0));
        assert_eq!(report.mse_original, (4.0 + 900.0) / 3.0);
        assert_eq!(report.mae_original, (2.0 + 30.0) / 3.0);
        assert_eq!(report.mse_by_step, [0.5, 9.0]);
        assert_eq!(report.mse_by_channel, [1.0, 4.5]);
        assert_eq!((report.loss, report.pinball), (report.mse, None));
    }

    #[test]
    fn quantiles_have_a_pinball_loss_and_a_coverage_and_the_median_is_the_point() {
        let mut metrics = ForecastMetrics::new(&scaler(), [4, 1], &[0.1, 0.5, 0.9]);
        metrics
            .add(&[0.0, 1.0, 2.0, 0.0, 1.0, 2.0], &[1.5, 2.0])
            .unwrap();
        let report = metrics.report().unwrap();
        assert_eq!(report.mse, (0.25 + 1.0) / 2.0);
        let expected = (0.15 + 0.25 + 0.05 + 0.2 + 0.5 + 0.0) / 6.0;
        assert!((report.pinball.unwrap() - expected).abs() < 1e-12);
        assert_eq!(report.coverage, [(0.1, 0.0), (0.5, 0.0), (0.9, 1.0)]);
        // Those that cross are judged as they are predicted: in order.
        let mut crossed = ForecastMetrics::new(&scaler(), [4, 1], &[0.1, 0.5, 0.9]);
        crossed
            .add(&[2.0, 0.0, 1.0, 1.0, 2.0, 0.0], &[1.5, 2.0])
            .unwrap();
        assert_eq!(crossed.report().unwrap(), report);
    }

    #[test]
    fn an_output_that_is_not_finite_and_nothing_at_all_are_refused() {
        let mut metrics = ForecastMetrics::new(&scaler(), [4, 1], &[]);
        assert!(metrics.report().is_err());
        assert!(metrics.add(&[f32::NAN, 0.0], &[0.0, 0.0]).is_err());
    }
}
