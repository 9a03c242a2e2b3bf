//! Forecasts.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use regard_attention::Mask;
use regard_ops::primitive::{Linear, LinearConfig};
use regard_ops::{Context, Key};

use super::positions::all_positions;

/// One linear map from all positions of a row at once to the steps to come (the flattened head of PatchTST), for
/// each quantile its own.
///
/// PyTorch equivalent: `nn.Linear(n_positions * d_model, n_outputs * horizon)` on `x.flatten(1)`.
#[derive(Module, Debug)]
pub struct ForecastHead {
    linear: Linear,
    n_positions: usize,
    n_outputs: usize,
    horizon: usize,
}

impl ForecastHead {
    /// From `n_positions` of `d_model` features to `horizon` steps of each of `n_outputs`.
    #[must_use]
    pub fn new(
        [n_positions, d_model]: [usize; 2],
        [n_outputs, horizon]: [usize; 2],
        key: Key,
        device: &Device,
    ) -> Self {
        Self {
            linear: LinearConfig::new(n_positions * d_model, n_outputs * horizon).init(key, device),
            n_positions,
            n_outputs,
            horizon,
        }
    }

    /// The steps to come.
    ///
    /// # Shapes
    ///
    /// - hidden: `[batch, len, d_model]`
    /// - output: `[batch, n_outputs, horizon]`
    #[must_use]
    pub fn forward(&self, hidden: Tensor<3>, mask: &Mask, context: &mut Context<'_>) -> Tensor<3> {
        let [batch, _, d_model] = hidden.dims();
        let flat = all_positions(hidden, mask, self.n_positions).reshape([
            batch,
            1,
            self.n_positions * d_model,
        ]);
        let output = self.linear.forward(flat, "linear", context); // [batch, 1, n_outputs · horizon]
        output.reshape([batch, self.n_outputs, self.horizon])
    }
}
