//! Training: the texts' pieces are counted one text at a time, the counts become a vocabulary.

use std::fmt;

use tokenizers::{
    NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

use super::document::document;
use super::guard::capped;
use super::vocabulary::{PieceCounts, Vocabulary};
use super::wrapper::parse;
use super::{Tokenizer, TokenizerConfig, TokenizerKind};
use crate::DataError;

/// Learns a vocabulary from texts that come one at a time.
///
/// The same texts in any order give the same tokenizer, byte by byte when saved. Of the texts only the counts of their
/// pieces are held.
pub struct TokenizerTrainer {
    config: TokenizerConfig,
    untrained: tokenizers::Tokenizer,
    counts: PieceCounts,
}

impl TokenizerTrainer {
    /// A trainer that has seen no text.
    ///
    /// # Errors
    /// If the configuration's sizes are impossible.
    pub fn new(config: &TokenizerConfig) -> Result<Self, DataError> {
        config.validate()?;
        let base = Vocabulary::base(config.kind);
        Ok(Self {
            config: config.clone(),
            // The same code cuts texts into pieces now and when they are encoded.
            untrained: parse(&document(
                config.kind,
                config.lowercase,
                config.max_length,
                &base,
            ))?,
            counts: PieceCounts::default(),
        })
    }

    /// Whether texts change what is learned: bytes are all known before.
    #[must_use]
    pub fn needs_texts(&self) -> bool {
        self.config.kind != TokenizerKind::Bytes
    }

    /// Counts the pieces of a text.
    ///
    /// # Errors
    /// [`DataError::Tokenize`] if the crate below fails on it.
    pub fn add(&mut self, text: &str) -> Result<(), DataError> {
        if !self.needs_texts() {
            return Ok(());
        }
        let text = capped(text, self.config.max_length).0;
        count_pieces(&self.untrained, self.config.kind, text, &mut self.counts)
    }

    /// The tokenizer.
    ///
    /// # Errors
    /// [`DataError::NothingToTokenize`] if the texts held nothing, [`DataError::NothingFrequent`] if they held nothing
    /// often enough.
    pub fn finish(self) -> Result<Tokenizer, DataError> {
        if self.needs_texts() && self.counts.is_empty() {
            return Err(DataError::NothingToTokenize);
        }
        let TokenizerConfig {
            kind,
            vocab_size,
            min_frequency,
            max_length,
            lowercase,
            ..
        } = self.config;
        let vocabulary = Vocabulary::learn(kind, vocab_size, min_frequency, self.counts);
        if vocabulary.tokens.len() < kind.minimum_vocab_size() {
            return Err(DataError::NothingFrequent {
                kind,
                min_frequency,
            });
        }
        Tokenizer::new(
            "the trained tokenizer",
            parse(&document(kind, lowercase, max_length, &vocabulary))?,
            max_length,
        )
    }
}

impl fmt::Debug for TokenizerTrainer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenizerTrainer")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

fn count_pieces(
    untrained: &tokenizers::Tokenizer,
    kind: TokenizerKind,
    text: &str,
    counts: &mut PieceCounts,
) -> Result<(), DataError> {
    let failed = |error: tokenizers::Error| DataError::Tokenize {
        characters: text.chars().count(),
        message: error.to_string(),
    };
    let mut normalized = NormalizedString::from(text);
    if let Some(normalizer) = untrained.get_normalizer() {
        normalizer.normalize(&mut normalized).map_err(failed)?;
    }
    if kind == TokenizerKind::Characters {
        let mut buffer = [0; 4];
        normalized
            .get()
            .chars()
            .for_each(|character| counts.add(character.encode_utf8(&mut buffer)));
        return Ok(());
    }
    let mut pieces = PreTokenizedString::from(normalized);
    if let Some(pre_tokenizer) = untrained.get_pre_tokenizer() {
        pre_tokenizer.pre_tokenize(&mut pieces).map_err(failed)?;
    }
    for (piece, _, _) in pieces.get_splits(OffsetReferential::Normalized, OffsetType::None) {
        counts.add(piece);
    }
    Ok(())
}
