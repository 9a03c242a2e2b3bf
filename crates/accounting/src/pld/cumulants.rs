//! The cumulant generating function of a privacy loss: `K(theta) = ln E_P[exp(theta L)]`.

use crate::quadrature::Sum;

/// A privacy loss as finitely many values; what is missing of 1 is a loss of infinity.
#[derive(Clone, Debug, Default)]
pub(crate) struct Losses {
    /// Values with their probabilities.
    pub(crate) values: Vec<(f64, f64)>,
    /// The probability of infinity.
    pub(crate) infinite: f64,
}

/// `K` and its first two derivatives: mean and variance under the measure tilted by `exp(theta L)`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cumulants {
    pub(crate) k: f64,
    pub(crate) mean: f64,
    pub(crate) variance: f64,
    /// `E_theta |theta L|`: by how much rounding `exp(theta L)` blurs the tilted measure.
    pub(crate) exponent: f64,
}

impl Cumulants {
    fn add(&mut self, other: &Self, times: f64) {
        self.k += times * other.k;
        self.mean += times * other.mean;
        self.variance += times * other.variance;
        self.exponent += times * other.exponent;
    }
}

impl Losses {
    pub(crate) fn cumulants(&self, theta: f64) -> Cumulants {
        // Summing `p (exp(theta L) - 1)` keeps the digits of a K that is nearly 0.
        let mut above = Sum::default();
        above.add(-self.infinite);
        for &(loss, p) in &self.values {
            let exponent = theta * loss;
            above.add(if exponent < 30.0 {
                p * exponent.exp_m1()
            } else {
                (exponent + p.ln()).exp()
            });
        }
        let mut k = above.get().ln_1p();
        if !k.is_finite() {
            k = self.ln_sum(theta);
        }
        let (mut mean, mut square, mut exponent) = (0.0, 0.0, 0.0);
        for &(loss, p) in &self.values {
            let tilted = (theta * loss - k + p.ln()).exp();
            mean += tilted * loss;
            square += tilted * loss * loss;
            exponent += tilted * (theta * loss).abs();
        }
        Cumulants {
            k,
            mean,
            variance: (square - mean * mean).max(0.0),
            exponent,
        }
    }

    fn ln_sum(&self, theta: f64) -> f64 {
        let terms = || self.values.iter().map(|(loss, p)| theta * loss + p.ln());
        let most = terms().fold(f64::NEG_INFINITY, f64::max);
        most + terms().map(|term| (term - most).exp()).sum::<f64>().ln()
    }
}

/// Independent losses added up, each several times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Composition<'a>(pub(crate) &'a [(Losses, u64)]);

impl Composition<'_> {
    pub(crate) fn cumulants(&self, theta: f64) -> Cumulants {
        let mut total = Cumulants::default();
        for (losses, count) in self.0 {
            total.add(&losses.cumulants(theta), *count as f64);
        }
        total
    }

    /// The theta >= 0 whose Chernoff bound `P[L >= e] <= exp(K(theta) - theta e)` gives the smallest
    /// `e` for a probability of `exp(ln_probability)`, and that `e`.
    pub(crate) fn quantile(&self, ln_probability: f64) -> (f64, f64) {
        // The smallest (K - ln p) / theta is where theta K' - K = -ln p, which grows with theta.
        let excess = |at: &Cumulants, theta: f64| theta * at.mean - at.k + ln_probability;
        let theta = solve(|theta| {
            let at = self.cumulants(theta);
            (excess(&at, theta), theta * at.variance)
        });
        let at = self.cumulants(theta);
        (theta, (at.k - ln_probability) / theta)
    }

    /// The theta >= 0 under which the mean is `mean`; 0 where the mean is no less by itself.
    pub(crate) fn theta_of_mean(&self, mean: f64) -> f64 {
        if self.cumulants(0.0).mean >= mean {
            return 0.0;
        }
        solve(|theta| {
            let at = self.cumulants(theta);
            (at.mean - mean, at.variance)
        })
    }

    /// A value below which the measure tilted by `theta` has a probability of at most
    /// `exp(ln_probability)`, by Chernoff's bound.
    pub(crate) fn lower_quantile(&self, theta: f64, ln_probability: f64) -> f64 {
        // P_theta[L <= e] <= exp(K(theta - s) - K(theta) + s e), s > 0.
        let base = self.cumulants(theta).k;
        let s = solve(|s| {
            let at = self.cumulants(theta - s);
            (base - at.k - s * at.mean + ln_probability, s * at.variance)
        });
        (base - self.cumulants(theta - s).k + ln_probability) / s
    }

    /// A value above which the measure `P exp(theta L)`, of mass `exp(K(theta))`, has a mass of at
    /// most `exp(ln_mass)`, by Chernoff's bound.
    pub(crate) fn upper_quantile(&self, theta: f64, ln_mass: f64) -> f64 {
        // The mass of L >= e is at most exp(K(theta + s) - s e), s > 0.
        let s = solve(|s| {
            let at = self.cumulants(theta + s);
            (s * at.mean - at.k + ln_mass, s * at.variance)
        });
        (self.cumulants(theta + s).k - ln_mass) / s
    }
}

