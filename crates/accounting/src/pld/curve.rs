//! Delta as a function of epsilon, from a composed loss.

use super::compose::Composed;

/// Delta at the grid points of a window, from the largest loss downward.
///
/// `delta(e) = E_P[(1 - exp(e - L))+]`, so from one grid point to the next below it
/// `delta(e - h) = exp(-h) delta(e) + (1 - exp(-h)) P[L >= e]`: a recursion of positive terms.
struct Descent<'a> {
    composed: &'a Composed,
    /// The next index, counted from the first.
    next: usize,
    /// `P[L >= e]` and `delta(e)` at `e`, the loss of index `next`, each times `exp(-scale)`.
    reached: f64,
    delta: f64,
    /// The logarithm of what the two are multiples of, which follows the tilt.
    scale: f64,
}

impl Composed {
    /// An upper bound on delta at `epsilon`.
    pub(crate) fn delta(&self, epsilon: f64) -> f64 {
        let mut descent = Descent::new(self);
        let mut before = self.above;
        while let Some((at, delta)) = descent.step() {
            if at <= epsilon {
                // Between grid points the curve is straight over exp(epsilon).
                let share = (epsilon - at).exp_m1() / self.window.interval.exp_m1();
                return (delta + (before - delta) * share.clamp(0.0, 1.0)).clamp(0.0, 1.0);
            }
            before = delta;
        }
        // Below the window: nothing is known here.
        1.0
    }

    /// The smallest epsilon >= 0, within the window, whose upper bound on delta is at most `delta`;
    /// infinite if there is none.
    pub(crate) fn epsilon(&self, delta: f64) -> f64 {
        let mut descent = Descent::new(self);
        let mut best = f64::INFINITY;
        let mut before = self.above;
        while let Some((at, here)) = descent.step() {
            // False for NaN as well.
            let kept = here <= delta;
            if !kept {
                if best.is_finite() {
                    // delta lies between this point and the last one.
                    let share = (here - delta) / (here - before);
                    best = at + (self.window.interval.exp_m1() * share).ln_1p();
                }
                break;
            }
            best = at;
            before = here;
            if at <= 0.0 {
                break;
            }
        }
        // Rounding of the last line; the rest is counted already.
        best.max(0.0) * (1.0 + 1e-12)
    }
}

impl<'a> Descent<'a> {
    fn new(composed: &'a Composed) -> Self {
        Self {
            composed,
            next: composed.tilted.len(),
            reached: 0.0,
            delta: 0.0,
            scale: 0.0,
        }
    }

    /// The next grid point below, and the upper bound on delta there.
    fn step(&mut self) -> Option<(f64, f64)> {
        let index = self.next.checked_sub(1)?;
        self.next = index;
        let composed = self.composed;
        let (h, theta) = (composed.window.interval, composed.window.theta);
        let loss = (composed.first + index as i64) as f64 * h;
        // From multiples of exp(-theta (loss + h)) to multiples of exp(-theta loss).
        let down = (-theta * h).exp();
        self.scale = composed.cumulant - theta * loss;
        let reached = self.reached * down;
        self.delta = (-h).exp() * self.delta * down - (-h).exp_m1() * reached;
        self.reached = reached + composed.tilted[index];
        // Every grid point above may hold `error` more than it seems to.
        let missing = composed.error * tail_weight(theta, h, composed.tilted.len() - index);
        let delta = (self.delta + missing) * composed.factor * self.scale.exp() + composed.above;
        Some((loss, delta))
    }
}

/// `sum_j exp(-theta j h) (1 - exp(-j h))` over `points` grid points, or more.
fn tail_weight(theta: f64, h: f64, points: usize) -> f64 {
    let points = points as f64;
    let series = |rate: f64| -1.0 / (-rate * h).exp_m1();
    // 1 / (1 - r) - 1 / (1 - r exp(-h)); 1 - exp(-j h) is at most 1 and at most j h.
    let all = if theta > 0.0 {
        series(theta) - series(theta + 1.0)
    } else {
        f64::INFINITY
    };
    let linear = 0.5 * points * (points + 1.0) * h;
    all.max(0.0).min(points).min(linear)
}
