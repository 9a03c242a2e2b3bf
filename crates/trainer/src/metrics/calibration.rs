//! Whether probabilities mean what they say.

use serde::Serialize;

/// The number of bins of equal width over [0, 1].
pub const N_BINS: usize = 15;

/// Predictions by their confidence, the probability of the predicted class, in [`N_BINS`] bins of equal
/// width; a bin holds its upper end and not its lower one (Guo et al. 2017, "On Calibration of Modern
/// Neural Networks", <https://arxiv.org/abs/1706.04599>).
#[derive(Clone, Debug)]
pub(super) struct CalibrationCounts {
    bins: [Count; N_BINS],
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    n: u64,
    n_correct: u64,
    confidence_sum: f64,
}

impl CalibrationCounts {
    pub(super) fn new() -> Self {
        Self {
            bins: [Count::default(); N_BINS],
        }
    }

    pub(super) fn add(&mut self, confidence: f64, is_correct: bool) {
        let edge = |bin: usize| bin as f64 / N_BINS as f64;
        let bin = (1..N_BINS).filter(|bin| confidence > edge(*bin)).count();
        let count = &mut self.bins[bin];
        count.n += 1;
        count.n_correct += u64::from(is_correct);
        count.confidence_sum += confidence;
    }

    pub(super) fn bins(&self) -> Vec<CalibrationBin> {
        self.bins.iter().map(Count::judge).collect()
    }
}

impl Count {
    fn judge(&self) -> CalibrationBin {
        let mean = |sum: f64| {
            if self.n == 0 {
                0.0
            } else {
                sum / self.n as f64
            }
        };
        CalibrationBin {
            n: self.n,
            confidence: mean(self.confidence_sum),
            accuracy: mean(self.n_correct as f64),
        }
    }
}

/// The predictions of one bin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CalibrationBin {
    /// The number of predictions.
    pub n: u64,
    /// Their mean confidence; 0 if there are none.
    pub confidence: f64,
    /// The share of them that is right; 0 if there are none.
    pub accuracy: f64,
}

/// The expected calibration error: the mean distance between confidence and accuracy of the bins, each
/// with the weight of its predictions.
pub(super) fn expected_calibration_error(bins: &[CalibrationBin], n: u64) -> f64 {
    let distances = bins
        .iter()
        .map(|bin| bin.n as f64 * (bin.accuracy - bin.confidence).abs());
    distances.sum::<f64>() / n as f64
}

/// The squared distance of one prediction from the truth: the sum over the classes, and half of it for
/// two classes, as scikit-learn's `brier_score_loss` has it.
pub(super) fn squared_distance(probabilities: &[f64], label: usize) -> f64 {
    let terms = probabilities
        .iter()
        .enumerate()
        .map(|(class, probability)| {
            let truth = f64::from(u8::from(class == label));
            (probability - truth).powi(2)
        });
    let sum: f64 = terms.sum();
    if probabilities.len() == 2 {
        sum / 2.0
    } else {
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upper_end_belongs_to_its_bin() {
        let mut counts = CalibrationCounts::new();
        for (confidence, is_correct) in [(0.2, true), (0.21, false), (1.0, true), (0.0, false)] {
            counts.add(confidence, is_correct);
        }
        let bins = counts.bins();
        let filled: Vec<usize> = (0..N_BINS).filter(|bin| bins[*bin].n > 0).collect();
        assert_eq!(filled, [0, 2, 3, 14]);
        // (|0 - 0| + |1 - 0.2| + |0 - 0.21| + |1 - 1|) / 4
        let error = expected_calibration_error(&bins, 4);
        assert!((error - 0.2525).abs() < 1e-12, "{error}");
    }

    #[test]
    fn two_classes_give_the_score_of_one_probability() {
        assert!((squared_distance(&[0.3, 0.7], 1) - 0.09).abs() < 1e-12);
        // 0.2² + (0.5 - 1)² + 0.3²
        assert!((squared_distance(&[0.2, 0.5, 0.3], 1) - 0.38).abs() < 1e-12);
    }
}
