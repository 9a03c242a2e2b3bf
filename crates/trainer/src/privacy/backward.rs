//! The backward pass over some units: their losses, their norms, the sum of their bounded gradients.
//!
//! With the whole model under one tape, one pass gives norms and sum. Where segments run again
//! (gradient checkpointing) no segment's tape outlives it, and a unit's norm is known only behind the
//! last of them: a first pass gives the norms, a second one the sum, both on the same masks of
//! dropout, so that what is bounded is what is summed.

use std::cell::RefCell;
use std::collections::HashSet;

use burn::module::{Module, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use regard_model::Transformer;
use regard_model::gradient_checkpointing::{Segments, StagedPass};
use regard_ops::bookkeeping::{Bookkeeping, BookkeepingError, UnitGradients, Units};
use regard_ops::{Context, Hook, Key, Operation, Site};

use super::clip::{Bounded, Clipping, norms_by_operation};
use crate::gradients;
use crate::step::{Piece, StepSource, Stepper, row_weights};
use crate::task::Batch;

/// Some units on their way through a model.
pub(super) struct PrivatePass<'a> {
    /// Frozen: the weighted sum takes the place of the weights' own gradients.
    model: Transformer,
    batch: Batch,
    source: &'a dyn StepSource,
    first_row: u64,
    segments: &'a Segments,
    counted: &'a HashSet<ParamId>,
    device: &'a Device,
}

impl<'a> PrivatePass<'a> {
    /// The units of `piece`; of the model's parameters those in `counted` are trained.
    pub fn new(
        stepper: &'a Stepper,
        source: &'a dyn StepSource,
        piece: &Piece,
        segments: &'a Segments,
        counted: &'a HashSet<ParamId>,
    ) -> Self {
        let device = &stepper.settings().device;
        Self {
            model: gradients::with_fresh_leaves(stepper.model().clone().no_grad()),
            batch: source.batch(piece.units.clone(), device),
            source,
            first_row: piece.first_row,
            segments,
            counted,
            device,
        }
    }

    /// The positions that are not filling.
    pub fn n_tokens(&self) -> usize {
        self.batch.n_tokens
    }

    /// The sum of the units' bounded gradients, how they were bounded, and their losses.
    pub fn bounded_sum(
        &self,
        clipping: &Clipping,
        dropout: Key,
    ) -> (Bounded, GradientsParams, Vec<f64>) {
        let is_kept = self.segments.len() == 1;
        let (mut norms, mut kept) = (Vec::new(), None);
        let losses = self.rehearsed(dropout, &mut |units| {
            norms.extend(norms_by_operation(&units));
            kept = is_kept.then_some(units);
        });
        let bounded = clipping.bound(&norms);
        let mut sum = GradientsParams::new();
        let mut first = 0;
        let mut add = |units: UnitGradients| {
            let n_operations = units.n_operations();
            let part = bounded.sum(units, first, self.device);
            gradients::add(&self.model, &mut sum, part);
            first += n_operations;
        };
        match kept {
            Some(units) => add(units),
            None => {
                self.rehearsed(dropout, &mut add);
            }
        }
        (bounded, sum, losses)
    }

    fn rehearsed(&self, dropout: Key, take: &mut dyn FnMut(UnitGradients)) -> Vec<f64> {
        self.backward(dropout, take)
            .expect("a rehearsal went through the same operations")
    }

    /// Gives the gradients of the units to `take`, segment by segment from the last; and the units'
    /// losses.
    pub fn backward(
        &self,
        dropout: Key,
        take: &mut dyn FnMut(UnitGradients),
    ) -> Result<Vec<f64>, BookkeepingError> {
        let unit_of_row = &self.batch.unit_of_row;
        let units = Units::new(unit_of_row.clone());
        // A unit's loss is the mean over its rows; units are summed, never averaged.
        let weights = row_weights(unit_of_row, 1.0);
        let mut unit_losses = vec![0.0; units.n_units()];
        let new_book = || Bookkeeping::only(self.counted.clone());
        let book = RefCell::new(new_book());
        let mut failed = None;
        let embed = |model: &Transformer, context: &mut Context<'_>| {
            model.embed(&self.batch.input, context)
        };
        let context = || Context::training(dropout, self.first_row);
        // Nobody looks at what has no tape.
        let pass = StagedPass::forward(
            &self.model,
            &self.batch.input,
            self.segments,
            &embed,
            &mut context(),
        );
        pass.backward(
            &mut context().with_hook(&mut Watched(&book)),
            |output| {
                let losses = self.source.row_losses(output, &self.batch.targets);
                let told = losses
                    .clone()
                    .into_data()
                    .try_into_vec_as::<f32>()
                    .expect("a float tensor converts to f32");
                for ((loss, weight), unit) in told.iter().zip(&weights).zip(unit_of_row) {
                    unit_losses[*unit] += f64::from(*loss) * f64::from(*weight);
                }
                let data = TensorData::new(weights.clone(), [weights.len()]);
                (losses.clone() * Tensor::<1>::from_data(data, (self.device, losses.dtype()))).sum()
            },
            &mut |_, mut tape| {
                match book.replace(new_book()).finish(&mut tape, &units) {
                    Ok(found) => take(found),
                    Err(error) => failed = failed.take().or(Some(error)),
                };
            },
        );
        failed.map_or(Ok(unit_losses), Err)
    }
}

/// A book that is read between the segments of a pass.
struct Watched<'a>(&'a RefCell<Bookkeeping>);

impl Hook for Watched<'_> {
    fn observes(&self) -> bool {
        true
    }

    fn output(&mut self, site: Site<'_>, operation: Operation<'_>, output: Tensor<3>) -> Tensor<3> {
        self.0.borrow_mut().output(site, operation, output)
    }
}