/// Where a function that grows from below 0 is 0, for an argument above 0; the function returns its
/// value and its derivative. A function that never gets there yields the largest argument tried.
fn solve(at: impl Fn(f64) -> (f64, f64)) -> f64 {
    const SMALLEST: f64 = 1e-9;
    const LARGEST: f64 = 1e12;
    let (mut low, mut high) = (SMALLEST, LARGEST);
    let mut x: f64 = 1.0;
    for _ in 0..100 {
        let (value, slope) = at(x);
        if value < 0.0 {
            low = x;
        } else {
            high = x;
        }
        if high / low < 1.0 + 1e-3 {
            break;
        }
        // Newton's step in ln x, where these functions are nearly straight, within the bracket.
        let step = (-value / (slope * x)).clamp(-2.0, 2.0);
        let newton = x * step.exp();
        let done = step.abs() < 1e-4;
        x = if newton > low && newton < high {
            newton
        } else if low == SMALLEST {
            high / 16.0
        } else if high == LARGEST {
            low * 16.0
        } else {
            (low * high).sqrt()
        };
        if done {
            break;
        }
    }
    x.clamp(SMALLEST, LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Gaussian loss of mean `mu²/2` and deviation `mu`, on a grid.
    fn gaussian(mu: f64) -> Losses {
        let grid = (-2000..=2000).map(|i| f64::from(i) * 0.005);
        let values = grid.map(|z| {
            let p = 0.005 * (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
            (mu * mu / 2.0 + mu * z, p)
        });
        Losses {
            values: values.collect(),
            infinite: 0.0,
        }
    }

    #[test]
    fn a_gaussian_has_a_parabola() {
        let at = gaussian(0.3).cumulants(4.0);
        // K = mu²/2 theta (theta + 1)
        assert!((at.k - 0.045 * 20.0).abs() < 1e-12);
        assert!((at.mean - 0.045 * 9.0).abs() < 1e-12);
        assert!((at.variance - 0.09).abs() < 1e-12);
    }

    #[test]
    fn quantiles_are_those_of_the_parabola() {
        let losses = [(gaussian(0.1), 9)];
        let composed = Composition(&losses);
        // Mean 0.045, deviation 0.3: e = mean + deviation sqrt(-2 ln p).
        let (theta, e) = composed.quantile(-18.0);
        assert!((e - (0.045 + 0.3 * 6.0)).abs() < 1e-5, "{e}");
        assert!((theta - 6.0 / 0.3).abs() < 0.05, "{theta}");
        let low = composed.lower_quantile(theta, -18.0);
        assert!((low - 0.045).abs() < 1e-2, "{low}");
        let high = composed.upper_quantile(0.0, -18.0);
        assert!((high - e).abs() < 1e-5, "{high}");
        assert!((composed.theta_of_mean(0.9) - 9.5).abs() < 1e-2);
        assert_eq!(composed.theta_of_mean(0.0), 0.0);
    }

    #[test]
    fn a_loss_of_nearly_nothing_keeps_its_digits() {
        let values = vec![(1e-9, 0.5), (-1e-9, 0.5)];
        let losses = Losses {
            values,
            infinite: 0.0,
        };
        assert!((losses.cumulants(1.0).k / 5e-19 - 1.0).abs() < 1e-6);
        // The same where exp(theta L) does not fit into a float.
        assert!((losses.cumulants(1e12).k - (1000.0 - 2f64.ln())).abs() < 1e-9);
    }
}
