//! The checks of a configuration.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
use regard_accounting::{Accountant, Event, gaussian_epsilon};
use regard_bundle::Workers;
use regard_ops::Key;
use serde::Serialize;

use crate::config::Config;
use crate::error::TrainError;
use crate::privacy::source::{PrivateSource, PrivateUnits};
use crate::privacy::step::{flat, n_trainable};
use crate::privacy::{Entropy, Mechanism, PoissonSampler, PrivatePlan};
use crate::run::stepper;
use crate::sampler::{Draw, Permutation};
use crate::step::{StepSource, Stepper};
use crate::task::{Batch, Targets, Task};

/// Batches whose neighbours are compared.
const NEIGHBOURS: usize = 6;
/// Units of such a batch.
const BATCH: usize = 6;
/// A canary's loss is this many times an ordinary one: no gradient is longer than the bound by chance.
const LOUD: f32 = 1e4;
/// Draws whose sizes are looked at, and units that they are drawn from.
const DRAWS: usize = 4_000;
const MOST_UNITS: usize = 2_000;
/// Numbers of noise that are looked at, at least, and steps at most.
const NOISE_NUMBERS: usize = 200_000;
const MOST_STEPS: usize = 400;
/// All statistical checks are five standard errors wide: a false alarm in 1.7 million.
const WIDTH: f64 = 5.0;
/// f32 sums differ by so much from their exact values.
const ROUNDING: f64 = 1e-3;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AuditCheck {
    /// Its name.
    pub name: &'static str,
    /// Whether it is as it has to be.
    pub passed: bool,
    /// What was found.
    pub found: f64,
    /// The least and the most that it may be.
    pub expected: [f64; 2],
    /// What the number is.
    pub what: &'static str,
}

impl AuditCheck {
    fn new(name: &'static str, found: f64, expected: [f64; 2], what: &'static str) -> Self {
        Self {
            name,
            // NaN is inside nothing.
            passed: expected[0] <= found && found <= expected[1],
            found,
            expected,
            what,
        }
    }
}

/// What an audit of a configuration found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ConfigAudit {
    /// The epsilon that the configuration promises.
    pub epsilon_claimed: f64,
    /// The delta at which it does.
    pub delta: f64,
    /// Everything that was looked at.
    pub checks: Vec<AuditCheck>,
}

impl ConfigAudit {
    /// Whether nothing wrong was found.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }
}

/// Audits private training on the model and the data of a configuration; nothing is written, and the
/// model is thrown away.
///
/// # Errors
///
/// If the configuration is not private, or its data or its model cannot be had.
pub fn audit_config(
    config: &Config,
    task: &dyn Task,
    device: &Device,
    workers: Workers,
) -> Result<ConfigAudit, TrainError> {
    let Some(plan) = PrivatePlan::new(config)? else {
        return Err(TrainError::Privacy {
            what: "the configuration has no [privacy]: there is nothing to audit".to_owned(),
        });
    };
    // One shard, so that the last rows of a batch are the canary's.
    let mut settings = config.clone();
    settings.train.shards = 1;
    settings.train.micro_batch = None;
    let stepper = stepper(&settings, task, device, workers)?;
    let units = PrivateUnits::load(config, task)?;
    let audit = Audit {
        config,
        task,
        plan: &plan,
        units: &units,
        stepper: &stepper,
        entropy: Entropy::from_system()?,
    };
    audit.run()
}

struct Audit<'a> {
    config: &'a Config,
    task: &'a dyn Task,
    plan: &'a PrivatePlan,
    units: &'a PrivateUnits,
    stepper: &'a Stepper,
    entropy: Entropy,
}

