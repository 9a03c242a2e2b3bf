//! What a run promises, in words.

use std::fmt;
use std::path::Path;

use regard_bundle::Bundle;
use serde::{Deserialize, Serialize};

use super::ledger::{Ledger, LedgerHeader};
use super::parent::Parent;
use super::plan::PrivatePlan;
use crate::checkpoint::CheckpointStore;
use crate::config::{self, ClippingStyle, Config, PrivacyUnit, Task};
use crate::error::TrainError;
use crate::run::checkpoint_files;

/// The version of the statement's layout.
const SCHEMA: u32 = 1;

/// What is promised for a value that stands in several units: whoever changes all of them is hidden by
/// group privacy (Dwork and Roth 2014, theorem 2.2), which is weaker.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupPromise {
    /// The training windows that contain one time step.
    pub windows_with_a_step: u64,
    /// The upper bound on epsilon for all of them together.
    pub epsilon: f64,
    /// The probability with which that may fail; 1 promises nothing.
    pub delta: f64,
}

impl GroupPromise {
    /// For so many units together.
    fn new(units: u64, epsilon: f64, delta: f64) -> Self {
        let k = units as f64;
        let grown = delta * (k * epsilon).exp_m1() / epsilon.exp_m1();
        Self {
            windows_with_a_step: units,
            epsilon: k * epsilon,
            // At epsilon 0 the quotient is 0 / 0, and its limit k.
            delta: if epsilon > 0.0 { grown } else { k * delta }.min(1.0),
        }
    }
}

/// The privacy statement of a model: `privacy.json` in its bundle. Its `Display` is the same in words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Statement {
    /// The version of the layout.
    pub schema: u32,
    /// The upper bound on epsilon; infinity is `null`, with a reason beside it.
    pub epsilon: Option<f64>,
    /// Why there is no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon_reason: Option<String>,
    /// The probability with which the promise may fail.
    pub delta: f64,
    /// Which two datasets are hard to tell apart.
    pub adjacency: String,
    /// What a unit is.
    pub unit: String,
    /// The most rows of a unit that a step takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rows_per_unit: Option<usize>,
    /// What is promised for a time step, where units are windows that overlap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_step: Option<GroupPromise>,
    /// How units are drawn.
    pub sampler: String,
    /// The probability with which a step draws a unit.
    pub sample_rate: f64,
    /// The steps that are made or may have been made.
    pub steps: u64,
    /// The steps that the budget is for.
    pub planned_steps: u64,
    /// The standard deviation of the noise over the bound on a unit's contribution.
    pub noise_multiplier: f64,
    /// The bound on the norm of a unit's contribution to a step.
    pub max_grad_norm: f64,
    /// How contributions are bounded.
    pub clipping: ClippingStyle,
    /// The number of units, as the configuration states it.
    pub dataset_size: u64,
    /// Whose bound epsilon is, and how it was discretised.
    pub accountant: String,
    /// The epsilon that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_epsilon: Option<f64>,
    /// The private models that it started from: epsilon covers their steps too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<Parent>,
    /// What of the data was declared public.
    pub public: Vec<String>,
    /// What is released.
    pub released: String,
}

