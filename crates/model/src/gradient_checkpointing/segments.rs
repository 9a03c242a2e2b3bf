//! How the stages of a model are cut.

use std::ops::Range;

/// A model's stages in consecutive segments, each of which has one tape.
///
/// The embedding belongs to the first segment and the head to the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments {
    /// The first stage of each, the first of them 0.
    starts: Vec<usize>,
    n_stages: usize,
    blocks_a_segment: usize,
}

impl Segments {
    /// All stages of a model of `n_blocks` blocks under one tape: nothing is recomputed.
    #[must_use]
    pub fn whole(n_blocks: usize) -> Self {
        Self::of_blocks(n_blocks, n_blocks)
    }

    /// Segments of `every` blocks, counted from the last: what is left over makes the first segment
    /// shorter, since the last one is not run twice and costs no time for being long.
    ///
    /// # Panics
    ///
    /// If `every` is 0 and there are blocks.
    #[must_use]
    pub fn of_blocks(n_blocks: usize, every: usize) -> Self {
        assert!(
            every > 0 || n_blocks == 0,
            "a segment has at least one block: give every = 1 or more"
        );
        let mut starts = vec![0];
        // Block i is stage i + 1; the first group begins with the embedding instead.
        let first = match n_blocks.checked_rem(every) {
            None => n_blocks,
            Some(0) => every,
            Some(rest) => rest,
        };
        starts.extend(
            (first..n_blocks)
                .step_by(every.max(1))
                .map(|block| block + 1),
        );
        Self {
            starts,
            n_stages: n_blocks + 2,
            blocks_a_segment: every.min(n_blocks),
        }
    }

    /// The number of segments.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Never: every model has a segment. It is here because `len` is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The most blocks of a segment.
    #[must_use]
    pub fn blocks_a_segment(&self) -> usize {
        self.blocks_a_segment
    }

    /// The number of stages of the model that they are of.
    #[must_use]
    pub fn n_stages(&self) -> usize {
        self.n_stages
    }

    /// The stages of segment `index`.
    ///
    /// # Panics
    ///
    /// If there is no such segment.
    #[must_use]
    pub fn stages(&self, index: usize) -> Range<usize> {
        let end = self.starts.get(index + 1).copied();
        self.starts[index]..end.unwrap_or(self.n_stages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(n_blocks: usize, every: usize) -> Vec<Range<usize>> {
        let segments = Segments::of_blocks(n_blocks, every);
        (0..segments.len()).map(|i| segments.stages(i)).collect()
    }

    #[test]
    fn every_stage_is_in_one_segment_and_the_first_one_is_the_short_one() {
        assert_eq!(stages(3, 1), [0..2, 2..3, 3..5]);
        assert_eq!(stages(5, 2), [0..2, 2..4, 4..7]);
        assert_eq!(stages(4, 2), [0..3, 3..6]);
        assert_eq!(stages(4, 3), [0..2, 2..6]);
        for whole in [stages(4, 4), stages(4, 9)] {
            assert_eq!(whole, [Range { start: 0, end: 6 }]);
        }
        for n_blocks in 1..9 {
            for every in 1..10 {
                let all: Vec<usize> = stages(n_blocks, every).into_iter().flatten().collect();
                assert_eq!(all, (0..n_blocks + 2).collect::<Vec<_>>());
            }
        }
    }
}
