//! Lengths in tokens, and what the vocabulary lacks.

use serde::Serialize;

use crate::{DataError, Tokenizer};

/// Lengths are counted up to this many tokens, or up to the maximum length if that is more.
const LONGEST: usize = 4096;

/// The lengths of some texts: how many there are of each.
#[derive(Debug, Clone, Default)]
pub struct Lengths {
    counts: Vec<u64>,
    rows: u64,
    cut: u64,
    tokens: u64,
    unknown: u64,
}

/// Lengths in tokens, the class token included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LengthSummary {
    /// The shortest text's.
    pub min: usize,
    /// The least length that half of the texts do not exceed.
    pub median: usize,
    /// The least length that 95 of 100 texts do not exceed.
    pub p95: usize,
    /// The longest text's, counted no further than 4,096 tokens or the maximum length.
    pub max: usize,
}

impl Lengths {
    fn add(&mut self, length: usize, is_cut: bool, tokens: usize, unknown: usize) {
        if self.counts.len() <= length {
            self.counts.resize(length + 1, 0);
        }
        self.counts[length] += 1;
        self.rows += 1;
        self.cut += u64::from(is_cut);
        self.tokens += tokens as u64;
        self.unknown += unknown as u64;
    }

    /// The least length that at least this share of the texts does not exceed.
    fn quantile(&self, share: f64) -> usize {
        let wanted = (share * self.rows as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        self.counts
            .iter()
            .position(|count| {
                below += count;
                below >= wanted
            })
            .unwrap_or(0)
    }

    /// Shortest, median, 95th percentile and longest; `None` of no texts.
    #[must_use]
    pub fn summary(&self) -> Option<LengthSummary> {
        (self.rows > 0).then(|| LengthSummary {
            min: self.quantile(0.0),
            median: self.quantile(0.5),
            p95: self.quantile(0.95),
            max: self.quantile(1.0),
        })
    }

    /// The share of texts that the maximum length cuts.
    #[must_use]
    pub fn cut_share(&self) -> f64 {
        self.cut as f64 / self.rows.max(1) as f64
    }

    /// The share of tokens, class tokens and what is cut off left out, that are the unknown token.
    #[must_use]
    pub fn unknown_share(&self) -> f64 {
        self.unknown as f64 / self.tokens.max(1) as f64
    }
}

/// Measures texts as a tokenizer cuts them, and as long as they would be.
#[derive(Debug)]
pub struct Ruler {
    tokenizer: Tokenizer,
    max_length: usize,
}

impl Ruler {
    /// With the vocabulary and the maximum length of this tokenizer.
    ///
    /// # Errors
    /// If the tokenizer cannot be written and read back.
    pub fn new(tokenizer: &Tokenizer) -> Result<Self, DataError> {
        let max_length = tokenizer.max_length();
        // The same vocabulary, with room to see how long texts are.
        let room = max_length.max(LONGEST);
        Ok(Self {
            tokenizer: Tokenizer::from_json(&tokenizer.to_json()?, Some(room))?,
            max_length,
        })
    }

    /// Measures a text into the lengths of its part.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn measure(&self, text: &str, lengths: &mut Lengths) -> Result<(), DataError> {
        let encoded = self.tokenizer.encode(text)?;
        let length = encoded.ids.len();
        // The first token is the class token.
        let kept = &encoded.ids[1..length.min(self.max_length)];
        let unknown = self.tokenizer.unknown_id();
        let unknown = kept.iter().filter(|id| **id == unknown).count();
        let is_cut = length > self.max_length || encoded.truncated;
        lengths.add(length, is_cut, kept.len(), unknown);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_lengths_that_occur() {
        let mut lengths = Lengths::default();
        assert_eq!(lengths.summary(), None);
        for length in 1..=100 {
            lengths.add(length, length > 90, 10, usize::from(length == 1));
        }
        let expected = LengthSummary {
            min: 1,
            median: 50,
            p95: 95,
            max: 100,
        };
        assert_eq!(lengths.summary(), Some(expected));
        assert_eq!(lengths.cut_share(), 0.1);
        assert_eq!(lengths.unknown_share(), 0.001);
    }
}
