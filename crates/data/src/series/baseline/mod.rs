//! What a model must beat: closed forms without a learning rate.

mod forecast;
mod moments;
mod naive;
mod neighbour;
mod residual;
mod ridge;

pub use forecast::{ForecastBaseline, ForecastTask, SeriesPart, forecast_baselines};
pub use naive::{repeat_last, seasonal_naive};
pub use neighbour::{Distance, nearest_neighbour};
pub use residual::{level_scores, seasonal_residual};
pub use ridge::{Ridge, RidgeBase, RidgeConfig};
