//! Chooses grid and window for a question, and answers it.

use super::compose::{Window, compose};
use super::cumulants::{Composition, Losses};
use super::discretise::{discretise, sketch};
use crate::event::Step;
use crate::pair::{Direction, Dominating};

/// What truncation and wrapping may each add to delta, as a share of it.
const TRUNCATED: f64 = 1e-6;
/// The tilt, as a share of the one that moves the mean to epsilon. A float has digits to spare, and a
/// smaller tilt weighs what wraps around from above far less: that matters where few steps have
/// losses that are rare and large.
const TILT: f64 = 2.0 / 3.0;
/// No delta below this is aimed at.
const SMALLEST: f64 = 1e-280;
/// How far discretisation may move epsilon, as a share of it: where the window is small, where it is
/// larger, and the size up to which it is small.
const FINE: f64 = 1e-5;
const COARSE: f64 = 1e-4;
const SMALL: f64 = (1u64 << 18) as f64;
/// The largest window: two transforms of 64 MiB. Beyond it the bound gets looser, not wrong.
const LARGEST: f64 = (1u64 << 22) as f64;

/// An upper bound on epsilon at `delta`, or any number up to `known` where it is no larger.
pub(crate) fn epsilon(steps: &[(Step, u64)], direction: Direction, delta: f64, known: f64) -> f64 {
    let Some(problem) = Problem::new(steps, direction, delta) else {
        return f64::INFINITY;
    };
    let sketched = Composition(&problem.sketched);
    if problem.total_variation() * (1.0 + 1e-9) <= delta {
        return known.max(0.0);
    }
    let (theta, most) = sketched.quantile(delta.ln());
    if most * (1.0 + 1e-6) < known {
        return known;
    }
    problem
        .composed(theta, most, delta)
        .map_or(f64::INFINITY, |composed| composed.epsilon(delta))
}

/// An upper bound on delta at `epsilon`.
pub(crate) fn delta(steps: &[(Step, u64)], direction: Direction, epsilon: f64) -> f64 {
    // How far the distribution must reach depends on how small delta is, of which Chernoff's bound is
    // a first guess, and any bound a better one.
    let mut guess = 1e-30;
    let mut bound = 1.0;
    for pass in 0..4 {
        let Some(problem) = Problem::new(steps, direction, guess) else {
            return bound;
        };
        let sketched = Composition(&problem.sketched);
        let theta = sketched.theta_of_mean(epsilon);
        let at = sketched.cumulants(theta);
        if pass == 0 {
            let chernoff = (at.k - theta * epsilon).min(0.0).exp();
            guess = (chernoff * 1e-2).max(SMALLEST);
            continue;
        }
        let most = epsilon.max(at.mean);
        if let Some(composed) = problem.composed(theta, most, guess) {
            bound = composed.delta(epsilon).min(bound);
        }
        if guess <= bound || guess <= SMALLEST {
            break;
        }
        guess = (bound * 0.1).max(SMALLEST);
    }
    bound
}

struct Problem {
    dominating: Vec<(Dominating, u64)>,
    sketched: Vec<(Losses, u64)>,
    reach: f64,
    count: f64,
}

impl Problem {
    fn new(steps: &[(Step, u64)], direction: Direction, delta: f64) -> Option<Self> {
        let count: f64 = steps.iter().map(|(_, count)| *count as f64).sum();
        // Gaussian tails beyond the reach: exp(-reach² / 2) for every step.
        let reach = (2.0 * (count.ln() - (delta * 0.1 * TRUNCATED).ln())).sqrt();
        let dominating: Vec<(Dominating, u64)> = steps
            .iter()
            .map(|(step, count)| (Dominating::of(step, direction), *count))
            .collect();
        let sketched: Option<Vec<_>> = dominating
            .iter()
            .map(|(dominating, count)| Some((sketch(dominating, reach)?, *count)))
            .collect();
        Some(Self {
            dominating,
            sketched: sketched?,
            reach,
            count,
        })
    }

    /// An upper bound on delta at epsilon 0: what the steps have by themselves adds up at most.
    fn total_variation(&self) -> f64 {
        let of = |losses: &Losses| -> f64 {
            let above = losses.values.iter().filter(|(loss, _)| *loss > 0.0);
            above.map(|(loss, p)| p * -(-loss).exp_m1()).sum()
        };
        let steps = self.sketched.iter();
        steps
            .map(|(losses, count)| *count as f64 * of(losses))
            .sum()
    }

    /// The composition around a loss of `most`, where `exp(-theta L)` is how delta falls.
    fn composed(&self, theta: f64, most: f64, delta: f64) -> Option<super::compose::Composed> {
        let sketched = Composition(&self.sketched);
        let ln_small = (delta * TRUNCATED).ln();
        let (highest_theta, highest) = sketched.quantile(ln_small);
        let highest = highest.max(most);
        let tilt = TILT * theta;
        // Mass from below the window comes out at its top, mass from above `reached` at 0 or below.
        let from_below = ln_small - sketched.cumulants(tilt).k + tilt * highest;
        let lowest = sketched.lower_quantile(tilt, from_below.min(-7.0));
        let reached = sketched.upper_quantile(tilt, ln_small);
        let width = (highest - lowest.min(0.0)).max(reached);
        if !(width.is_finite() && width > 0.0) {
            return None;
        }
        let (interval, points) = self.grid(theta, most, width);
        let window = Window {
            interval,
            theta: tilt,
            highest,
            highest_theta,
            points,
        };
        let grids: Option<Vec<_>> = self
            .dominating
            .iter()
            .map(|(dominating, count)| {
                Some((discretise(dominating, interval, self.reach)?, *count))
            })
            .collect();
        Some(compose(&grids?, window))
    }

    /// The interval, and how many of it make the window.
    ///
    /// Between grid points h apart, `exp(theta L)` as a function of `exp(-L)` lies below its chord by
    /// at most `h²/8 theta (theta + 1)` of itself, and by 2/3 of that in the mean. Over all steps that
    /// moves epsilon by `steps h² (theta + 1) / 12`.
    fn grid(&self, theta: f64, most: f64, width: f64) -> (f64, usize) {
        let tolerated = most.max(1e-4);
        let interval =
            |share: f64| (12.0 * share * tolerated / (self.count * (theta + 1.0))).sqrt();
        let points = (width / interval(FINE))
            .min((width / interval(COARSE)).max(SMALL))
            .clamp(1024.0, LARGEST);
        let points = fast_size(points as usize);
        // Two to spare: rounding the ends to grid points.
        (width / (points - 2) as f64, points)
    }
}

/// The next number that transforms fast: a power of two, or three quarters of one.
fn fast_size(at_least: usize) -> usize {
    let power = at_least.next_power_of_two();
    if power / 4 * 3 >= at_least {
        power / 4 * 3
    } else {
        power
    }
}
