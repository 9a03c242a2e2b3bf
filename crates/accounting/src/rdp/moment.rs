//! Moments of the likelihood ratio, `ln E_Q[(P/Q)^order]`: what Rényi's divergence is made of.

use crate::pair::{Dominating, Pair, Piece};

/// `ln E_Q[(P/Q)^order]`, for `order` > 1; Rényi's divergence is this divided by `order - 1`.
///
/// What is added up is `E_Q[(P/Q)^order] - 1`, whose parts are all positive, so that a divergence of
/// 1e-13 keeps its digits.
pub(crate) fn ln_moment(dominating: &Dominating, order: f64) -> f64 {
    if let [Piece { weight, pair, .. }] = dominating.pieces[..]
        && weight == 1.0
        && let Some((rate, sigma)) = pair.as_sampled()
    {
        if rate == 1.0 {
            return order * (order - 1.0) / (2.0 * sigma * sigma);
        }
        if order.fract() == 0.0 && order < 1e15 {
            return ln_one_plus(binomial(rate, sigma, order));
        }
    }
    let mut sum = LnSum::default();
    for piece in &dominating.pieces {
        if piece.weight > 0.0 && !integrate(piece, order, &mut sum) {
            return f64::INFINITY;
        }
    }
    ln_one_plus(sum.get())
}

/// `ln(1 + exp(x))`.
fn ln_one_plus(x: f64) -> f64 {
    if x > 0.0 {
        x + (-x).exp().ln_1p()
    } else {
        x.exp().ln_1p()
    }
}

/// `ln sum_(k >= 2) C(a, k) (1 - q)^(a - k) q^k (exp((k² - k) / 2 sigma²) - 1)` for an integer order a
/// (Mironov, Talwar, Zhang 2019, <https://arxiv.org/abs/1908.10530>, section 3.3; the ones that are
/// taken away make 1 in all, and the first two terms 0).
fn binomial(rate: f64, sigma: f64, order: f64) -> f64 {
    let (ln_q, ln_rest) = (rate.ln(), (-rate).ln_1p());
    let term = |k: f64, ln_binomial: f64| {
        let exponent = k * (k - 1.0) / (2.0 * sigma * sigma);
        let ln_growth = if exponent < 30.0 {
            exponent.exp_m1().ln()
        } else {
            exponent
        };
        ln_binomial + (order - k) * ln_rest + k * ln_q + ln_growth
    };
    // Terms rise, fall, and may rise again towards the last: both ends, each until nothing counts.
    let mut sum = LnSum::default();
    let (mut k, mut ln_binomial, mut last) =
        (2.0, (order * (order - 1.0) / 2.0).ln(), f64::NEG_INFINITY);
    while k <= order {
        let next = term(k, ln_binomial);
        sum.add(next);
        if next < last && next < sum.most - 45.0 {
            break;
        }
        last = next;
        ln_binomial += ((order - k) / (k + 1.0)).ln();
        k += 1.0;
    }
    let reached = k;
    let (mut k, mut ln_binomial, mut last) = (order, 0.0, f64::NEG_INFINITY);
    while k > reached {
        let next = term(k, ln_binomial);
        sum.add(next);
        if next < last && next < sum.most - 45.0 {
            break;
        }
        last = next;
        ln_binomial += (k / (order - k + 1.0)).ln();
        k -= 1.0;
    }
    sum.get()
}

/// Adds `E_Q[(P/Q)^a - 1 - a (P/Q - 1)]` over a piece; over all pieces the last term is 0. False if
/// that takes too long.
fn integrate(piece: &Piece, order: f64, sum: &mut LnSum) -> bool {
    let pair: &Pair = &piece.pair;
    let (low, high) = pair.tilted_bulk(order - 1.0);
    let (low, high) = (low.max(piece.from), high.min(piece.to));
    pair.nodes(low, high, |x, width| {
        let ln_weight = (piece.weight * width).ln() + pair.ln_q(x);
        sum.add(ln_weight + ln_excess(pair.loss(x), order));
    })
}

/// `ln((1 + u)^a - 1 - a u)` with `1 + u = exp(loss)`.
fn ln_excess(loss: f64, order: f64) -> f64 {
    let u = loss.exp_m1();
    let spread = order * u;
    if spread.abs() < 0.1 {
        // sum_(k >= 2) C(a, k) u^k
        let (mut term, mut total) = (order * (order - 1.0) / 2.0 * u * u, 0.0);
        for k in 2..20 {
            total += term;
            term *= (order - f64::from(k)) / f64::from(k + 1) * u;
        }
        return total.ln();
    }
    let exponent = order * loss;
    if exponent > 30.0 {
        // a u exp(-a loss) is small: no difference of large numbers.
        let taken = (1.0 - order) * (-exponent).exp() + order * (loss - exponent).exp();
        return exponent + (-taken).ln_1p();
    }
    (exponent.exp_m1() - spread).ln()
}

/// A sum of exponentials, by its logarithm.
#[derive(Clone, Copy, Debug)]
struct LnSum {
    most: f64,
    sum: f64,
}

impl Default for LnSum {
    fn default() -> Self {
        Self {
            most: f64::NEG_INFINITY,
            sum: 0.0,
        }
    }
}

impl LnSum {
    fn add(&mut self, ln_term: f64) {
        if ln_term > self.most {
            self.sum = self.sum * (self.most - ln_term).exp() + 1.0;
            self.most = ln_term;
        } else if ln_term > self.most - 60.0 {
            self.sum += (ln_term - self.most).exp();
        }
    }

    fn get(&self) -> f64 {
        self.most + self.sum.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Step;
    use crate::pair::Direction;

    fn moment(step: Step, order: f64) -> f64 {
        ln_moment(&Dominating::of(&step, Direction::Removed), order)
    }

    #[test]
    fn the_integral_joins_the_sum_at_integers() {
        for (rate, sigma) in [(1e-6, 0.5), (0.01, 1.0), (0.3, 0.2), (0.9, 5.0)] {
            let step = Step::Sampled { rate, sigma };
            for order in [2.0, 3.0, 7.0, 40.0] {
                let sum = moment(step, order);
                // So close to the integer that the sum is no longer taken.
                let integral = moment(step, order * (1.0 + 1e-13));
                let error = (integral / sum - 1.0).abs();
                assert!(error < 1e-10, "{rate} {sigma} {order}: {integral} {sum}");
            }
        }
    }

    #[test]
    fn sampling_everything_is_a_gaussian() {
        // Two that are 2 apart, by the integral.
        let step = Step::SampledReplaced {
            rate: 1.0,
            sigma: 1.5,
        };
        for order in [1.5, 4.0, 20.0] {
            let exact = 4.0 * order * (order - 1.0) / (2.0 * 1.5 * 1.5);
            assert!((moment(step, order) / exact - 1.0).abs() < 1e-9, "{order}");
        }
    }

    #[test]
    fn a_batch_of_fixed_size_is_below_the_bound_in_use() {
        // Wang, Balle, Kasiviswanathan 2019, as dp_accounting has it at order 2.
        let (rate, sigma): (f64, f64) = (0.1, 1.0);
        let step = Step::FixedSize { rate, sigma };
        let inner = (1.0 / sigma / sigma).exp();
        let bound = (rate * rate * f64::min(4.0 * (inner - 1.0), 2.0 * inner)).ln_1p();
        let found = moment(step, 2.0);
        assert!(found > 0.0 && found <= bound, "{found} {bound}");
    }
}
