//! How good predictions are.

mod anomaly;
mod calibration;
mod classification;
mod error;
mod forecast;

pub use anomaly::{AnomalyReport, LabelledScores};
pub use calibration::{CalibrationBin, N_BINS};
pub use classification::{ClassScores, ClassificationMetrics, ClassificationReport};
pub use error::MetricsError;
pub use forecast::{ForecastMetrics, ForecastReport};
