//! What cannot be accounted for.

use crate::event::Adjacency;

/// A question that has no answer, and why.
///
/// Arguments that merely promise nothing (no noise, a delta of zero) are no errors: their epsilon is
/// infinite.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountingError {
    /// A noise multiplier that is negative, NaN or infinite.
    #[error("noise_multiplier: expected a finite number from 0 up, found {found}")]
    NoiseMultiplier {
        /// What was given.
        found: f64,
    },
    /// A sample rate that is no probability.
    #[error("sample_rate: expected a probability, from 0 to 1, found {found}")]
    SampleRate {
        /// What was given.
        found: f64,
    },
    /// A delta outside [0, 1).
    #[error("delta: expected a number from 0 to below 1, found {found}")]
    Delta {
        /// What was given.
        found: f64,
    },
    /// An epsilon that is negative or NaN.
    #[error("epsilon: expected a number from 0 up, found {found}")]
    Epsilon {
        /// What was given.
        found: f64,
    },
    /// A fixed batch that does not fit into its dataset.
    #[error("batch_size: expected 0 to {dataset_size} (dataset_size), found {found}")]
    BatchSize {
        /// The number of units in the dataset.
        dataset_size: u64,
        /// What was given.
        found: u64,
    },
    /// Truncation to batches that hold nothing.
    #[error(
        "max_batch_size: expected 1 or more, found 0; a batch that is always empty trains nothing"
    )]
    MaxBatchSize,
    /// A Rényi order for which nothing is defined here.
    #[error("orders: expected finite numbers above 1, found {found}")]
    Order {
        /// What was given.
        found: f64,
    },
    /// No Rényi order at all.
    #[error("orders: expected at least one, found none; `Rdp::new` chooses orders by itself")]
    NoOrders,
    /// More steps than can be counted.
    #[error("steps: expected at most {max} in all, found more", max = u64::MAX)]
    TooManySteps,
    /// An event that has no bound under an adjacency.
    #[error("adjacency: {event} has no bound under {adjacency}: {why}")]
    Adjacency {
        /// The event.
        event: &'static str,
        /// The adjacency that was asked for.
        adjacency: Adjacency,
        /// The reason and the way out.
        why: &'static str,
    },
    /// A solver's target that no value reaches.
    #[error(
        "{parameter}: no value from {lowest} to {highest} keeps epsilon {epsilon} at delta {delta}"
    )]
    Unreachable {
        /// What was solved for.
        parameter: &'static str,
        /// Where the search began.
        lowest: f64,
        /// Where the search ended.
        highest: f64,
        /// The target.
        epsilon: f64,
        /// The delta of the target.
        delta: f64,
    },
}

pub(crate) fn check_noise_multiplier(found: f64) -> Result<(), AccountingError> {
    if found >= 0.0 && found.is_finite() {
        Ok(())
    } else {
        Err(AccountingError::NoiseMultiplier { found })
    }
}

pub(crate) fn check_sample_rate(found: f64) -> Result<(), AccountingError> {
    if (0.0..=1.0).contains(&found) {
        Ok(())
    } else {
        Err(AccountingError::SampleRate { found })
    }
}

pub(crate) fn check_delta(found: f64) -> Result<(), AccountingError> {
    if (0.0..1.0).contains(&found) {
        Ok(())
    } else {
        Err(AccountingError::Delta { found })
    }
}

pub(crate) fn check_epsilon(found: f64) -> Result<(), AccountingError> {
    if found >= 0.0 {
        Ok(())
    } else {
        Err(AccountingError::Epsilon { found })
    }
}
