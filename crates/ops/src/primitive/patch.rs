//! Patch projection: overlapping pieces of a series, each mapped to a vector.

use burn::module::{Module, Param};
use burn::tensor::module::linear;
use burn::tensor::{Device, Tensor};

use crate::context::Context;
use crate::hook::Operation;
use crate::init::Init;
use crate::random::Key;

/// How to make a [`PatchProjection`].
#[derive(Clone, Debug)]
pub struct PatchProjectionConfig {
    length: usize,
    stride: usize,
    d_out: usize,
}

impl PatchProjectionConfig {
    /// Patches of `length` steps, one every `stride` steps, mapped to `d_out` features.
    ///
    /// # Panics
    ///
    /// If `length` or `stride` is 0.
    #[must_use]
    pub fn new(length: usize, stride: usize, d_out: usize) -> Self {
        assert!(
            length > 0 && stride > 0,
            "a patch has a length and a stride of at least 1, found {length} and {stride}"
        );
        Self {
            length,
            stride,
            d_out,
        }
    }

    /// The number of patches in a series of `len` steps; steps after the last whole patch are not
    /// in any.
    #[must_use]
    pub fn n_patches(&self, len: usize) -> usize {
        (len + self.stride).saturating_sub(self.length) / self.stride
    }

    /// Draws the projection under `key`.
    #[must_use]
    pub fn init(&self, key: Key, device: &Device) -> PatchProjection {
        PatchProjection {
            weight: Init::xavier_uniform(self.length, self.d_out).param(
                [self.length, self.d_out],
                key.stream("weight"),
                device,
            ),
            bias: Init::Constant(0.0).param([self.d_out], key.stream("bias"), device),
            stride: self.stride,
        }
    }
}

/// Cuts a series into patches and projects each (Nie et al. 2023, PatchTST,
/// <https://arxiv.org/abs/2211.14730>, section 3.1).
///
/// PyTorch equivalent: `linear(x.unfold(-1, length, stride))`.
#[derive(Module, Debug)]
pub struct PatchProjection {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
    stride: usize,
}

impl PatchProjection {
    /// The projected patches.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, len]`
    /// - output: `[batch, n_patches, d_out]`
    ///
    /// # Panics
    ///
    /// If the series is shorter than a patch.
    #[must_use]
    pub fn forward(
        &self,
        input: Tensor<2>,
        name: &'static str,
        context: &mut Context<'_>,
    ) -> Tensor<3> {
        let ([_, len], [length, _]) = (input.dims(), self.weight.dims());
        assert!(
            len >= length,
            "a series of {len} steps is shorter than a patch of {length}"
        );
        let patches: Tensor<3> = input.unfold(1, length, self.stride); // [batch, n_patches, length]
        let seen = context.observes().then(|| patches.clone());
        let output = linear(patches, self.weight.val(), Some(self.bias.val()));
        let Some(patches) = seen else { return output };
        let operation = Operation::Linear {
            input: &patches,
            weight: self.weight.id,
            bias: Some(self.bias.id),
        };
        context.output(name, operation, output)
    }
}
