//! Rényi differential privacy of the Gaussian mechanism on Poisson samples.

use crate::error::{AccountingError, check};

/// The largest order tried. Small rates and small deltas have their best order high.
const LARGEST_ORDER: u32 = 4096;

/// An upper bound on the epsilon of `steps` Gaussian mechanisms, each on a Poisson sample of rate
/// `sample_rate`, at `delta`, for add/remove adjacency.
///
/// The Rényi divergence of integer order is that of Mironov, Talwar and Zhang 2019
/// (<https://arxiv.org/abs/1908.10530>, section 3.3), the conversion that of Canonne, Kamath and
/// Steinke 2020 (<https://arxiv.org/abs/2004.00010>, proposition 12); the best order up to 4096
/// counts. It is never too small, and up to some per cent larger than with fractional orders.
///
/// # Errors
///
/// If a parameter is outside its range.
pub fn subsampled_gaussian_epsilon(
    sample_rate: f64,
    noise_multiplier: f64,
    steps: u64,
    delta: f64,
) -> Result<f64, AccountingError> {
    check(noise_multiplier, delta)?;
    if !(0.0..=1.0).contains(&sample_rate) {
        return Err(AccountingError {
            parameter: "sample_rate",
            expected: "a number from 0 to 1",
            found: sample_rate,
        });
    }
    if sample_rate == 0.0 || steps == 0 {
        return Ok(0.0);
    }
    if noise_multiplier == 0.0 || delta == 0.0 {
        return Ok(f64::INFINITY);
    }
    let best = orders()
        .map(|order| {
            let a = f64::from(order);
            let divergence = divergence(sample_rate, noise_multiplier, order) * steps as f64;
            divergence + (1.0 - 1.0 / a).ln() - (delta.ln() + a.ln()) / (a - 1.0)
        })
        .fold(f64::INFINITY, f64::min);
    Ok(best.max(0.0))
}

/// All small orders, then ever fewer.
fn orders() -> impl Iterator<Item = u32> {
    let next = |order: &u32| Some(order + 1 + order / 64).filter(|next| *next <= LARGEST_ORDER);
    std::iter::successors(Some(2), next)
}

/// `1 / (a - 1) · ln sum_k C(a, k) (1 - q)^(a - k) q^k exp((k² - k) / 2 sigma²)`.
fn divergence(q: f64, sigma: f64, order: u32) -> f64 {
    let a = f64::from(order);
    if q == 1.0 {
        return a / (2.0 * sigma * sigma);
    }
    let (log_q, log_rest) = (q.ln(), (-q).ln_1p());
    let mut log_binomial = 0.0;
    let mut terms = Vec::with_capacity(order as usize + 1);
    for k in 0..=order {
        let kf = f64::from(k);
        if k > 0 {
            log_binomial += (a - kf + 1.0).ln() - kf.ln();
        }
        let moment = (kf * kf - kf) / (2.0 * sigma * sigma);
        terms.push(log_binomial + (a - kf) * log_rest + kf * log_q + moment);
    }
    let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = terms.iter().map(|term| (term - most).exp()).sum();
    (most + sum.ln()) / (a - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian_epsilon;

    #[test]
    fn it_is_no_less_than_fractional_orders_give_and_little_more() {
        // Opacus 1.6, RDPAccountant with fractional orders.
        for (q, sigma, steps, expected) in [
            (0.01, 1.0, 1000, 2.1014),
            (256.0 / 60_000.0, 1.1, 14_062, 2.597),
        ] {
            let found = subsampled_gaussian_epsilon(q, sigma, steps, 1e-5).unwrap();
            assert!(
                found > expected * 0.999 && found < expected * 1.03,
                "{found} for {expected}"
            );
        }
    }

    #[test]
    fn without_sampling_it_is_above_the_exact_epsilon() {
        for sigma in [0.5, 1.0, 4.0] {
            let bound = subsampled_gaussian_epsilon(1.0, sigma, 10, 1e-6).unwrap();
            let exact = gaussian_epsilon(sigma, 10, 1e-6).unwrap();
            assert!(bound >= exact && bound < 1.3 * exact, "{bound} and {exact}");
        }
    }

    #[test]
    fn it_grows_with_rate_and_steps_and_falls_with_noise() {
        let at = |q, sigma, steps| subsampled_gaussian_epsilon(q, sigma, steps, 1e-6).unwrap();
        assert!(at(0.02, 1.0, 100) > at(0.01, 1.0, 100));
        assert!(at(0.01, 1.0, 200) > at(0.01, 1.0, 100));
        assert!(at(0.01, 2.0, 100) < at(0.01, 1.0, 100));
        assert_eq!(at(0.0, 1.0, 100), 0.0);
        assert_eq!(at(0.5, 0.0, 1), f64::INFINITY);
        assert!(at(1e-6, 0.2, 10_000_000).is_finite());
    }

    #[test]
    fn a_rate_above_one_is_refused() {
        let error = subsampled_gaussian_epsilon(1.5, 1.0, 1, 1e-5).unwrap_err();
        assert_eq!(error.parameter, "sample_rate");
    }
}
