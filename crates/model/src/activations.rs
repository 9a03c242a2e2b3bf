//! What a forward pass keeps for the backward pass, counted without running it.

use crate::config::TransformerConfig;

const FLOAT_BYTES: f64 = 4.0;

/// The size of what runs at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSize {
    /// Rows.
    pub rows: usize,
    /// Positions of each, filling included.
    pub length: usize,
}

/// The memory that a forward and backward pass takes beside weights and gradients, in bytes, by rule of
/// thumb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivationBytes {
    /// What a block's tape keeps.
    pub block_tape: u64,
    /// A block's input.
    pub block_input: u64,
    /// What the backward pass holds while it goes through a block: gradients of the same sizes.
    pub backward: u64,
}

impl TransformerConfig {
    /// Counts the activations of a pass over a batch.
    ///
    /// A row keeps in each block about `length · (20 d_model + 6 d_ff) + 3 n_heads · length²` numbers:
    /// the inputs and outputs of norms, projections, activation and dropout, and the scores before and
    /// after softmax. The backward pass holds gradients of the widest of them beside it.
    #[must_use]
    pub fn activations(&self, batch: BatchSize) -> ActivationBytes {
        let [rows, length, d_model, d_ff, n_heads] = [
            batch.rows,
            batch.length,
            self.d_model,
            self.d_ff,
            self.n_heads,
        ]
        .map(|n| n as f64);
        // `as` saturates.
        let bytes = |numbers_a_row: f64| (rows * numbers_a_row * FLOAT_BYTES) as u64;
        let scores = n_heads * length * length;
        ActivationBytes {
            block_tape: bytes(length * (20.0 * d_model + 6.0 * d_ff) + 3.0 * scores),
            block_input: bytes(length * d_model),
            backward: bytes(f64::max(2.0 * scores, 3.0 * length * d_ff)),
        }
    }
}
