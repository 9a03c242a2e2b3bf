//! A linear forecast with a penalty, in closed form.

use nalgebra::{Cholesky, DMatrix, DVector};

use super::SeriesPart;
use super::moments::Moments;
use crate::series::{Scaler, WindowIndex};

/// What is subtracted from a window before the linear map, and added to its forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RidgeBase {
    /// Nothing.
    Zero,
    /// The last value that is seen, as in NLinear.
    Last,
    /// The mean of the values that are seen.
    Mean,
}

/// How a ridge is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct RidgeConfig {
    /// Rows that are seen.
    pub lookback: usize,
    /// Rows that are told.
    pub horizon: usize,
    /// What is subtracted first.
    pub base: RidgeBase,
    /// One map for all channels, or one for each.
    pub is_shared: bool,
    /// Whether a number is added that no window tells; without, the forecast of a multiple of a window is that multiple
    /// of the forecast.
    pub has_intercept: bool,
    /// The penalties to choose from.
    pub lambdas: Vec<f64>,
}

impl RidgeConfig {
    /// Less the last value, one map for all channels, a penalty from 1e-3 to 1e5.
    #[must_use]
    pub fn new(lookback: usize, horizon: usize) -> Self {
        Self {
            lookback,
            horizon,
            base: RidgeBase::Last,
            is_shared: true,
            has_intercept: true,
            lambdas: (-3..=5).map(|power| 10_f64.powi(power)).collect(),
        }
    }
}

/// Each step of the horizon as a linear function of the last `lookback` values of the same channel:
///
/// ```text
/// forecast = base + W^T (window - base) + b        W = (X^T X + lambda I)^-1 X^T Y,  X and Y centred if there is a b
/// ```
///
/// over all windows of the training part, in scaled units, `lambda` that of the least squared error on the validation
/// part. Both are sums over windows that `moments.rs` has without cutting one. scikit-learn equivalent: `Ridge(alpha)`.
#[derive(Debug, Clone)]
pub struct Ridge {
    config: RidgeConfig,
    /// One for all channels, or one for each.
    maps: Vec<Map>,
}

#[derive(Debug, Clone)]
struct Map {
    lambda: f64,
    /// `[lookback, horizon]`.
    weights: DMatrix<f64>,
    intercept: DVector<f64>,
    valid_mse: f64,
}

impl Ridge {
    /// The most rows that it is sensible to see: the cost grows with their third power.
    pub const MOST_ROWS: usize = 1_024;

    /// Fits on one part and chooses the penalty on another, over their targets; none if either has no window, or
    /// no penalty gives a solution.
    #[must_use]
    pub fn fit(
        config: RidgeConfig,
        train: SeriesPart<'_>,
        valid: SeriesPart<'_>,
        scaler: &Scaler,
    ) -> Option<Self> {
        let channels: Vec<usize> = (0..train.table.n_targets()).collect();
        let groups: Vec<&[usize]> = if config.is_shared {
            vec![&channels]
        } else {
            channels.chunks(1).collect()
        };
        let maps = groups.into_iter().map(|channels| {
            let moments = |part| moments(&config, part, scaler, channels);
            Map::fit(&config, &moments(train), &moments(valid))
        });
        let maps = maps.collect::<Option<_>>()?;
        Some(Self { config, maps })
    }

    /// How it was fitted.
    #[must_use]
    pub fn config(&self) -> &RidgeConfig {
        &self.config
    }

    /// The penalty of a channel's map.
    ///
    /// # Panics
    /// If there is no such channel.
    #[must_use]
    pub fn lambda(&self, channel: usize) -> f64 {
        self.map(channel).lambda
    }

    /// The mean squared error of a channel's map on the validation part, over all channels that it is for.
    ///
    /// # Panics
    /// If there is no such channel.
    #[must_use]
    pub fn valid_mse(&self, channel: usize) -> f64 {
        self.map(channel).valid_mse
    }

    /// The map of a channel as one matrix, what is subtracted and added back included: weights `[horizon, lookback]`,
    /// row by row, and the intercept `[horizon]`.
    ///
    /// # Panics
    /// If there is no such channel.
    #[must_use]
    pub fn matrix(&self, channel: usize) -> (Vec<f32>, Vec<f32>) {
        let lookback = self.config.lookback;
        let Map {
            weights, intercept, ..
        } = self.map(channel);
        let mut rows = Vec::with_capacity(weights.len());
        for step in weights.column_iter() {
            let kept = 1.0 - step.sum();
            rows.extend(step.iter().enumerate().map(|(row, weight)| {
                let of_base = match self.config.base {
                    RidgeBase::Zero => 0.0,
                    RidgeBase::Last if row + 1 == lookback => kept,
                    RidgeBase::Last => 0.0,
                    RidgeBase::Mean => kept / lookback as f64,
                };
                (weight + of_base) as f32
            }));
        }
        let intercept = intercept.iter().map(|value| *value as f32);
        (rows, intercept.collect())
    }

    fn map(&self, channel: usize) -> &Map {
        if self.config.is_shared {
            &self.maps[0]
        } else {
            &self.maps[channel]
        }
    }

