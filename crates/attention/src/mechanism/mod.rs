//! How queries meet keys.
//!
//! A mechanism is one variant of [`Mechanism`] and one file here. It gets queries, keys and values
//! by head and gives the mixed values; masks, dropout and the hook are its duty.

mod full;

use burn::tensor::Tensor;
use regard_ops::Context;
use serde::{Deserialize, Serialize};

use crate::mask::Mask;

/// A mechanism, as `[model.attention]` of a configuration names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mechanism", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Mechanism {
    /// Every query meets every key that it may see.
    #[default]
    Full,
}

impl Mechanism {
    /// One of each kind, for tests that hold for every mechanism.
    pub const EXAMPLES: &[Self] = &[Self::Full];

    /// Mixes the values.
    ///
    /// # Shapes
    ///
    /// - query: `[batch, heads, query_len, d_head]`
    /// - key, value: `[batch, heads, key_len, d_head]`
    /// - output: `[batch, heads, query_len, d_head]`
    #[must_use]
    pub fn attend(
        self,
        query: Tensor<4>,
        key: Tensor<4>,
        value: Tensor<4>,
        mask: &Mask,
        dropout: f64,
        context: &mut Context<'_>,
    ) -> Tensor<4> {
        match self {
            Self::Full => full::attend(query, key, value, mask, dropout, context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mechanism_is_an_example() {
        // A newcomer does not compile until it has its place in this chain, and so in the list.
        let next = |last| match last {
            None => Some(Mechanism::Full),
            Some(Mechanism::Full) => None,
        };
        let all = std::iter::successors(next(None), |last| next(Some(*last)));
        assert_eq!(all.collect::<Vec<_>>(), Mechanism::EXAMPLES);
    }
}
