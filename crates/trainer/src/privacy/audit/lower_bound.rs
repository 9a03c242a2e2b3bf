//! A lower bound on epsilon from guesses about canaries in one run (Steinke, Nasr and Jagielski 2023,
//! <https://arxiv.org/abs/2305.08846>).

use serde::Serialize;

/// Numbers of guesses that are tried, as shares of all canaries. Each gets an even share of the
/// probability of error.
const SHARES: [f64; 5] = [0.02, 0.05, 0.1, 0.25, 0.5];
/// No bound is looked for beyond.
const MOST: f64 = 100.0;

/// How often somebody guessed right whether a canary took part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Guesses {
    /// The canaries, each of which took part with probability 1/2.
    pub canaries: u64,
    /// Of how many a guess was made.
    pub made: u64,
    /// How many of these were right.
    pub right: u64,
}

impl Guesses {
    /// The probability of so many right guesses or more, at most, if the training were
    /// `(epsilon, delta)`-differentially private (theorem 5.2).
    #[must_use]
    pub fn p_value(&self, epsilon: f64, delta: f64) -> f64 {
        let (r, v) = (self.made, self.right);
        // The accuracy of randomised response.
        let accuracy = 1.0 / (1.0 + (-epsilon).exp());
        let mass = binomial(r, accuracy);
        let tail: f64 = mass[v as usize..].iter().sum();
        let (mut alpha, mut sum) = (0.0_f64, 0.0);
        for i in 1..=v {
            sum += mass[(v - i) as usize];
            alpha = alpha.max(sum / i as f64);
        }
        (tail + alpha * delta * 2.0 * self.canaries as f64).min(1.0)
    }

    /// The largest epsilon that these guesses refute, but for a probability of `error`; 0 if none.
    #[must_use]
    pub fn epsilon(&self, delta: f64, error: f64) -> f64 {
        if self.p_value(0.0, delta) > error {
            return 0.0;
        }
        let (mut low, mut high) = (0.0, MOST);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.p_value(middle, delta) <= error {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// A lower bound on epsilon.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LowerBound {
    /// The bound.
    pub epsilon_lower: f64,
    /// The probability with which it holds.
    pub confidence: f64,
    /// The guesses that it rests on.
    pub guesses: Guesses,
}

/// The largest epsilon that is refuted by canaries of these scores, with the probability
/// `confidence`. A high score speaks for having taken part.
///
/// Of the canaries with the highest scores it is guessed that they took part, of those with the
/// lowest that they did not. Several numbers of guesses are tried; the probability of error is shared
/// out among them beforehand.
///
/// # Panics
///
/// If there is not an answer for each score, or no canary.
#[must_use]
pub fn lower_bound(scores: &[f64], took_part: &[bool], delta: f64, confidence: f64) -> LowerBound {
    assert_eq!(scores.len(), took_part.len(), "an answer for each canary");
    assert!(!scores.is_empty(), "nothing is learned from no canary");
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let n = scores.len();
    let error = (1.0 - confidence) / SHARES.len() as f64;
    let by_share = SHARES.map(|share| {
        let each = ((share * n as f64 / 2.0).round() as usize).clamp(1, n.div_ceil(2));
        let high = order.iter().take(each).filter(|canary| took_part[**canary]);
        let low_from = n.saturating_sub(each).max(each);
        let low = order[low_from..]
            .iter()
            .filter(|canary| !took_part[**canary]);
        let guesses = Guesses {
            canaries: n as u64,
            made: (each + n - low_from) as u64,
            right: (high.count() + low.count()) as u64,
        };
        LowerBound {
            epsilon_lower: guesses.epsilon(delta, error),
            confidence,
            guesses,
        }
    });
    let better = |a: LowerBound, b: LowerBound| match b.epsilon_lower > a.epsilon_lower {
        true => b,
        false => a,
    };
    let [first, rest @ ..] = by_share;
    rest.into_iter().fold(first, better)
}

/// The probabilities of 0, 1, … n successes.
fn binomial(n: u64, p: f64) -> Vec<f64> {
    let (yes, no) = (p.ln(), (-p).ln_1p());
    let mut choose = 0.0_f64;
    (0..=n)
        .map(|k| {
            if k > 0 {
                choose += ((n - k + 1) as f64).ln() - (k as f64).ln();
            }
            let failures = n - k;
            let of_no = if failures == 0 {
                0.0
            } else {
                failures as f64 * no
            };
            (choose + k as f64 * yes + of_no).exp()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use regard_ops::Key;

    use super::*;

    #[test]
    fn the_probabilities_are_a_binomials() {
        let mass = binomial(4, 0.25);
        for (found, expected) in mass.iter().zip([81.0, 108.0, 54.0, 12.0, 1.0]) {
            assert!((found - expected / 256.0).abs() < 1e-14);
        }
        assert!((binomial(3000, 0.9).iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert_eq!(binomial(3, 1.0), [0.0, 0.0, 0.0, 1.0]);
    }

    /// All of 100 guesses right: `p = (1 / (1 + exp(-epsilon)))^100`, so at an error of 5 % the bound is
    /// that of an accuracy of `0.05^(1/100)`.
    #[test]
    fn perfect_guesses_refute_what_they_refute_by_hand() {
        let guesses = Guesses {
            canaries: 100,
            made: 100,
            right: 100,
        };
        let accuracy = 0.05_f64.powf(0.01);
        let expected = (accuracy / (1.0 - accuracy)).ln();
        assert!((guesses.epsilon(0.0, 0.05) - expected).abs() < 1e-6);
        assert!(guesses.epsilon(1e-5, 0.05) < expected);
        let even = Guesses {
            right: 55,
            ..guesses
        };
        assert_eq!(even.epsilon(0.0, 0.05), 0.0);
    }

    /// Scores of a Gaussian mechanism: a canary that took part is `mu` higher.
    fn scores(mu: f64, seed: u64) -> (Vec<f64>, Vec<bool>) {
        let key = Key::new(seed);
        (0..1000_u64)
            .map(|i| {
                let took_part = key.stream("part").bits(i) & 1 == 1;
                let score = key.normal(i) + if took_part { mu } else { 0.0 };
                (score, took_part)
            })
            .unzip()
    }

    #[test]
    fn a_bound_lies_below_the_truth_and_rises_with_it() {
        let delta = 1e-5;
        let mut before = -1.0;
        for mu in [0.0_f64, 1.0, 2.0, 4.0, 8.0] {
            let truth = regard_accounting::gaussian_epsilon(1.0 / mu.max(1e-6), 1, delta).unwrap();
            let (mut sum, seeds) = (0.0, 8);
            for seed in 0..seeds {
                let (scores, took_part) = scores(mu, seed);
                let found = lower_bound(&scores, &took_part, delta, 0.95).epsilon_lower;
                assert!(found <= truth, "mu {mu}: {found} refutes {truth}");
                sum += found;
            }
            let mean = sum / seeds as f64;
            assert!(mean > before || mu == 8.0, "mu {mu}: {mean} after {before}");
            before = mean;
        }
        assert!(before > 2.5, "{before}");
    }
}
