//! The model: a sequence of stages.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use regard_ops::primitive::{LayerNorm, LayerNormConfig};
use regard_ops::{Context, Key};

use crate::block::{Block, NormPosition};
use crate::config::TransformerConfig;
use crate::embed::{Embedding, Input};
use crate::heads::{Head, Pooling};

/// An encoder with its embedding and its head.
///
/// The stages are the embedding (0), the blocks (1 to n) and the head with the final norm (n + 1):
/// from the input to hidden states `[batch, len, d_model]`, from hidden states to hidden states, and
/// on to the output. Whoever trades memory for time runs them one at a time.
#[derive(Module, Debug)]
pub struct Transformer {
    embed: Embedding,
    blocks: Vec<Block>,
    norm: Option<LayerNorm>,
    head: Head,
}

impl Transformer {
    pub(crate) fn new(config: &TransformerConfig, key: Key, device: &Device) -> Self {
        let blocks = key.stream("blocks");
        Self {
            embed: Embedding::new(config, key.stream("embed"), device),
            blocks: (0..config.n_layers)
                .map(|i| Block::new(config, blocks.fold(i as u64), device))
                .collect(),
            norm: (config.norm_position == NormPosition::Pre)
                .then(|| LayerNormConfig::new(config.d_model).init(key.stream("norm"), device)),
            head: Head::new(config, key.stream("head"), device),
        }
    }

    /// The number of stages.
    #[must_use]
    pub fn n_stages(&self) -> usize {
        self.blocks.len() + 2
    }

    /// How the head makes one vector of the positions, if it does.
    #[must_use]
    pub fn pooling(&self) -> Option<Pooling> {
        match &self.head {
            Head::Classification(head) => Some(head.pooling()),
            Head::Forecast(_) | Head::Reconstruction(_) => None,
        }
    }

    /// Stage 0: the embedding.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, len, d_model]`
    #[must_use]
    pub fn embed(&self, input: &Input, context: &mut Context<'_>) -> Tensor<3> {
        context.enter_stage(0);
        self.embed.forward(input, context)
    }

    /// Stage `index`, from 1: a block, or the head.
    ///
    /// # Shapes
    ///
    /// - hidden: `[batch, len, d_model]`
    /// - output: the same, or the head's for the last stage
    ///
    /// # Panics
    ///
    /// If there is no such stage.
    #[must_use]
    pub fn stage(
        &self,
        index: usize,
        hidden: Tensor<3>,
        input: &Input,
        context: &mut Context<'_>,
    ) -> Tensor<3> {
        assert!(
            (1..self.n_stages()).contains(&index),
            "stage {index} of a model of {} stages, where 0 is the embedding",
            self.n_stages()
        );
        context.enter_stage(index);
        if let Some(block) = self.blocks.get(index - 1) {
            return block.forward(hidden, input.mask(), context);
        }
        let hidden = match &self.norm {
            Some(norm) => norm.forward(hidden, "norm", context),
            None => hidden,
        };
        let output = context.within("head", |context| self.head.forward(hidden, input, context));
        match (&self.head, input.statistics()) {
            (Head::Forecast(_) | Head::Reconstruction(_), Some(statistics)) => {
                statistics.restore(output)
            }
            _ => output,
        }
    }

    /// All stages.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, answers, features]`; for a classification `[batch, 1, n_classes]`, logits; for
    ///   a forecast `[batch, n_outputs, horizon]` and for a reconstruction `[batch, n_positions, features]`, on the
    ///   scale of the input
    #[must_use]
    pub fn forward(&self, input: &Input, context: &mut Context<'_>) -> Tensor<3> {
        let embedded = self.embed(input, context);
        self.encode(embedded, input, context)
    }

    /// All stages after the embedding, for who changes what is embedded.
    ///
    /// # Shapes
    ///
    /// - embedded: `[batch, len, d_model]`
    /// - output: as [`Transformer::forward`]
    #[must_use]
    pub fn encode(
        &self,
        embedded: Tensor<3>,
        input: &Input,
        context: &mut Context<'_>,
    ) -> Tensor<3> {
        (1..self.n_stages()).fold(embedded, |hidden, index| {
            self.stage(index, hidden, input, context)
        })
    }
}
