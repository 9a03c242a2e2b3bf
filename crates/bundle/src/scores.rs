//! Scores of anomalies from a model's errors.

use serde::{Deserialize, Serialize};

/// Which neighbours a score is averaged with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Smoothing {
    /// Those before it: no score depends on what came later.
    #[default]
    Past,
    /// Half of them before it, the others from it on.
    Around,
}

/// How unusual each step of a series is: the mean absolute error of all forecasts of it, over channels and windows.
#[derive(Clone, Debug)]
pub struct ScoreSum {
    sums: Vec<f64>,
    counts: Vec<u32>,
}

impl ScoreSum {
    /// For a series of `n_rows` steps.
    #[must_use]
    pub fn new(n_rows: usize) -> Self {
        Self {
            sums: vec![0.0; n_rows],
            counts: vec![0; n_rows],
        }
    }

    /// Adds a window that tells the steps from `first` on: the points `[channels, horizon]` and the truth, in scaled
    /// units, NaN = missing.
    ///
    /// # Panics
    ///
    /// If the window tells steps behind the last one.
    pub fn add(&mut self, first: usize, horizon: usize, points: &[f32], truth: &[f32]) {
        for (points, truth) in points.chunks(horizon).zip(truth.chunks(horizon)) {
            for (step, (point, truth)) in points.iter().zip(truth).enumerate() {
                if !truth.is_nan() {
                    self.sums[first + step] += f64::from((truth - point).abs());
                    self.counts[first + step] += 1;
                }
            }
        }
    }

    /// The score of each step, the mean over `smooth` steps; NaN for a step that no window told.
    ///
    /// # Panics
    ///
    /// If `smooth` is 0.
    #[must_use]
    pub fn scores(&self, smooth: usize, smoothing: Smoothing) -> Vec<f32> {
        assert!(smooth > 0, "a score is the mean of one step at least");
        let raw = |row: usize| match self.counts[row] {
            0 => None,
            n => Some(self.sums[row] / f64::from(n)),
        };
        let (before, behind) = match smoothing {
            Smoothing::Past => (smooth - 1, 1),
            Smoothing::Around => (smooth / 2, smooth - smooth / 2),
        };
        (0..self.sums.len())
            .map(|row| {
                if raw(row).is_none() {
                    return f32::NAN;
                }
                let window = row.saturating_sub(before)..(row + behind).min(self.sums.len());
                let known = window.filter_map(raw);
                let (sum, n) = known.fold((0.0, 0), |(sum, n), score| (sum + score, n + 1));
                (sum / f64::from(n)) as f32
            })
            .collect()
    }
}

/// The score below which the share `quantile` of the known scores lie, or none if no score is known.
#[must_use]
pub fn threshold(scores: &[f32], quantile: f64) -> Option<f32> {
    let mut known: Vec<f32> = scores.iter().copied().filter(|s| !s.is_nan()).collect();
    known.sort_by(f32::total_cmp);
    let place = (quantile * known.len() as f64).ceil() as usize;
    known.get(place.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_judged_by_every_forecast_of_it_and_smoothed_over_neighbours() {
        let mut sum = ScoreSum::new(5);
        sum.add(1, 2, &[1.0, 2.0], &[2.0, f32::NAN]);
        sum.add(2, 2, &[0.0, 0.0], &[4.0, -6.0]);
        sum.add(1, 2, &[1.0, 2.0], &[4.0, 8.0]);
        let near = |found: Vec<f32>, expected: [f32; 5]| {
            for (found, expected) in found.iter().zip(expected) {
                assert!(found == &expected || (found.is_nan() && expected.is_nan()));
            }
        };
        let (past, around) = (Smoothing::Past, Smoothing::Around);
        near(sum.scores(1, past), [f32::NAN, 2.0, 5.0, 6.0, f32::NAN]);
        near(sum.scores(1, around), [f32::NAN, 2.0, 5.0, 6.0, f32::NAN]);
        near(sum.scores(2, past), [f32::NAN, 2.0, 3.5, 5.5, f32::NAN]);
        near(
            sum.scores(3, around),
            [f32::NAN, 3.5, 13.0 / 3.0, 5.5, f32::NAN],
        );
    }

    #[test]
    fn a_threshold_has_its_share_of_scores_at_or_below_it() {
        let scores: Vec<f32> = (1..=100).map(|s| s as f32).chain([f32::NAN]).collect();
        assert_eq!(threshold(&scores, 0.99), Some(99.0));
        assert_eq!(threshold(&scores, 0.5), Some(50.0));
        assert_eq!(threshold(&[f32::NAN], 0.5), None);
    }
}
