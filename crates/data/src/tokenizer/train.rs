//! Training: the texts' pieces are counted one text at a time, the counts become a vocabulary.

use tokenizers::{
    NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

use super::document::document;
use super::guard::capped;
use super::vocabulary::{PieceCounts, Vocabulary};
use super::wrapper::parse;
use super::{Tokenizer, TokenizerConfig, TokenizerKind};
use crate::DataError;

pub(super) fn train<'a>(
    config: &TokenizerConfig,
    texts: impl IntoIterator<Item = &'a str>,
) -> Result<Tokenizer, DataError> {
    config.validate()?;
    let TokenizerConfig {
        kind,
        vocab_size,
        max_length,
        lowercase,
        ..
    } = *config;
    let mut counts = PieceCounts::default();
    if kind != TokenizerKind::Bytes {
        // The same code cuts texts into pieces now and when they are encoded.
        let untrained = parse(&document(
            kind,
            lowercase,
            max_length,
            &Vocabulary::base(kind),
        ))?;
        for text in texts {
            count_pieces(&untrained, kind, capped(text, max_length).0, &mut counts)?;
        }
        if counts.is_empty() {
            return Err(DataError::NothingToTokenize);
        }
    }
    let vocabulary = Vocabulary::learn(kind, vocab_size, counts);
    Tokenizer::new(
        "the trained tokenizer",
        parse(&document(kind, lowercase, max_length, &vocabulary))?,
        max_length,
    )
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
