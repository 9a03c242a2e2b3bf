//! Training on mixtures of examples.

use burn::tensor::{Int, Tensor, TensorData};
use regard_ops::Key;

use crate::sampler::Permutation;
use crate::task::Targets;

/// Tries before the share is drawn evenly: each succeeds more often than not, so none come near.
const MOST_TRIES: u64 = 256;

/// Which rows are mixed, and how: mixup (Zhang et al. 2018, <https://arxiv.org/abs/1710.09412>, equation
/// 1) of embedded sequences (Guo et al. 2019, <https://arxiv.org/abs/1905.08941>, "wordMixup").
///
/// Row `i` becomes `share · row_i + (1 - share) · row_partner(i)`, position by position, under its own
/// mask, and its loss `share · loss(target_i) + (1 - share) · loss(target_partner(i))`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    share: f64,
    partners: Vec<usize>,
}

impl Mixture {
    /// Draws a share from `Beta(alpha, alpha)`, `alpha` in (0, 1], and a partner for each row.
    #[must_use]
    pub fn draw(alpha: f64, n_rows: usize, key: Key) -> Self {
        let partners = Permutation::new(n_rows, key.stream("partners"));
        Self {
            share: beta(alpha, key.stream("share")),
            partners: (0..n_rows).map(|row| partners.at(row)).collect(),
        }
    }

    /// The mixed rows.
    ///
    /// # Shapes
    ///
    /// - embedded and output: `[rows, len, d_model]`
    #[must_use]
    pub fn embeddings(&self, embedded: Tensor<3>) -> Tensor<3> {
        let index: Vec<i32> = self.partners.iter().map(|row| *row as i32).collect();
        let n_rows = index.len();
        let device = embedded.device().inner();
        let index = Tensor::<1, Int>::from_data(TensorData::new(index, [n_rows]), &device);
        let partners = embedded.clone().select(0, index);
        embedded.mul_scalar(self.share) + partners.mul_scalar(1.0 - self.share)
    }

    /// The losses of the mixed rows, given those of the rows' output against any targets.
    ///
    /// # Shapes
    ///
    /// - result: `[rows]`
    #[must_use]
    pub fn losses(&self, targets: &Targets, losses: impl Fn(&Targets) -> Tensor<1>) -> Tensor<1> {
        let own = losses(targets).mul_scalar(self.share);
        own + losses(&targets.reordered(&self.partners)).mul_scalar(1.0 - self.share)
    }
}

/// A number from `Beta(alpha, alpha)` (Jöhnk 1964): two powers of uniform numbers whose sum is at most 1.
fn beta(alpha: f64, key: Key) -> f64 {
    for attempt in 0..MOST_TRIES {
        let power = |which| key.uniform(2 * attempt + which).powf(1.0 / alpha);
        let (x, y) = (power(0), power(1));
        let sum = x + y;
        // Both powers may vanish when alpha is tiny.
        if sum > 0.0 && sum <= 1.0 {
            return x / sum;
        }
    }
    key.uniform(2 * MOST_TRIES)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn shares_have_the_mean_and_the_spread_of_their_distribution() {
        for alpha in [0.2, 0.5, 1.0] {
            let n = 20_000;
            let shares: Vec<f64> = (0..n).map(|i| beta(alpha, Key::new(3).fold(i))).collect();
            let mean = shares.iter().sum::<f64>() / n as f64;
            let variance = shares.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / n as f64;
            // Var Beta(a, a) = 1 / (4 (2a + 1)).
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.01, "{alpha}: {mean}");
            assert!((variance - expected).abs() < 0.003, "{alpha}: {variance}");
        }
    }

    #[test]
    fn a_mixture_is_its_equation() {
        let device = Device::flex();
        let mixture = Mixture {
            share: 0.75,
            partners: vec![1, 0],
        };
        let rows = Tensor::<3>::from_data([[[1.0_f32, 2.0]], [[5.0, 10.0]]], &device);
        let mixed: Vec<f32> = mixture
            .embeddings(rows)
            .into_data()
            .try_into_vec_as()
            .unwrap();
        assert_eq!(mixed, [2.0, 4.0, 4.0, 8.0]);
        let losses = mixture.losses(&Targets::Classes(vec![3, 8]), |targets| {
            let classes: Vec<f32> = targets
                .classes()
                .iter()
                .map(|class| *class as f32)
                .collect();
            Tensor::from_data(classes.as_slice(), &device)
        });
        let losses: Vec<f32> = losses.into_data().try_into_vec_as().unwrap();
        assert_eq!(losses, [4.25, 6.75]);
    }

    #[test]
    fn every_row_is_somebodys_partner_once() {
        let mixture = Mixture::draw(1.0, 9, Key::new(1));
        let mut partners = mixture.partners.clone();
        partners.sort_unstable();
        assert_eq!(partners, (0..9).collect::<Vec<_>>());
        assert_eq!(mixture, Mixture::draw(1.0, 9, Key::new(1)));
        assert_ne!(mixture, Mixture::draw(1.0, 9, Key::new(2)));
    }
}
