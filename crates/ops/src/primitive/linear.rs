//! `output = input · weight + bias`.

use burn::module::{Module, Param};
use burn::tensor::module::linear;
use burn::tensor::{Device, Tensor};

use crate::context::Context;
use crate::hook::Operation;
use crate::init::Init;
use crate::random::Key;

/// How to make a [`Linear`].
#[derive(Clone, Debug)]
pub struct LinearConfig {
    d_in: usize,
    d_out: usize,
    bias: bool,
    init: Init,
}

impl LinearConfig {
    /// A layer from `d_in` to `d_out` features, with a bias, initialised as
    /// [`Init::xavier_uniform`]; the bias starts at 0.
    #[must_use]
    pub fn new(d_in: usize, d_out: usize) -> Self {
        Self {
            d_in,
            d_out,
            bias: true,
            init: Init::xavier_uniform(d_in, d_out),
        }
    }

    /// With or without a bias.
    #[must_use]
    pub fn with_bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    /// With another initialisation of the weight.
    #[must_use]
    pub fn with_init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// Draws the layer under `key`.
    #[must_use]
    pub fn init(&self, key: Key, device: &Device) -> Linear {
        let (d_in, d_out) = (self.d_in, self.d_out);
        Linear {
            weight: self.init.param([d_in, d_out], key.stream("weight"), device),
            bias: self
                .bias
                .then(|| Init::Constant(0.0).param([d_out], key.stream("bias"), device)),
        }
    }
}

/// A linear layer.
///
/// PyTorch equivalent: `nn.Linear`, with the weight transposed.
#[derive(Module, Debug)]
pub struct Linear {
    weight: Param<Tensor<2>>,
    bias: Option<Param<Tensor<1>>>,
}

impl Linear {
    /// The layer's output; the hook sees it as `name`.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, len, d_in]`
    /// - output: `[batch, len, d_out]`
    #[must_use]
    pub fn forward(
        &self,
        input: Tensor<3>,
        name: &'static str,
        context: &mut Context<'_>,
    ) -> Tensor<3> {
        let seen = context.observes().then(|| input.clone());
        let output = linear(input, self.weight.val(), self.bias.as_ref().map(Param::val));
        let Some(input) = seen else { return output };
        let operation = Operation::Linear {
            input: &input,
            weight: self.weight.id,
            bias: self.bias.as_ref().map(|bias| bias.id),
        };
        context.output(name, operation, output)
    }

    /// The output of [`Linear::forward`], cut along its features into `N` equal parts: packed
    /// projections.
    ///
    /// Unless somebody looks, the weight is cut instead of the output. The products are the same; the
    /// backward pass of a cut fills zeros of the size of what was cut, and a weight is far smaller
    /// than an output.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, len, d_in]`
    /// - outputs: `[batch, len, d_out / N]`
    ///
    /// # Panics
    ///
    /// If `N` does not divide `d_out`.
    #[must_use]
    pub fn forward_parts<const N: usize>(
        &self,
        input: Tensor<3>,
        name: &'static str,
        context: &mut Context<'_>,
    ) -> [Tensor<3>; N] {
        let [d_in, d_out] = self.weight.dims();
        assert!(
            d_out.is_multiple_of(N),
            "{d_out} features cannot be cut into {N} equal parts"
        );
        let width = d_out / N;
        if context.observes() {
            let [batch, len, _] = input.dims();
            let packed = self.forward(input, name, context);
            return std::array::from_fn(|i| {
                let part = i * width..(i + 1) * width;
                packed.clone().slice([0..batch, 0..len, part])
            });
        }
        let weight = self.weight.val();
        let bias = self.bias.as_ref().map(Param::val);
        std::array::from_fn(|i| {
            let part = i * width..(i + 1) * width;
            let weight = weight.clone().slice([0..d_in, part]);
            let bias = bias.clone().map(|bias| bias.narrow(0, i * width, width));
            linear(input.clone(), weight, bias)
        })
    }

    /// The weight `[d_in, d_out]`.
    #[must_use]
    pub fn weight(&self) -> &Param<Tensor<2>> {
        &self.weight
    }

    /// The bias `[d_out]`, if there is one.
    #[must_use]
    pub fn bias(&self) -> Option<&Param<Tensor<1>>> {
        self.bias.as_ref()
    }
}
