//! Settings of a tokenizer.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::document::SPECIAL_TOKENS;
use crate::DataError;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TokenizerKind {
    /// A byte of UTF-8; nothing is ever unknown.
    Bytes,
    /// A character (Unicode scalar value); those that the training texts lack are unknown.
    Characters,
    /// A run of letters, a run of digits, or one other character; white space only parts them.
    Words,
    /// A piece of a word, learned by byte-pair encoding over bytes; nothing is ever unknown.
    Bpe,
}

impl TokenizerKind {
    /// The least `vocab_size`: the special tokens and what must be representable.
    #[must_use]
    pub fn minimum_vocab_size(self) -> usize {
        SPECIAL_TOKENS.len()
            + match self {
                Self::Bytes | Self::Bpe => 256,
                Self::Characters | Self::Words => 1,
            }
    }
}

impl fmt::Display for TokenizerKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bytes => "bytes",
            Self::Characters => "characters",
            Self::Words => "words",
            Self::Bpe => "bpe",
        })
    }
}

/// Settings of a tokenizer, the section `[tokenizer]` of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenizerConfig {
    /// What a token is.
    pub kind: TokenizerKind,
    /// Most tokens in the vocabulary, special tokens included; small data fills fewer. Bytes always make 261.
    pub vocab_size: usize,
    /// How often a word, a character or a pair of bytes must occur to become a token; a pair always twice. What is
    /// rarer is unknown, so that the unknown token learns what rare words are like.
    pub min_frequency: u64,
    /// Most tokens of one text, `[CLS]` included; what is longer is cut at its end.
    pub max_length: usize,
    /// Whether upper and lower case are one.
    pub lowercase: bool,
    /// A `tokenizer.json` to use instead of training one; then only `max_length` counts of the other settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

impl Default for TokenizerConfig {
    fn default() -> Self {
        Self {
            kind: TokenizerKind::Bpe,
            vocab_size: 8_000,
            min_frequency: 1,
            max_length: 128,
            lowercase: false,
            file: None,
        }
    }
}

impl TokenizerConfig {
    /// Checks the sizes.
    ///
    /// # Errors
    /// If the vocabulary cannot hold what its kind needs, or the length leaves no room for text.
    pub fn validate(&self) -> Result<(), DataError> {
        let minimum = self.kind.minimum_vocab_size();
        if self.file.is_none() && self.vocab_size < minimum {
            return Err(DataError::VocabularyTooSmall {
                kind: self.kind,
                minimum,
                found: self.vocab_size,
            });
        }
        if self.max_length < 2 {
            return Err(DataError::MaxLengthTooSmall {
                found: self.max_length,
            });
        }
        Ok(())
    }
}
