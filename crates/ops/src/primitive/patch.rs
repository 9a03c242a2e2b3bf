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
    channels: usize,
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
            channels: 1,
        }
    }

    /// Of series of several channels: a patch holds `length` steps of each.
    ///
    /// # Panics
    ///
    /// If there is no channel.
    #[must_use]
    pub fn with_channels(mut self, channels: usize) -> Self {
        assert!(channels > 0, "a series has a channel at least");
        self.channels = channels;
        self
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
        let d_in = self.length * self.channels;
        PatchProjection {
            weight: Init::xavier_uniform(d_in, self.d_out).param(
                [d_in, self.d_out],
                key.stream("weight"),
                device,
            ),
            bias: Init::Constant(0.0).param([self.d_out], key.stream("bias"), device),
            length: self.length,
            stride: self.stride,
        }
    }
}

/// Cuts a series into patches and projects each (Nie et al. 2023, PatchTST,
/// <https://arxiv.org/abs/2211.14730>, section 3.1).
///
/// A patch of several channels is projected as a whole: a convolution along time, whose weights lie
/// channel by channel.
///
/// PyTorch equivalent: `linear(x.unfold(1, length, stride).flatten(2))` of `x` `[batch, len, channels]`,
/// which is `F.conv1d(x.mT, weight.unflatten(1, (channels, length)), bias, stride).mT`.
#[derive(Module, Debug)]
pub struct PatchProjection {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
    length: usize,
    stride: usize,
}

impl PatchProjection {
    /// The projected patches.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, len, channels]`
    /// - output: `[batch, n_patches, d_out]`
    ///
    /// # Panics
    ///
    /// If the series is shorter than a patch, or has another number of channels than the projection.
    #[must_use]
    pub fn forward(
        &self,
        input: Tensor<3>,
        name: &'static str,
        context: &mut Context<'_>,
    ) -> Tensor<3> {
        let ([batch, len, channels], [d_in, _]) = (input.dims(), self.weight.dims());
        let length = self.length;
        assert!(
            len >= length,
            "a series of {len} steps is shorter than a patch of {length}"
        );
        assert_eq!(
            channels * length,
            d_in,
            "a series of {channels} channels in a projection of {}",
            d_in / length
        );
        let patches: Tensor<4> = input.unfold(1, length, self.stride); // [batch, n_patches, channels, length]
        let [_, n_patches, _, _] = patches.dims();
        let patches = patches.reshape([batch, n_patches, d_in]); // [batch, n_patches, channels · length]
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

    /// The weight `[channels · length, d_out]`.
    #[must_use]
    pub fn weight(&self) -> &Param<Tensor<2>> {
        &self.weight
    }
}
