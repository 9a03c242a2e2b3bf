//! The two distributions that an accountant compares, one pair for every kind of step.
//!
//! Each pair lies on a line and is turned so that the privacy loss `L(x) = ln P(x)/Q(x)` grows
//! with x. With `N(m)` the Gaussian of mean m and standard deviation sigma, and q the sample rate:
//!
//! | step | P | Q | source |
//! |---|---|---|---|
//! | sampled, a unit removed | (1-q) N(0) + q N(1) | N(0) | Zhu, Dong, Wang 2022, theorem 11 |
//! | sampled, a unit added | N(0) | (1-q) N(0) + q N(-1) | the same |
//! | sampled, replaced | (1-q) N(0) + q N(1) | (1-q) N(0) + q N(-1) | Lebeda et al. 2024 |
//! | truncated | a mixture over how full the batch is | | see `Event` |
//! | fixed size, replaced | the first where L > 0, the second where L < 0, the rest at L = 0 | | Balle, Barthe, Gaboardi 2018, theorem 9 |
//!
//! <https://arxiv.org/abs/2106.08567>, <https://arxiv.org/abs/2405.20769>,
//! <https://arxiv.org/abs/1807.01647>. The Gaussian is q = 1 of the first.

use std::f64::consts::TAU;

use crate::binomial::Full;
use crate::event::Step;
use crate::quadrature;

/// Which of the two datasets is the one that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Removed,
    Added,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    Removed,
    Added,
    Replaced,
}

/// A pair of distributions on the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pair {
    shape: Shape,
    rate: f64,
    pub(crate) sigma: f64,
}

/// A share of a step: a pair, used between two places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) weight: f64,
    pub(crate) pair: Pair,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

/// A step as pieces and the probability (of P, and of Q) of a loss of exactly 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dominating {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) at_zero: f64,
}

impl Dominating {
    /// The pair that dominates a step; for steps that have noise.
    pub(crate) fn of(step: &Step, direction: Direction) -> Self {
        let shape = match direction {
            Direction::Removed => Shape::Removed,
            Direction::Added => Shape::Added,
        };
        let pair = |shape, rate, sigma| Pair { shape, rate, sigma };
        let whole = |weight, pair| Piece {
            weight,
            pair,
            from: f64::NEG_INFINITY,
            to: f64::INFINITY,
        };
        match *step {
            Step::Nothing | Step::Bare => Self {
                pieces: Vec::new(),
                at_zero: 1.0,
            },
            // Both directions are the same.
            Step::Gaussian { sigma } => Self {
                pieces: vec![whole(1.0, pair(Shape::Removed, 1.0, sigma))],
                at_zero: 0.0,
            },
            Step::Sampled { rate, sigma } => Self {
                pieces: vec![whole(1.0, pair(shape, rate, sigma))],
                at_zero: 0.0,
            },
            Step::SampledReplaced { rate, sigma } => Self {
                pieces: vec![whole(1.0, pair(Shape::Replaced, rate, sigma))],
                at_zero: 0.0,
            },
            Step::FixedSize { rate, sigma } => Self {
                pieces: vec![
                    Piece {
                        from: 0.5,
                        ..whole(1.0, pair(Shape::Removed, rate, sigma))
                    },
                    Piece {
                        to: -0.5,
                        ..whole(1.0, pair(Shape::Added, rate, sigma))
                    },
                ],
                at_zero: (1.0 - rate) * libm::erf(0.5 / sigma / std::f64::consts::SQRT_2),
            },
            Step::Truncated {
                rate,
                others,
                max_batch_size,
                sigma,
                replaced,
            } => {
                let shape = if replaced { Shape::Replaced } else { shape };
                let full = Full::groups(others, rate, max_batch_size);
                let probability: f64 = full.iter().map(|group| group.probability).sum();
                let mut pieces = vec![whole(1.0 - probability, pair(shape, rate, sigma))];
                // In a full batch a unit stands where another one would have stood: twice as far.
                pieces.extend(full.iter().map(|group| {
                    let kept = max_batch_size as f64 / (group.others as f64 + 1.0);
                    whole(group.probability, pair(shape, rate * kept, sigma / 2.0))
                }));
                Self {
                    pieces,
                    at_zero: 0.0,
                }
            }
        }
    }
}

