//! Multi-head attention.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use regard_ops::primitive::{Linear, LinearConfig};
use regard_ops::{Context, Key, Operation};

use crate::mask::Mask;
use crate::mechanism::Mechanism;

/// How to make a [`MultiHeadAttention`].
#[derive(Clone, Debug)]
pub struct MultiHeadAttentionConfig {
    d_model: usize,
    n_heads: usize,
    n_kv_heads: usize,
    dropout: f64,
    mechanism: Mechanism,
    cross: bool,
}

impl MultiHeadAttentionConfig {
    /// Full self-attention with `n_heads` heads of `d_model / n_heads` features, without dropout.
    ///
    /// # Panics
    ///
    /// If `n_heads` does not divide `d_model`.
    #[must_use]
    pub fn new(d_model: usize, n_heads: usize) -> Self {
        assert!(
            n_heads > 0 && d_model.is_multiple_of(n_heads),
            "the number of heads ({n_heads}) must divide d_model ({d_model})"
        );
        Self {
            d_model,
            n_heads,
            n_kv_heads: n_heads,
            dropout: 0.0,
            mechanism: Mechanism::Full,
            cross: false,
        }
    }

    /// Groups of query heads share one of `n_kv_heads` key and value heads (Ainslie et al. 2023,
    /// <https://arxiv.org/abs/2305.13245>).
    ///
    /// # Panics
    ///
    /// If `n_kv_heads` does not divide the number of heads.
    #[must_use]
    pub fn with_kv_heads(mut self, n_kv_heads: usize) -> Self {
        assert!(
            n_kv_heads > 0 && self.n_heads.is_multiple_of(n_kv_heads),
            "the number of key and value heads ({n_kv_heads}) must divide the number of heads ({})",
            self.n_heads
        );
        self.n_kv_heads = n_kv_heads;
        self
    }

    /// With dropout on the attention weights.
    #[must_use]
    pub fn with_dropout(mut self, dropout: f64) -> Self {
        self.dropout = dropout;
        self
    }

    /// With another mechanism.
    #[must_use]
    pub fn with_mechanism(mut self, mechanism: Mechanism) -> Self {
        self.mechanism = mechanism;
        self
    }

    /// For cross-attention: queries from one sequence, keys and values from another.
    #[must_use]
    pub fn with_cross(mut self) -> Self {
        self.cross = true;
        self
    }

    /// Draws the layer under `key`.
    #[must_use]
    pub fn init(&self, key: Key, device: &Device) -> MultiHeadAttention {
        let d = self.d_model;
        let d_kv = d / self.n_heads * self.n_kv_heads;
        let packed = !self.cross && self.n_kv_heads == self.n_heads;
        let linear = |name, d_out| LinearConfig::new(d, d_out).init(key.stream(name), device);
        MultiHeadAttention {
            qkv: packed.then(|| linear("qkv", 3 * d)),
            q: (!packed).then(|| linear("q", d)),
            kv: (!packed).then(|| linear("kv", 2 * d_kv)),
            out: linear("out", d),
            n_heads: self.n_heads,
            n_kv_heads: self.n_kv_heads,
            dropout: self.dropout,
            mechanism: self.mechanism,
        }
    }
}

/// `concat(head_1, …, head_h) · out`, with `head_i = attend(query_i, key_i, value_i)` (Vaswani et al.
/// 2017, <https://arxiv.org/abs/1706.03762>, section 3.2.2).
///
/// Self-attention with as many key heads as query heads holds one packed projection `qkv` (outputs
/// query, key, value); cross-attention and grouped attention hold `q` and `kv`.
///
/// PyTorch equivalent: `nn.MultiheadAttention(batch_first=True)`, with `in_proj` as `qkv` and
/// `out_proj` as `out`. Differs from it: a query that sees no key gives zeros, not NaN.
#[derive(Module, Debug)]
pub struct MultiHeadAttention {
    qkv: Option<Linear>,
    q: Option<Linear>,
    kv: Option<Linear>,
    out: Linear,
    n_heads: usize,
    n_kv_heads: usize,
    dropout: f64,
    #[module(skip)]
    mechanism: Mechanism,
}

impl MultiHeadAttention {
    /// Self-attention.
    ///
    /// # Shapes
    ///
    /// - input and output: `[batch, len, d_model]`
    #[must_use]
    pub fn forward(&self, input: Tensor<3>, mask: &Mask, context: &mut Context<'_>) -> Tensor<3> {
        let Some(qkv) = &self.qkv else {
            return self.forward_cross(input.clone(), input, mask, context);
        };
        let parts: [_; 3] = qkv.forward_parts(input, "qkv", context); // each [batch, len, d_model]
        let heads = parts.map(|part| by_head(part, self.n_heads));
        self.mix(heads, mask, context)
    }

    /// Cross-attention: queries from `input`, keys and values from `memory`.
    ///
    /// # Shapes
    ///
    /// - input and output: `[batch, query_len, d_model]`
    /// - memory: `[batch, key_len, d_model]`
    ///
    /// # Panics
    ///
    /// If the layer holds the packed projection of self-attention.
    #[must_use]
    pub fn forward_cross(
        &self,
        input: Tensor<3>,
        memory: Tensor<3>,
        mask: &Mask,
        context: &mut Context<'_>,
    ) -> Tensor<3> {
        let (Some(q), Some(kv)) = (&self.q, &self.kv) else {
            panic!(
                "this layer is for self-attention: make it with `with_cross` to attend to another sequence"
            );
        };
        let query = by_head(q.forward(input, "q", context), self.n_heads);
        let [key, value] = kv
            .forward_parts(memory, "kv", context)
            .map(|part| self.repeat_groups(by_head(part, self.n_kv_heads)));
        self.mix([query, key, value], mask, context)
    }

    fn mix(
        &self,
        [query, key, value]: [Tensor<4>; 3],
        mask: &Mask,
        context: &mut Context<'_>,
    ) -> Tensor<3> {
        let [batch, heads, len, d_head] = query.dims();
        let mixed = self
            .mechanism
            .attend(query, key, value, mask, self.dropout, context)
            .swap_dims(1, 2) // [batch, len, heads, d_head]
            .reshape([batch, len, heads * d_head]);
        let mixed = context.output("mixed", Operation::Function, mixed);
        self.out.forward(mixed, "out", context)
    }

    /// `[batch, kv_heads, len, d_head]` to `[batch, heads, len, d_head]`.
    fn repeat_groups(&self, part: Tensor<4>) -> Tensor<4> {
        let group = self.n_heads / self.n_kv_heads;
        if group == 1 {
            return part;
        }
        let [batch, kv_heads, len, d_head] = part.dims();
        part.unsqueeze_dim::<5>(2)
            .expand([batch, kv_heads, group, len, d_head])
            .reshape([batch, kv_heads * group, len, d_head])
    }
}

/// `[batch, len, heads · d_head]` to `[batch, heads, len, d_head]`.
fn by_head(part: Tensor<3>, heads: usize) -> Tensor<4> {
    let [batch, len, width] = part.dims();
    part.reshape([batch, len, heads, width / heads])
        .swap_dims(1, 2)
}
