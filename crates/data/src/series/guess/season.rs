//! The season of a series, by its autocorrelation.

use crate::series::frequency::length_with_article;
use crate::series::{Frequency, SeriesTable};

/// The last rows of the longest series are looked at, so many at most.
const MOST_ROWS: usize = 20_000;
/// The longest season that is looked for.
const MOST_LAGS: usize = 4_000;
/// A season has at least so many rows, and stands in the data at least so often.
const LEAST_ROWS: usize = 4;
const LEAST_TIMES: usize = 3;
/// The least autocorrelation of a season.
const LEAST_CORRELATION: f64 = 0.2;
/// Of seasons about as strong as the strongest the shortest counts: each has its multiples behind it.
const ABOUT: f64 = 0.05;
/// A lag may miss a day or a week by this part of it.
const NEAR: usize = 20;
/// Peaks within this part of a lag behind it are of one season.
const BROAD: usize = 10;

/// A season.
#[derive(Debug, Clone, PartialEq)]
pub struct Season {
    /// Its length in rows.
    pub rows: usize,
    /// The correlation of rows that are a season apart, in [-1, 1].
    pub correlation: f64,
    /// Its length in words, where the rows are a fixed time apart.
    pub length: Option<String>,
}

impl Season {
    pub(super) fn sentence(&self, column: &str) -> String {
        let length = self
            .length
            .as_ref()
            .map_or(String::new(), |length| format!(", {length},"));
        format!(
            "Rows of {column:?} that are {} apart{length} correlate at {:.2}: that is the season.",
            self.rows, self.correlation
        )
    }
}

/// The season of the first channel of the longest series; none if none stands out.
///
/// It is the lag of the highest peak of the autocorrelation, a value above those of both its neighbours behind a dip below
/// it, and of several peaks about as high the one of the shortest lag.
#[must_use]
pub fn season_of(table: &SeriesTable) -> Option<Season> {
    let series = (0..table.n_series()).max_by_key(|series| table.len(*series))?;
    let len = table.len(series);
    let rows = len - len.min(MOST_ROWS)..len;
    let mut values = Vec::with_capacity(rows.len());
    let mut last = f64::NAN;
    for row in rows {
        let value = f64::from(table.value(series, row, 0));
        last = if value.is_nan() { last } else { value };
        values.push(last);
    }
    // What is missing in front has nothing before it.
    values.retain(|value| !value.is_nan());
    let correlations = autocorrelation(&values, (values.len() / LEAST_TIMES).min(MOST_LAGS));
    let rows = on_calendar(strongest(&correlations)?, table.frequency(), &correlations);
    Some(Season {
        rows,
        correlation: correlations[rows],
        length: match table.frequency() {
            Frequency::Every { microseconds } => {
                let whole = microseconds.checked_mul(rows as i64);
                whole.map(length_with_article)
            }
            _ => None,
        },
    })
}

/// The correlation of the values with themselves, each number of rows later, from 0 rows to `lags`:
///
/// ```text
/// r[k] = sum over t of (x[t] - mean) (x[t + k] - mean) / sum over t of (x[t] - mean)^2
/// ```
fn autocorrelation(values: &[f64], lags: usize) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let centred: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let at = |lag: usize| -> f64 {
        centred
            .iter()
            .zip(&centred[lag..])
            .map(|(a, b)| a * b)
            .sum()
    };
    let whole = at(0);
    if whole.is_nan() || whole <= 0.0 {
        return Vec::new();
    }
    (0..=lags).map(|lag| at(lag) / whole).collect()
}

/// A day or a week of rows where the lag is nearly that and rows that far apart correlate about as much; else the lag.
fn on_calendar(lag: usize, frequency: Frequency, correlations: &[f64]) -> usize {
    const DAY: i64 = 86_400_000_000;
    let Frequency::Every { microseconds } = frequency else {
        return lag;
    };
    let is_near = |cycle: &usize| {
        let here = correlations.get(*cycle);
        NEAR * cycle.abs_diff(lag) <= lag
            && here.is_some_and(|here| *here >= correlations[lag] - ABOUT)
    };
    let cycles = [DAY, 7 * DAY].into_iter();
    let whole = cycles.filter(|cycle| cycle % microseconds == 0);
    let rows = whole.map(|cycle| (cycle / microseconds) as usize);
    rows.into_iter().find(is_near).unwrap_or(lag)
}

/// The lag of the strongest season.
fn strongest(correlations: &[f64]) -> Option<usize> {
    let mut lowest = f64::INFINITY;
    let mut peaks = Vec::new();
    for lag in 1..correlations.len().saturating_sub(1) {
        let [before, here, behind] = [
            correlations[lag - 1],
            correlations[lag],
            correlations[lag + 1],
        ];
        lowest = lowest.min(before);
        // A drift falls slowly from 1 and wobbles: a season has climbed out of a dip.
        let climbs = here - lowest >= ABOUT;
        if lag >= LEAST_ROWS
            && here > before
            && here >= behind
            && here >= LEAST_CORRELATION
            && climbs
        {
            peaks.push((lag, here));
        }
    }
    let highest = peaks
        .iter()
        .map(|(_, here)| *here)
        .fold(f64::NEG_INFINITY, f64::max);
    let (first, _) = *peaks.iter().find(|(_, here)| *here >= highest - ABOUT)?;
    // Noise makes many small peaks of a broad one.
    let crest = peaks
        .iter()
        .filter(|(lag, _)| (first..=first + first / BROAD).contains(lag));
    crest
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(lag, _)| *lag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag(value: impl Fn(f64) -> f64) -> Option<usize> {
        let values: Vec<f64> = (0..600).map(|row| value(f64::from(row))).collect();
        strongest(&autocorrelation(&values, 200))
    }

    #[test]
    fn a_season_is_found_beside_a_drift_and_the_shortest_of_its_multiples() {
        let wave = |row: f64, rows: f64| (row / rows * std::f64::consts::TAU).sin();
        assert_eq!(lag(|row| wave(row, 24.0)), Some(24));
        assert_eq!(lag(|row| wave(row, 24.0) + row / 200.0), Some(24));
        // A week of days, of which the weekend differs, is stronger than the day.
        assert_eq!(
            lag(|row| wave(row, 6.0) * if row % 42.0 < 30.0 { 2.0 } else { 0.1 }),
            Some(42)
        );
    }

    #[test]
    fn noise_on_a_long_season_does_not_shorten_it() {
        for seed in 1..20_u64 {
            let mut random = seed;
            let mut noise = || {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) as f64 / f64::from(u32::MAX)
            };
            let values: Vec<f64> = (0..1680)
                .map(|row| (f64::from(row) / 168.0 * std::f64::consts::TAU).sin() + noise())
                .collect();
            let found = strongest(&autocorrelation(&values, 560)).unwrap();
            assert!(found.abs_diff(168) <= 8, "{found}");
            let hours = Frequency::Every {
                microseconds: 3_600_000_000,
            };
            let correlations = autocorrelation(&values, 560);
            assert_eq!(on_calendar(found, hours, &correlations), 168);
            assert_eq!(on_calendar(found, Frequency::Rows, &correlations), found);
        }
    }

    #[test]
    fn a_drift_alone_and_noise_have_no_season() {
        assert_eq!(lag(|row| row), None);
        assert_eq!(lag(|_| 1.0), None);
        let mut random = 1_u64;
        let noise: Vec<f64> = (0..600)
            .map(|_| {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) as f64
            })
            .collect();
        assert_eq!(strongest(&autocorrelation(&noise, 200)), None);
    }
}
