//! Initial values of parameters, drawn on the host.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::random::Key;

/// How a parameter is drawn at first.
///
/// Values are drawn on the host from a [`Key`], so a seed means the same model on every backend and
/// in every order of initialisation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Init {
    /// Every element is this value.
    Constant(f64),
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
    /// Uniform in `[-bound, bound]`.
    Uniform(f64),
}

impl Init {
    /// Uniform with bound `sqrt(6 / (d_in + d_out))` (Glorot and Bengio 2010).
    ///
    /// PyTorch equivalent: `nn.init.xavier_uniform_`.
    #[must_use]
    pub fn xavier_uniform(d_in: usize, d_out: usize) -> Self {
        Self::Uniform((6.0 / (d_in + d_out) as f64).sqrt())
    }

    /// Draws a trainable parameter on `device`.
    #[must_use]
    pub fn param<const D: usize>(
        self,
        shape: [usize; D],
        key: Key,
        device: &Device,
    ) -> Param<Tensor<D>> {
        let n = shape.iter().product::<usize>() as u64;
        let values: Vec<f32> = match self {
            Self::Constant(value) => vec![value as f32; n as usize],
            Self::Normal(std) => (0..n).map(|i| (std * key.normal(i)) as f32).collect(),
            Self::Uniform(bound) => (0..n)
                .map(|i| (bound * (2.0 * key.uniform(i) - 1.0)) as f32)
                .collect(),
        };
        // Eager on purpose: Burn's lazy parameters share a cell between clones.
        Param::from_data(TensorData::new(values, shape), device)
    }
}
