//! How good predictions are.

mod classification;
mod error;

pub use classification::{ClassScores, ClassificationMetrics, ClassificationReport};
pub use error::MetricsError;
