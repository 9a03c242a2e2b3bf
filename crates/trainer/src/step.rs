//! One optimiser step: forward, backward, clip, update.
//!
//! A step takes the units of a draw in micro-batches, one after the other, and each micro-batch in
//! shards, side by side. Every shard has a tape and leaves of its own; gradients are added in the
//! order of the shards. How many shards there are is a setting, never the number of cores, so the
//! bytes of a result do not depend on the machine.

use std::ops::Range;

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use regard_bundle::Workers;
use regard_model::gradient_checkpointing::{Segments, StagedPass};
use regard_model::weights::{self, TensorFile};
use regard_model::{ModelError, Transformer};
use regard_ops::{Context, Key};

use crate::gradients::{self, Audit};
use crate::mixup::Mixture;
use crate::optimizer::{NamedOptimizer, OptimizerSettings, OptimizerState};
use crate::task::{Batch, Targets};

/// What a step needs to know beside the model.
#[derive(Clone, Debug)]
pub struct StepSettings {
    /// Where the model lives; without autodiff.
    pub device: Device,
    /// The root of the run's randomness.
    pub key: Key,
    /// The most units in memory at once; the whole batch when absent.
    pub micro_batch: Option<usize>,
    /// The parts of a micro-batch that run side by side.
    pub shards: usize,
    /// The threads that they run on.
    pub workers: Workers,
    /// The parts of the model that have a tape at a time.
    pub segments: Segments,
    /// The concentration of the shares in which examples are mixed; none are mixed when absent.
    pub mixup: Option<f64>,
    /// The largest norm of the whole gradient; as it comes when absent.
    pub max_grad_norm: Option<f64>,
    /// The optimiser's settings.
    pub optimizer: OptimizerSettings,
}

/// Some of a draw's units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Their places in the draw.
    pub units: Range<usize>,
    /// The number of the first one's first row in the whole batch.
    pub first_row: u64,
}

/// Where a step gets its batches and losses from.
pub trait StepSource: Sync {
    /// The number of units of the draw; it may be 0.
    fn n_units(&self) -> usize;

    /// The number of rows of the unit at this place in the draw.
    fn n_rows(&self, place: usize) -> usize {
        let _ = place;
        1
    }

    /// The units at these places as a batch.
    fn batch(&self, places: Range<usize>, device: &Device) -> Batch;

    /// The loss of each row, as [`crate::task::Task::row_losses`].
    fn row_losses(&self, output: Tensor<3>, targets: &Targets) -> Tensor<1>;
}

/// What a step did.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// The sum of the units' losses over the divisor, before the update.
    pub loss: f64,
    /// The norm of the whole gradient, before clipping.
    pub grad_norm: f64,
    /// The units of the draw.
    pub n_units: usize,
    /// The positions that were not filling.
    pub n_tokens: usize,
}

/// A loss or a gradient that is not finite; the update was not made.
#[derive(Clone, Debug, PartialEq)]
pub struct NotFinite {
    /// What was not finite: the loss, or the gradient's norm.
    pub what: &'static str,
    /// Its value.
    pub value: f64,
}

/// A model in training.
pub struct Stepper {
    model: Transformer,
    optimizer: NamedOptimizer,
    settings: StepSettings,
    audit: AuditState,
}

/// The look at the first gradients of a model.
#[derive(Debug, PartialEq, Eq)]
enum AuditState {
    Due,
    Made(Audit),
    Taken,
}

impl Stepper {
    /// Takes a model on the settings' device, with autodiff.
    #[must_use]
    pub fn new(model: Transformer, settings: StepSettings) -> Self {
        Self {
            model,
            optimizer: NamedOptimizer::new(&settings.optimizer),
            settings,
            audit: AuditState::Due,
        }
    }

    /// What the first step on some units found of its gradients; given once.
    pub fn take_audit(&mut self) -> Option<Audit> {
        if let AuditState::Made(audit) = &mut self.audit {
            let audit = std::mem::take(audit);
            self.audit = AuditState::Taken;
            return Some(audit);
        }
        None
    }

    /// The model as it is now.
    #[must_use]
    pub fn model(&self) -> &Transformer {
        &self.model
    }

    /// The optimiser as it is now.
    #[must_use]
    pub fn optimizer(&self) -> &NamedOptimizer {
        &self.optimizer
    }

    /// Replaces the weights; `what` names their file in errors.
    ///
    /// # Errors
    ///
    /// If they do not fit the model, which is then as it was.
    pub fn set_weights(&mut self, file: TensorFile, what: &str) -> Result<(), ModelError> {
        self.model = weights::apply(self.model.clone(), file, what)?;
        Ok(())
    }

