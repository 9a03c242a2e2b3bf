//! What forecasts without a model reach on the windows of a part.

use serde::Serialize;

use super::naive::{repeat_last, seasonal_naive};
use super::ridge::{Ridge, RidgeConfig};
use crate::DataError;
use crate::series::metric::{ForecastErrors, ForecastScores};
use crate::series::{Scaler, SeriesTable, Span, WindowIndex};

/// Windows that a ridge forecasts at once.
const BLOCK: usize = 512;

/// Rows of a table that serve one purpose.
#[derive(Debug, Clone, Copy)]
pub struct SeriesPart<'a> {
    /// The table.
    pub table: &'a SeriesTable,
    /// Its rows.
    pub spans: &'a [Span],
}

/// What is to be forecast.
#[derive(Debug, Clone, Copy)]
pub struct ForecastTask<'a> {
    /// Rows to fit on.
    pub train: SeriesPart<'a>,
    /// Rows to choose the ridge's penalty by; without any the training rows serve.
    pub valid: SeriesPart<'a>,
    /// Rows to measure on, every window of them.
    pub test: SeriesPart<'a>,
    /// The scaler of the training rows.
    pub scaler: &'a Scaler,
    /// Rows that are seen.
    pub lookback: usize,
    /// Rows that are told.
    pub horizon: usize,
    /// Rows of a season, if there is one.
    pub season: Option<usize>,
}

/// What one baseline reaches.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ForecastBaseline {
    /// `repeat-last`, `seasonal-naive` or `ridge`.
    pub name: &'static str,
    /// What it was fitted or set to.
    pub detail: String,
    /// Its errors.
    pub scores: ForecastScores,
}

/// The last value, the last season, and a ridge less the last value, on every window of the test part.
///
/// # Errors
/// [`DataError::TooFewRows`] if the test part has no window.
pub fn forecast_baselines(task: &ForecastTask<'_>) -> Result<Vec<ForecastBaseline>, DataError> {
    let test = task.test;
    let windows = WindowIndex::new(test.table, test.spans, task.lookback, task.horizon, 1)?;
    let mut baselines = vec![ForecastBaseline {
        name: "repeat-last",
        detail: String::new(),
        scores: naive_scores(task, &windows, 1),
    }];
    if let Some(season) = task.season.filter(|season| *season > 1) {
        baselines.push(ForecastBaseline {
            name: "seasonal-naive",
            detail: format!("season {season}"),
            scores: naive_scores(task, &windows, season),
        });
    }
    let seen = task.lookback.min(Ridge::MOST_ROWS);
    let has_windows =
        |part: SeriesPart<'_>| !WindowIndex::of_spans(part.spans, seen, task.horizon, 1).is_empty();
    let valid = if has_windows(task.valid) {
        task.valid
    } else {
        task.train
    };
    if let Some(ridge) = Ridge::fit(
        RidgeConfig::new(seen, task.horizon),
        task.train,
        valid,
        task.scaler,
    ) {
        baselines.push(ForecastBaseline {
            name: "ridge",
            detail: format!("lookback {seen}, lambda {}", ridge.lambda(0)),
            scores: ridge_scores(task, &windows, &ridge),
        });
    }
    Ok(baselines)
}

/// The targets of rows, scaled, `[rows, targets]`.
fn targets(task: &ForecastTask<'_>, series: usize, rows: std::ops::Range<usize>) -> Vec<f32> {
    let table = task.test.table;
    let (width, n_targets) = (table.columns().len(), table.n_targets());
    let mut values = vec![0.0; rows.len() * width];
    table.copy_rows(series, rows, &mut values);
    task.scaler.scale_rows(&mut values);
    values
        .chunks_exact(width)
        .flat_map(|row| &row[..n_targets])
        .copied()
        .collect()
}

fn naive_scores(task: &ForecastTask<'_>, windows: &WindowIndex, season: usize) -> ForecastScores {
    let n_targets = task.test.table.n_targets();
    let mut errors = ForecastErrors::new(task.horizon, n_targets);
    let mut forecast = vec![0.0; task.horizon * n_targets];
    for window in windows.iter() {
        let values = targets(task, window.series, window.start..window.future().end);
        let (past, truth) = values.split_at(window.lookback * n_targets);
        match season {
            1 => repeat_last(past, n_targets, &mut forecast),
            season => seasonal_naive(past, n_targets, season, &mut forecast),
        }
        errors.add(&forecast, truth);
    }
    errors.scores(task.scaler)
}

fn ridge_scores(task: &ForecastTask<'_>, windows: &WindowIndex, ridge: &Ridge) -> ForecastScores {
    let (n_targets, horizon) = (task.test.table.n_targets(), task.horizon);
    let seen = ridge.config().lookback;
    let mut errors = ForecastErrors::new(horizon, n_targets);
    for start in (0..windows.len()).step_by(BLOCK) {
        let block: Vec<Vec<f32>> = (start..windows.len().min(start + BLOCK))
            .map(|number| {
                let window = windows.window(number);
                let rows = window.past().end - seen..window.future().end;
                targets(task, window.series, rows)
            })
            .collect();
        let mut forecasts = vec![vec![0.0; horizon * n_targets]; block.len()];
        for channel in 0..n_targets {
            let pasts: Vec<f32> = block
                .iter()
                .flat_map(|values| {
                    values[..seen * n_targets]
                        .iter()
                        .skip(channel)
                        .step_by(n_targets)
                })
                .copied()
                .collect();
            let of_channel = ridge.forecast(channel, &pasts);
            for (forecast, steps) in forecasts.iter_mut().zip(of_channel.chunks_exact(horizon)) {
                for (step, value) in steps.iter().enumerate() {
                    forecast[step * n_targets + channel] = *value;
                }
            }
        }
        for (values, forecast) in block.iter().zip(&forecasts) {
            errors.add(forecast, &values[seen * n_targets..]);
        }
    }
    errors.scores(task.scaler)
}
