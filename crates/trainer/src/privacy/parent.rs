//! What the model that a run starts from has spent already.

use serde::{Deserialize, Serialize};

use regard_accounting::Event;

use super::statement::Statement;
use crate::config::Config;
use crate::error::TrainError;

/// The private steps of a model that training started from: what they released stays released, so
/// they count in the budget of every model that is made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parent {
    /// The bundle or run, as the configuration names it.
    pub path: String,
    /// What a unit was.
    pub unit: String,
    /// The probability with which a step drew a unit.
    pub sample_rate: f64,
    /// The standard deviation of the noise over the bound on a unit's contribution.
    pub noise_multiplier: f64,
    /// The steps that were made or may have been made.
    pub steps: u64,
}

impl Parent {
    /// What was released.
    #[must_use]
    pub fn event(&self) -> Event {
        Event::dp_sgd(self.sample_rate, self.noise_multiplier, self.steps)
    }

    /// The private models behind a configuration, the oldest last; none if it starts from none.
    ///
    /// # Errors
    ///
    /// If the model cannot be read, or one of them protects other units, whose budget cannot be
    /// added to this one.
    pub(super) fn all_of(config: &Config) -> Result<Vec<Self>, TrainError> {
        let (Some(path), Some(privacy)) = (&config.train.init_from, &config.privacy) else {
            return Ok(Vec::new());
        };
        let Some(statement) = Statement::of_bundle(path)? else {
            return Ok(Vec::new());
        };
        let own = Self {
            path: path.display().to_string(),
            unit: statement.unit,
            sample_rate: statement.sample_rate,
            noise_multiplier: statement.noise_multiplier,
            steps: statement.steps,
        };
        let all: Vec<Self> = [own].into_iter().chain(statement.parents).collect();
        let unit = privacy.unit.to_string();
        match all.iter().find(|parent| parent.unit != unit) {
            None => Ok(all),
            Some(other) => Err(TrainError::Privacy {
                what: format!(
                    "{} protects each {}, and this run each {unit}: what they spend cannot be added up; use the same privacy.unit",
                    other.path, other.unit
                ),
            }),
        }
    }
}
