//! What an embedding of series looks like.

use regard_attention::PositionKind;
use serde::{Deserialize, Serialize};

/// How pieces of a series become vectors (Nie et al. 2023, PatchTST, <https://arxiv.org/abs/2211.14730>).
///
/// A row holds `channels` numbers a step. A model that takes each channel by itself (channel-independent) has
/// one, and the channels of a window are rows of one unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesConfig {
    /// Numbers of a row at each step.
    pub channels: usize,
    /// The longest series, in steps.
    pub max_steps: usize,
    /// Steps of a patch.
    pub patch_length: usize,
    /// Steps from one patch to the next; at most `patch_length`, so that every step is in one.
    pub patch_stride: usize,
    /// Whether one patch more stands at the end, which reaches a stride past the last step, as in PatchTST. Without,
    /// there are just enough patches to hold every step.
    pub end_padding: bool,
    /// Which positions the model knows.
    pub position: PositionKind,
    /// Whether each channel of each row is brought to mean 0 and variance 1, and forecasts back.
    pub instance_norm: bool,
    /// Whether values may be missing: each channel then has a second one beside it that says so.
    pub missing: bool,
    /// Numbers that are known of each step beside its values, such as what the calendar tells of its time; each patch
    /// takes their mean over its steps, and a forecast those of the steps to come.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub calendar: usize,
    /// Convolutions over the steps, before the patches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stem: Option<StemConfig>,
}

const fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// A stack of convolutions over the steps, each `GELU(norm(convolution))`, from the second on added to what came
/// in. They see neighbours before attention does, which few training examples cannot teach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StemConfig {
    /// How many.
    pub layers: usize,
    /// Steps under each, an odd number.
    pub kernel: usize,
}

impl StemConfig {
    /// The most layers.
    pub const MOST_LAYERS: usize = 4;
}

impl SeriesConfig {
    /// One of each kind with each of its options, for tests that hold for every embedding of series.
    pub const EXAMPLES: &[Self] = &[
        Self {
            channels: 1,
            max_steps: 18,
            patch_length: 4,
            patch_stride: 2,
            end_padding: true,
            position: PositionKind::Learned,
            instance_norm: true,
            missing: false,
            calendar: 0,
            stem: None,
        },
        Self {
            channels: 2,
            max_steps: 9,
            patch_length: 1,
            patch_stride: 1,
            end_padding: false,
            position: PositionKind::Sinusoidal,
            instance_norm: false,
            missing: true,
            calendar: 0,
            stem: Some(StemConfig {
                layers: 2,
                kernel: 3,
            }),
        },
        Self {
            channels: 1,
            max_steps: 11,
            patch_length: 3,
            patch_stride: 3,
            end_padding: false,
            position: PositionKind::Learned,
            instance_norm: true,
            missing: true,
            calendar: 0,
            stem: Some(StemConfig {
                layers: 1,
                kernel: 5,
            }),
        },
        Self {
            channels: 1,
            max_steps: 10,
            patch_length: 4,
            patch_stride: 3,
            end_padding: true,
            position: PositionKind::Learned,
            instance_norm: true,
            missing: true,
            calendar: 2,
            stem: None,
        },
    ];

    /// The number of patches of a series of `len` steps; a series shorter than a patch has one.
    #[must_use]
    pub fn n_positions(&self, len: usize) -> usize {
        let past = len.saturating_sub(self.patch_length);
        match (len, self.end_padding) {
            (0, _) => 0,
            (_, false) => 1 + past.div_ceil(self.patch_stride),
            (_, true) if len < self.patch_length => {
                1 + (len + self.patch_stride).saturating_sub(self.patch_length) / self.patch_stride
            }
            (_, true) => 2 + past / self.patch_stride,
        }
    }

    /// The number of patches of the longest series.
    #[must_use]
    pub fn max_positions(&self) -> usize {
        self.n_positions(self.max_steps)
    }

    /// Steps that the patches of a series of `len` steps reach over.
    pub(crate) fn covered(&self, len: usize) -> usize {
        match self.n_positions(len) {
            0 => 0,
            n => (n - 1) * self.patch_stride + self.patch_length,
        }
    }

    /// Numbers at each step, as the model takes them.
    pub(crate) fn n_features(&self) -> usize {
        self.channels * if self.missing { 2 } else { 1 }
    }

    /// Everything that keeps this from being an embedding.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, value) in [
            ("channels", self.channels),
            ("max_steps", self.max_steps),
            ("patch_length", self.patch_length),
            ("patch_stride", self.patch_stride),
        ] {
            if value == 0 {
                problems.push(format!("{name} is 0: give at least 1"));
            }
        }
        if self.patch_stride > self.patch_length {
            problems.push(format!(
                "patch_stride ({}) exceeds patch_length ({}): the steps between would be in no patch",
                self.patch_stride, self.patch_length
            ));
        }
        if let Some(stem) = self.stem {
            let most = StemConfig::MOST_LAYERS;
            if !(1..=most).contains(&stem.layers) {
                problems.push(format!(
                    "the stem has {} layers: give 1 to {most}",
                    stem.layers
                ));
            }
            if stem.kernel % 2 == 0 {
                problems.push(format!(
                    "the stem's kernel is {}: give an odd number of steps",
                    stem.kernel
                ));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_in_a_patch_and_patchtst_has_one_patch_more() {
        for (patch_length, patch_stride) in [(16, 8), (4, 2), (3, 3), (1, 1), (5, 2)] {
            let plain = SeriesConfig {
                patch_length,
                patch_stride,
                end_padding: false,
                ..SeriesConfig::EXAMPLES[0].clone()
            };
            let padded = SeriesConfig {
                end_padding: true,
                ..plain.clone()
            };
            for len in 1..60 {
                let covered = plain.covered(len);
                assert!(covered >= len, "{len} steps, {covered} in patches");
                let without_last = covered - patch_stride;
                assert!(plain.n_positions(len) == 1 || without_last < len);
                if len >= patch_length {
                    // What `ReplicationPad1d((0, stride))` and `unfold` give.
                    let expected = (len + patch_stride - patch_length) / patch_stride + 1;
                    assert_eq!(padded.n_positions(len), expected);
                }
            }
            assert_eq!(plain.n_positions(0), 0);
        }
        let published = SeriesConfig {
            patch_length: 16,
            patch_stride: 8,
            ..SeriesConfig::EXAMPLES[0].clone()
        };
        assert_eq!([336, 512].map(|len| published.n_positions(len)), [42, 64]);
    }
}
