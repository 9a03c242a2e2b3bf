//! What keeps a target: the least noise, the most steps, the largest rate.
//!
//! Every answer was itself accounted for and found to keep the target. It is never the far end of an
//! interval, nor an interpolation.

use crate::accountant::Accountant;
use crate::error::{
    AccountingError, check_delta, check_epsilon, check_noise_multiplier, check_sample_rate,
};
use crate::event::{Adjacency, Event};

/// A budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The largest epsilon.
    pub epsilon: f64,
    /// The delta at which it must hold.
    pub delta: f64,
}

/// How a solver accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The accountant whose epsilon must not exceed the target.
    pub accountant: Accountant,
    /// Which two datasets must be hard to tell apart.
    pub adjacency: Adjacency,
}

/// How far an answer may lie on the safe side, as a share of it.
const PRECISION: f64 = 1e-4;
/// Noise is looked for up to here.
const MOST_NOISE: f64 = 1e9;
/// And from here: less noise is a formality.
const LEAST_NOISE: f64 = 1e-2;
/// The smallest rate looked for.
const LEAST_RATE: f64 = 1e-12;

/// The least noise multiplier (to a ten-thousandth of it, on the safe side) with which `steps` steps
/// on Poisson samples of rate `sample_rate` keep `target`; 0 where nothing is drawn.
///
/// # Errors
///
/// If an argument is outside its range, or no noise keeps the target.
pub fn noise_multiplier(
    target: Target,
    sample_rate: f64,
    steps: u64,
    settings: Settings,
) -> Result<f64, AccountingError> {
    noise_multiplier_beside(&[], target, sample_rate, steps, settings)
}

/// [`noise_multiplier`] where `spent` counts towards the target too: what was released before, about
/// the same units.
///
/// # Errors
///
/// As [`noise_multiplier`]; also where `spent` alone exceeds the target.
pub fn noise_multiplier_beside(
    spent: &[Event],
    target: Target,
    sample_rate: f64,
    steps: u64,
    settings: Settings,
) -> Result<f64, AccountingError> {
    check(target)?;
    check_sample_rate(sample_rate)?;
    if steps == 0 || sample_rate == 0.0 || target.epsilon == f64::INFINITY {
        return Ok(0.0);
    }
    let event = |noise| {
        let own = Event::dp_sgd(sample_rate, noise, steps);
        match spent {
            [] => own,
            spent => Event::Composed(spent.iter().cloned().chain([own]).collect()),
        }
    };
    let search = Search {
        parameter: "noise_multiplier",
        lowest: LEAST_NOISE,
        highest: MOST_NOISE,
        target,
        settings,
    };
    search.run(1.0, event)
}

/// The most steps on Poisson samples of rate `sample_rate` that keep `target`; `u64::MAX` where every
/// number does.
///
/// # Errors
///
/// If an argument is outside its range.
pub fn steps(
    target: Target,
    sample_rate: f64,
    noise_multiplier: f64,
    settings: Settings,
) -> Result<u64, AccountingError> {
    check(target)?;
    check_sample_rate(sample_rate)?;
    check_noise_multiplier(noise_multiplier)?;
    if sample_rate == 0.0 || target.epsilon == f64::INFINITY {
        return Ok(u64::MAX);
    }
    let keeps = |accountant, count| {
        let event = Event::dp_sgd(sample_rate, noise_multiplier, count);
        let epsilon = Settings {
            accountant,
            ..settings
        }
        .epsilon(&event, target.delta)?;
        Ok::<bool, AccountingError>(epsilon <= target.epsilon)
    };
    // RDP needs microseconds. What it allows is nearly always allowed by PLD, and not far from it.
    let mut low = most(0, |count| keeps(Accountant::Rdp, count))?;
    if settings.accountant != Accountant::Rdp {
        if low > 0 && !keeps(settings.accountant, low)? {
            low = 0;
        }
        low = most(low, |count| keeps(settings.accountant, count))?;
    }
    Ok(low)
}

/// The largest sample rate (to a ten-thousandth of it, on the safe side) with which `steps` steps
/// keep `target`.
///
/// # Errors
///
/// If an argument is outside its range, or no rate keeps the target.
pub fn sample_rate(
    target: Target,
    noise_multiplier: f64,
    steps: u64,
    settings: Settings,
) -> Result<f64, AccountingError> {
    check(target)?;
    check_noise_multiplier(noise_multiplier)?;
    let whole = Event::dp_sgd(1.0, noise_multiplier, steps);
    if settings.epsilon(&whole, target.delta)? <= target.epsilon {
        return Ok(1.0);
    }
    // The same search, for how rarely a unit is drawn.
    let search = Search {
        parameter: "sample_rate",
        lowest: 1.0,
        highest: 1.0 / LEAST_RATE,
        target,
        settings,
    };
    let event = |rarity: f64| Event::dp_sgd(1.0 / rarity, noise_multiplier, steps);
    Ok(1.0 / search.run(2.0, event)?)
}

