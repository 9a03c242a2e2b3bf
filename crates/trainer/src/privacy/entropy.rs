//! Unpredictable numbers.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use regard_ops::Key;

use crate::error::TrainError;

/// A generator that nobody can predict: ChaCha20, seeded by the operating system.
///
/// A run's seed is written in its configuration; noise that followed from it could be taken off again
/// by whoever reads that. So noise, draws and dropout masks of a private run come from here. Nothing
/// of it is stored, so a run that is resumed draws anew.
pub struct Entropy(ChaCha20Rng);

impl Entropy {
    /// Seeded by the operating system.
    ///
    /// # Errors
    ///
    /// [`TrainError::Entropy`] if the system gives no random bytes.
    pub fn from_system() -> Result<Self, TrainError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| TrainError::Entropy {
            reason: error.to_string(),
        })?;
        Ok(Self(ChaCha20Rng::from_seed(seed)))
    }

    /// Seeded by a number: **not private**, for tests that need the same numbers twice.
    #[must_use]
    pub fn not_private(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// The seed of another generator.
    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        seed
    }

    /// A root of randomness that need not be cryptographic but must be secret and fresh, such as that
    /// of a step's dropout masks.
    ///
    /// Masks are drawn by a row's place in the batch, and the places depend on who else was drawn. Were
    /// they known, one unit more would change what the others contribute; since they are secret, each
    /// unit's mask has the same distribution whoever else is there.
    pub fn key(&mut self) -> Key {
        Key::new(self.bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_generators_of_the_system_have_nothing_in_common() {
        let (mut a, mut b) = (
            Entropy::from_system().unwrap(),
            Entropy::from_system().unwrap(),
        );
        assert_ne!(a.seed(), b.seed());
        assert_ne!(a.bits(), b.bits());
        assert_ne!(a.key(), a.key());
    }
}
