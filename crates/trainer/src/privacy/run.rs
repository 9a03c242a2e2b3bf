//! The private side of a run.

use std::path::Path;

use super::canaries::Canaries;
use super::entropy::Entropy;
use super::fingerprint::{make_key, shown_fingerprint};
use super::ledger::{Ledger, LedgerHeader, LedgerState};
use super::mechanism::Mechanism;
use super::plan::PrivatePlan;
use super::sampler::PoissonSampler;
use super::source::{PrivateSource, PrivateUnits};
use super::statement::Statement;
use super::step::{PrivateReport, n_trainable};
use crate::config::Config;
use crate::error::TrainError;
use crate::step::Stepper;
use crate::task::{Split, Task};

/// The ledger's name in a run's folder.
const LEDGER: &str = "ledger.jsonl";
/// A crash costs at most this share of all steps, and at most so many.
const RESERVED_SHARE: u64 = 200;
const MOST_RESERVED: u64 = 16;
/// Said whenever a private run starts.
const NOT_COVERED: &str = "losses, counts and evaluations of a private run are computed on private data without noise: its promise covers the weights, not its log and its report";

/// Draws, budget and noise of a run under way.
pub(crate) struct PrivateRun {
    mechanism: Mechanism,
    total_steps: u64,
    units: PrivateUnits,
    /// The length of each unit, where it is one text.
    lengths: Option<Vec<u32>>,
    sampler: PoissonSampler,
    entropy: Entropy,
    ledger: Ledger,
    /// What an audit of the run guesses about.
    canaries: Option<Canaries>,
    /// Steps that the ledger has and this process has not made yet.
    reserved: u64,
}

impl PrivateRun {
    /// The private side of a run in `folder`; none without `[privacy]`. `saved` is what its checkpoint
    /// remembers of the ledger.
    pub fn new(
        config: &Config,
        task: &dyn Task,
        folder: &Path,
        saved: Option<&LedgerState>,
    ) -> Result<Option<Self>, TrainError> {
        let path = folder.join(LEDGER);
        // A run that has begun knows its parents, whatever has become of them.
        let begun = saved.is_some() && path.exists();
        let plan = match begun.then(|| Ledger::read(&path)).transpose()? {
            Some((header, _)) => PrivatePlan::with(config, None, header.parents)?,
            None => PrivatePlan::new(config)?,
        };
        let (Some(privacy), Some(plan)) = (&config.privacy, plan) else {
            return Ok(None);
        };
        let units = PrivateUnits::load(config, task)?;
        let mut entropy = Entropy::from_system()?;
        if !path.exists() {
            make_key(folder, &mut entropy)?;
        }
        let header = LedgerHeader::new(
            &plan.mechanism,
            privacy.unit.to_string(),
            shown_fingerprint(config, folder, &task.data_fingerprint())?,
            plan.parents.clone(),
        );
        let ledger = Ledger::open(&path, &header, saved)?;
        let mechanism = Mechanism {
            // More than is needed, if the run was begun for more steps than are asked for now.
            noise_multiplier: ledger.header().noise_multiplier,
            ..plan.mechanism
        };
        Ok(Some(Self {
            sampler: PoissonSampler::new(units.n_units(), &mechanism),
            mechanism,
            total_steps: plan.total_steps,
            lengths: units.are_examples().then(|| task.lengths(Split::Train)),
            units,
            entropy,
            canaries: match (privacy.audit_canaries, saved) {
                (Some(_), Some(_)) => Some(Canaries::load(folder)?),
                _ => None,
            },
            ledger,
            reserved: 0,
        }))
    }

    /// Whether the budget is spent: no step may be made any more.
    pub fn is_spent(&self) -> bool {
        self.reserved == 0 && self.ledger.spent() >= self.total_steps
    }

    /// What a person should know.
    pub fn warnings(&self, stated_size: Option<u64>) -> Vec<String> {
        let mut warnings = vec![NOT_COVERED.to_owned()];
        let (found, stated) = (self.units.n_units() as f64, stated_size.unwrap_or(0) as f64);
        if found < 0.8 * stated || found > 1.25 * stated {
            warnings.push(format!(
                "privacy.dataset_size is {stated}, there are about {found:.1e} units to train on: batches have another size than train.batch_size says"
            ));
        }
        warnings
    }

    /// Makes a step: written down, drawn, bounded, noised, taken.
    pub fn step(
        &mut self,
        step: u64,
        stepper: &mut Stepper,
        task: &dyn Task,
        learning_rate: f64,
    ) -> Result<PrivateReport, TrainError> {
        if self.reserved == 0 {
            let left = self.total_steps.saturating_sub(self.ledger.spent());
            let block = (self.total_steps / RESERVED_SHARE).clamp(1, MOST_RESERVED);
            self.reserved = block.min(left);
            self.ledger.reserve(self.reserved)?;
        }
        assert!(self.reserved > 0, "step {step} is beyond the budget");
        self.reserved -= 1;
        let mut draw = self.sampler.draw(&mut self.entropy);
        // Texts of like length in one shard: less filling. The order changes no sum.
        if let Some(lengths) = &self.lengths {
            draw.units.sort_by_key(|unit| lengths[*unit]);
        }
        let source = PrivateSource::new(task, &self.units, &draw, self.entropy.key());
        Ok(stepper.private_step_among(
            &self.mechanism,
            &source,
            &mut self.entropy,
            self.canaries.as_mut(),
            learning_rate,
        ))
    }

    /// Plants the canaries that the configuration asks for, unless a checkpoint has them already.
    pub fn plant(&mut self, config: &Config, stepper: &Stepper) {
        let wanted = config.privacy.as_ref().and_then(|p| p.audit_canaries);
        if let (Some(n), None) = (wanted, &self.canaries) {
            let n_numbers = n_trainable(stepper.model());
            self.canaries = Some(Canaries::plant(n, n_numbers, &mut self.entropy));
        }
    }

    /// Writes down what is known of the canaries, with every checkpoint.
    pub fn save_canaries(&self, folder: &Path) -> Result<(), TrainError> {
        self.canaries
            .as_ref()
            .map_or(Ok(()), |canaries| canaries.save(folder))
    }

    /// Refuses a model with a parameter that has no per-unit rule.
    pub fn rehearse(&self, stepper: &Stepper, task: &dyn Task) -> Result<(), TrainError> {
        let draw = crate::sampler::Draw {
            units: (0..self.units.n_units().min(1)).collect(),
            divisor: 1.0,
        };
        let source = PrivateSource::new(task, &self.units, &draw, regard_ops::Key::new(0));
        stepper.rehearse_private(&source)
    }

    /// What a checkpoint remembers.
    pub fn ledger_state(&self) -> LedgerState {
        self.ledger.state()
    }

    /// What goes into the bundle: the statement, and the ledger.
    pub fn attachments(&self, config: &Config, folder: &Path) -> Result<[Vec<u8>; 2], TrainError> {
        let statement = Statement::new(config, self.ledger.header(), self.ledger.spent())?;
        let path = folder.join(LEDGER);
        let ledger = std::fs::read(&path).map_err(crate::files::at(&path))?;
        Ok([statement.to_json(), ledger])
    }
}