impl Statement {
    /// What the steps of a ledger promise.
    ///
    /// # Errors
    ///
    /// If the configuration is not private, or its numbers cannot be accounted for.
    pub fn new(config: &Config, header: &LedgerHeader, steps: u64) -> Result<Self, TrainError> {
        let plan = PrivatePlan::with(
            config,
            Some(header.noise_multiplier),
            header.parents.clone(),
        )?;
        let (Some(privacy), Some(plan)) = (&config.privacy, plan) else {
            return Err(TrainError::Privacy {
                what: "the run has no [privacy]: it promises nothing".to_owned(),
            });
        };
        let bound = plan.bound(steps)?;
        let is_finite = bound.epsilon.is_finite();
        let mut public = privacy.public.clone().unwrap_or_default();
        if config.data.labels.is_some() {
            public.push("the labels in data.labels".to_owned());
        }
        if let Some(file) = &config.tokenizer.file {
            public.push(format!("the tokenizer {}", file.display()));
        }
        if let Some(from) = &config.train.init_from {
            let from = from.display();
            match (header.parents.is_empty(), config.task) {
                (true, _) => {
                    public.push(format!("the model {from}, whose training promised nothing"));
                }
                (false, Task::TextClassification) => {
                    public.push(format!("the tokenizer of {from}"));
                }
                // A private model of series brings nothing but what its ledger counts.
                (false, _) => {}
            }
        }
        Ok(Self {
            schema: SCHEMA,
            epsilon: is_finite.then_some(bound.epsilon),
            epsilon_reason: (!is_finite).then(|| "nothing is promised".to_owned()),
            delta: plan.delta,
            adjacency: header.adjacency.clone(),
            unit: header.unit.clone(),
            max_rows_per_unit: privacy.max_rows_per_unit,
            time_step: (is_finite && privacy.unit == PrivacyUnit::Window).then(|| {
                let data = &config.data;
                let windows = (data.lookback + data.horizon).div_ceil(data.stride);
                GroupPromise::new(windows as u64, bound.epsilon, plan.delta)
            }),
            sampler: "poisson".to_owned(),
            sample_rate: header.sample_rate,
            steps,
            planned_steps: plan.total_steps,
            noise_multiplier: header.noise_multiplier,
            max_grad_norm: privacy.max_grad_norm,
            clipping: privacy.clipping,
            dataset_size: plan.dataset_size,
            accountant: match bound.accountant {
                regard_accounting::Accountant::Rdp => {
                    "rdp (upper bound, Rényi orders chosen by search)"
                }
                _ => "pld (upper bound, connect-the-dots, interval chosen by the problem)",
            }
            .to_owned(),
            target_epsilon: plan.target_epsilon,
            parents: plan.parents,
            public,
            released: match config.train.ema() {
                Some(_) => "the moving average of the weights after the last step",
                None => "the weights after the last step",
            }
            .to_owned(),
        })
    }

    /// The statement as the bytes of a file.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut json =
            serde_json::to_vec_pretty(self).expect("plain values under string keys are JSON");
        json.push(b'\n');
        json
    }

    /// The statement in a bundle, or in the bundle of a run; none if the model is not private.
    ///
    /// # Errors
    ///
    /// If there is a statement and it is damaged.
    pub fn of_bundle(path: &Path) -> Result<Option<Self>, TrainError> {
        let Some(bytes) = Bundle::attachment(path, Bundle::PRIVACY)? else {
            return Ok(None);
        };
        let statement = serde_json::from_slice(&bytes);
        statement.map(Some).map_err(|error| TrainError::Privacy {
            what: format!(
                "{} of the bundle {} cannot be read: {error}",
                Bundle::PRIVACY,
                path.display()
            ),
        })
    }
}

/// What a run, finished or not, or a bundle has spent by now.
///
/// # Errors
///
/// If there is no private run, or its ledger cannot be read.
pub fn spent(path: &Path) -> Result<Statement, TrainError> {
    let (config, ledger) = (path.join("config.toml"), path.join("ledger.jsonl"));
    if config.is_file() && ledger.is_file() {
        let config = config::load::<&str>(&config, &[])?;
        let (header, steps) = Ledger::read(&ledger)?;
        require_all_steps(path, &config, &ledger, steps)?;
        return Statement::new(&config, &header, steps);
    }
    Statement::of_bundle(path)?.ok_or_else(|| TrainError::Privacy {
        what: format!(
            "{} is no private run: it has no ledger.jsonl, and promises nothing",
            path.display()
        ),
    })
}

