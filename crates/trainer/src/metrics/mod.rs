//! How good predictions are.

mod calibration;
mod classification;
mod error;

pub use calibration::{CalibrationBin, N_BINS};
pub use classification::{ClassScores, ClassificationMetrics, ClassificationReport};
pub use error::MetricsError;
