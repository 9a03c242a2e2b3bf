//! Full attention: time and memory grow with `query_len · key_len`.

use burn::tensor::Tensor;
use regard_ops::{Context, dropout as drop_out};

use crate::attend::attention_weights;
use crate::mask::Mask;

pub(super) fn attend(
    query: Tensor<4>,
    key: Tensor<4>,
    value: Tensor<4>,
    mask: &Mask,
    dropout: f64,
    context: &mut Context<'_>,
) -> Tensor<4> {
    let weights = attention_weights(query, key, mask);
    if context.wants_attention_weights() {
        context.attention_weights(&weights);
    }
    drop_out(weights, dropout, "weights", context).matmul(value)
}
