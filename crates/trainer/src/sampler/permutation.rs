//! A shuffle without a list: the place of each item is computed when it is asked for.

use regard_ops::Key;

/// Rounds of the Feistel network: twice what makes it look random.
const ROUNDS: usize = 8;
/// Halves of two or three bits visibly prefer some orders of five items, whatever the rounds.
const MIN_HALF_BITS: u32 = 4;

/// A keyed permutation of `0..len` in constant memory, with constant-time access to any place.
///
/// A Feistel network permutes a domain `0..4^k` that holds `0..len`; a value outside `0..len`
/// goes through the network again until it falls inside ("cycle walking", Black and Rogaway 2002,
/// <https://doi.org/10.1007/3-540-45760-7_9>). Beyond 256 items the domain is less than four
/// times `len`, so that four passes are the mean of the worst case.
#[derive(Clone, Copy, Debug)]
pub struct Permutation {
    len: u64,
    half_bits: u32,
    round_keys: [Key; ROUNDS],
}

impl Permutation {
    /// The permutation of `0..len` that belongs to `key`.
    #[must_use]
    pub fn new(len: usize, key: Key) -> Self {
        let len = len as u64;
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        Self {
            len,
            half_bits: bits.div_ceil(2).max(MIN_HALF_BITS),
            round_keys: std::array::from_fn(|round| key.fold(round as u64)),
        }
    }

    /// The item at `place`.
    ///
    /// # Panics
    ///
    /// If `place` is not below the length.
    #[must_use]
    pub fn at(&self, place: usize) -> usize {
        let mut item = place as u64;
        assert!(
            item < self.len,
            "place {item} of a permutation of {}",
            self.len
        );
        loop {
            item = self.network(item);
            if item < self.len {
                // `item < len`, and `len` came from a `usize`.
                return item as usize;
            }
        }
    }

    fn network(&self, value: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for key in &self.round_keys {
            (left, right) = (right, left ^ (key.bits(right) & mask));
        }
        left << self.half_bits | right
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn items(len: usize, seed: u64) -> Vec<usize> {
        let permutation = Permutation::new(len, Key::new(seed));
        (0..len).map(|place| permutation.at(place)).collect()
    }

    proptest! {
        #[test]
        fn every_item_has_one_place(len in 0..2000_usize, seed: u64) {
            let mut items = items(len, seed);
            items.sort_unstable();
            prop_assert_eq!(items, (0..len).collect::<Vec<_>>());
        }

        #[test]
        fn places_of_huge_permutations_are_found_at_once(len in 1..usize::MAX / 2, seed: u64) {
            let permutation = Permutation::new(len, Key::new(seed));
            prop_assert!(permutation.at(len - 1) < len);
            prop_assert!(len == 1 || permutation.at(0) != permutation.at(len - 1));
        }
    }

    #[test]
    fn all_orders_of_five_items_are_equally_likely() {
        let seeds = 24_000;
        let mut counts: HashMap<Vec<usize>, f64> = HashMap::new();
        for seed in 0..seeds {
            *counts.entry(items(5, seed)).or_default() += 1.0;
        }
        let expected = seeds as f64 / 120.0;
        let seen: f64 = counts
            .values()
            .map(|c| (c - expected).powi(2) / expected)
            .sum();
        let chi_squared = seen + (120 - counts.len()) as f64 * expected;
        // Mean 119, standard deviation 15.4: both bounds are five deviations away, and the seeds
        // are fixed.
        assert!((42.0..196.0).contains(&chi_squared), "{chi_squared}");
    }

    #[test]
    fn a_permutation_never_changes() {
        // A resumed run depends on these numbers.
        assert_eq!(items(10, 1), items(10, 1));
        assert_eq!(items(10, 1), PINNED);
    }

    const PINNED: [usize; 10] = [3, 0, 9, 8, 6, 7, 1, 5, 4, 2];

    #[test]
    #[should_panic(expected = "place 3 of a permutation of 3")]
    fn a_place_outside_is_refused() {
        let _ = Permutation::new(3, Key::new(0)).at(3);
    }
}
