//! Errors of point forecasts.

use serde::Serialize;

use crate::series::Scaler;

/// Sums of the errors of forecasts by horizon step and channel, in scaled units. A target that is missing is left out.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastErrors {
    horizon: usize,
    channels: usize,
    /// Of each step and channel: squares, absolutes, how many.
    cells: Vec<(f64, f64, u64)>,
    n_windows: u64,
}

/// Mean errors, in scaled units and in those of the channels.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ForecastScores {
    /// The mean squared error over windows, steps and channels, in scaled units.
    pub mse: f64,
    /// The mean absolute error over windows, steps and channels, in scaled units.
    pub mae: f64,
    /// The mean squared error over windows, steps and channels, each in its channel's unit.
    pub mse_original: f64,
    /// The mean absolute error over windows, steps and channels, each in its channel's unit.
    pub mae_original: f64,
    /// The mean squared error of each channel in its own unit, squared.
    pub mse_by_channel: Vec<f64>,
    /// The mean absolute error of each channel in its own unit.
    pub mae_by_channel: Vec<f64>,
    /// The mean squared error of each horizon step, in scaled units.
    pub mse_by_step: Vec<f64>,
    /// The windows that were forecast.
    pub n_windows: u64,
}

impl ForecastErrors {
    /// No errors yet.
    ///
    /// # Panics
    /// If `horizon` or `channels` is 0.
    #[must_use]
    pub fn new(horizon: usize, channels: usize) -> Self {
        assert!(
            horizon > 0 && channels > 0,
            "a forecast has steps and channels"
        );
        Self {
            horizon,
            channels,
            cells: vec![(0.0, 0.0, 0); horizon * channels],
            n_windows: 0,
        }
    }

    /// Adds a window: forecast and truth, each `[horizon, channels]`, in scaled units.
    ///
    /// # Panics
    /// If they are not of that size.
    pub fn add(&mut self, forecast: &[f32], truth: &[f32]) {
        assert_eq!(
            (forecast.len(), truth.len()),
            (self.cells.len(), self.cells.len()),
            "one value a step and channel"
        );
        for ((squares, absolutes, count), (forecast, truth)) in
            self.cells.iter_mut().zip(forecast.iter().zip(truth))
        {
            if truth.is_nan() {
                continue;
            }
            let error = f64::from(*forecast) - f64::from(*truth);
            *squares += error * error;
            *absolutes += error.abs();
            *count += 1;
        }
        self.n_windows += 1;
    }

    /// The means. One over no target at all is NaN. `scaler` is that of the channels' scale, whose first channels the
    /// targets are.
    ///
    /// # Panics
    /// If the scaler has fewer channels.
    #[must_use]
    pub fn scores(&self, scaler: &Scaler) -> ForecastScores {
        let sum = |cells: &mut dyn Iterator<Item = &(f64, f64, u64)>| {
            cells.fold((0.0, 0.0, 0), |(squares, absolutes, count), cell| {
                (squares + cell.0, absolutes + cell.1, count + cell.2)
            })
        };
        let mean = |(squares, absolutes, count): (f64, f64, u64)| {
            (squares / count as f64, absolutes / count as f64)
        };
        let (mse, mae) = mean(sum(&mut self.cells.iter()));
        let in_units: Vec<(f64, f64, u64)> = (self.cells.iter().enumerate())
            .map(|(cell, (squares, absolutes, count))| {
                let std = scaler.std()[cell % self.channels];
                (squares * std * std, absolutes * std, *count)
            })
            .collect();
        let (mse_original, mae_original) = mean(sum(&mut in_units.iter()));
        let by_channel = (0..self.channels).map(|channel| {
            let (mse, mae) = mean(sum(&mut self
                .cells
                .iter()
                .skip(channel)
                .step_by(self.channels)));
            let std = scaler.std()[channel];
            (mse * std * std, mae * std)
        });
        let (mse_by_channel, mae_by_channel) = by_channel.unzip();
        let steps = self.cells.chunks_exact(self.channels);
        ForecastScores {
            mse,
            mae,
            mse_original,
            mae_original,
            mse_by_channel,
            mae_by_channel,
            mse_by_step: steps.map(|step| mean(sum(&mut step.iter())).0).collect(),
            n_windows: self.n_windows,
        }
    }

    /// How many horizon steps there are.
    #[must_use]
    pub fn horizon(&self) -> usize {
        self.horizon
    }
}
