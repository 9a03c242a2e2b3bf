//! Accuracy, precision, recall, F1, confusion, Matthews correlation, log loss, Brier score and
//! calibration of predicted classes.

use serde::Serialize;

use super::calibration::{CalibrationCounts, expected_calibration_error, squared_distance};
use super::{CalibrationBin, MetricsError};
use crate::config::MetricName;

/// How far the sum of a prediction's probabilities may be from 1: more than the rounding of a
/// softmax over a million classes in f32, less than what logits give.
const SUM_TOLERANCE: f64 = 1e-3;

/// Counts predictions one after the other; [`ClassificationMetrics::report`] judges them.
///
/// Sums are f64 and run in the order of [`ClassificationMetrics::add`], so that the same predictions
/// give the same figures to the last bit, however many threads made them.
#[derive(Clone, Debug)]
pub struct ClassificationMetrics {
    n_classes: usize,
    n: u64,
    log_loss_sum: f64,
    squared_distance_sum: f64,
    calibration: CalibrationCounts,
    /// `[truth * n_classes + prediction]`.
    confusion: Vec<u64>,
}

impl ClassificationMetrics {
    /// No predictions yet, over `n_classes` classes.
    #[must_use]
    pub fn new(n_classes: usize) -> Self {
        Self {
            n_classes,
            n: 0,
            log_loss_sum: 0.0,
            squared_distance_sum: 0.0,
            calibration: CalibrationCounts::new(),
            confusion: vec![0; n_classes * n_classes],
        }
    }

    /// Counts one unit: the probability of each class, and the true class.
    ///
    /// The predicted class is the most probable one, the first of equals (as `numpy.argmax`).
    ///
    /// # Errors
    ///
    /// [`MetricsError`] if the numbers are no distribution over the classes, or the label no class;
    /// nothing is counted then.
    pub fn add(&mut self, probabilities: &[f64], label: usize) -> Result<(), MetricsError> {
        if probabilities.len() != self.n_classes {
            return Err(MetricsError::WrongWidth {
                unit: self.n,
                expected: self.n_classes,
                found: probabilities.len(),
            });
        }
        if label >= self.n_classes {
            return Err(MetricsError::LabelOutOfRange {
                unit: self.n,
                n_classes: self.n_classes,
                found: label,
            });
        }
        let sum: f64 = probabilities.iter().sum();
        let within = 0.0..=1.0 + SUM_TOLERANCE;
        let outside = probabilities.iter().find(|p| !within.contains(*p));
        // A NaN is in no range and a sum with one is near nothing.
        let near = (sum - 1.0).abs() <= SUM_TOLERANCE;
        if outside.is_some() || !near {
            let found = outside.or(probabilities.first()).copied();
            return Err(MetricsError::NotADistribution {
                unit: self.n,
                found: found.unwrap_or(f64::NAN),
                sum,
            });
        }
        let mut predicted = 0;
        for (class, probability) in probabilities.iter().enumerate() {
            if *probability > probabilities[predicted] {
                predicted = class;
            }
        }
        self.n += 1;
        self.confusion[label * self.n_classes + predicted] += 1;
        self.calibration
            .add(probabilities[predicted], predicted == label);
        self.squared_distance_sum += squared_distance(probabilities, label);
        self.log_loss_sum -= probabilities[label].clamp(f64::EPSILON, 1.0).ln();
        Ok(())
    }

    /// Judges everything counted so far.
    ///
    /// # Errors
    ///
    /// [`MetricsError::Empty`] if nothing was counted.
    pub fn report(&self) -> Result<ClassificationReport, MetricsError> {
        if self.n == 0 {
            return Err(MetricsError::Empty);
        }
        let rows: Vec<Vec<u64>> = self
            .confusion
            .chunks(self.n_classes)
            .map(<[u64]>::to_vec)
            .collect();
        let per_class: Vec<ClassScores> = (0..self.n_classes)
            .map(|class| ClassScores::new(&rows, class))
            .collect();
        let correct: u64 = (0..self.n_classes).map(|class| rows[class][class]).sum();
        let seen = per_class
            .iter()
            .filter(|class| class.support + class.predicted > 0);
        let n_seen = seen.clone().count();
        let calibration = self.calibration.bins();
        Ok(ClassificationReport {
            n: self.n,
            accuracy: ratio(correct, self.n),
            macro_f1: seen.map(|class| class.f1).sum::<f64>() / n_seen as f64,
            mcc: matthews(&per_class, correct, self.n),
            loss: self.log_loss_sum / self.n as f64,
            brier: self.squared_distance_sum / self.n as f64,
            ece: expected_calibration_error(&calibration, self.n),
            calibration,
            per_class,
            confusion: rows,
        })
    }
}

