//! Byte-pair encoding, learned (Sennrich et al. 2016, <https://arxiv.org/abs/1508.07909>): the most frequent pair of
//! neighbouring tokens becomes a token, again and again.
//!
//! The `tokenizers` crate has a trainer of its own, and a test holds the two together. This one takes pieces with
//! their counts, so that a large corpus is counted in bounded memory and not repeated; its counts are 64 bits wide; and
//! no step depends on a hash map's order or on threads: the same texts give the same bytes by construction.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::vocabulary::Vocabulary;

type Pair = (u32, u32);

/// A pair seen once teaches nothing that another text could use.
const LEAST_COUNT: u64 = 2;

struct Word {
    tokens: Vec<u32>,
    count: u64,
}

#[derive(Default)]
struct PairUse {
    count: u64,
    /// Words that hold the pair, or held it once.
    words: Vec<usize>,
}

/// Adds tokens and merges to a vocabulary that holds all bytes, until it has `size` tokens or no pair occurs `least`
/// times, and twice.
pub(super) fn learn_merges(
    vocabulary: &mut Vocabulary,
    pieces: &[(String, u64)],
    size: usize,
    least: u64,
) {
    let least = least.max(LEAST_COUNT);
    let mut ids: HashMap<String, u32> = (0_u32..)
        .zip(&vocabulary.tokens)
        .map(|(id, token)| (token.clone(), id))
        .collect();
    let mut words = split_into_bytes(pieces, &ids);
    let mut pairs: HashMap<Pair, PairUse> = HashMap::new();
    for (place, word) in words.iter().enumerate() {
        for pair in neighbours(&word.tokens) {
            let uses = pairs.entry(pair).or_default();
            uses.count += word.count;
            uses.words.push(place);
        }
    }
    // The most frequent pair first, of equals the one with the lower ids. A count may be out of date; see below.
    let mut queue: BinaryHeap<(u64, Reverse<Pair>)> = pairs
        .iter()
        .map(|(pair, uses)| (uses.count, Reverse(*pair)))
        .collect();
    while vocabulary.tokens.len() < size {
        let Some((count, Reverse(pair))) = queue.pop() else {
            break;
        };
        let current = pairs.get(&pair).map_or(0, |uses| uses.count);
        if count != current {
            // Counts only fall while a pair waits; those that rise are queued again where they rise.
            if current >= least && current < count {
                queue.push((current, Reverse(pair)));
            }
            continue;
        }
        if count < least {
            break;
        }
        let joined = format!(
            "{}{}",
            vocabulary.tokens[pair.0 as usize], vocabulary.tokens[pair.1 as usize]
        );
        let next_id = u32::try_from(vocabulary.tokens.len())
            .expect("a vocabulary of four thousand million tokens");
        let id = *ids.entry(joined.clone()).or_insert(next_id);
        vocabulary.merges.push((
            vocabulary.tokens[pair.0 as usize].clone(),
            vocabulary.tokens[pair.1 as usize].clone(),
        ));
        if id == next_id {
            vocabulary.tokens.push(joined);
        }
        for changed in merge_everywhere(&mut words, &mut pairs, pair, id) {
            queue.push((pairs[&changed].count, Reverse(changed)));
        }
    }
}

fn split_into_bytes(pieces: &[(String, u64)], ids: &HashMap<String, u32>) -> Vec<Word> {
    pieces
        .iter()
        .map(|(piece, count)| {
            let token = |character: char| ids.get(character.encode_utf8(&mut [0; 4])).copied();
            Word {
                tokens: piece.chars().filter_map(token).collect(),
                count: *count,
            }
        })
        .collect()
}

fn neighbours(tokens: &[u32]) -> impl Iterator<Item = Pair> {
    tokens.windows(2).map(|two| (two[0], two[1]))
}

/// Joins a pair in all words; returns the pairs whose counts rose.
fn merge_everywhere(
    words: &mut [Word],
    pairs: &mut HashMap<Pair, PairUse>,
    pair: Pair,
    id: u32,
) -> Vec<Pair> {
    let Some(uses) = pairs.remove(&pair) else {
        return Vec::new();
    };
    let mut risen = Vec::new();
    for place in uses.words {
        let word = &mut words[place];
        let merged = merge(&word.tokens, pair, id);
        if merged.len() == word.tokens.len() {
            continue;
        }
        for old in neighbours(&word.tokens) {
            if let Some(uses) = pairs.get_mut(&old) {
                uses.count -= word.count;
            }
        }
        for new in neighbours(&merged) {
            let uses = pairs.entry(new).or_default();
            uses.count += word.count;
            if new.0 == id || new.1 == id {
                uses.words.push(place);
                risen.push(new);
            }
        }
        word.tokens = merged;
    }
    risen.sort_unstable();
    risen.dedup();
    risen
}

