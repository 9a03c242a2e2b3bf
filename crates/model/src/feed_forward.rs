//! The feed-forward layer.

use burn::module::Module;
use burn::tensor::activation::{gelu, relu};
use burn::tensor::{Device, Tensor};
use regard_ops::primitive::{Linear, LinearConfig};
use regard_ops::{Context, Key, Operation, dropout};
use serde::{Deserialize, Serialize};

/// An activation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Activation {
    /// `x · Φ(x)`, exact (Hendrycks and Gimpel 2016).
    #[default]
    Gelu,
    /// `max(x, 0)`.
    Relu,
}

impl Activation {
    /// One of each kind, for tests that hold for every activation.
    pub const EXAMPLES: &[Self] = &[Self::Gelu, Self::Relu];

    /// The activation of each element.
    #[must_use]
    pub fn apply<const D: usize>(self, input: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Gelu => gelu(input),
            Self::Relu => relu(input),
        }
    }
}

/// `down(dropout(activation(up(input))))`, position by position.
///
/// PyTorch equivalent: `linear2(dropout(activation(linear1(x))))` of `nn.TransformerEncoderLayer`.
#[derive(Module, Debug)]
pub struct FeedForward {
    up: Linear,
    down: Linear,
    #[module(skip)]
    activation: Activation,
    dropout: f64,
}

impl FeedForward {
    /// From `d_model` features to `d_ff` and back.
    #[must_use]
    pub fn new(
        [d_model, d_ff]: [usize; 2],
        activation: Activation,
        dropout: f64,
        key: Key,
        device: &Device,
    ) -> Self {
        Self {
            up: LinearConfig::new(d_model, d_ff).init(key.stream("up"), device),
            down: LinearConfig::new(d_ff, d_model).init(key.stream("down"), device),
            activation,
            dropout,
        }
    }

    /// Each position's features, mixed.
    ///
    /// # Shapes
    ///
    /// - input and output: `[batch, len, d_model]`
    #[must_use]
    pub fn forward(&self, input: Tensor<3>, context: &mut Context<'_>) -> Tensor<3> {
        let inner = self.activation.apply(self.up.forward(input, "up", context)); // [batch, len, d_ff]
        let inner = context.output("activation", Operation::Function, inner);
        let inner = dropout(inner, self.dropout, "inner", context);
        self.down.forward(inner, "down", context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_activation_is_an_example() {
        // A newcomer does not compile until it has its place in this chain, and so in the list.
        let next = |last| match last {
            None => Some(Activation::Gelu),
            Some(Activation::Gelu) => Some(Activation::Relu),
            Some(Activation::Relu) => None,
        };
        let all = std::iter::successors(next(None), |last| next(Some(*last)));
        assert_eq!(all.collect::<Vec<_>>(), Activation::EXAMPLES);
    }
}