impl Pair {
    /// Rate and sigma where P is a sampled Gaussian and Q the Gaussian.
    pub(crate) fn as_sampled(&self) -> Option<(f64, f64)> {
        (self.shape == Shape::Removed).then_some((self.rate, self.sigma))
    }

    /// The density of P.
    pub(crate) fn p(&self, x: f64) -> f64 {
        let scale = 1.0 / (self.sigma * TAU.sqrt());
        let bell = |mean: f64| (-0.5 * ((x - mean) / self.sigma).powi(2)).exp();
        scale
            * match self.shape {
                Shape::Added => bell(0.0),
                _ if self.rate == 1.0 => bell(1.0),
                _ => (1.0 - self.rate) * bell(0.0) + self.rate * bell(1.0),
            }
    }

    /// The logarithm of the density of Q.
    pub(crate) fn ln_q(&self, x: f64) -> f64 {
        let bell = -0.5 * (x / self.sigma).powi(2) - (self.sigma * TAU.sqrt()).ln();
        match self.shape {
            Shape::Removed => bell,
            // N(-1) / N(0) is the density ratio of one that is there, seen from the other side.
            Shape::Added | Shape::Replaced => bell + self.presence(-x),
        }
    }

    /// The privacy loss.
    pub(crate) fn loss(&self, x: f64) -> f64 {
        match self.shape {
            Shape::Removed => self.presence(x),
            Shape::Added => -self.presence(-x),
            Shape::Replaced => self.presence(x) - self.presence(-x),
        }
    }

    /// Where the loss is `loss`; infinite where it never gets there.
    pub(crate) fn at_loss(&self, loss: f64) -> f64 {
        match self.shape {
            Shape::Removed => self.at_presence(loss),
            Shape::Added => -self.at_presence(-loss),
            Shape::Replaced => self.at_difference(loss),
        }
    }

    /// Where P has all but `2 exp(-reach² / 2)` of its mass.
    pub(crate) fn bulk(&self, reach: f64) -> (f64, f64) {
        let low = if self.rate == 1.0 && self.shape != Shape::Added {
            1.0
        } else {
            0.0
        };
        let high = if self.shape == Shape::Added { 0.0 } else { 1.0 };
        (low - reach * self.sigma, high + reach * self.sigma)
    }

    /// Where the tilted measure `P exp(theta L)`, theta >= 0, has all that can be seen in a float.
    pub(crate) fn tilted_bulk(&self, theta: f64) -> (f64, f64) {
        let (low, high) = self.bulk(9.0);
        match self.shape {
            // P^(theta + 1) Q^-theta: the peak of N(1)^(theta + 1) / N(0)^theta is at theta + 1.
            Shape::Removed => (low, high + theta),
            Shape::Added => (low, high),
            Shape::Replaced => (low, high + 2.0 * theta),
        }
    }

    /// Calls `node(x, weight)` for the nodes of a quadrature rule between two places, fine enough for
    /// the densities and any moderate power of their ratio; false if they are too many.
    #[must_use]
    pub(crate) fn nodes(&self, from: f64, to: f64, mut node: impl FnMut(f64, f64)) -> bool {
        if from >= to {
            return true;
        }
        let (low, high) = self.bend();
        let within = |x: f64| x.max(from).min(to);
        let (low, high) = (within(low), within(high));
        let coarse = self.sigma / 1.5;
        quadrature::nodes(from, low, coarse, &mut node)
            && quadrature::nodes(low, high, self.fine(1.5, 1.0), &mut node)
            && quadrature::nodes(high, to, coarse, &mut node)
    }

    /// A width around x over which density and loss hardly change.
    pub(crate) fn flat(&self, x: f64) -> f64 {
        let (low, high) = self.bend();
        if x > low && x < high {
            self.fine(256.0, 64.0)
        } else {
            self.sigma / 256.0
        }
    }

    fn fine(&self, of_sigma: f64, of_variance: f64) -> f64 {
        (self.sigma / of_sigma).min(self.sigma * self.sigma / of_variance)
    }

