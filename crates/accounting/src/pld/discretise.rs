//! A privacy loss on a grid, never better than the true one: connect-the-dots.
//!
//! The mass of P between two grid points is split among them so that the mass of P and the mass of Q
//! are both kept. That is the pair whose curve of delta over `exp(epsilon)` connects the true curve's
//! values at the grid points by straight lines, the tightest pessimistic one on this grid (Doroshenko,
//! Ghazi, Kamath, Kumar, Manurangsi 2022, <https://arxiv.org/abs/2207.04380>). The split is
//! integrated, not taken from differences of the curve: all its terms are positive, so that no digit
//! is lost however fine the grid.

use super::cumulants::Losses;
use crate::pair::{Dominating, Piece};
use crate::quadrature::{self, Sum};

/// A distribution on the multiples of an interval; what is missing of 1 is at infinity.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grid {
    /// Multiples in ascending order, with their probabilities.
    pub(crate) points: Vec<(i64, f64)>,
    /// The probability of infinity.
    pub(crate) infinite: f64,
}

/// The largest multiple that a float tells from its neighbours.
const FARTHEST: f64 = 4.0e15;

/// The loss as it is, at the nodes of a quadrature rule: for planning, where no bound is needed.
/// Nothing if they are too many.
pub(crate) fn sketch(dominating: &Dominating, reach: f64) -> Option<Losses> {
    let mut values = Vec::new();
    for piece in &dominating.pieces {
        let (from, to) = range(piece, reach);
        let all = piece.pair.nodes(from, to, |x, width| {
            let p = piece.weight * width * piece.pair.p(x);
            if p > 0.0 {
                values.push((piece.pair.loss(x), p));
            }
        });
        if !all {
            return None;
        }
    }
    if dominating.at_zero > 0.0 {
        values.push((0.0, dominating.at_zero));
    }
    Some(Losses {
        values,
        infinite: 0.0,
    })
}

/// The loss on the multiples of `interval`, pessimistically. Beyond `reach` standard deviations the
/// loss counts as infinite. Nothing if the loss is too large for the interval.
pub(crate) fn discretise(dominating: &Dominating, interval: f64, reach: f64) -> Option<Grid> {
    let mut masses: Vec<(i64, f64)> = Vec::new();
    let mut infinite = 0.0;
    for piece in &dominating.pieces {
        let (from, to) = range(piece, reach);
        let farthest = piece.pair.loss(from).abs().max(piece.pair.loss(to).abs());
        // False where the loss is NaN as well.
        let fits = farthest / interval < FARTHEST;
        if !fits {
            return None;
        }
        if !split(piece, (from, to), interval, &mut masses) {
            return None;
        }
        if to < piece.to {
            infinite += piece.weight * (-reach * reach / 2.0).exp();
        }
    }
    if dominating.at_zero > 0.0 {
        masses.push((0, dominating.at_zero));
    }
    masses.sort_unstable_by_key(|(index, _)| *index);
    let mut points: Vec<(i64, f64)> = Vec::with_capacity(masses.len());
    for (index, mass) in masses {
        match points.last_mut() {
            Some((last, total)) if *last == index => *total += mass,
            _ => points.push((index, mass)),
        }
    }
    points.retain(|(_, mass)| *mass > 0.0);
    // What lies below the range is missing here, and rounding of the quadrature with it; scaling up
    // gives it to larger losses than its own.
    let mut total = Sum::default();
    points.iter().for_each(|(_, mass)| total.add(*mass));
    let scale = (1.0 - infinite) / total.get();
    // Quadrature is exact to 1e-13 where it works at all; the rest is what lies beyond the reach.
    let works = (scale - 1.0).abs() < 1e-9 + 4.0 * (-reach * reach / 2.0).exp();
    if !works {
        return None;
    }
    points.iter_mut().for_each(|(_, mass)| *mass *= scale);
    Some(Grid { points, infinite })
}

impl Grid {
    pub(crate) fn losses(&self, interval: f64) -> Losses {
        Losses {
            values: self
                .points
                .iter()
                .map(|(index, mass)| (*index as f64 * interval, *mass))
                .collect(),
            infinite: self.infinite,
        }
    }
}

/// Where a piece has its mass.
fn range(piece: &Piece, reach: f64) -> (f64, f64) {
    let (low, high) = piece.pair.bulk(reach);
    (low.max(piece.from), high.min(piece.to))
}

