//! Byte-pair encoding, learned (Sennrich et al. 2016, <https://arxiv.org/abs/1508.07909>): the most frequent pair of
//! neighbouring tokens becomes a token, again and again.
//!
//! The `tokenizers` crate has a trainer of its own. This one exists because the same texts must give the same bytes:
//! no step here depends on a hash map's order or on threads, and counts are 64 bits wide. A test holds the two together.

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

/// Adds tokens and merges to a vocabulary that holds all bytes, until it has `size` tokens or nothing occurs twice.
pub(super) fn learn_merges(vocabulary: &mut Vocabulary, pieces: &[(String, u64)], size: usize) {
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
            if current >= LEAST_COUNT && current < count {
                queue.push((current, Reverse(pair)));
            }
            continue;
        }
        if count < LEAST_COUNT {
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
