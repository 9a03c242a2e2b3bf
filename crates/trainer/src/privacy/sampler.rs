//! Drawing the units of a private step.

use super::entropy::Entropy;
use super::mechanism::Mechanism;
use crate::sampler::Draw;

/// Draws each unit by itself with probability q: Poisson sampling, the draw that the accountant
/// knows.
///
/// A shuffle that is accounted as a Poisson draw leaks up to four times what is claimed (Chua et al.
/// 2024, <https://arxiv.org/abs/2403.17673>), so there is no other draw in a private run. A batch may
/// have any size, zero too.
#[derive(Clone, Copy, Debug)]
pub struct PoissonSampler {
    n_units: usize,
    /// A unit is drawn if 64 random bits are below it; none if every unit always is.
    threshold: Option<u64>,
    divisor: f64,
}

impl PoissonSampler {
    /// A sampler over so many units at the mechanism's rate.
    #[must_use]
    pub fn new(n_units: usize, mechanism: &Mechanism) -> Self {
        let scaled = mechanism.sample_rate * 2.0_f64.powi(64);
        Self {
            n_units,
            // `as` rounds down, to the safe side, and saturates.
            threshold: (mechanism.sample_rate < 1.0).then_some(scaled as u64),
            divisor: mechanism.divisor,
        }
    }

    /// The units of a step, in the order of their numbers.
    #[must_use]
    pub fn draw(&self, entropy: &mut Entropy) -> Draw {
        #[cfg(test)]
        if super::mutant::Mutant::FixedBatch.is_made() {
            let order = crate::sampler::Permutation::new(self.n_units, entropy.key());
            let rate = self.threshold.map_or(1.0, |t| t as f64 / 2.0_f64.powi(64));
            let batch = (rate * self.n_units as f64).round() as usize;
            return Draw {
                units: (0..batch).map(|place| order.at(place)).collect(),
                divisor: self.divisor,
            };
        }
        let mut is_drawn = |_: &usize| match self.threshold {
            Some(threshold) => entropy.bits() < threshold,
            None => true,
        };
        Draw {
            units: (0..self.n_units).filter(|unit| is_drawn(unit)).collect(),
            divisor: self.divisor,
        }
    }
}

#[cfg(test)]
mod tests {
    use regard_accounting::Adjacency;

    use super::*;
    use crate::config::ClippingStyle;
    use crate::privacy::Clipping;

    fn mechanism(sample_rate: f64) -> Mechanism {
        Mechanism {
            sample_rate,
            noise_multiplier: 1.0,
            clipping: Clipping::new(ClippingStyle::Flat, 1.0),
            divisor: 30.0,
            adjacency: Adjacency::AddRemove,
        }
    }

    /// Sizes of a Poisson sample have the variance N q (1 - q); batches of a shuffle have none. The
    /// bounds are five standard errors wide: a false alarm in 1.7 million.
    #[test]
    fn batches_have_the_mean_and_the_variance_of_a_poisson_sample_and_not_of_a_shuffle() {
        let (n, q, draws) = (200, 0.15, 4000);
        let sampler = PoissonSampler::new(n, &mechanism(q));
        let mut entropy = Entropy::not_private(1);
        let mut counts = vec![0_u32; n];
        let sizes: Vec<f64> = (0..draws)
            .map(|_| {
                let draw = sampler.draw(&mut entropy);
                assert_eq!(draw.divisor, 30.0, "a public constant, whatever was drawn");
                draw.units.iter().for_each(|unit| counts[*unit] += 1);
                draw.units.len() as f64
            })
            .collect();
        let m = f64::from(draws);
        let mean = sizes.iter().sum::<f64>() / m;
        let variance = sizes.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / m;
        let expected = n as f64 * q * (1.0 - q);
        assert!((mean - 30.0).abs() < 5.0 * (expected / m).sqrt(), "{mean}");
        let spread = 5.0 * expected * (2.0 / m).sqrt();
        assert!((variance - expected).abs() < spread, "{variance}");
        let most = 5.0 * (q * (1.0 - q) * m).sqrt();
        let expected = q * m;
        assert!(
            counts
                .iter()
                .all(|c| (f64::from(*c) - expected).abs() < most)
        );
    }

    #[test]
    fn a_rate_of_one_draws_everybody_and_a_tiny_one_nobody() {
        let mut entropy = Entropy::not_private(1);
        let all = PoissonSampler::new(9, &mechanism(1.0)).draw(&mut entropy);
        assert_eq!(all.units, (0..9).collect::<Vec<_>>());
        let none = PoissonSampler::new(9, &mechanism(1e-15)).draw(&mut entropy);
        assert!(none.units.is_empty());
    }
}
