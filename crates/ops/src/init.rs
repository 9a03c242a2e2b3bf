//! Initial values of parameters, drawn on the host.

use std::cell::Cell;

use burn::module::{Param, ParamId};
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
        if DEFERRED.get() {
            let draw = move |device: &Device, requires_grad: bool| {
                let tensor = Tensor::from_data(self.draw(shape, key), device);
                if requires_grad {
                    tensor.require_grad()
                } else {
                    tensor
                }
            };
            return Param::uninitialized(ParamId::new(), draw, device.clone(), true, shape.into());
        }
        // Eager on purpose: Burn's lazy parameters share a cell between clones.
        Param::from_data(self.draw(shape, key), device)
    }

    fn draw<const D: usize>(self, shape: [usize; D], key: Key) -> TensorData {
        let n = shape.iter().product::<usize>() as u64;
        let values: Vec<f32> = match self {
            Self::Constant(value) => vec![value as f32; n as usize],
            Self::Normal(std) => (0..n).map(|i| (std * key.normal(i)) as f32).collect(),
            Self::Uniform(bound) => (0..n)
                .map(|i| (bound * (2.0 * key.uniform(i) - 1.0)) as f32)
                .collect(),
        };
        TensorData::new(values, shape)
    }
}

thread_local! {
    static DEFERRED: Cell<bool> = const { Cell::new(false) };
}

/// Makes a module whose parameters are drawn when they are first looked at, for a module that is loaded at once: weights
/// that are put into it then take no memory beside drawn ones. Clones made before that share what is drawn.
///
/// PyTorch equivalent: making a module under `torch.device("meta")`, and `load_state_dict(…, assign=True)`.
pub fn deferred<T>(make: impl FnOnce() -> T) -> T {
    /// Puts the flag back, also when `make` panics.
    struct Reset(bool);
    impl Drop for Reset {
        fn drop(&mut self) {
            DEFERRED.set(self.0);
        }
    }
    let _reset = Reset(DEFERRED.replace(true));
    make()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deferred_parameter_is_drawn_as_any_other_when_it_is_looked_at() {
        let device = Device::flex().autodiff();
        let make = || Init::Normal(1.0).param([3, 2], Key::new(4), &device);
        let later = deferred(make);
        assert!(!later.is_initialized());
        let now = make();
        assert!(now.is_initialized(), "only inside of `deferred`");
        assert_eq!(now.val().into_data(), later.val().into_data());
        assert!(later.val().is_require_grad());
    }
}