    /// Replaces the optimiser's state.
    ///
    /// # Errors
    ///
    /// As [`NamedOptimizer::load`].
    pub fn load_optimizer(&mut self, state: OptimizerState) -> Result<(), Vec<String>> {
        self.optimizer
            .load(&self.model, state, &self.settings.device)
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &StepSettings {
        &self.settings
    }

    /// Makes step number `step` (from 0) on the units of `source`.
    ///
    /// The gradient is that of the sum of the units' losses over `divisor`, a unit's loss being the
    /// mean over its rows. A step on no units leaves the model as it is.
    ///
    /// # Errors
    ///
    /// [`NotFinite`] if the loss or the gradient is not finite; the model is as it was.
    pub fn step(
        &mut self,
        step: u64,
        source: &dyn StepSource,
        divisor: f64,
        learning_rate: f64,
    ) -> Result<StepReport, NotFinite> {
        let mut gradients = GradientsParams::new();
        let mut report = StepReport {
            loss: 0.0,
            grad_norm: 0.0,
            n_units: source.n_units(),
            n_tokens: 0,
        };
        for shards in self.pieces(source) {
            let parts = self.settings.workers.map(shards.len(), |shard| {
                self.backward(step, source, &shards[shard], divisor)
            });
            for part in parts {
                report.loss += part.loss;
                report.n_tokens += part.n_tokens;
                gradients::add(&self.model, &mut gradients, part.gradients);
            }
        }
        // Before the update: a model that has seen a NaN cannot be mended.
        finite("loss", report.loss)?;
        report.grad_norm = gradients::global_norm(&self.model, &gradients);
        finite("gradient norm", report.grad_norm)?;
        if self.audit == AuditState::Due && report.n_units > 0 {
            self.audit = AuditState::Made(gradients::audit(&self.model, &gradients));
        }
        let scale = gradients::clip_scale(report.grad_norm, self.settings.max_grad_norm);
        self.update(gradients, learning_rate, scale);
        Ok(report)
    }

    /// Makes an update with these gradients.
    pub(crate) fn update(&mut self, gradients: GradientsParams, learning_rate: f64, scale: f64) {
        self.model = self
            .optimizer
            .step(self.model.clone(), gradients, learning_rate, scale);
    }

    /// Micro-batches of shards, none of them empty.
    pub(crate) fn pieces(&self, source: &dyn StepSource) -> Vec<Vec<Piece>> {
        let n = source.n_units();
        let micro = self.settings.micro_batch.unwrap_or(n).max(1);
        let mut first_row = 0;
        let mut piece = |units: Range<usize>| {
            let rows: usize = units.clone().map(|place| source.n_rows(place)).sum();
            let piece = Piece { units, first_row };
            first_row += rows as u64;
            piece
        };
        (0..n)
            .step_by(micro)
            .map(|start| {
                let len = micro.min(n - start);
                let shards = self.settings.shards.clamp(1, len);
                (0..shards)
                    .map(|i| piece(start + i * len / shards..start + (i + 1) * len / shards))
                    .collect()
            })
            .collect()
    }

    fn backward(
        &self,
        step: u64,
        source: &dyn StepSource,
        piece: &Piece,
        divisor: f64,
    ) -> ShardResult {
        let device = &self.settings.device;
        let model = gradients::with_fresh_leaves(self.model.clone());
        let batch = source.batch(piece.units.clone(), device);
        let key = self.settings.key.stream("dropout").fold(step);
        let mut context = Context::training(key, piece.first_row);
        let mixture = self.settings.mixup.map(|alpha| {
            let key = self.settings.key.stream("mixup").fold(step);
            let n_rows = batch.unit_of_row.len();
            Mixture::draw(alpha, n_rows, key.fold(piece.first_row))
        });
        let embed = |model: &Transformer, context: &mut Context<'_>| {
            let embedded = model.embed(&batch.input, context);
            match &mixture {
                None => embedded,
                Some(mixture) => mixture.embeddings(embedded),
            }
        };
        let segments = &self.settings.segments;
        let pass = StagedPass::forward(&model, &batch.input, segments, &embed, &mut context);
        let weights = row_weights(&batch.unit_of_row, divisor);
        let mut gradients = GradientsParams::new();
        let mut loss = 0.0;
        pass.backward(
            &mut context,
            |output| {
                let losses = match &mixture {
                    None => source.row_losses(output, &batch.targets),
                    Some(mixture) => mixture.losses(&batch.targets, |targets| {
                        source.row_losses(output.clone(), targets)
                    }),
                };
                loss = weighted_sum(&losses, &weights);
                let data = TensorData::new(weights.clone(), [weights.len()]);
                let weights = Tensor::<1>::from_data(data, (device, losses.dtype()));
                (losses * weights).sum()
            },
            &mut |_, mut tape| {
                let part = GradientsParams::from_module(&mut tape, &model);
                gradients::add(&model, &mut gradients, part);
            },
        );
        ShardResult {
            gradients,
            loss,
            n_tokens: batch.n_tokens,
        }
    }
}

struct ShardResult {
    gradients: GradientsParams,
    loss: f64,
    n_tokens: usize,
}

/// In f64 and in order: the sum of the device may depend on the number of its threads.
fn weighted_sum(losses: &Tensor<1>, weights: &[f32]) -> f64 {
    let losses = losses
        .clone()
        .into_data()
        .try_into_vec_as::<f32>()
        .expect("a float tensor converts to f32");
    losses
        .iter()
        .zip(weights)
        .map(|(loss, weight)| f64::from(*loss) * f64::from(*weight))
        .sum()
}

/// One over the number of the row's unit's rows, over the divisor.
pub(crate) fn row_weights(unit_of_row: &[usize], divisor: f64) -> Vec<f32> {
    let n_units = unit_of_row.iter().max().map_or(0, |last| last + 1);
    let mut rows = vec![0_u32; n_units];
    for unit in unit_of_row {
        rows[*unit] += 1;
    }
    unit_of_row
        .iter()
        .map(|unit| (1.0 / (f64::from(rows[*unit]) * divisor)) as f32)
        .collect()
}

fn finite(what: &'static str, value: f64) -> Result<(), NotFinite> {
    if value.is_finite() {
        Ok(())
    } else {
        Err(NotFinite { what, value })
    }
}
