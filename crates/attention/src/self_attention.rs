//! One head: the equation itself.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use regard_ops::primitive::{Linear, LinearConfig};
use regard_ops::{Context, Key};

use crate::mask::Mask;
use crate::mechanism::Mechanism;

/// How to make a [`SelfAttention`].
#[derive(Clone, Debug)]
pub struct SelfAttentionConfig {
    d_model: usize,
    d_head: usize,
}

impl SelfAttentionConfig {
    /// One head of `d_head` features over inputs of `d_model`.
    #[must_use]
    pub fn new(d_model: usize, d_head: usize) -> Self {
        Self { d_model, d_head }
    }

    /// Draws the layer under `key`.
    #[must_use]
    pub fn init(&self, key: Key, device: &Device) -> SelfAttention {
        let linear =
            |name| LinearConfig::new(self.d_model, self.d_head).init(key.stream(name), device);
        SelfAttention {
            query: linear("query"),
            key: linear("key"),
            value: linear("value"),
        }
    }
}

/// `softmax(Q · Kᵀ / sqrt(d_head)) · V` with `Q`, `K`, `V` linear in the input (Vaswani et al. 2017,
/// <https://arxiv.org/abs/1706.03762>, equation 1).
///
/// For reading and teaching; models use [`MultiHeadAttention`](crate::MultiHeadAttention).
#[derive(Module, Debug)]
pub struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
}

impl SelfAttention {
    /// The mixed values.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, len, d_model]`
    /// - output: `[batch, len, d_head]`
    #[must_use]
    pub fn forward(&self, input: Tensor<3>, mask: &Mask, context: &mut Context<'_>) -> Tensor<3> {
        let query = self.query.forward(input.clone(), "query", context);
        let key = self.key.forward(input.clone(), "key", context);
        let value = self.value.forward(input, "value", context);
        let [query, key, value] = [query, key, value].map(|part| part.unsqueeze_dim::<4>(1));
        Mechanism::Full
            .attend(query, key, value, mask, 0.0, context)
            .squeeze_dim::<3>(1)
    }
}
