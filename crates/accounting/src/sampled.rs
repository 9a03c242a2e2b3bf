//! One step on a Poisson sample, exactly.
//!
//! With `D(alpha)` the delta of the Gaussian at `exp(epsilon) = alpha` and q the sample rate, the
//! pair that a removed unit leaves has `q D(1 + (alpha - 1) / q)`, and the pair of an added unit
//! `(1 - alpha (1 - q)) D(alpha q / (1 - alpha (1 - q)))`, which is 0 once the first factor is
//! (Balle, Barthe, Gaboardi 2018, <https://arxiv.org/abs/1807.01647>: advanced joint convexity).

use crate::gaussian::{delta_of_ratio, smallest_epsilon};

pub(crate) fn delta(rate: f64, sigma: f64, epsilon: f64) -> f64 {
    let (q, ratio) = (rate, 1.0 / sigma);
    // ln(1 + (alpha - 1) / q), also where alpha is too large for a float.
    let inner = if epsilon > 30.0 {
        epsilon - q.ln() + (-(1.0 - q) * (-epsilon).exp()).ln_1p()
    } else {
        (epsilon.exp_m1() / q).ln_1p()
    };
    let removed = q * delta_of_ratio(ratio, inner);
    // 1 - alpha (1 - q)
    let left = q - (1.0 - q) * epsilon.exp_m1();
    let added = if left > 0.0 {
        left * delta_of_ratio(ratio, epsilon + (q / left).ln())
    } else {
        0.0
    };
    removed.max(added)
}

pub(crate) fn epsilon(rate: f64, sigma: f64, target: f64) -> f64 {
    smallest_epsilon(target, |epsilon| delta(rate, sigma, epsilon))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_integral_of_the_densities() {
        let bell = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
        for (q, sigma, epsilon) in [
            (0.1, 1.0, 0.05),
            (0.5, 0.7, 0.3),
            (0.01, 0.5, 2.0),
            (0.9, 3.0, 0.01),
        ] {
            let alpha = f64::exp(epsilon);
            let (mut removed, mut added) = (0.0, 0.0);
            let step = 1e-4 * sigma;
            for i in -100_000..=120_000 {
                let x = f64::from(i) * step;
                let without = bell(x / sigma) / sigma;
                let with = (1.0 - q) * without + q * bell((x - 1.0) / sigma) / sigma;
                removed += step * (with - alpha * without).max(0.0);
                added += step * (without - alpha * with).max(0.0);
            }
            let found = delta(q, sigma, epsilon);
            let expected = removed.max(added);
            assert!(
                (found / expected - 1.0).abs() < 1e-6,
                "{q} {sigma} {epsilon}: {found} {expected}"
            );
        }
    }

    #[test]
    fn a_rate_below_delta_promises_everything() {
        assert_eq!(epsilon(1e-6, 5.0, 1e-5), 0.0);
    }
}
