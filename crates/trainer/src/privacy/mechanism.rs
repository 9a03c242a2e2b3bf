//! What a private step does, in the numbers that its promise follows from.

use regard_accounting::{AccountingError, Adjacency, Bound, Event};

use super::clip::Clipping;

/// The Poisson-subsampled Gaussian mechanism of a run: the one place that holds its numbers.
///
/// # Guarantee
///
/// A step releases `(sum over drawn units of clip(gradient) + noise_multiplier · C · N(0, I)) /
/// divisor`, each unit being drawn by itself with probability `sample_rate`, and `C` being what
/// [`Clipping::sensitivity`] returns. [`Mechanism::event`] is that release, step after step.
///
/// | edge | what happens |
/// |---|---|
/// | nobody is drawn | noise, an update, and a step of the budget, as always |
/// | a gradient is not finite | the unit contributes zero |
/// | `sample_rate` 1 | everybody is drawn, and the accountant is told so |
/// | `noise_multiplier` 0 | refused by the configuration: nothing would be promised |
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mechanism {
    /// The probability with which a step draws a unit.
    pub sample_rate: f64,
    /// The standard deviation of the noise over the sensitivity.
    pub noise_multiplier: f64,
    /// How a unit's contribution is bounded.
    pub clipping: Clipping,
    /// What the noisy sum is divided by: the expected number of units of a step. A public constant,
    /// never the number drawn.
    pub divisor: f64,
    /// Which two datasets must be hard to tell apart.
    pub adjacency: Adjacency,
}

impl Mechanism {
    /// What so many steps release.
    #[must_use]
    pub fn event(&self, steps: u64) -> Event {
        #[cfg(test)]
        if super::mutant::Mutant::HalfTheRate.is_made() {
            return Event::dp_sgd(self.sample_rate / 2.0, self.noise_multiplier, steps);
        }
        Event::dp_sgd(self.sample_rate, self.noise_multiplier, steps)
    }

    /// The smallest upper bound on epsilon after so many steps.
    ///
    /// # Errors
    ///
    /// If a number is outside its range.
    pub fn bound(&self, steps: u64, delta: f64) -> Result<Bound, AccountingError> {
        Bound::of(&self.event(steps), self.adjacency, delta)
    }

    /// The standard deviation of the noise on the sum.
    #[must_use]
    pub fn noise_deviation(&self) -> f64 {
        #[cfg(test)]
        match () {
            () if super::mutant::Mutant::TooLittleNoise.is_made() => {
                return 2.0 / 3.0 * self.noise_multiplier * self.clipping.sensitivity().value();
            }
            () if super::mutant::Mutant::NoiseOverBatch.is_made() => {
                let right = self.noise_multiplier * self.clipping.sensitivity().value();
                return right / self.divisor;
            }
            () => {}
        }
        self.noise_multiplier * self.clipping.sensitivity().value()
    }
}
