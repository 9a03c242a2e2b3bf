//! A private step.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use regard_model::Transformer;
use regard_model::gradient_checkpointing::Segments;
use regard_ops::Key;

use super::backward::PrivatePass;
use super::canaries::Canaries;
use super::entropy::Entropy;
use super::mechanism::Mechanism;
use super::noise;
use crate::error::TrainError;
use crate::gradients;
use crate::step::{Piece, StepReport, StepSource, Stepper};

/// What a private step did.
///
/// The loss and the numbers of units are functions of private data to which no noise was added: the
/// promise does not cover them.
#[derive(Clone, Debug, PartialEq)]
pub struct PrivateReport {
    /// What an ordinary step tells; the norm is that of the noisy mean, which the promise covers.
    pub report: StepReport,
    /// The drawn units whose gradient was longer than the bound.
    pub n_clipped: usize,
    /// The drawn units that contributed nothing because their gradient is not finite.
    pub n_discarded: usize,
}

/// What the units of a shard contribute.
struct Contribution {
    sum: GradientsParams,
    /// The sum of the losses of the units that contribute.
    loss: f64,
    n_tokens: usize,
    n_clipped: usize,
    n_discarded: usize,
}

impl Stepper {
    /// Makes private step number `step` (from 0) on the units of `source`, which were drawn by the
    /// mechanism's sampler.
    ///
    /// The update is made whatever was drawn, also if nobody was: a step that is left out would tell
    /// so.
    pub fn private_step(
        &mut self,
        mechanism: &Mechanism,
        source: &dyn StepSource,
        entropy: &mut Entropy,
        learning_rate: f64,
    ) -> PrivateReport {
        self.private_step_among(mechanism, source, entropy, None, learning_rate)
    }

    /// [`Stepper::private_step`] with canaries among the units.
    pub(super) fn private_step_among(
        &mut self,
        mechanism: &Mechanism,
        source: &dyn StepSource,
        entropy: &mut Entropy,
        canaries: Option<&mut Canaries>,
        learning_rate: f64,
    ) -> PrivateReport {
        let planted = canaries.as_deref();
        let (noisy, report) = self.private_gradients(mechanism, source, entropy, planted);
        if let Some(canaries) = canaries {
            canaries.look_at(self.model(), &noisy);
        }
        self.update(noisy, learning_rate, 1.0);
        report
    }

    /// What a private step releases: the noisy mean of the drawn units' bounded gradients.
    pub(super) fn private_gradients(
        &self,
        mechanism: &Mechanism,
        source: &dyn StepSource,
        entropy: &mut Entropy,
        canaries: Option<&Canaries>,
    ) -> (GradientsParams, PrivateReport) {
        let (sum, mut report) = self.bounded_sum(mechanism, source, entropy.key());
        // Once a step, over all micro-batches and shards.
        let seed = entropy.seed();
        #[cfg(test)]
        let seed = match super::mutant::Mutant::NoiseReused.is_made() {
            true => [7; 32],
            false => seed,
        };
        let mut noise = noise::normals(
            seed,
            n_trainable(self.model()),
            mechanism.noise_deviation(),
            self.settings().workers,
        );
        if let Some(canaries) = canaries {
            // To the one sum that noise and contributions make, at the places of their own.
            canaries.contribute(&mut noise, mechanism, entropy);
        }
        let divisor = mechanism.divisor;
        #[cfg(test)]
        let divisor = match super::mutant::Mutant::DivisorOfTheDraw.is_made() {
            true => source.n_units().max(1) as f64,
            false => divisor,
        };
        let noisy = noise::add(self.model(), sum, noise, divisor);
        report.report.grad_norm = gradients::global_norm(self.model(), &noisy);
        (noisy, report)
    }

    /// The sum of the units' bounded gradients, before any noise; dropout draws under `dropout`.
    pub(super) fn bounded_sum(
        &self,
        mechanism: &Mechanism,
        source: &dyn StepSource,
        dropout: Key,
    ) -> (GradientsParams, PrivateReport) {
        let counted = trainable(self.model());
        let mut sum = GradientsParams::new();
        let mut report = PrivateReport {
            report: StepReport {
                loss: 0.0,
                grad_norm: 0.0,
                n_units: source.n_units(),
                n_tokens: 0,
            },
            n_clipped: 0,
            n_discarded: 0,
        };
        for shards in self.pieces(source) {
            let parts = self.settings().workers.map(shards.len(), |shard| {
                self.contribution(mechanism, source, &shards[shard], dropout, &counted)
            });
            for part in parts {
                gradients::add(self.model(), &mut sum, part.sum);
                report.report.loss += part.loss / mechanism.divisor;
                report.report.n_tokens += part.n_tokens;
                report.n_clipped += part.n_clipped;
                report.n_discarded += part.n_discarded;
            }
        }
        (sum, report)
    }