/// The figures of a set of predictions.
///
/// As scikit-learn has them with `zero_division=0`: a precision, recall or F1 with nothing in its
/// denominator is 0; the macro F1 is the mean over the classes that occur among the labels or the
/// predictions, so that a class which a small split lacks does not count against the model. The log
/// loss takes a probability below 2.2e-16 for that, and so is at most 36.04 a unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassificationReport {
    /// The number of units.
    pub n: u64,
    /// The share of units whose predicted class is the true one.
    pub accuracy: f64,
    /// The mean of the classes' F1.
    pub macro_f1: f64,
    /// The Matthews correlation of labels and predictions, over all classes (Gorodkin 2004): 1 for all
    /// right, 0 for no better than chance, and 0 where labels or predictions are all of one class.
    pub mcc: f64,
    /// The mean log loss, in nats.
    pub loss: f64,
    /// The Brier score: the mean squared distance of the probabilities from the truth, summed over the
    /// classes; half of that for two classes, so that it is the score of one probability.
    pub brier: f64,
    /// The expected calibration error over 15 bins of equal width: how far confidence is from accuracy.
    pub ece: f64,
    /// The predictions by their confidence, in bins of equal width over [0, 1].
    pub calibration: Vec<CalibrationBin>,
    /// The figures of each class.
    pub per_class: Vec<ClassScores>,
    /// How many units of each true class (row) were predicted as each class (column).
    pub confusion: Vec<Vec<u64>>,
}

impl ClassificationReport {
    /// The figure of that name; NaN for one that classes do not have.
    #[must_use]
    pub const fn metric(&self, name: MetricName) -> f64 {
        match name {
            MetricName::Accuracy => self.accuracy,
            MetricName::MacroF1 => self.macro_f1,
            MetricName::Mcc => self.mcc,
            MetricName::Loss => self.loss,
            MetricName::Mse | MetricName::Mae | MetricName::Pinball => f64::NAN,
        }
    }
}

/// The figures of one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassScores {
    /// The share of the units predicted as this class that are of it.
    pub precision: f64,
    /// The share of the units of this class that are predicted as it.
    pub recall: f64,
    /// The harmonic mean of precision and recall.
    pub f1: f64,
    /// The number of units of this class.
    pub support: u64,
    /// The number of units predicted as this class.
    pub predicted: u64,
}

impl ClassScores {
    fn new(confusion: &[Vec<u64>], class: usize) -> Self {
        let correct = confusion[class][class];
        let support = confusion[class].iter().sum();
        let predicted = confusion.iter().map(|row| row[class]).sum();
        Self {
            precision: ratio(correct, predicted),
            recall: ratio(correct, support),
            f1: ratio(2 * correct, support + predicted),
            support,
            predicted,
        }
    }
}