    /// Forecasts of many windows of one channel, `[windows, horizon]` from `[windows, lookback]`, in scaled units. A value
    /// that is missing is the one before it.
    ///
    /// # Panics
    /// If the windows are not of that size, or there is no such channel.
    #[must_use]
    pub fn forecast(&self, channel: usize, windows: &[f32]) -> Vec<f32> {
        let (lookback, horizon) = (self.config.lookback, self.config.horizon);
        assert!(
            windows.len().is_multiple_of(lookback),
            "a window has {lookback} rows"
        );
        let Map {
            weights, intercept, ..
        } = self.map(channel);
        let mut values: Vec<f64> = Vec::with_capacity(windows.len());
        let mut bases = Vec::with_capacity(windows.len() / lookback);
        for window in windows.chunks_exact(lookback) {
            let filled = filled(window.iter().copied());
            let base = match self.config.base {
                RidgeBase::Zero => 0.0,
                RidgeBase::Last => filled[lookback - 1],
                RidgeBase::Mean => filled.iter().sum::<f64>() / lookback as f64,
            };
            values.extend(filled.into_iter().map(|value| value - base));
            bases.push(base);
        }
        // Columns are windows: nalgebra stores by columns.
        let windows = DMatrix::from_vec(lookback, bases.len(), values);
        let forecasts = weights.tr_mul(&windows); // [horizon, windows]
        let with_base = |(place, value): (usize, &f64)| {
            (value + intercept[place % horizon] + bases[place / horizon]) as f32
        };
        forecasts
            .as_slice()
            .iter()
            .enumerate()
            .map(with_base)
            .collect()
    }
}

/// The sums over all windows of a part, of these channels.
fn moments(
    config: &RidgeConfig,
    part: SeriesPart<'_>,
    scaler: &Scaler,
    channels: &[usize],
) -> Moments {
    let len = config.lookback + config.horizon;
    let mut moments = Moments::new(len);
    let width = part.table.columns().len();
    for span in part.spans {
        let index = WindowIndex::of_spans(
            std::slice::from_ref(span),
            config.lookback,
            config.horizon,
            1,
        );
        if index.is_empty() {
            continue;
        }
        let rows = index.window(0).start..span.rows.end;
        let mut values = vec![0.0; rows.len() * width];
        part.table.copy_rows(span.series, rows, &mut values);
        for channel in channels {
            let of_channel = values.iter().skip(*channel).step_by(width);
            moments.add(&filled(
                of_channel.map(|value| scaler.scale(*channel, *value)),
            ));
        }
    }
    let weights = match config.base {
        RidgeBase::Zero => return moments,
        RidgeBase::Last => DVector::from_fn(len, |place, _| {
            f64::from(u8::from(place + 1 == config.lookback))
        }),
        RidgeBase::Mean => {
            let share = 1.0 / config.lookback as f64;
            DVector::from_fn(
                len,
                |place, _| if place < config.lookback { share } else { 0.0 },
            )
        }
    };
    moments.less(&weights)
}

/// A value that is missing is the one before it, or 0, the mean in scaled units.
fn filled(values: impl Iterator<Item = f32>) -> Vec<f64> {
    let mut last = 0.0;
    values
        .map(|value| {
            if !value.is_nan() {
                last = f64::from(value);
            }
            last
        })
        .collect()
}

impl Map {
    /// The map of the best penalty.
    fn fit(config: &RidgeConfig, train: &Moments, valid: &Moments) -> Option<Self> {
        if train.count == 0.0 || valid.count == 0.0 {
            return None;
        }
        let (lookback, horizon) = (config.lookback, config.horizon);
        let mut mean = &train.first / train.count;
        if !config.has_intercept {
            mean.fill(0.0);
        }
        let (seen, told) = (mean.rows(0, lookback), mean.rows(lookback, horizon));
        let gram =
            train.second.view((0, 0), (lookback, lookback)) - train.count * seen * seen.transpose();
        let cross = train.second.view((0, lookback), (lookback, horizon))
            - train.count * seen * told.transpose();
        let mut best: Option<Self> = None;
        for lambda in &config.lambdas {
            let mut penalised = gram.clone();
            for place in 0..lookback {
                penalised[(place, place)] += lambda;
            }
            // A matrix that rounding left without a factor is one that a larger penalty mends.
            let Some(factor) = Cholesky::new(penalised) else {
                continue;
            };
            let weights = factor.solve(&cross);
            let intercept = told - weights.tr_mul(&seen);
            let valid_mse = mean_squared_error(&weights, &intercept, valid);
            if valid_mse < best.as_ref().map_or(f64::INFINITY, |best| best.valid_mse) {
                best = Some(Self {
                    lambda: *lambda,
                    weights,
                    intercept,
                    valid_mse,
                });
            }
        }
        best
    }
}

/// The mean over the windows and steps of `(y - W^T x - b)^2`, multiplied out.
fn mean_squared_error(weights: &DMatrix<f64>, intercept: &DVector<f64>, sums: &Moments) -> f64 {
    let (lookback, horizon) = weights.shape();
    let gram = sums.second.view((0, 0), (lookback, lookback));
    let cross = sums.second.view((0, lookback), (lookback, horizon));
    let (seen, told) = (
        sums.first.rows(0, lookback),
        sums.first.rows(lookback, horizon),
    );
    let mut squares = weights.dot(&(gram * weights)) - 2.0 * weights.dot(&cross);
    let forecast = weights.tr_mul(&seen);
    for step in 0..horizon {
        let b = intercept[step];
        squares += sums.second[(lookback + step, lookback + step)];
        squares += 2.0 * b * (forecast[step] - told[step]) + sums.count * b * b;
    }
    squares / (sums.count * horizon as f64)
}