/// The tokens with every occurrence of the pair replaced, from left to right.
fn merge(tokens: &[u32], pair: Pair, id: u32) -> Vec<u32> {
    let mut merged = Vec::with_capacity(tokens.len());
    let mut place = 0;
    while place < tokens.len() {
        if tokens[place] == pair.0 && tokens.get(place + 1) == Some(&pair.1) {
            merged.push(id);
            place += 2;
        } else {
            merged.push(tokens[place]);
            place += 1;
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tokenizers::models::bpe::{BPE, BpeTrainer};
    use tokenizers::{AddedToken, Model, Trainer};

    use super::*;
    use crate::TokenizerKind;

    /// Pieces as the pre-tokenizer makes them of plain English.
    fn pieces() -> Vec<(String, u64)> {
        let text = include_str!("../../../../datasets/sms-spam/test.tsv");
        let mut counts: HashMap<String, u64> = HashMap::new();
        for word in text
            .split(|character: char| !character.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
        {
            *counts.entry(format!("Ġ{word}")).or_default() += 1;
        }
        let mut pieces: Vec<_> = counts.into_iter().collect();
        pieces.sort_unstable();
        pieces
    }

    #[test]
    fn the_vocabulary_is_the_one_that_the_crates_own_trainer_learns() {
        let pieces = pieces();
        let mut ours = Vocabulary::base(TokenizerKind::Bpe);
        let special = ours.tokens[..5]
            .iter()
            .map(|token| AddedToken::from(token.as_str(), true))
            .collect();
        let alphabet: HashSet<char> = ours.tokens[5..]
            .iter()
            .filter_map(|token| token.chars().next())
            .collect();
        learn_merges(&mut ours, &pieces, 1_200, 1);
        let mut trainer = BpeTrainer::builder()
            .show_progress(false)
            .vocab_size(1_200)
            .min_frequency(LEAST_COUNT)
            .special_tokens(special)
            .initial_alphabet(alphabet)
            .build();
        let words = pieces
            .iter()
            .flat_map(|(piece, count)| std::iter::repeat_n(piece, *count as usize));
        trainer
            .feed(words, |word| Ok(vec![word.to_owned()]))
            .unwrap();
        let mut theirs = BPE::default();
        trainer.train(&mut theirs).unwrap();
        assert_eq!(ours.tokens.len(), 1_200);
        for (id, token) in (0_u32..).zip(&ours.tokens) {
            assert_eq!(theirs.token_to_id(token), Some(id), "{token}");
        }
    }

    /// The definition itself: count all pairs anew, join the most frequent one everywhere.
    fn naive(vocabulary: &mut Vocabulary, pieces: &[(String, u64)], size: usize, least: u64) {
        let ids = (0_u32..)
            .zip(&vocabulary.tokens)
            .map(|(id, token)| (token.clone(), id))
            .collect();
        let mut words = split_into_bytes(pieces, &ids);
        while vocabulary.tokens.len() < size {
            let mut counts: HashMap<Pair, u64> = HashMap::new();
            for word in &words {
                neighbours(&word.tokens)
                    .for_each(|pair| *counts.entry(pair).or_default() += word.count);
            }
            let best = counts
                .into_iter()
                .max_by_key(|(pair, count)| (*count, Reverse(*pair)));
            let Some((pair, _)) = best.filter(|(_, count)| *count >= least) else {
                break;
            };
            let (left, right) = (
                vocabulary.tokens[pair.0 as usize].clone(),
                vocabulary.tokens[pair.1 as usize].clone(),
            );
            let joined = format!("{left}{right}");
            let known = vocabulary.tokens.iter().position(|token| *token == joined);
            let id = known.unwrap_or(vocabulary.tokens.len()) as u32;
            if known.is_none() {
                vocabulary.tokens.push(joined);
            }
            vocabulary.merges.push((left, right));
            words
                .iter_mut()
                .for_each(|word| word.tokens = merge(&word.tokens, pair, id));
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn the_queue_learns_what_counting_anew_learns(
            pieces in proptest::collection::vec(("[ab]{0,9}[abc]{0,3}", 1_u64..4), 0..8),
            least in 2_u64..6,
        ) {
            let mut fast = Vocabulary::base(TokenizerKind::Bpe);
            let mut slow = fast.clone();
            learn_merges(&mut fast, &pieces, 285, least);
            naive(&mut slow, &pieces, 285, least);
            proptest::prop_assert_eq!(fast, slow);
        }
    }
}
