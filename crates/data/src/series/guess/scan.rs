//! Which values of a file come again, told by hashes of all its rows.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::series::raw::field;
use crate::{DataError, Records, Source};

/// Rows that are looked at, at most.
const MOST_ROWS: usize = 5_000_000;
/// Values of all columns that are held, at most, eight bytes each.
const MOST_VALUES: usize = 20_000_000;

/// Hashes of the values of some columns, of the whole file or of its first rows: a series may be longer than any sample.
pub(super) struct Scan {
    columns: HashMap<usize, Vec<u64>>,
    pub(super) n_rows: usize,
}

impl Scan {
    /// Reads the columns at these places.
    pub(super) fn read(source: &Source, places: &HashSet<usize>) -> Result<Self, DataError> {
        let most = (MOST_VALUES / places.len().max(1)).min(MOST_ROWS);
        let mut columns: HashMap<usize, Vec<u64>> =
            places.iter().map(|place| (*place, Vec::new())).collect();
        let mut n_rows = 0;
        for record in Records::open(source)?.take(most) {
            let record = record?;
            for (place, hashes) in &mut columns {
                let mut hasher = DefaultHasher::new();
                field(&record, *place)?.trim().hash(&mut hasher);
                hashes.push(hasher.finish());
            }
            n_rows += 1;
        }
        Ok(Self { columns, n_rows })
    }

    fn hashes(&self, place: usize) -> &[u64] {
        self.columns.get(&place).map_or(&[], Vec::as_slice)
    }

    /// How many different values a column has.
    pub(super) fn n_distinct(&self, place: usize) -> usize {
        self.n_rows - self.repeats(&[place])
    }

    /// How many rows repeat what an earlier row has in all of these columns.
    pub(super) fn repeats(&self, places: &[usize]) -> usize {
        const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut joined = vec![0_u64; self.n_rows];
        for place in places {
            for (joined, hash) in joined.iter_mut().zip(self.hashes(*place)) {
                *joined = (joined.rotate_left(23) ^ hash).wrapping_mul(ODD);
            }
        }
        joined.sort_unstable();
        joined.windows(2).filter(|pair| pair[0] == pair[1]).count()
    }

    /// Whether every value of one column goes with a single value of another.
    pub(super) fn decides(&self, place: usize, other: usize) -> bool {
        let mut seen = HashMap::new();
        let mut pairs = self.hashes(place).iter().zip(self.hashes(other));
        pairs.all(|(key, value)| seen.entry(key).or_insert(value) == &value)
    }
}