/// Gorodkin's correlation of several classes; 0 where its denominator is, as scikit-learn has it.
fn matthews(per_class: &[ClassScores], correct: u64, n: u64) -> f64 {
    // Integers, so that a denominator of zero is one exactly; a square of u64 fits u128, and sums of
    // products stay below n².
    let sum = |term: fn(&ClassScores) -> u128| per_class.iter().map(term).sum::<u128>();
    let agreement = sum(|class| u128::from(class.support) * u128::from(class.predicted));
    let truth = sum(|class| u128::from(class.support).pow(2));
    let guess = sum(|class| u128::from(class.predicted).pow(2));
    let square = u128::from(n).pow(2);
    let (truth, guess) = (square - truth, square - guess);
    if truth == 0 || guess == 0 {
        return 0.0;
    }
    let right = u128::from(correct) * u128::from(n);
    (right as f64 - agreement as f64) / ((truth as f64).sqrt() * (guess as f64).sqrt())
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(probabilities: &[[f64; 4]], labels: &[usize]) -> ClassificationReport {
        let mut metrics = ClassificationMetrics::new(4);
        for (row, label) in probabilities.iter().zip(labels) {
            metrics.add(row, *label).unwrap();
        }
        metrics.report().unwrap()
    }

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
    }

    /// Sums of powers of two, which every float has exactly.
    const PROBABILITIES: [[f64; 4]; 8] = [
        [0.5, 0.25, 0.125, 0.125],
        [0.25, 0.5, 0.125, 0.125],
        [0.75, 0.125, 0.0625, 0.0625],
        [0.125, 0.625, 0.125, 0.125],
        [0.25, 0.25, 0.5, 0.0],
        [0.5, 0.5, 0.0, 0.0],
        [0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 0.0],
    ];
    const LABELS: [usize; 8] = [0, 0, 1, 1, 2, 1, 1, 0];

    // scikit-learn 1.9.1:
    //   p = np.array(PROBABILITIES); y = LABELS; q = p.argmax(1)
    //   accuracy_score(y, q)
    //   f1_score(y, q, average="macro", zero_division=0)
    //   log_loss(y, p, labels=range(4))
    //   precision_recall_fscore_support(y, q, labels=range(4), zero_division=0)
    //   confusion_matrix(y, q, labels=range(4))
    //   matthews_corrcoef(y, q)
    //   brier_score_loss(y, p, labels=range(4))
    const ACCURACY: f64 = 0.5;
    const MACRO_F1: f64 = 0.523_809_523_809_523_7;
    const MCC: f64 = 0.225_281_778_444_791_5;
    const BRIER: f64 = 0.698_242_187_5;
    const LOG_LOSS: f64 = 5.257_354_307_855_306;
    const PER_CLASS: [(f64, f64, f64, u64); 4] = [
        (1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 3),
        (0.666_666_666_666_666_6, 0.5, 0.571_428_571_428_571_4, 4),
        (0.5, 1.0, 0.666_666_666_666_666_6, 1),
        (0.0, 0.0, 0.0, 0),
    ];
    const CONFUSION: [[u64; 4]; 4] = [[1, 1, 1, 0], [2, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]];

    #[test]
    fn the_figures_are_those_of_scikit_learn() {
        let report = judge(&PROBABILITIES, &LABELS);
        assert_eq!(report.n, 8);
        assert_close(report.accuracy, ACCURACY);
        assert_close(report.macro_f1, MACRO_F1);
        assert_close(report.mcc, MCC);
        assert_close(report.brier, BRIER);
        assert_close(report.loss, LOG_LOSS);
        for (class, expected) in report.per_class.iter().zip(PER_CLASS) {
            assert_close(class.precision, expected.0);
            assert_close(class.recall, expected.1);
            assert_close(class.f1, expected.2);
            assert_eq!(class.support, expected.3);
        }
        assert_eq!(report.confusion, CONFUSION);
        assert_eq!(report.metric(MetricName::Accuracy), report.accuracy);
        assert_eq!(report.metric(MetricName::MacroF1), report.macro_f1);
        assert_eq!(report.metric(MetricName::Mcc), report.mcc);
        assert_eq!(report.metric(MetricName::Loss), report.loss);
    }

    #[test]
    fn what_is_no_distribution_is_refused_and_not_counted() {
        let mut metrics = ClassificationMetrics::new(2);
        metrics.add(&[0.5, 0.5], 0).unwrap();
        for (row, label, message) in [
            (
                &[0.5_f64][..],
                0,
                "prediction 1 has 1 probabilities, expected one for each of 2 classes",
            ),
            (
                &[0.5, 0.5],
                2,
                "the label of prediction 1 is class 2, expected one below 2",
            ),
            (
                &[f64::NAN, 0.5],
                0,
                "prediction 1 is no distribution: expected numbers in [0, 1] with sum 1, found NaN with sum NaN",
            ),
            (
                &[2.5, -1.5],
                0,
                "prediction 1 is no distribution: expected numbers in [0, 1] with sum 1, found 2.5 with sum 1",
            ),
            (
                &[0.5, 0.25],
                0,
                "prediction 1 is no distribution: expected numbers in [0, 1] with sum 1, found 0.5 with sum 0.75",
            ),
        ] {
            assert_eq!(metrics.add(row, label).unwrap_err().to_string(), message);
        }
        assert_eq!(metrics.report().unwrap().n, 1);
    }

    #[test]
    fn nothing_cannot_be_judged() {
        let error = ClassificationMetrics::new(2).report().unwrap_err();
        assert_eq!(error, MetricsError::Empty);
    }

    #[test]
    fn a_loss_has_an_upper_end() {
        let mut metrics = ClassificationMetrics::new(2);
        metrics.add(&[1.0, 0.0], 1).unwrap();
        assert_close(metrics.report().unwrap().loss, 36.043_653_389_117_15);
    }
}