/// Cells of one interval, or of several where the loss rises so fast that finer ones tell nothing:
/// every multiple of the interval is a legitimate grid point, and a subset of them as well. False if
/// it takes too many nodes.
fn split(
    piece: &Piece,
    (from, to): (f64, f64),
    interval: f64,
    masses: &mut Vec<(i64, f64)>,
) -> bool {
    let pair = &piece.pair;
    let cell_of = |x: f64| (pair.loss(x) / interval).floor() as i64;
    let mut x = from;
    let mut low = cell_of(x);
    while x < to {
        let flat = pair.flat(x);
        let high = cell_of(x + flat).max(low + 1);
        let end = pair.at_loss(high as f64 * interval);
        // Where the loss hardly changes with x its inverse may fall behind by rounding.
        let end = if end.is_nan() { to } else { end.clamp(x, to) };
        let (floor, ceiling) = (low as f64 * interval, high as f64 * interval);
        let span = -(floor - ceiling).exp_m1();
        let (mut below, mut above) = (0.0, 0.0);
        let mut node = |x: f64, width: f64| {
            let mass = piece.weight * width * pair.p(x);
            let into = (pair.loss(x) - floor).clamp(0.0, ceiling - floor);
            let up = (mass * -(-into).exp_m1() / span).min(mass);
            above += up;
            below += mass - up;
        };
        if end - x <= 4.0 * flat {
            quadrature::three(x, end, &mut node);
        } else {
            if !pair.nodes(x, end, &mut node) {
                return false;
            }
        }
        masses.push((low, below));
        masses.push((high, above));
        x = end;
        low = high;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Step;
    use crate::gaussian::delta_of_ratio;
    use crate::pair::Direction;

    fn delta(grid: &Grid, interval: f64, epsilon: f64) -> f64 {
        let finite = grid.points.iter().map(|(index, mass)| {
            let above = *index as f64 * interval - epsilon;
            if above > 0.0 {
                mass * -(-above).exp_m1()
            } else {
                0.0
            }
        });
        finite.sum::<f64>() + grid.infinite
    }

    #[test]
    fn at_grid_points_the_curve_is_the_true_one() {
        // The closed form of a sampled Gaussian; see sampled.rs.
        for (rate, sigma) in [(1.0, 1.0), (0.3, 0.5), (0.01, 0.8), (1e-4, 3.0)] {
            let step = Step::Sampled { rate, sigma };
            let dominating = Dominating::of(&step, Direction::Removed);
            let interval = 1e-3;
            let grid = discretise(&dominating, interval, 12.0).unwrap();
            for index in [0, 1, 50, 900, 4000] {
                let epsilon = f64::from(index) * interval;
                let inner = (epsilon.exp_m1() / rate).ln_1p();
                let exact = rate * delta_of_ratio(1.0 / sigma, inner);
                let found = delta(&grid, interval, epsilon);
                // Only where cells are one interval wide is every multiple a grid point.
                assert!(
                    found >= exact * (1.0 - 1e-12) - 1e-30 && found <= exact * (1.0 + 2e-3) + 1e-25,
                    "{rate} {sigma} {epsilon}: {found} {exact}"
                );
            }
        }
    }

    #[test]
    fn both_distributions_keep_their_mass() {
        for step in [
            Step::Gaussian { sigma: 0.7 },
            Step::Sampled {
                rate: 0.02,
                sigma: 0.4,
            },
            Step::SampledReplaced {
                rate: 0.1,
                sigma: 1.0,
            },
            Step::FixedSize {
                rate: 0.1,
                sigma: 1.0,
            },
            Step::Truncated {
                rate: 0.1,
                others: 999,
                max_batch_size: 105,
                sigma: 2.0,
                replaced: false,
            },
        ] {
            for direction in [Direction::Removed, Direction::Added] {
                let dominating = Dominating::of(&step, direction);
                let grid = discretise(&dominating, 1e-4, 10.0).unwrap();
                let p: f64 = grid.points.iter().map(|(_, mass)| mass).sum();
                assert!((p + grid.infinite - 1.0).abs() < 1e-12);
                let q = grid.points.iter();
                let q: f64 = q.map(|(i, mass)| mass * (-*i as f64 * 1e-4).exp()).sum();
                assert!((q - 1.0).abs() < 1e-9, "{step:?} {direction:?}: {q}");
            }
        }
    }
}
