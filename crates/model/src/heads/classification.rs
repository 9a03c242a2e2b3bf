//! Classification.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use regard_attention::Mask;
use regard_ops::primitive::{Linear, LinearConfig};
use regard_ops::{Context, Key, Operation};

use super::pooling::Pooling;

/// A linear layer over the pooled positions.
#[derive(Module, Debug)]
pub struct ClassificationHead {
    linear: Linear,
    #[module(skip)]
    pooling: Pooling,
}

impl ClassificationHead {
    /// From `d_model` features to a logit for each of `n_classes`.
    #[must_use]
    pub fn new(
        d_model: usize,
        n_classes: usize,
        pooling: Pooling,
        key: Key,
        device: &Device,
    ) -> Self {
        Self {
            linear: LinearConfig::new(d_model, n_classes).init(key, device),
            pooling,
        }
    }

    /// How it pools.
    #[must_use]
    pub fn pooling(&self) -> Pooling {
        self.pooling
    }

    /// The logits of each row.
    ///
    /// # Shapes
    ///
    /// - hidden: `[batch, len, d_model]`
    /// - output: `[batch, 1, n_classes]`, logits
    #[must_use]
    pub fn forward(&self, hidden: Tensor<3>, mask: &Mask, context: &mut Context<'_>) -> Tensor<3> {
        let pooled = self.pooling.pool(hidden, mask); // [batch, 1, d_model]
        let pooled = context.output("pooled", Operation::Function, pooled);
        self.linear.forward(pooled, "linear", context)
    }
}
