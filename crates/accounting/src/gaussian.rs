//! The Gaussian mechanism, exactly.

use crate::error::{AccountingError, check_delta, check_epsilon, check_noise_multiplier};

/// The smallest delta for which `steps` Gaussian mechanisms together are (epsilon, delta)-private:
/// `Φ(mu / 2 - epsilon / mu) - exp(epsilon) Φ(-mu / 2 - epsilon / mu)` with `mu = sqrt(steps) /
/// noise_multiplier` (Balle and Wang 2018, <https://arxiv.org/abs/1805.06530>, theorem 8; composition
/// of Gaussians is a Gaussian).
///
/// # Errors
///
/// If `noise_multiplier` is negative or not finite, or `epsilon` is negative or NaN.
pub fn gaussian_delta(
    noise_multiplier: f64,
    steps: u64,
    epsilon: f64,
) -> Result<f64, AccountingError> {
    check_noise_multiplier(noise_multiplier)?;
    check_epsilon(epsilon)?;
    if steps == 0 {
        return Ok(0.0);
    }
    if noise_multiplier == 0.0 {
        return Ok(1.0);
    }
    Ok(delta_of_ratio(
        (steps as f64).sqrt() / noise_multiplier,
        epsilon,
    ))
}

/// The epsilon of `steps` Gaussian mechanisms at `delta`, rounded up; infinity for no noise or for
/// `delta` 0.
///
/// # Errors
///
/// If a parameter is outside its range.
pub fn gaussian_epsilon(
    noise_multiplier: f64,
    steps: u64,
    delta: f64,
) -> Result<f64, AccountingError> {
    check_noise_multiplier(noise_multiplier)?;
    check_delta(delta)?;
    if steps == 0 {
        return Ok(0.0);
    }
    if noise_multiplier == 0.0 || delta == 0.0 {
        return Ok(f64::INFINITY);
    }
    Ok(epsilon_of_ratio(
        (steps as f64).sqrt() / noise_multiplier,
        delta,
    ))
}

/// Delta at `epsilon` of a Gaussian whose mean moves by `mu` standard deviations.
pub(crate) fn delta_of_ratio(mu: f64, epsilon: f64) -> f64 {
    if epsilon == f64::INFINITY {
        return 0.0;
    }
    if mu == f64::INFINITY {
        return 1.0;
    }
    let above = log_normal_cdf(mu / 2.0 - epsilon / mu);
    let below = epsilon + log_normal_cdf(-mu / 2.0 - epsilon / mu);
    // Also false for NaN, which only numbers beyond all floats give: nothing is promised then.
    if above > below {
        (above.exp() * -(below - above).exp_m1()).clamp(0.0, 1.0)
    } else if above <= below {
        0.0
    } else {
        1.0
    }
}

/// Epsilon at `delta` > 0 of a Gaussian whose mean moves by `mu` standard deviations.
pub(crate) fn epsilon_of_ratio(mu: f64, delta: f64) -> f64 {
    smallest_epsilon(delta, |epsilon| delta_of_ratio(mu, epsilon))
}

/// The smallest epsilon >= 0 at which a falling `delta` is at most `target`, rounded up by more than
/// `delta` is rounded.
pub(crate) fn smallest_epsilon(target: f64, delta: impl Fn(f64) -> f64) -> f64 {
    if delta(0.0) <= target {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while delta(high) > target {
        low = high;
        high *= 2.0;
        if high == f64::INFINITY {
            return high;
        }
    }
    while high - low > 1e-13 * high {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if delta(middle) > target {
            low = middle;
        } else {
            high = middle;
        }
    }
    high * (1.0 + 1e-10)
}

/// `ln Φ(x)`, also where `Φ(x)` is too small for a float.
fn log_normal_cdf(x: f64) -> f64 {
    if x > -20.0 {
        return (0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)).ln();
    }
    // The asymptotic series (Abramowitz and Stegun 26.2.12); its next term is below 1e-11 here.
    let square = x * x;
    let series = 1.0 - 1.0 / square + 3.0 / square.powi(2) - 15.0 / square.powi(3)
        + 105.0 / square.powi(4)
        - 945.0 / square.powi(5);
    -square / 2.0 - (-x).ln() - 0.5 * std::f64::consts::TAU.ln() + series.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_release_has_the_published_epsilon() {
        assert!((gaussian_epsilon(1.0, 1, 1e-5).unwrap() - 4.377_18).abs() < 1e-5);
        // Four steps at noise 2 are one at noise 1.
        let composed = gaussian_epsilon(2.0, 4, 1e-5).unwrap();
        assert!((composed - gaussian_epsilon(1.0, 1, 1e-5).unwrap()).abs() < 1e-9);
    }

    #[test]
    fn the_epsilon_returned_keeps_the_delta() {
        for noise in [0.2, 0.7, 1.0, 5.0, 50.0] {
            for delta in [1e-12, 1e-8, 1e-5, 1e-2] {
                let epsilon = gaussian_epsilon(noise, 3, delta).unwrap();
                assert!(gaussian_delta(noise, 3, epsilon).unwrap() <= delta);
                let less = epsilon * (1.0 - 1e-6);
                assert!(epsilon == 0.0 || gaussian_delta(noise, 3, less).unwrap() > delta);
            }
        }
    }

    #[test]
    fn the_edges_are_what_they_mean() {
        assert_eq!(gaussian_epsilon(0.0, 1, 1e-5), Ok(f64::INFINITY));
        assert_eq!(gaussian_epsilon(1.0, 1, 0.0), Ok(f64::INFINITY));
        assert_eq!(gaussian_epsilon(1.0, 0, 1e-5), Ok(0.0));
        assert_eq!(gaussian_delta(0.0, 1, 3.0), Ok(1.0));
        assert_eq!(gaussian_delta(1.0, 1, f64::INFINITY), Ok(0.0));
        for noise in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(
                gaussian_epsilon(noise, 1, 1e-5),
                Err(AccountingError::NoiseMultiplier { .. })
            ));
        }
        let error = gaussian_epsilon(1.0, 1, 1.5).unwrap_err().to_string();
        assert_eq!(
            error,
            "delta: expected a number from 0 to below 1, found 1.5"
        );
    }

    #[test]
    fn the_tail_joins_the_body() {
        let (body, tail) = (log_normal_cdf(-19.999_999), log_normal_cdf(-20.000_001));
        assert!((body - tail).abs() < 1e-4 && body > tail);
    }
}
