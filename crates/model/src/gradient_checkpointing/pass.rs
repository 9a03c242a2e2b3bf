//! The forward pass that keeps the segments' inputs, and the backward pass over them.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::{Gradients, Tensor};
use regard_ops::{Context, Pass};

use super::Segments;
use crate::embed::Input;
use crate::transformer::Transformer;

/// Stage 0 of the model that it is given: [`Transformer::embed`], or something made of it.
pub type Embed<'a> = dyn Fn(&Transformer, &mut Context<'_>) -> Tensor<3> + 'a;

/// A forward pass of a model in training up to its last segment, of which only the segments' inputs
/// are kept.
///
/// [`StagedPass::backward`] may be called more than once, with other losses: private training needs
/// every unit's norm before it can weigh the units. The context that is given must draw the same
/// randomness each time.
///
/// A hook is told of every stage once under [`Pass::Forward`] and, but for the last segment, once
/// under [`Pass::Recompute`]; the pass that has a tape is the last one. What a hook changes it must
/// change in both.
pub struct StagedPass<'a> {
    model: &'a Transformer,
    input: &'a Input,
    segments: &'a Segments,
    embed: &'a Embed<'a>,
    /// What each segment but the first begins with, without a tape: `[batch, len, d_model]`.
    inputs: Vec<Tensor<3>>,
}

impl<'a> StagedPass<'a> {
    /// Runs all segments but the last one, without a tape.
    ///
    /// Where there are several segments `embed` runs twice and must give the same both times.
    ///
    /// # Panics
    ///
    /// If the segments are of a model with another number of stages.
    #[must_use]
    pub fn forward(
        model: &'a Transformer,
        input: &'a Input,
        segments: &'a Segments,
        embed: &'a Embed<'a>,
        context: &mut Context<'_>,
    ) -> Self {
        assert_eq!(
            segments.n_stages(),
            model.n_stages(),
            "segments of a model with as many stages as this one"
        );
        let mut pass = Self {
            model,
            input,
            segments,
            embed,
            inputs: Vec::new(),
        };
        if segments.len() == 1 {
            return pass;
        }
        // The same kernels as with a tape, so that the same bits come out when a segment runs again.
        let without_tape = model.clone().no_grad();
        for index in 0..segments.len() - 1 {
            let begin = match pass.inputs.last() {
                None => embed(&without_tape, context).detach(),
                Some(hidden) => hidden.clone(),
            };
            let end = pass.run(&without_tape, index, begin, context).detach();
            pass.inputs.push(end);
        }
        pass
    }

    /// Runs the last segment with a tape, takes the gradient of `loss` of its output back through
    /// all segments and gives each one's tape to `take`, with its stages, the last segment first.
    ///
    /// # Shapes
    ///
    /// - the argument of `loss`: as the output of [`Transformer::forward`]; its result: `[1]`
    ///
    /// # Panics
    ///
    /// If nothing in the model is trained, or a hook cuts the way from a stage's output to its input.
    pub fn backward(
        &self,
        context: &mut Context<'_>,
        loss: impl FnOnce(Tensor<3>) -> Tensor<1>,
        take: &mut dyn FnMut(Range<usize>, Gradients),
    ) {
        let told = context.pass();
        let last = self.segments.len() - 1;
        let mut loss = Some(loss);
        let mut upstream: Option<Tensor<3>> = None;
        for index in (0..=last).rev() {
            if index < last {
                context.set_pass(Pass::Recompute);
            }
            let leaf = index
                .checked_sub(1)
                .map(|before| self.inputs[before].clone().detach().require_grad());
            let begin = match &leaf {
                None => (self.embed)(self.model, context),
                Some(leaf) => leaf.clone(),
            };
            let output = self.run(self.model, index, begin, context);
            let objective = match (loss.take(), upstream.take()) {
                (Some(loss), _) => loss(output),
                // A constant: the derivative of the sum by `output` is `upstream`, to the bit.
                (None, Some(upstream)) => (output * upstream).sum(),
                (None, None) => break,
            };
            // Parameters that are not trained leave the first segment without a tape.
            if index < last && !objective.is_tracked() {
                break;
            }
            let mut tape = objective.backward();
            if let Some(leaf) = &leaf {
                upstream = Some(
                    leaf.grad_remove(&mut tape)
                        .expect("a stage's output depends on its input, unless a hook cuts it off"),
                );
            }
            take(self.segments.stages(index), tape);
        }
        context.set_pass(told);
    }

    /// The stages of a segment after what it begins with, which for the first one is the embedding.
    fn run(
        &self,
        model: &Transformer,
        index: usize,
        begin: Tensor<3>,
        context: &mut Context<'_>,
    ) -> Tensor<3> {
        let stages = self.segments.stages(index);
        (stages.start.max(1)..stages.end).fold(begin, |hidden, stage| {
            model.stage(stage, hidden, self.input, context)
        })
    }
}