/// Whether a ledger has all steps that the run's checkpoint and bundle know of.
fn require_all_steps(
    folder: &Path,
    config: &Config,
    ledger: &Path,
    steps: u64,
) -> Result<(), TrainError> {
    let bundle = folder.join("bundle");
    let stated = match bundle.is_dir() {
        true => Statement::of_bundle(&bundle)?.map(|statement| statement.steps),
        false => None,
    };
    // A checkpoint that cannot be read says nothing; `regard verify` tells what is wrong with it.
    let files = checkpoint_files(config.train.ema().is_some());
    let saved = (CheckpointStore::open(&folder.join("checkpoints"), files).newest_state())
        .ok()
        .flatten()
        .and_then(|state| state.privacy)
        .map(|ledger| ledger.spent);
    match stated.max(saved) {
        Some(known) if known > steps => Err(TrainError::Ledger {
            path: ledger.to_owned(),
            problem: format!("it counts {steps} steps, and the run has made {known}"),
        }),
        _ => Ok(()),
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(epsilon) = self.epsilon else {
            let reason = self.epsilon_reason.as_deref().unwrap_or("no bound");
            return writeln!(f, "no promise: {reason}");
        };
        let unit = match PrivacyUnit::parse(&self.unit) {
            Some(PrivacyUnit::User(column)) => format!("user (all records with one {column})"),
            Some(PrivacyUnit::Document) => "document (a text)".to_owned(),
            Some(PrivacyUnit::Series) => "series (all its values)".to_owned(),
            Some(PrivacyUnit::Window) => "training window".to_owned(),
            _ => self.unit.clone(),
        };
        writeln!(
            f,
            "({epsilon:.3}, {:.1e})-differentially private for each {unit}, {}",
            self.delta, self.adjacency
        )?;
        writeln!(
            f,
            "what it means: {} changes the probability of any outcome of the training by at most a factor of {}, but for a probability of {:.1e}",
            match self.adjacency.as_str() {
                "replace-one" => "replacing one of them",
                _ => "whether one of them took part",
            },
            factor(epsilon),
            self.delta
        )?;
        if let Some(step) = &self.time_step {
            writeln!(
                f,
                "a time step: up to {} training windows contain it; for all of them together epsilon is {:.3} at a delta of {:.1e}{}",
                step.windows_with_a_step,
                step.epsilon,
                step.delta,
                if step.delta >= 1.0 {
                    ", which promises nothing"
                } else {
                    ""
                }
            )?;
        }
        writeln!(
            f,
            "how: {} of {} steps, each on a Poisson sample at a rate of {:.5} of {} units (stated), noise multiplier {:.4}, contributions of at most {}",
            self.steps,
            self.planned_steps,
            self.sample_rate,
            self.dataset_size,
            self.noise_multiplier,
            self.max_grad_norm
        )?;
        for parent in &self.parents {
            writeln!(
                f,
                "started from {}: its {} steps at a rate of {:.5} with a noise multiplier of {:.4} are in epsilon too",
                parent.path, parent.steps, parent.sample_rate, parent.noise_multiplier
            )?;
        }
        writeln!(f, "accountant: {}", self.accountant)?;
        writeln!(f, "released: {}", self.released)?;
        let public = match self.public.is_empty() {
            true => "nothing".to_owned(),
            false => self.public.join(", "),
        };
        writeln!(f, "declared public: {public}")?;
        writeln!(
            f,
            "not covered: losses, counts and figures in logs and reports; the choice of settings over several runs; data seen before this run; the low bits of floating-point noise; timing"
        )
    }
}

/// `exp(epsilon)`, short.
fn factor(epsilon: f64) -> String {
    let factor = epsilon.exp();
    if factor < 100.0 {
        format!("{factor:.1}")
    } else if factor < 1e6 {
        format!("{factor:.0}")
    } else {
        format!("{factor:.0e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dwork and Roth's theorem by its induction: a chain of k data sets, each one unit from the next.
    #[test]
    fn a_group_is_a_chain_of_units() {
        for (k, epsilon, delta) in [
            (1, 2.0, 1e-6),
            (3, 0.5, 1e-5),
            (7, 0.1, 1e-7),
            (4, 0.0, 1e-3),
        ] {
            let found = GroupPromise::new(k, epsilon, delta);
            let mut chained = (0.0, 0.0);
            for _ in 0..k {
                chained = (chained.0 + epsilon, chained.1 * f64::exp(epsilon) + delta);
            }
            assert!((found.epsilon - chained.0).abs() < 1e-12);
            assert!(
                (found.delta / chained.1 - 1.0).abs() < 1e-9,
                "{found:?}, {chained:?}"
            );
        }
        assert_eq!(GroupPromise::new(24, 3.0, 1e-5).delta, 1.0);
    }
}
