//! Attention rollout.

use regard_model::Pooling;

use super::attention::AttentionMaps;

/// How much of each input token reaches what is read off above, if attention were all that moves
/// information: `start · A_L ⋯ A_1` with `A = 0.5 W + 0.5 I`, `W` a layer's mean over its heads and
/// `0.5 I` its residual connection (Abnar and Zuidema 2020, <https://arxiv.org/abs/2005.00928>,
/// section 3).
///
/// `start` says how much each token's last state counts: see [`pooled`]. If it sums to 1, so does the
/// result. A row of a full rollout matrix is the rollout of a `start` with a single 1. Values, the
/// feed-forward layers and the classes play no part: a token that scores high was seen, whatever it
/// then spoke for. Layers stand in the order of the model.
///
/// # Shapes
///
/// - start and output: `[len]`
///
/// # Panics
///
/// If `start` has another length than the maps.
#[must_use]
pub fn rollout(layers: &[AttentionMaps], start: Vec<f64>) -> Vec<f64> {
    layers.iter().rev().fold(start, |above, maps| {
        assert_eq!(
            above.len(),
            maps.len(),
            "a rollout over maps of another length"
        );
        let mean = maps.mean();
        let mut below: Vec<f64> = above.iter().map(|share| 0.5 * share).collect();
        for (share, row) in above.iter().zip(mean.chunks(maps.len())) {
            for (below, weight) in below.iter_mut().zip(row) {
                *below += 0.5 * share * f64::from(*weight);
            }
        }
        below
    })
}

/// How much the last state of each of `len` tokens counts in the pooled vector: all alike for the
/// mean, the class token alone for the first. The maximum picks features, not tokens; it counts as
/// the mean.
///
/// # Shapes
///
/// - output: `[len]`, with the sum 1
#[must_use]
pub fn pooled(pooling: Pooling, len: usize) -> Vec<f64> {
    match pooling {
        Pooling::First => (0..len).map(|t| if t == 0 { 1.0 } else { 0.0 }).collect(),
        Pooling::Mean | Pooling::Max => vec![1.0 / len as f64; len],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Maps of any numbers, with rows that sum to 1.
    fn maps(n_layers: usize, n_heads: usize, len: usize) -> Vec<AttentionMaps> {
        let mut state = 7_u32;
        let mut next = || {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            (state >> 8) as f32 / 16_777_216.0 + 0.01
        };
        (0..n_layers)
            .map(|layer| {
                let mut weights: Vec<f32> = (0..n_heads * len * len).map(|_| next()).collect();
                for row in weights.chunks_mut(len) {
                    let sum: f32 = row.iter().sum();
                    row.iter_mut().for_each(|weight| *weight /= sum);
                }
                AttentionMaps::new(layer, n_heads, len, weights)
            })
            .collect()
    }

    /// The definition: whole matrices, multiplied from the top down.
    fn naive(layers: &[AttentionMaps], len: usize) -> Vec<Vec<f64>> {
        let mut product: Vec<Vec<f64>> = (0..len)
            .map(|i| (0..len).map(|j| f64::from(u8::from(i == j))).collect())
            .collect();
        for maps in layers {
            let with_residual = |i: usize, j: usize| {
                let sum: f64 = (0..maps.n_heads())
                    .map(|head| f64::from(maps.head(head)[i * len + j]))
                    .sum();
                0.5 * sum / maps.n_heads() as f64 + if i == j { 0.5 } else { 0.0 }
            };
            product = (0..len)
                .map(|i| {
                    (0..len)
                        .map(|j| (0..len).map(|k| with_residual(i, k) * product[k][j]).sum())
                        .collect()
                })
                .collect();
        }
        product
    }

    #[test]
    fn a_rollout_is_a_row_of_the_product_of_all_layers_or_a_mean_of_rows() {
        let len = 5;
        let layers = maps(3, 2, len);
        let product = naive(&layers, len);
        let first = rollout(&layers, pooled(Pooling::First, len));
        let mean = rollout(&layers, pooled(Pooling::Mean, len));
        assert_eq!(mean, rollout(&layers, pooled(Pooling::Max, len)));
        for j in 0..len {
            assert!((first[j] - product[0][j]).abs() < 1e-6);
            let expected: f64 = product.iter().map(|row| row[j]).sum::<f64>() / len as f64;
            assert!((mean[j] - expected).abs() < 1e-6);
        }
        assert!((mean.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        // The order of the layers matters, or the product above would prove little.
        let reversed: Vec<AttentionMaps> = layers.into_iter().rev().collect();
        let other = rollout(&reversed, pooled(Pooling::First, len));
        assert!(first.iter().zip(other).any(|(a, b)| (a - b).abs() > 1e-3));
    }

    #[test]
    fn two_layers_worked_by_hand() {
        // Both tokens look at the first: A = [[1, 0], [0.5, 0.5]], and A · A = [[1, 0], [0.75, 0.25]].
        let layer = |index| AttentionMaps::new(index, 1, 2, vec![1.0, 0.0, 1.0, 0.0]);
        let layers = [layer(0), layer(1)];
        assert_eq!(rollout(&layers, vec![0.0, 1.0]), [0.75, 0.25]);
        assert_eq!(rollout(&layers, pooled(Pooling::Mean, 2)), [0.875, 0.125]);
        assert_eq!(rollout(&[], vec![0.3, 0.7]), [0.3, 0.7]);
    }
}
