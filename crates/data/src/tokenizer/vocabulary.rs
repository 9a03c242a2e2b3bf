//! Which tokens there are: counted pieces of the training texts become a vocabulary.

use std::collections::HashMap;

use tokenizers::pre_tokenizers::byte_level::ByteLevel;

use super::TokenizerKind;
use super::byte_pairs::learn_merges;
use super::document::SPECIAL_TOKENS;

/// Tokens, their places being their ids, and the pairs that byte-pair encoding joins, in order.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Vocabulary {
    pub(super) tokens: Vec<String>,
    pub(super) merges: Vec<(String, String)>,
}

impl Vocabulary {
    /// The special tokens and, where a token may be a byte, the bytes: what needs no training.
    pub(super) fn base(kind: TokenizerKind) -> Self {
        let mut tokens: Vec<String> = SPECIAL_TOKENS
            .iter()
            .map(|token| (*token).to_owned())
            .collect();
        if matches!(kind, TokenizerKind::Bytes | TokenizerKind::Bpe) {
            let mut alphabet: Vec<char> = ByteLevel::alphabet().into_iter().collect();
            alphabet.sort_unstable();
            tokens.extend(alphabet.into_iter().map(String::from));
        }
        Self {
            tokens,
            merges: Vec::new(),
        }
    }

    /// The base and what the counts add: pieces that occur `least` times, `size` tokens at most.
    pub(super) fn learn(kind: TokenizerKind, size: usize, least: u64, counts: PieceCounts) -> Self {
        let mut vocabulary = Self::base(kind);
        let room = size.saturating_sub(vocabulary.tokens.len());
        let pieces = counts.sorted();
        match kind {
            TokenizerKind::Bytes => {}
            TokenizerKind::Bpe => learn_merges(&mut vocabulary, &pieces, size, least),
            TokenizerKind::Words | TokenizerKind::Characters => {
                let frequent = pieces.into_iter().filter(|(_, count)| *count >= least);
                vocabulary
                    .tokens
                    .extend(frequent.take(room).map(|(piece, _)| piece));
            }
        }
        vocabulary
    }
}

/// How often each piece occurs, in bounded memory.
#[derive(Default)]
pub(super) struct PieceCounts {
    counts: HashMap<String, u64>,
    dropped: u64,
}

impl PieceCounts {
    /// Longer pieces are not language, and merging them costs the square of their length.
    const LONGEST_PIECE_BYTES: usize = 256;
    const MOST_PIECES: usize = 2_000_000;

    pub(super) fn add(&mut self, piece: &str) {
        if piece.is_empty() || piece.len() > Self::LONGEST_PIECE_BYTES {
            return;
        }
        if let Some(count) = self.counts.get_mut(piece) {
            *count += 1;
            return;
        }
        self.counts.insert(piece.to_owned(), 1);
        while self.counts.len() > Self::MOST_PIECES {
            // The rarest go, as in word2vec: a rising threshold, the same whatever the map's order.
            self.dropped += 1;
            self.counts.retain(|_, count| *count > self.dropped);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Most frequent first, equals by their characters: the map's own order is different in every process.
    fn sorted(self) -> Vec<(String, u64)> {
        let mut pieces: Vec<(String, u64)> = self.counts.into_iter().collect();
        pieces.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        pieces
    }
}
