//! How good forecasts and anomaly scores are. Pure functions, in f64, sums in a fixed order.

mod events;
mod forecast;
mod quantile;
mod ranking;

pub use events::{Detection, detection, events, smooth};
pub use forecast::{ForecastErrors, ForecastScores};
pub use quantile::{coverage, pinball};
pub use ranking::{average_precision, roc_auc};
