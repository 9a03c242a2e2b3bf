//! A plain vector: class tokens, gates, biases.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use crate::context::Context;
use crate::hook::Operation;
use crate::init::Init;
use crate::random::Key;

/// How to make a [`Vector`].
#[derive(Clone, Debug)]
pub struct VectorConfig {
    d: usize,
    init: Init,
}

impl VectorConfig {
    /// A vector of `d` features, drawn normal with standard deviation 0.02.
    #[must_use]
    pub fn new(d: usize) -> Self {
        Self {
            d,
            init: Init::Normal(0.02),
        }
    }

    /// With another initialisation.
    #[must_use]
    pub fn with_init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// Draws the vector under `key`.
    #[must_use]
    pub fn init(&self, key: Key, device: &Device) -> Vector {
        Vector {
            weight: self.init.param([self.d], key.stream("weight"), device),
        }
    }
}

/// A trainable vector.
///
/// PyTorch equivalent: `nn.Parameter(torch.empty(d))`.
#[derive(Module, Debug)]
pub struct Vector {
    weight: Param<Tensor<1>>,
}

impl Vector {
    /// The vector at each of `len` positions of `batch` rows.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, len, d]`
    #[must_use]
    pub fn forward(
        &self,
        batch: usize,
        len: usize,
        name: &'static str,
        context: &mut Context<'_>,
    ) -> Tensor<3> {
        let [d] = self.weight.dims();
        let output = self
            .weight
            .val()
            .unsqueeze::<3>() // [1, 1, d]
            .expand([batch, len, d]);
        let operation = Operation::Vector {
            vector: self.weight.id,
        };
        context.output(name, operation, output)
    }
}