fn check(target: Target) -> Result<(), AccountingError> {
    check_epsilon(target.epsilon)?;
    check_delta(target.delta)
}

impl Settings {
    fn epsilon(self, event: &Event, delta: f64) -> Result<f64, AccountingError> {
        self.accountant.epsilon(event, self.adjacency, delta)
    }
}

/// The largest count from `low` (which holds) on that holds; holding must end once and for all.
fn most(
    low: u64,
    holds: impl Fn(u64) -> Result<bool, AccountingError>,
) -> Result<u64, AccountingError> {
    let (mut low, mut stride) = (low, (low / 8).max(1));
    let mut high = loop {
        let Some(next) = low.checked_add(stride) else {
            return Ok(low);
        };
        if !holds(next)? {
            break next;
        }
        low = next;
        stride = stride.saturating_mul(2);
    };
    // To the last step where they are few, to a hundred-thousandth where they are many.
    while high - low > 1 + low / 100_000 {
        let middle = low + (high - low) / 2;
        if holds(middle)? {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// A search for the least value of a parameter of which epsilon falls.
struct Search {
    parameter: &'static str,
    lowest: f64,
    highest: f64,
    target: Target,
    settings: Settings,
}

impl Search {
    fn run(&self, start: f64, event: impl Fn(f64) -> Event) -> Result<f64, AccountingError> {
        let by = |accountant, value| {
            Settings {
                accountant,
                ..self.settings
            }
            .epsilon(&event(value), self.target.delta)
        };
        let found = self.least(start, |value| by(Accountant::Rdp, value));
        if self.settings.accountant == Accountant::Rdp {
            return found;
        }
        // RDP's answer is a little more than enough: a tight bracket for the accountant proper.
        let start = found.unwrap_or(self.highest);
        self.least(start, |value| by(self.settings.accountant, value))
    }

    /// Bisection in the logarithm, with steps by the secant of `ln epsilon` where they lie inside.
    fn least(
        &self,
        start: f64,
        epsilon: impl Fn(f64) -> Result<f64, AccountingError>,
    ) -> Result<f64, AccountingError> {
        let target = self.target.epsilon;
        let keeps = |found: f64| found <= target;
        let (mut low, mut high, mut step) = (None, None, 1.25);
        let mut x = start.clamp(self.lowest, self.highest);
        let (low, high) = loop {
            let found = epsilon(x)?;
            if keeps(found) {
                high = Some((x, found));
                if x <= self.lowest {
                    return Ok(x);
                }
            } else {
                low = Some((x, found));
                if x >= self.highest {
                    return Err(AccountingError::Unreachable {
                        parameter: self.parameter,
                        lowest: self.lowest,
                        highest: self.highest,
                        epsilon: target,
                        delta: self.target.delta,
                    });
                }
            }
            match (low, high) {
                (Some(low), Some(high)) => break (low, high),
                (None, _) => x = (x / step).max(self.lowest),
                (_, None) => x = (x * step).min(self.highest),
            }
            step *= step;
        };
        let ((mut low, mut low_epsilon), (mut high, mut high_epsilon)) = (low, high);
        let mut halve = false;
        while high / low > 1.0 + PRECISION {
            let (left, right) = (low.ln(), high.ln());
            let slope = (high_epsilon.ln() - low_epsilon.ln()) / (right - left);
            let secant = left + (target.ln() - low_epsilon.ln()) / slope;
            // A little to the safe side, so that the bracket closes from both sides.
            let aim = secant + 0.3 * PRECISION;
            let inside = aim > left + 0.25 * PRECISION && aim < right - 0.25 * PRECISION;
            let next = if inside && !halve {
                aim.exp()
            } else {
                (0.5 * (left + right)).exp()
            };
            if !(next > low && next < high) {
                break;
            }
            let width = right - left;
            let found = epsilon(next)?;
            if keeps(found) {
                (high, high_epsilon) = (next, found);
            } else {
                (low, low_epsilon) = (next, found);
            }
            // A secant that hardly helped: the curve is bent here.
            halve = (high / low).ln() > 0.5 * width && !halve;
        }
        Ok(high)
    }
}
