//! Predictions that cannot be judged.

/// Why predictions cannot be judged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// There is nothing to judge.
    #[error("there are no predictions to judge: the split is empty")]
    Empty,
    /// A prediction has another number of classes.
    #[error(
        "prediction {unit} has {found} probabilities, expected one for each of {expected} classes"
    )]
    WrongWidth {
        /// The 0-based number of the prediction.
        unit: u64,
        /// The number of classes.
        expected: usize,
        /// The number of probabilities.
        found: usize,
    },
    /// A number that the model gave is not finite.
    #[error("output {index} is {value}: expected a finite number; lower train.learning_rate")]
    NotFinite {
        /// The number.
        value: f64,
        /// The 0-based number of the window.
        index: usize,
    },
    /// No value is known that predictions could be compared with.
    #[error("there is no window with a known value to judge")]
    NothingToJudge,
    /// A label is no class.
    #[error("the label of prediction {unit} is class {found}, expected one below {n_classes}")]
    LabelOutOfRange {
        /// The 0-based number of the prediction.
        unit: u64,
        /// The number of classes.
        n_classes: usize,
        /// The label.
        found: usize,
    },
    /// A prediction is not a distribution; NaN and logits end here and in no mean.
    #[error(
        "prediction {unit} is no distribution: expected numbers in [0, 1] with sum 1, found {found} with sum {sum}"
    )]
    NotADistribution {
        /// The 0-based number of the prediction.
        unit: u64,
        /// The first number outside [0, 1], or the first one.
        found: f64,
        /// The sum.
        sum: f64,
    },
}
