//! Batches of similar lengths, each a function of (seed, epoch, index).

use regard_ops::Key;

use super::Permutation;

/// The number of units that a window aims at: each draw sorts one window.
const WINDOW_UNITS: usize = 8192;
/// More batches than this in a window gain no padding worth the sorting.
const MAX_WINDOW_BATCHES: usize = 64;

/// What one optimiser step learns from.
///
/// A draw names **units**, not rows: a unit may stand in several rows of a batch. It may be empty;
/// the step then has no gradient but is a step all the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// The units, by their number in the training set.
    pub units: Vec<usize>,
    /// What the sum of the units' losses is divided by.
    pub divisor: f64,
}

/// Draws batches without replacement: every unit once an epoch.
///
/// The units of an epoch are permuted; a window of the permutation is sorted by length and cut into
/// batches, so that texts of similar length meet and little is padded; the batches of the epoch are
/// permuted again, so that short and long ones mix. Nothing is stored but the lengths: any draw of
/// any epoch is computed when it is asked for, and a resumed run needs only its number.
#[derive(Clone, Debug)]
pub struct Sampler {
    lengths: Vec<u32>,
    batch_size: usize,
    key: Key,
}

impl Sampler {
    /// A sampler over `lengths.len()` units.
    ///
    /// # Panics
    ///
    /// If `batch_size` is 0.
    #[must_use]
    pub fn new(lengths: Vec<u32>, batch_size: usize, seed: u64) -> Self {
        assert!(batch_size > 0, "a batch of no units never ends an epoch");
        Self {
            lengths,
            batch_size,
            key: Key::new(seed).stream("sampler"),
        }
    }

    /// The number of units.
    #[must_use]
    pub const fn n_units(&self) -> usize {
        self.lengths.len()
    }

    /// The number of draws of an epoch; the last batch may be a part of one.
    #[must_use]
    pub const fn n_batches_per_epoch(&self) -> usize {
        self.lengths.len().div_ceil(self.batch_size)
    }

    /// The `index`-th draw of `epoch`, both counted from 0.
    ///
    /// # Panics
    ///
    /// If `index` is not below [`Sampler::n_batches_per_epoch`].
    #[must_use]
    pub fn draw(&self, epoch: u64, index: usize) -> Draw {
        let key = self.key.fold(epoch);
        let batch = Permutation::new(self.n_batches_per_epoch(), key.stream("batches")).at(index);
        let window_batches = (WINDOW_UNITS / self.batch_size).clamp(1, MAX_WINDOW_BATCHES);
        let first = batch / window_batches * window_batches * self.batch_size;
        let end = (first + window_batches * self.batch_size).min(self.n_units());
        let order = Permutation::new(self.n_units(), key.stream("units"));
        let mut window: Vec<usize> = (first..end).map(|place| order.at(place)).collect();
        // Stable: units of one length keep their random order.
        window.sort_by_key(|unit| self.lengths[*unit]);
        let units: Vec<usize> = window
            .into_iter()
            .skip(batch % window_batches * self.batch_size)
            .take(self.batch_size)
            .collect();
        Draw {
            divisor: units.len() as f64,
            units,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn epoch(sampler: &Sampler, epoch: u64) -> Vec<Draw> {
        (0..sampler.n_batches_per_epoch())
            .map(|index| sampler.draw(epoch, index))
            .collect()
    }

    fn units(draws: &[Draw]) -> Vec<usize> {
        draws.iter().flat_map(|draw| draw.units.clone()).collect()
    }

    proptest! {
        #[test]
        fn each_epoch_names_every_unit_once(
            lengths in prop::collection::vec(0..200_u32, 0..600),
            batch_size in 1..50_usize,
            seed: u64,
            number: u64,
        ) {
            let n_units = lengths.len();
            let sampler = Sampler::new(lengths, batch_size, seed);
            let draws = epoch(&sampler, number);
            let partial = draws.iter().filter(|draw| draw.units.len() < batch_size).count();
            prop_assert!(partial <= 1);
            for draw in &draws {
                prop_assert!(!draw.units.is_empty());
                prop_assert_eq!(draw.divisor, draw.units.len() as f64);
            }
            let mut units = units(&draws);
            units.sort_unstable();
            prop_assert_eq!(units, (0..n_units).collect::<Vec<_>>());
        }
    }

    #[test]
    fn epochs_and_seeds_differ_and_a_draw_repeats() {
        let sampler = |seed| Sampler::new(vec![1; 100], 8, seed);
        let first = epoch(&sampler(1), 0);
        assert_eq!(first, epoch(&sampler(1), 0));
        assert_ne!(units(&first), units(&epoch(&sampler(1), 1)));
        assert_ne!(units(&first), units(&epoch(&sampler(2), 0)));
    }

    #[test]
    fn a_batch_holds_similar_lengths_and_batches_come_in_no_order_of_length() {
        let key = Key::new(5);
        let lengths: Vec<u32> = (0..10_000).map(|i| key.below(i, 100) as u32).collect();
        let sampler = Sampler::new(lengths.clone(), 32, 7);
        let draws = epoch(&sampler, 3);
        let longest = |draw: &Draw| draw.units.iter().map(|unit| lengths[*unit]).max();
        let padded: usize = draws
            .iter()
            .map(|draw| draw.units.len() * longest(draw).unwrap_or(0) as usize)
            .sum();
        let whole: u32 = lengths.iter().sum();
        // Without buckets every batch would be padded to about 97, twice the mean of 49.5.
        assert!(
            (padded as f64) < 1.05 * f64::from(whole),
            "{padded} of {whole}"
        );

        let rising = draws
            .windows(2)
            .filter(|pair| longest(&pair[0]) < longest(&pair[1]));
        let share = rising.count() as f64 / draws.len() as f64;
        assert!((0.4..0.6).contains(&share), "{share}");
    }

    #[test]
    fn a_window_is_no_longer_than_a_draw_can_afford() {
        let sampler = Sampler::new(vec![3; 100_000], 16_384, 0);
        assert_eq!(sampler.n_batches_per_epoch(), 7);
        let mut all = units(&epoch(&sampler, 0));
        all.sort_unstable();
        assert_eq!(all, (0..100_000).collect::<Vec<_>>());
    }

    #[test]
    fn no_units_make_no_batches() {
        assert_eq!(Sampler::new(vec![], 8, 0).n_batches_per_epoch(), 0);
    }
}
