//! Layer normalisation: scale-and-shift of a standardised input.

use burn::module::{Module, Param};
use burn::tensor::module::layer_norm;
use burn::tensor::{Device, Tensor};

use crate::context::Context;
use crate::hook::Operation;
use crate::init::Init;
use crate::random::Key;

/// How to make a [`LayerNorm`].
#[derive(Clone, Debug)]
pub struct LayerNormConfig {
    d: usize,
    epsilon: f64,
}

impl LayerNormConfig {
    /// Normalises the last dimension, of `d` features, with `epsilon` 1e-5.
    #[must_use]
    pub fn new(d: usize) -> Self {
        Self { d, epsilon: 1e-5 }
    }

    /// With another `epsilon`, added to the variance.
    #[must_use]
    pub fn with_epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Scale 1 and shift 0; nothing is drawn from `key`.
    #[must_use]
    pub fn init(&self, key: Key, device: &Device) -> LayerNorm {
        LayerNorm {
            weight: Init::Constant(1.0).param([self.d], key, device),
            bias: Init::Constant(0.0).param([self.d], key, device),
            epsilon: self.epsilon,
        }
    }
}

/// `output = (input - mean) / sqrt(variance + epsilon) ∘ weight + bias`, mean and variance over the
/// features of one position (Ba, Kiros and Hinton 2016, <https://arxiv.org/abs/1607.06450>).
///
/// PyTorch equivalent: `nn.LayerNorm`.
#[derive(Module, Debug)]
pub struct LayerNorm {
    weight: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
    epsilon: f64,
}

impl LayerNorm {
    /// The normalised input; the hook sees it as `name`.
    ///
    /// # Shapes
    ///
    /// - input and output: `[batch, len, d]`
    #[must_use]
    pub fn forward(
        &self,
        input: Tensor<3>,
        name: &'static str,
        context: &mut Context<'_>,
    ) -> Tensor<3> {
        let (weight, bias) = (self.weight.val(), self.bias.val());
        if !context.observes() {
            return layer_norm(input, weight, Some(bias), self.epsilon);
        }
        let normalized = standardize(input, self.epsilon);
        let output = normalized.clone() * weight.unsqueeze() + bias.unsqueeze();
        let operation = Operation::ScaleShift {
            normalized: &normalized,
            weight: self.weight.id,
            bias: self.bias.id,
        };
        context.output(name, operation, output)
    }
}

/// Mean 0 and variance 1 over the last dimension.
fn standardize(input: Tensor<3>, epsilon: f64) -> Tensor<3> {
    let mean = input.clone().mean_dim(2);
    let centered = input - mean;
    let variance = centered.clone().square().mean_dim(2);
    centered / variance.add_scalar(epsilon).sqrt()
}