    /// Where the loss bends from constant to linear, on the scale of sigma². Outside it is straight to
    /// all digits.
    fn bend(&self) -> (f64, f64) {
        let (q, variance) = (self.rate, self.sigma * self.sigma);
        if q == 1.0 {
            return (0.5, 0.5);
        }
        // exp(t) = (1 - q) / q, where both parts of the mixture weigh the same.
        let even = ((1.0 - q) / q).ln();
        let low = 0.5 + variance * (even.min(0.0) - 40.0);
        let high = 0.5 + variance * (even.max(0.0) + 40.0);
        match self.shape {
            Shape::Removed => (low, high),
            Shape::Added => (-high, -low),
            Shape::Replaced => (low.min(-high), high.max(-low)),
        }
    }

    /// `ln((1-q) N(0) + q N(1)) - ln N(0)` at x.
    fn presence(&self, x: f64) -> f64 {
        let (q, t) = (self.rate, (2.0 * x - 1.0) / (2.0 * self.sigma * self.sigma));
        if q == 1.0 {
            return t;
        }
        if t > 30.0 {
            return t + q.ln() + ((1.0 - q) / q * (-t).exp()).ln_1p();
        }
        let shift = q * t.exp_m1();
        if shift.abs() < 0.5 {
            shift.ln_1p()
        } else {
            (1.0 - q + q * t.exp()).ln()
        }
    }

    /// The inverse of [`Pair::presence`].
    fn at_presence(&self, loss: f64) -> f64 {
        let q = self.rate;
        let t = if q == 1.0 {
            loss
        } else if loss > 30.0 {
            loss - q.ln() + (-(1.0 - q) * (-loss).exp()).ln_1p()
        } else {
            let above = loss.exp_m1() / q;
            if above <= -1.0 {
                return f64::NEG_INFINITY;
            }
            above.ln_1p()
        };
        self.sigma * self.sigma * t + 0.5
    }

    /// The inverse of `presence(x) - presence(-x)`: a quadratic equation in `exp(x / sigma²)`.
    fn at_difference(&self, loss: f64) -> f64 {
        let (half, variance) = (loss.abs() / 2.0, self.sigma * self.sigma);
        // ln of (1-q) sinh(half) / (q exp(-1 / 2 sigma²))
        let ln_sinh = half + (-(-2.0 * half).exp_m1()).ln() - std::f64::consts::LN_2;
        let ln_ratio = (-self.rate).ln_1p() + ln_sinh - self.rate.ln() + 0.5 / variance;
        let asinh = if ln_ratio > 30.0 {
            ln_ratio + std::f64::consts::LN_2
        } else {
            ln_ratio.exp().asinh()
        };
        variance * (half + asinh) * loss.signum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> Vec<Pair> {
        let mut pairs = Vec::new();
        for shape in [Shape::Removed, Shape::Added, Shape::Replaced] {
            for rate in [1e-6, 0.01, 0.5, 0.999] {
                for sigma in [0.2, 1.0, 7.0] {
                    pairs.push(Pair { shape, rate, sigma });
                }
            }
        }
        pairs
    }

    #[test]
    fn the_loss_is_the_logarithm_of_the_ratio_and_grows() {
        for pair in pairs() {
            let mut last = f64::NEG_INFINITY;
            for i in -40..=40 {
                let x = 0.5 + f64::from(i) / 10.0 * pair.sigma;
                let loss = pair.loss(x);
                let ratio = pair.p(x).ln() - pair.ln_q(x);
                assert!(
                    (loss - ratio).abs()
                        < 1e-12 * (1.0 + ratio.abs().max(1.0 / pair.sigma.powi(2)) * 10.0),
                    "{pair:?} {x}: {loss} {ratio}"
                );
                assert!(loss >= last, "{pair:?} {x}");
                last = loss;
            }
        }
    }

    #[test]
    fn the_place_of_a_loss_has_that_loss() {
        for pair in pairs() {
            for i in -30..=30 {
                let x = 0.5 + f64::from(i) / 10.0 * pair.sigma;
                let loss = pair.loss(x);
                let again = pair.loss(pair.at_loss(loss));
                assert!(
                    (loss - again).abs() <= 1e-9 * loss.abs(),
                    "{pair:?} {x}: {loss} {again}"
                );
            }
        }
    }
}
