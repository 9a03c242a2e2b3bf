//! What a private run will do, before it touches any data.

use regard_accounting::{AccountingError, Bound, Event, Settings, Target, noise_multiplier_beside};

use super::clip::Clipping;
use super::mechanism::Mechanism;
use super::parent::Parent;
use crate::config::{Config, PrivacyConfig};
use crate::error::TrainError;

/// A private run in numbers, all of them public: nothing here was read from the data.
#[derive(Clone, Debug, PartialEq)]
pub struct PrivatePlan {
    /// What a step does.
    pub mechanism: Mechanism,
    /// Steps in which as many units are drawn as there are.
    pub steps_per_epoch: u64,
    /// Steps of the run, unless a crash costs some.
    pub total_steps: u64,
    /// The probability with which the promise may fail.
    pub delta: f64,
    /// The largest epsilon that was asked for.
    pub target_epsilon: Option<f64>,
    /// The number of units, as the configuration states it.
    pub dataset_size: u64,
    /// The private models that the run starts from, whose steps count too.
    pub parents: Vec<Parent>,
}

impl PrivatePlan {
    /// The plan of a configuration; none without `[privacy]`.
    ///
    /// # Errors
    ///
    /// If no noise keeps the epsilon that is asked for.
    pub fn new(config: &Config) -> Result<Option<Self>, TrainError> {
        let parents = Parent::all_of(config)?;
        Self::with(config, None, parents)
    }

    /// The plan of a run that knows its parents already, and its noise if it has one.
    pub(super) fn with(
        config: &Config,
        noise: Option<f64>,
        parents: Vec<Parent>,
    ) -> Result<Option<Self>, TrainError> {
        let Some(privacy) = &config.privacy else {
            return Ok(None);
        };
        let missing = |key: &str| TrainError::Privacy {
            what: format!("privacy.{key} is not set"),
        };
        // The configuration has seen to all of these; a program may have made it by hand.
        let delta = privacy.delta.ok_or_else(|| missing("delta"))?;
        let dataset_size = privacy
            .dataset_size
            .ok_or_else(|| missing("dataset_size"))?;
        let sample_rate = sample_rate(config, privacy, dataset_size);
        let (steps_per_epoch, total_steps) = steps(config, sample_rate);
        let adjacency = privacy.adjacency.adjacency();
        let noise = match (noise.or(privacy.noise_multiplier), privacy.epsilon) {
            (Some(noise), _) => noise,
            (None, Some(epsilon)) => noise_multiplier_beside(
                &parents.iter().map(Parent::event).collect::<Vec<_>>(),
                Target { epsilon, delta },
                sample_rate,
                total_steps,
                Settings {
                    adjacency,
                    ..Settings::default()
                },
            )?,
            (None, None) => return Err(missing("epsilon")),
        };
        Ok(Some(Self {
            mechanism: Mechanism {
                sample_rate,
                noise_multiplier: noise,
                clipping: Clipping::new(privacy.clipping, privacy.max_grad_norm),
                divisor: sample_rate * dataset_size as f64,
                adjacency,
            },
            steps_per_epoch,
            total_steps,
            delta,
            target_epsilon: privacy.epsilon,
            dataset_size,
            parents,
        }))
    }

    /// The smallest upper bound on epsilon after so many steps, those of the parents among them.
    ///
    /// # Errors
    ///
    /// If a number is outside its range.
    pub fn bound(&self, steps: u64) -> Result<Bound, AccountingError> {
        if self.parents.is_empty() {
            return self.mechanism.bound(steps, self.delta);
        }
        let own = self.mechanism.event(steps);
        let all = self.parents.iter().map(Parent::event).chain([own]);
        let all = Event::Composed(all.collect());
        Bound::of(&all, self.mechanism.adjacency, self.delta)
    }
}

/// The steps of an epoch and of the whole run of a private configuration; none without `[privacy]`.
pub(crate) fn private_steps(config: &Config) -> Option<(u64, u64)> {
    let privacy = config.privacy.as_ref()?;
    let rate = sample_rate(config, privacy, privacy.dataset_size?);
    Some(steps(config, rate))
}

fn sample_rate(config: &Config, privacy: &PrivacyConfig, dataset_size: u64) -> f64 {
    privacy
        .sample_rate
        .unwrap_or(config.train.batch_size as f64 / dataset_size as f64)
        .min(1.0)
}

/// An epoch is the time in which a unit is drawn once on average.
fn steps(config: &Config, sample_rate: f64) -> (u64, u64) {
    let train = &config.train;
    // Rates come from divisions: 1 / (1 / 3) is a little more than 3.
    let up = |steps: f64| (steps * (1.0 - 1e-12)).ceil().max(1.0) as u64;
    let all = up(train.epochs as f64 / sample_rate);
    let total = train.max_steps.map_or(all, |most| most.min(all));
    (up(1.0 / sample_rate), total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn plan(lines: &str) -> PrivatePlan {
        let text = format!(
            "version = 1\ntask = \"text-classification\"\n[data]\ntrain = \"t.tsv\"\nlabels = [\"a\", \"b\"]\n[tokenizer]\nkind = \"bytes\"\n[train]\nepochs = 3\n[privacy]\n{lines}"
        );
        let config = config::parse::<&str>(&text, "c.toml".as_ref(), &[]).unwrap();
        PrivatePlan::new(&config).unwrap().unwrap()
    }

    #[test]
    fn a_plan_counts_steps_by_the_rate_and_keeps_its_epsilon() {
        let plan = plan("epsilon = 3\ndelta = 1e-5\ndataset_size = 6920\nsample_rate = 0.15");
        assert_eq!((plan.steps_per_epoch, plan.total_steps), (7, 20));
        assert!((plan.mechanism.divisor - 1038.0).abs() < 1e-9);
        let bound = plan.bound(plan.total_steps).unwrap();
        assert!(bound.epsilon <= 3.0 && bound.epsilon > 2.9, "{bound:?}");
    }

    #[test]
    fn a_batch_size_is_the_expected_number_of_units() {
        let plan = plan("noise_multiplier = 1.5\ndelta = 1e-5\ndataset_size = 320");
        assert_eq!(plan.mechanism.sample_rate, 0.1);
        assert_eq!(plan.mechanism.divisor, 32.0);
        assert_eq!(plan.total_steps, 30);
        assert_eq!(plan.mechanism.noise_multiplier, 1.5);
    }
}