impl Audit<'_> {
    fn run(mut self) -> Result<ConfigAudit, TrainError> {
        let mut checks = vec![self.neighbours(), self.divisor()];
        checks.extend(self.noise());
        checks.extend(self.sampling());
        checks.push(self.canary());
        checks.extend(self.accountant()?);
        Ok(ConfigAudit {
            epsilon_claimed: self.claimed()?,
            delta: self.plan.delta,
            checks,
        })
    }

    fn mechanism(&self) -> &Mechanism {
        &self.plan.mechanism
    }

    /// The bound on a unit's contribution, as the configuration has it.
    fn bound(&self) -> f64 {
        let privacy = self.config.privacy.as_ref();
        privacy.map_or(0.0, |privacy| privacy.max_grad_norm)
    }

    fn claimed(&self) -> Result<f64, TrainError> {
        Ok(self.plan.bound(self.plan.total_steps)?.epsilon)
    }

    /// Some units of the data, the last of which is a canary.
    fn source(&mut self, n: usize) -> Canary<'_> {
        let all = self.units.n_units();
        let order = Permutation::new(all, self.entropy.key());
        let draw = Draw {
            units: (0..n.min(all)).map(|place| order.at(place)).collect(),
            divisor: 1.0,
        };
        let secret = self.entropy.key();
        Canary {
            inner: PrivateSource::new(self.task, self.units, &draw, secret),
            without: false,
        }
    }

    /// How far a sum moves when its canary is taken out: never beyond the bound.
    fn neighbours(&mut self) -> AuditCheck {
        let (mechanism, stepper) = (*self.mechanism(), self.stepper);
        let mut most = 0.0_f64;
        for _ in 0..NEIGHBOURS {
            let dropout = self.entropy.key();
            let mut source = self.source(BATCH);
            let (with, _) = stepper.bounded_sum(&mechanism, &source, dropout);
            source.without = true;
            let (without, _) = stepper.bounded_sum(&mechanism, &source, dropout);
            let (with, without) = (
                flat(stepper.model(), &with),
                flat(stepper.model(), &without),
            );
            let moved = with.iter().zip(&without).map(|(a, b)| (a - b).powi(2));
            most = most.max(moved.sum::<f64>().sqrt());
        }
        AuditCheck::new(
            "neighbours",
            most,
            // Less than half would say that no canary was loud enough to try the bound.
            [0.5 * self.bound(), self.bound() * (1.0 + ROUNDING)],
            "the most that one unit moved a step's sum, its loss made 10,000 times as large",
        )
    }

    /// What the sum is divided by, whatever the number drawn.
    fn divisor(&mut self) -> AuditCheck {
        let (mechanism, stepper) = (*self.mechanism(), self.stepper);
        let seed = self.entropy.bits();
        let source = self.source(BATCH);
        let release = |source: &dyn StepSource| {
            // The same noise twice, to take it off again.
            let mut entropy = Entropy::not_private(seed);
            let (noisy, _) = stepper.private_gradients(&mechanism, source, &mut entropy, None);
            flat(stepper.model(), &noisy)
        };
        let dropout = Entropy::not_private(seed).key();
        let (sum, _) = stepper.bounded_sum(&mechanism, &source, dropout);
        let sum = flat(stepper.model(), &sum);
        let (noisy, noise) = (release(&source), release(&Nobody));
        let mean: f64 = noisy
            .iter()
            .zip(&noise)
            .zip(&sum)
            .map(|((a, b), s)| (a - b) * s)
            .sum();
        let norm: f64 = sum.iter().map(|s| s * s).sum();
        let expected = mechanism.sample_rate * self.plan.dataset_size as f64;
        AuditCheck::new(
            "divisor",
            norm / mean,
            [expected * (1.0 - 0.01), expected * (1.0 + 0.01)],
            "what a step's sum is divided by: the expected batch, whatever was drawn",
        )
    }

    /// The size of the noise, and whether two steps share any.
    fn noise(&mut self) -> [AuditCheck; 2] {
        let (mechanism, stepper) = (*self.mechanism(), self.stepper);
        let n = n_trainable(stepper.model());
        let steps = NOISE_NUMBERS.div_ceil(n.max(1)).clamp(2, MOST_STEPS);
        let (mut squares, mut products) = (0.0, 0.0);
        let mut before: Option<Vec<f64>> = None;
        for _ in 0..steps {
            let (noisy, _) =
                stepper.private_gradients(&mechanism, &Nobody, &mut self.entropy, None);
            let noise = flat(stepper.model(), &noisy);
            squares += noise.iter().map(|z| z * z).sum::<f64>();
            if let Some(before) = &before {
                products += noise.iter().zip(before).map(|(a, b)| a * b).sum::<f64>();
            }
            before = Some(noise);
        }
        let count = (n * steps) as f64;
        let variance = squares / count;
        let divisor = mechanism.sample_rate * self.plan.dataset_size as f64;
        let expected = mechanism.noise_multiplier * self.bound() / divisor;
        let pairs = (n * (steps - 1)) as f64;
        let spread = WIDTH / (2.0 * count).sqrt() + ROUNDING;
        [
            AuditCheck::new(
                "noise",
                variance.sqrt(),
                [expected * (1.0 - spread), expected * (1.0 + spread)],
                "the standard deviation of the noise on a step's mean",
            ),
            AuditCheck::new(
                "fresh noise",
                products / pairs / variance,
                [-WIDTH / pairs.sqrt(), WIDTH / pairs.sqrt()],
                "the correlation of the noise of successive steps",
            ),
        ]
    }

    /// The sizes of draws.
    fn sampling(&mut self) -> [AuditCheck; 2] {
        let n = self.units.n_units().min(MOST_UNITS);
        let mechanism = *self.mechanism();
        let sampler = PoissonSampler::new(n, &mechanism);
        let sizes: Vec<f64> = (0..DRAWS)
            .map(|_| sampler.draw(&mut self.entropy).units.len() as f64)
            .collect();
        let draws = DRAWS as f64;
        let mean = sizes.iter().sum::<f64>() / draws;
        let variance = sizes.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / draws;
        let rate = mechanism.sample_rate;
        let (expected, spread) = (n as f64 * rate, n as f64 * rate * (1.0 - rate));
        let of_mean = WIDTH * (spread / draws).sqrt() + 1e-9;
        // The fourth moment of a sum of few draws is larger than a normal's.
        let kurtosis = 3.0 + (1.0 / spread.max(1e-9)).min(draws);
        let of_variance = WIDTH * spread * ((kurtosis - 1.0) / draws).sqrt() + 1e-9;
        [
            AuditCheck::new(
                "sample rate",
                mean,
                [expected - of_mean, expected + of_mean],
                "the mean size of a draw",
            ),
            AuditCheck::new(
                "independent draws",
                variance,
                [spread - of_variance, spread + of_variance],
                "the variance of a draw's size: that of a Poisson sample, and not of a shuffle",
            ),
        ]
    }

    /// How well a canary that is drawn for certain can be told from its absence, in one step.
    fn canary(&mut self) -> AuditCheck {
        let (mechanism, stepper) = (*self.mechanism(), self.stepper);
        let source = self.source(1);
        let (sum, _) = stepper.bounded_sum(&mechanism, &source, Key::new(0));
        let direction = flat(stepper.model(), &sum);
        let norm = direction.iter().map(|s| s * s).sum::<f64>().sqrt();
        let n = n_trainable(stepper.model());
        let steps = (20 * NOISE_NUMBERS)
            .div_ceil(n.max(1))
            .clamp(20, MOST_STEPS);
        let mut entropy = Entropy::not_private(self.entropy.bits());
        let divisor = mechanism.divisor;
        let mut along = Vec::with_capacity(steps);
        for _ in 0..steps {
            let (noisy, _) = stepper.private_gradients(&mechanism, &Nobody, &mut entropy, None);
            let noise = flat(stepper.model(), &noisy);
            let projected: f64 = noise.iter().zip(&direction).map(|(z, s)| z * s).sum();
            along.push(projected * divisor / norm);
        }
        let m = steps as f64;
        let deviation = (along.iter().map(|z| z * z).sum::<f64>() / m).sqrt();
        let expected = 1.0 / mechanism.noise_multiplier;
        let spread = WIDTH / (2.0 * m).sqrt();
        AuditCheck::new(
            "canary",
            norm / deviation,
            // A contribution may be shorter than the bound, not longer.
            [0.0, expected * (1.0 + ROUNDING) / (1.0 - spread).max(1e-3)],
            "how many standard deviations one unit moves a step along its own gradient (mu): at most 1 / noise multiplier",
        )
    }

    /// Whether the accountant is told what is done.
    fn accountant(&self) -> Result<[AuditCheck; 2], TrainError> {
        let mechanism = self.mechanism();
        let (delta, noise) = (self.plan.delta, mechanism.noise_multiplier);
        let claimed = self.claimed()?;
        // Put together from the configuration, not from the mechanism.
        let rate = match self.config.privacy.as_ref().and_then(|p| p.sample_rate) {
            Some(rate) => rate,
            None => self.config.train.batch_size as f64 / self.plan.dataset_size as f64,
        };
        let event = Event::dp_sgd(rate, noise, self.plan.total_steps);
        let expected = Accountant::Pld.epsilon(&event, mechanism.adjacency, delta)?;
        let one = Event::dp_sgd(1.0, noise, 1);
        let moved = match mechanism.adjacency {
            regard_accounting::Adjacency::ReplaceOne => 2.0,
            _ => 1.0,
        };
        let exact = gaussian_epsilon(noise / moved, 1, delta)?;
        let found = Accountant::Pld.epsilon(&one, mechanism.adjacency, delta)?;
        Ok([
            AuditCheck::new(
                "accountant",
                claimed,
                [expected * (1.0 - 1e-3), f64::MAX],
                "epsilon as the run states it, at least that of its settings",
            ),
            AuditCheck::new(
                "one step",
                found,
                [exact * (1.0 - 1e-6), exact * 1.01 + 1e-9],
                "epsilon of one step on everybody: that of the Gaussian mechanism in closed form",
            ),
        ])
    }
}

