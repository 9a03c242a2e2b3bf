//! How much memory is traded.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Segments;
use super::size_text;
use crate::activations::{ActivationBytes, BatchSize};
use crate::config::TransformerConfig;

/// Which stages run again in the backward pass.
///
/// As a configuration has it: `"none"`, `"every-block"`, `{every = 2}`, `{memory = "2 GiB"}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GradientCheckpointing {
    /// None: everything that the backward pass needs is kept.
    #[default]
    None,
    /// Every block but the last one: the least memory.
    EveryBlock,
    /// Groups of this many blocks, at least 1, but for the last group.
    Every(usize),
    /// As few as fit into this many bytes, by [`TransformerConfig::activations`].
    Memory(#[serde(with = "size_text::text")] u64),
}

/// What a policy came to for one model and batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// The segments.
    pub segments: Segments,
    /// What the activations take then, in bytes, by rule of thumb.
    pub bytes: u64,
    /// What they would take if nothing was recomputed.
    pub plain_bytes: u64,
}

/// A limit that no choice of stages keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLittleMemory {
    /// The limit, in bytes.
    pub limit: u64,
    /// The least that a choice of stages takes, in bytes.
    pub least: u64,
}

impl fmt::Display for TooLittleMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        write!(
            formatter,
            "{:.1} MiB of activations are allowed, and at best they take {:.1} MiB",
            mib(self.limit),
            mib(self.least)
        )
    }
}

impl std::error::Error for TooLittleMemory {}

impl GradientCheckpointing {
    /// Chooses segments for a model whose batches in memory at once have this size.
    ///
    /// # Errors
    ///
    /// [`TooLittleMemory`], for [`GradientCheckpointing::Memory`] alone.
    pub fn choose(
        self,
        model: &TransformerConfig,
        batch: BatchSize,
    ) -> Result<Choice, TooLittleMemory> {
        let n_blocks = model.n_layers;
        let bytes = model.activations(batch);
        let choice = |every: usize| {
            let segments = Segments::of_blocks(n_blocks, every);
            Choice {
                bytes: of(&segments, bytes),
                plain_bytes: of(&Segments::whole(n_blocks), bytes),
                segments,
            }
        };
        match self {
            Self::None => Ok(choice(n_blocks)),
            Self::EveryBlock => Ok(choice(1)),
            Self::Every(every) => Ok(choice(every)),
            // The longest last segment that fits: only what comes before it runs twice.
            Self::Memory(limit) => (1..=n_blocks)
                .rev()
                .map(choice)
                .find(|choice| choice.bytes <= limit)
                .ok_or_else(|| TooLittleMemory {
                    limit,
                    least: (1..=n_blocks)
                        .map(|every| choice(every).bytes)
                        .min()
                        .unwrap_or(0),
                }),
        }
    }
}

/// The inputs of all segments but the first, and the tape of the longest one.
fn of(segments: &Segments, bytes: ActivationBytes) -> u64 {
    let inputs = (segments.len() as u64 - 1).saturating_mul(bytes.block_input);
    let tape = (segments.blocks_a_segment() as u64).saturating_mul(bytes.block_tape);
    inputs.saturating_add(tape).saturating_add(bytes.backward)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HeadConfig;

    const BATCH: BatchSize = BatchSize {
        rows: 16,
        length: 512,
    };

    fn model(n_layers: usize) -> TransformerConfig {
        TransformerConfig::text(8000, 512, HeadConfig::classification(2))
            .with_d_model(256)
            .with_heads(8)
            .with_layers(n_layers)
    }

    #[test]
    fn a_limit_is_kept_with_the_fewest_blocks_that_run_twice() {
        let model = model(12);
        let choose = |policy: GradientCheckpointing| policy.choose(&model, BATCH);
        let plain = choose(GradientCheckpointing::None).unwrap();
        assert_eq!(plain.segments.len(), 1);
        assert_eq!(plain.bytes, plain.plain_bytes);
        let every_block = choose(GradientCheckpointing::EveryBlock).unwrap();
        assert_eq!(every_block.segments.len(), 12);
        assert!(every_block.bytes < plain.bytes / 5);
        let limits = (1..=20).map(|share| plain.bytes * share / 20);
        let mut longest = 0;
        for limit in limits.filter(|limit| *limit >= every_block.bytes) {
            let choice = choose(GradientCheckpointing::Memory(limit)).unwrap();
            assert!(choice.bytes <= limit);
            let every = choice.segments.blocks_a_segment();
            let more = choose(GradientCheckpointing::Every(every + 1)).unwrap();
            assert!(every == 12 || more.bytes > limit, "{every} at {limit}");
            assert!(every >= longest);
            longest = every;
        }
        assert_eq!(longest, 12);
    }

    #[test]
    fn a_limit_that_cannot_be_kept_is_refused_with_what_is_needed() {
        let error = GradientCheckpointing::Memory(1 << 20)
            .choose(&model(12), BATCH)
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("1.0 MiB of activations are allowed, and at best they take "),
            "{text}"
        );
        let enough = GradientCheckpointing::Memory(error.least);
        assert!(enough.choose(&model(12), BATCH).is_ok());
        assert!(
            GradientCheckpointing::Memory(error.least - 1)
                .choose(&model(12), BATCH)
                .is_err()
        );
    }
}
