//! Mistakes that an audit must find, each of which somebody has made. They exist in tests alone.

use std::cell::Cell;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutant {
    /// Gradients are summed as they are.
    NoClipping,
    /// Each unit is bounded by twice the bound that the noise is for.
    BoundTwice,
    /// The noise has two thirds of its standard deviation.
    TooLittleNoise,
    /// The noise is divided by the expected batch once too often.
    NoiseOverBatch,
    /// Every step has the same noise.
    NoiseReused,
    /// The sum is divided by the number of units drawn.
    DivisorOfTheDraw,
    /// A batch of fixed size, as a shuffle has it.
    FixedBatch,
    /// The accountant is told half the sample rate.
    HalfTheRate,
}

impl Mutant {
    pub const ALL: [Self; 8] = [
        Self::NoClipping,
        Self::BoundTwice,
        Self::TooLittleNoise,
        Self::NoiseOverBatch,
        Self::NoiseReused,
        Self::DivisorOfTheDraw,
        Self::FixedBatch,
        Self::HalfTheRate,
    ];

    /// Whether this mistake is made on this thread.
    pub fn is_made(self) -> bool {
        MADE.get() == Some(self)
    }

    /// Runs `f` with the mistake.
    pub fn make<T>(self, f: impl FnOnce() -> T) -> T {
        MADE.set(Some(self));
        let result = f();
        MADE.set(None);
        result
    }
}

thread_local! {
    static MADE: Cell<Option<Mutant>> = const { Cell::new(None) };
}