/// Units of which the last is a canary, whose loss is enormous.
struct Canary<'a> {
    inner: PrivateSource<'a>,
    /// Whether the canary is left out.
    without: bool,
}

impl StepSource for Canary<'_> {
    fn n_units(&self) -> usize {
        self.inner.n_units() - usize::from(self.without)
    }

    fn n_rows(&self, place: usize) -> usize {
        self.inner.n_rows(place)
    }

    fn batch(&self, places: Range<usize>, device: &Device) -> Batch {
        self.inner.batch(places, device)
    }

    fn row_losses(&self, output: Tensor<3>, targets: &Targets) -> Tensor<1> {
        let losses = self.inner.row_losses(output, targets);
        if self.without {
            return losses;
        }
        let [rows] = losses.dims();
        let canary = self.inner.n_rows(self.inner.n_units() - 1);
        let factor = |row| if row + canary >= rows { LOUD } else { 1.0 };
        let factors: Vec<f32> = (0..rows).map(factor).collect();
        let options = (&losses.device().inner(), losses.dtype());
        losses * Tensor::<1>::from_data(TensorData::new(factors, [rows]), options)
    }
}

/// A draw of no unit.
pub(super) struct Nobody;

impl StepSource for Nobody {
    fn n_units(&self) -> usize {
        0
    }

    fn batch(&self, _places: Range<usize>, _device: &Device) -> Batch {
        unreachable!("nobody asks for a batch of no units")
    }

    fn row_losses(&self, _output: Tensor<3>, _targets: &Targets) -> Tensor<1> {
        unreachable!("nobody asks for losses of no units")
    }
}
