//! The upper tail of a binomial distribution, never too small.

/// At least `P[Bin(trials, rate) >= at_least]`, and more by less than a part in a million; exactly 0
/// where that is impossible or too small for a float.
pub(crate) fn upper_tail(trials: u64, rate: f64, at_least: u64) -> f64 {
    if at_least == 0 || rate == 1.0 && at_least <= trials {
        return 1.0;
    }
    if at_least > trials || rate == 0.0 || rate == 1.0 {
        return 0.0;
    }
    let (n, k) = (trials as f64, at_least as f64);
    let odds = rate / (1.0 - rate);
    // The terms fall from the mode on, like a geometric series or faster.
    let tail = if k >= n * rate {
        sum(ln_mass(n, k, rate), |i| (n - k - i) / (k + i + 1.0) * odds).unwrap_or(1.0)
    } else {
        let below = sum(ln_mass(n, k - 1.0, rate), |i| {
            (k - 1.0 - i) / (n - k + 2.0 + i) / odds
        });
        1.0 - below.unwrap_or(0.0)
    };
    (tail * (1.0 + 1e-7)).clamp(0.0, 1.0)
}

/// How many are drawn, where that is `at_least` or more: a group of numbers of which the smallest
/// stands for all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Full {
    /// The smallest number.
    pub(crate) others: u64,
    /// The probability of the group.
    pub(crate) probability: f64,
}

impl Full {
    /// A dozen groups, the finer the likelier. Their probabilities together are
    /// `upper_tail(trials, rate, at_least)`.
    pub(crate) fn groups(trials: u64, rate: f64, at_least: u64) -> Vec<Self> {
        const GROUPS: usize = 12;
        let mean = trials as f64 * rate;
        let deviation = (mean * (1.0 - rate)).sqrt();
        // Above the mean the tail falls like a geometric series.
        let above = at_least as f64 - mean;
        let spread = if above > deviation {
            deviation * deviation / above
        } else {
            deviation
        };
        let width = (spread / 3.0).ceil().max(1.0) as u64;
        let first = at_least.max((mean - 2.0 * deviation).max(0.0) as u64);
        let mut starts = vec![at_least];
        let mut next = if first > at_least {
            first
        } else {
            first.saturating_add(width)
        };
        while starts.len() < GROUPS && next <= trials {
            starts.push(next);
            next = next.saturating_add(width);
        }
        let mut groups: Vec<Self> = Vec::with_capacity(GROUPS);
        let mut beyond = 0.0;
        for others in starts.into_iter().rev() {
            let tail = upper_tail(trials, rate, others);
            groups.push(Self {
                others,
                probability: (tail - beyond).max(0.0),
            });
            beyond = tail.max(beyond);
        }
        groups
    }
}

/// A first term, and every next one by its ratio to the last; nothing where they are too many to add.
fn sum(ln_first: f64, ratio: impl Fn(f64) -> f64) -> Option<f64> {
    let (mut term, mut total, mut i) = (1.0, 1.0, 0.0);
    while i < 1e7 {
        let next = ratio(i);
        term *= next;
        total += term;
        // What is left is below term / (1 - next).
        if next <= 0.0 || next < 1.0 && term <= 1e-12 * total * (1.0 - next) {
            return Some(total * ln_first.exp());
        }
        i += 1.0;
    }
    None
}

/// `ln P[Bin(n, p) = k]` for 0 <= k <= n, by Loader's saddle point (2000), which keeps its digits
/// where the difference of log-gammas has lost them.
fn ln_mass(n: f64, k: f64, p: f64) -> f64 {
    if k == 0.0 {
        return n * (-p).ln_1p();
    }
    if k == n {
        return n * p.ln();
    }
    let q = 1.0 - p;
    let exponent = stirling_error(n)
        - stirling_error(k)
        - stirling_error(n - k)
        - deviance(k, n * p)
        - deviance(n - k, n * q);
    exponent + 0.5 * (n / (std::f64::consts::TAU * k * (n - k))).ln()
}

/// `ln n! - ln(sqrt(tau n) (n / e)^n)`.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        return libm::lgamma(n + 1.0) - (0.5 * (std::f64::consts::TAU * n).ln() + n * n.ln() - n);
    }
    let square = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square) / n
}

/// `x ln(x / mean) + mean - x`.
fn deviance(x: f64, mean: f64) -> f64 {
    let relative = (mean - x) / x;
    if relative.abs() > 0.1 {
        return x * (x / mean).ln() + mean - x;
    }
    // x (r - ln(1 + r)) = x (r²/2 - r³/3 + ...)
    let (mut power, mut total) = (relative * relative, 0.0);
    for n in 2..24 {
        let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
        total += sign * power / f64::from(n);
        power *= relative;
    }
    x * total
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Term by term, by recurrence from k = 0.
    fn naive(trials: u64, rate: f64, at_least: u64) -> f64 {
        let mut mass = vec![0.0; trials as usize + 1];
        mass[0] = 1.0;
        for _ in 0..trials {
            for k in (0..mass.len()).rev() {
                mass[k] = mass[k] * (1.0 - rate) + if k > 0 { mass[k - 1] * rate } else { 0.0 };
            }
        }
        mass[at_least as usize..].iter().sum()
    }

    #[test]
    fn the_tail_is_that_of_coins_tossed_one_by_one() {
        for (n, p) in [(1, 0.3), (10, 0.5), (40, 0.05), (200, 0.9), (300, 0.01)] {
            for k in 0..=n {
                let (found, expected) = (upper_tail(n, p, k), naive(n, p, k));
                if expected < 1e-290 {
                    continue;
                }
                assert!(found >= expected * (1.0 - 1e-12), "{n} {p} {k}");
                assert!(
                    found <= expected * (1.0 + 1e-6),
                    "{n} {p} {k}: {found} {expected}"
                );
            }
        }
    }

    #[test]
    fn groups_share_the_tail_among_them() {
        for (n, p, k) in [
            (9999, 0.01, 130),
            (1000, 0.5, 100),
            (50, 1.0, 20),
            (10, 0.3, 10),
        ] {
            let groups = Full::groups(n, p, k);
            let total: f64 = groups.iter().map(|group| group.probability).sum();
            let tail = upper_tail(n, p, k);
            assert!(
                (total - tail).abs() <= 1e-12 * tail,
                "{n} {p} {k}: {total} {tail}"
            );
            assert_eq!(groups.last().unwrap().others, k);
        }
    }

    #[test]
    fn the_edges_are_what_they_mean() {
        assert_eq!(upper_tail(10, 0.5, 11), 0.0);
        assert_eq!(upper_tail(10, 0.5, 0), 1.0);
        assert_eq!(upper_tail(10, 1.0, 10), 1.0);
        assert_eq!(upper_tail(10, 0.0, 1), 0.0);
        assert_eq!(upper_tail(u64::MAX, 1e-18, 1_000_000), 0.0);
        assert_eq!(upper_tail(u64::MAX, 0.5, 1 << 63), 1.0);
        let half = upper_tail(1_000_000_000_000, 0.5, 500_000_000_000);
        assert!((half - 0.5).abs() < 1e-5, "{half}");
    }
}
