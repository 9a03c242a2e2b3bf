//! Reconstruction.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use regard_attention::Mask;
use regard_ops::primitive::{Linear, LinearConfig};
use regard_ops::{Context, Key};

use super::positions::all_positions;

/// What stands at each position, position by position; zeros from filling give the bias.
///
/// PyTorch equivalent: `nn.Linear(d_model, features)`.
#[derive(Module, Debug)]
pub struct ReconstructionHead {
    linear: Linear,
    n_positions: usize,
}

impl ReconstructionHead {
    /// From `d_model` features to the `features` numbers of a position.
    #[must_use]
    pub fn new(
        [n_positions, d_model]: [usize; 2],
        features: usize,
        key: Key,
        device: &Device,
    ) -> Self {
        Self {
            linear: LinearConfig::new(d_model, features).init(key, device),
            n_positions,
        }
    }

    /// The numbers of each position.
    ///
    /// # Shapes
    ///
    /// - hidden: `[batch, len, d_model]`
    /// - output: `[batch, n_positions, features]`, whatever `len`
    #[must_use]
    pub fn forward(&self, hidden: Tensor<3>, mask: &Mask, context: &mut Context<'_>) -> Tensor<3> {
        let hidden = all_positions(hidden, mask, self.n_positions);
        self.linear.forward(hidden, "linear", context)
    }
}
