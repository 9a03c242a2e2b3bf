//! Positions side by side: what heads do that answer for each place.

use burn::tensor::Tensor;
use burn::tensor::ops::PadMode;
use regard_attention::Mask;

/// Hidden states with zeros at filling and up to `n_positions`, so that an answer depends neither on filling nor on
/// the length of the batch.
///
/// # Shapes
///
/// - hidden: `[batch, len, d_model]`
/// - output: `[batch, n_positions, d_model]`
///
/// # Panics
///
/// If there are more positions than `n_positions`.
pub(super) fn all_positions(hidden: Tensor<3>, mask: &Mask, n_positions: usize) -> Tensor<3> {
    let [batch, len, _] = hidden.dims();
    assert!(
        len <= n_positions,
        "{len} positions in a head of {n_positions}"
    );
    let hidden = match mask.padding() {
        None => hidden,
        Some(padding) => {
            let (device, dtype) = (hidden.device().inner(), hidden.dtype());
            hidden * padding.visible(&device, dtype).reshape([batch, len, 1])
        }
    };
    if len == n_positions {
        return hidden;
    }
    hidden.pad([(0, n_positions - len), (0, 0)], PadMode::Constant(0.0))
}
