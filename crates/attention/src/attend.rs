//! The equation of attention, as pure functions.

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;

use crate::mask::Mask;

/// `softmax(query · keyᵀ / sqrt(d_head))`, each row over the keys that the query may see (Vaswani et
/// al. 2017, <https://arxiv.org/abs/1706.03762>, equation 1).
///
/// A query that sees no key gets a row of zeros. PyTorch gives NaN there.
///
/// # Shapes
///
/// - query: `[batch, heads, query_len, d_head]`
/// - key: `[batch, heads, key_len, d_head]`
/// - output: `[batch, heads, query_len, key_len]`
///
/// # Panics
///
/// If the shapes do not agree with each other or with the mask (true = hidden).
#[must_use]
pub fn attention_weights(query: Tensor<4>, key: Tensor<4>, mask: &Mask) -> Tensor<4> {
    let [batch, _, query_len, d_head] = query.dims();
    let [_, _, key_len, _] = key.dims();
    let (device, dtype) = (query.device().inner(), query.dtype());
    mask.assert_rows(batch);
    // Scaling the query touches query_len · d_head numbers, scaling the scores query_len · key_len.
    let scores = query
        .mul_scalar((d_head as f64).sqrt().recip())
        .matmul(key.transpose()); // [batch, heads, query_len, key_len]
    let Some(mask) = mask.tensors(query_len, key_len, &device, dtype) else {
        return softmax(scores, 3);
    };
    let weights = softmax(scores + mask.bias, 3);
    match mask.sees_a_key {
        Some(sees_a_key) => weights * sees_a_key,
        None => weights,
    }
}

/// `attention_weights(query, key) · value`.
///
/// PyTorch equivalent: `F.scaled_dot_product_attention`.
///
/// # Shapes
///
/// - query: `[batch, heads, query_len, d_head]`
/// - key: `[batch, heads, key_len, d_head]`
/// - value: `[batch, heads, key_len, d_value]`
/// - output: `[batch, heads, query_len, d_value]`
///
/// # Panics
///
/// As [`attention_weights`].
#[must_use]
pub fn attend(query: Tensor<4>, key: Tensor<4>, value: Tensor<4>, mask: &Mask) -> Tensor<4> {
    attention_weights(query, key, mask).matmul(value)
}