    /// Goes through a backward pass once, to see that every trainable parameter has a per-unit rule.
    /// What it finds depends on the model's structure alone, and not on the unit.
    ///
    /// # Errors
    ///
    /// [`TrainError::NoUnitRule`] with the parameters that have none.
    pub fn rehearse_private(&self, source: &dyn StepSource) -> Result<(), TrainError> {
        let counted = trainable(self.model());
        let units = 0..source.n_units().min(1);
        if units.is_empty() {
            return Ok(());
        }
        let piece = Piece {
            units,
            first_row: 0,
        };
        let refused = |what: String| TrainError::NoUnitRule { what };
        // In one segment, so that a parameter is seen that two of them would share.
        let segments = Segments::whole(self.settings().segments.n_stages() - 2);
        let pass = PrivatePass::new(self, source, &piece, &segments, &counted);
        let mut found = None;
        pass.backward(Key::new(0), &mut |units| found = Some(units))
            .map_err(|error| refused(error.to_string()))?;
        let found = found.expect("a backward pass tells of its segment");
        let ones = Tensor::ones([found.n_units()], &self.settings().device);
        let sums = found.weighted_sum(&ones);
        let found: HashSet<ParamId> = sums.iter().map(|(id, _)| *id).collect();
        let missing: Vec<String> = regard_model::weights::parameters(self.model())
            .into_iter()
            .filter(|parameter| counted.contains(&parameter.id) && !found.contains(&parameter.id))
            .map(|parameter| parameter.name)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let names = missing.join(", ");
        Err(refused(format!("no operation tells of {names}")))
    }

    fn contribution(
        &self,
        mechanism: &Mechanism,
        source: &dyn StepSource,
        piece: &Piece,
        dropout: Key,
        counted: &HashSet<ParamId>,
    ) -> Contribution {
        let segments = &self.settings().segments;
        let pass = PrivatePass::new(self, source, piece, segments, counted);
        let (clipped, sum, losses) = pass.bounded_sum(&mechanism.clipping, dropout);
        let kept = losses.iter().zip(&clipped.discarded);
        Contribution {
            loss: kept.filter(|(_, gone)| !**gone).map(|(loss, _)| loss).sum(),
            sum,
            n_tokens: pass.n_tokens(),
            n_clipped: clipped.n_clipped,
            n_discarded: clipped.discarded.iter().filter(|gone| **gone).count(),
        }
    }
}

/// The parameters that are trained.
fn trainable(model: &Transformer) -> HashSet<ParamId> {
    struct Trainable(HashSet<ParamId>);
    impl ModuleVisitor for Trainable {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.val().is_require_grad() {
                self.0.insert(param.id);
            }
        }
    }
    let mut trainable = Trainable(HashSet::new());
    model.visit(&mut trainable);
    trainable.0
}

/// The numbers that are trained.
pub(super) fn n_trainable(model: &Transformer) -> usize {
    struct Count(usize);
    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = param.val();
            if value.is_require_grad() {
                self.0 += value.shape().num_elements();
            }
        }
    }
    let mut count = Count(0);
    model.visit(&mut count);
    count.0
}

/// All gradients as one vector; zeros where there is none.
pub(super) fn flat(model: &Transformer, gradients: &GradientsParams) -> Vec<f64> {
    struct Flat<'a> {
        gradients: &'a GradientsParams,
        values: Vec<f64>,
    }
    impl ModuleVisitor for Flat<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = param.val();
            if !value.is_require_grad() {
                return;
            }
            match self.gradients.get::<D>(param.id) {
                Some(gradient) => self.values.extend(
                    gradient
                        .into_data()
                        .try_into_vec_as::<f64>()
                        .expect("a float tensor converts to f64"),
                ),
                None => {
                    let n = self.values.len() + value.shape().num_elements();
                    self.values.resize(n, 0.0);
                }
            }
        }
    }
    let mut flat = Flat {
        gradients,
        values: Vec::new(),
    };
    model.visit(&mut flat);
    flat.values
}
