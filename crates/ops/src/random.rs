//! Randomness as a function: nothing is stored, everything replays.
//!
//! A [`Key`] names a place: the run's seed, a stream (`"dropout"`, `"init"`, …), a step, a stage, a
//! site. [`Key::bits`] gives the `index`-th 64 random bits of that place. Two processes that name the
//! same place see the same bits, in any order, on any number of threads and on any backend; so a run
//! that resumes, and a stage that is recomputed, draw exactly what they drew before.
//!
//! The generator is SplitMix64 (Steele, Lea and Flood 2014, <https://doi.org/10.1145/2714064.2660195>)
//! read by counter: the `i`-th output is `mix(key + (i + 1) * GOLDEN)`, the finaliser being Stafford's
//! variant 13. It is statistical, **not** cryptographic: privacy noise never comes from here.

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Stafford's variant 13 of the MurmurHash3 finaliser: a bijection in which every input bit reaches
/// every output bit.
#[inline]
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The name of a place in the space of random numbers.
///
/// JAX equivalent: a `jax.random.key`, with [`Key::fold`] as `jax.random.fold_in`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(u64);

impl Key {
    /// The root of a run: everything random in it derives from this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(mix(seed ^ 0x5245_4741_5244_0001))
    }

    /// The same place, one level down, under the number `value`.
    #[must_use]
    pub const fn fold(self, value: u64) -> Self {
        // Both operands are mixed before and after they meet, so that (a, b) and (b, a) part.
        Self(mix(self.0.rotate_left(25) ^ mix(value.wrapping_add(GOLDEN))))
    }

    /// The same place, one level down, under `name`.
    #[must_use]
    pub const fn stream(self, name: &str) -> Self {
        // FNV-1a, closed by the length: names are few, short and written by hand.
        let bytes = name.as_bytes();
        let mut hash = 0xCBF2_9CE4_8422_2325_u64;
        let mut i = 0;
        while i < bytes.len() {
            hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01B3);
            i += 1;
        }
        self.fold(mix(hash) ^ bytes.len() as u64)
    }

    /// The `index`-th 64 random bits of this place.
    #[inline]
    #[must_use]
    pub const fn bits(self, index: u64) -> u64 {
        mix(self
            .0
            .wrapping_add(index.wrapping_add(1).wrapping_mul(GOLDEN)))
    }

    /// The `index`-th uniform number of this place, in `[0, 1)`, with 53 random bits.
    #[inline]
    #[must_use]
    pub const fn uniform(self, index: u64) -> f64 {
        (self.bits(index) >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// The `index`-th standard normal number of this place (Box and Muller 1958).
    #[must_use]
    pub fn normal(self, index: u64) -> f64 {
        // 1 - u lies in (0, 1], so the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.uniform(2 * index)).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform(2 * index + 1)).cos()
    }

    /// A number in `0..bound`, free of modulo bias to 2^-64 (Lemire 2019).
    ///
    /// # Panics
    ///
    /// If `bound` is 0.
    #[must_use]
    pub const fn below(self, index: u64, bound: u64) -> u64 {
        assert!(bound > 0, "there is no number below 0");
        ((self.bits(index) as u128 * bound as u128) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_of_a_place_never_change() {
        // Files and resumed runs depend on these numbers: a change here is a new format version.
        let key = Key::new(42).stream("dropout").fold(7);
        assert_eq!(key.bits(0), Key::new(42).stream("dropout").fold(7).bits(0));
        assert_eq!(
            [Key::new(0).bits(0), key.bits(0), key.bits(1)],
            [
                18_194_842_768_871_091_234,
                18_329_873_045_950_528_019,
                4_832_772_006_842_095_485
            ]
        );
    }

    #[test]
    fn neighbouring_places_share_nothing() {
        let root = Key::new(1);
        let mut seen = std::collections::HashSet::new();
        for name in ["dropout", "init", "sampler", ""] {
            for fold in 0..50 {
                for index in 0..50 {
                    assert!(seen.insert(root.stream(name).fold(fold).bits(index)));
                }
            }
        }
        assert_ne!(root.fold(1).fold(2), root.fold(2).fold(1));
    }

    #[test]
    fn normals_have_the_mean_and_variance_of_normals() {
        let key = Key::new(3).stream("test");
        let n = 200_000_u64;
        let (mut sum, mut square) = (0.0, 0.0);
        for i in 0..n {
            let z = key.normal(i);
            sum += z;
            square += z * z;
        }
        let (mean, variance) = (sum / n as f64, square / n as f64);
        // Five standard errors: a false alarm in 1.7 million seeds, and this seed is fixed.
        assert!(mean.abs() < 5.0 / (n as f64).sqrt(), "mean {mean}");
        assert!(
            (variance - 1.0).abs() < 5.0 * (2.0 / n as f64).sqrt(),
            "variance {variance}"
        );
    }

    #[test]
    fn numbers_below_a_bound_are_spread_evenly() {
        let key = Key::new(4);
        let mut counts = [0_u32; 7];
        for i in 0..70_000 {
            counts[key.below(i, 7) as usize] += 1;
        }
        // 10,000 each, standard deviation 93.
        assert!(
            counts.iter().all(|c| (9_500..10_500).contains(c)),
            "{counts:?}"
        );
    }
}
