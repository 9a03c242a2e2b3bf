//! An encoder block.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use regard_attention::{Mask, MultiHeadAttention, MultiHeadAttentionConfig};
use regard_ops::primitive::{LayerNorm, LayerNormConfig};
use regard_ops::{Context, Key, Operation, dropout};
use serde::{Deserialize, Serialize};

use crate::config::TransformerConfig;
use crate::feed_forward::FeedForward;

/// Where the norms of a block stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormPosition {
    /// Before each branch: `x + branch(norm(x))`. Trains without a long warm-up (Xiong et al. 2020,
    /// <https://arxiv.org/abs/2002.04745>).
    #[default]
    Pre,
    /// After each sum: `norm(x + branch(x))`, as in the first transformer.
    Post,
}

impl NormPosition {
    /// One of each kind, for tests that hold for every position.
    pub const EXAMPLES: &[Self] = &[Self::Pre, Self::Post];
}

/// Attention and feed-forward, each with a residual connection, dropout and a norm.
///
/// PyTorch equivalent: `nn.TransformerEncoderLayer(batch_first=True)`, `norm_first` for
/// [`NormPosition::Pre`]. Differs from it: attention dropout has a rate of its own.
#[derive(Module, Debug)]
pub struct Block {
    attention: MultiHeadAttention,
    norm1: LayerNorm,
    feed_forward: FeedForward,
    norm2: LayerNorm,
    #[module(skip)]
    norm_position: NormPosition,
    dropout: f64,
}

impl Block {
    /// A block of the model that `config` describes.
    #[must_use]
    pub fn new(config: &TransformerConfig, key: Key, device: &Device) -> Self {
        let d = config.d_model;
        let norm = |name| LayerNormConfig::new(d).init(key.stream(name), device);
        Self {
            attention: MultiHeadAttentionConfig::new(d, config.n_heads)
                .with_kv_heads(config.n_kv_heads)
                .with_dropout(config.attention_dropout)
                .with_mechanism(config.attention)
                .init(key.stream("attention"), device),
            norm1: norm("norm1"),
            feed_forward: FeedForward::new(
                [d, config.d_ff],
                config.activation,
                config.dropout,
                key.stream("feed_forward"),
                device,
            ),
            norm2: norm("norm2"),
            norm_position: config.norm_position,
            dropout: config.dropout,
        }
    }

    /// The next hidden states.
    ///
    /// # Shapes
    ///
    /// - hidden and output: `[batch, len, d_model]`
    #[must_use]
    pub fn forward(&self, hidden: Tensor<3>, mask: &Mask, context: &mut Context<'_>) -> Tensor<3> {
        match self.norm_position {
            NormPosition::Pre => {
                let normed = self.norm1.forward(hidden.clone(), "norm1", context);
                let hidden = hidden + self.attend(normed, mask, context);
                let hidden = context.output("sum1", Operation::Function, hidden);
                let normed = self.norm2.forward(hidden.clone(), "norm2", context);
                let hidden = hidden + self.feed(normed, context);
                context.output("sum2", Operation::Function, hidden)
            }
            NormPosition::Post => {
                let sum = hidden.clone() + self.attend(hidden, mask, context);
                let sum = context.output("sum1", Operation::Function, sum);
                let hidden = self.norm1.forward(sum, "norm1", context);
                let sum = hidden.clone() + self.feed(hidden, context);
                let sum = context.output("sum2", Operation::Function, sum);
                self.norm2.forward(sum, "norm2", context)
            }
        }
    }

    fn attend(&self, input: Tensor<3>, mask: &Mask, context: &mut Context<'_>) -> Tensor<3> {
        context.within("attention", |context| {
            let output = self.attention.forward(input, mask, context);
            dropout(output, self.dropout, "residual", context)
        })
    }

    fn feed(&self, input: Tensor<3>, context: &mut Context<'_>) -> Tensor<3> {
        context.within("feed_forward", |context| {
            let output = self.feed_forward.forward(input, context);
            dropout(output, self.dropout, "residual", context)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_norm_position_is_an_example() {
        // A newcomer does not compile until it has its place in this chain, and so in the list.
        let next = |last| match last {
            None => Some(NormPosition::Pre),
            Some(NormPosition::Pre) => Some(NormPosition::Post),
            Some(NormPosition::Post) => None,
        };
        let all = std::iter::successors(next(None), |last| next(Some(*last)));
        assert_eq!(all.collect::<Vec<_>>(), NormPosition::EXAMPLES);
    }
}
