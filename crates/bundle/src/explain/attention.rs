//! Attention maps, and what one can say of a head in a few numbers.

/// The attention of one layer over the real tokens of one row; filling is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionMaps {
    layer: usize,
    n_heads: usize,
    len: usize,
    /// `[heads, len, len]`, queries before keys.
    weights: Vec<f32>,
}

/// A head in numbers, each a mean over the queries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeadFigures {
    /// `-Σ p ln p` of a query's weights `p`, in nats: 0 for a head that looks at one token, `ln len`
    /// for one that looks at all alike (Clark et al. 2019, <https://arxiv.org/abs/1906.04341>,
    /// section 3.3).
    pub entropy: f64,
    /// The entropy over `ln len`, from 0 to 1; 0 for a single token.
    pub normalized_entropy: f64,
    /// `Σ p[key] |query - key|`, in tokens (Vig and Belinkov 2019,
    /// <https://arxiv.org/abs/1906.04284>, section 4.3).
    pub distance: f64,
    /// The weight of the first token, the class token of a text.
    pub class_weight: f64,
}

impl AttentionMaps {
    /// The maps of layer `layer`.
    ///
    /// # Shapes
    ///
    /// - weights: `[heads, len, len]`, queries before keys
    ///
    /// # Panics
    ///
    /// If there is no head or no token, or `weights` has another size.
    #[must_use]
    pub fn new(layer: usize, n_heads: usize, len: usize, weights: Vec<f32>) -> Self {
        assert!(
            n_heads > 0 && len > 0 && weights.len() == n_heads * len * len,
            "{n_heads} heads over {len} tokens, with {} weights",
            weights.len()
        );
        Self {
            layer,
            n_heads,
            len,
            weights,
        }
    }

    /// The layer, counted from 0.
    #[must_use]
    pub fn layer(&self) -> usize {
        self.layer
    }

    /// The number of heads.
    #[must_use]
    pub fn n_heads(&self) -> usize {
        self.n_heads
    }

    /// The number of tokens; never 0.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always a token")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The map of a head, query after query.
    ///
    /// # Panics
    ///
    /// If there is no such head.
    #[must_use]
    pub fn head(&self, head: usize) -> &[f32] {
        let size = self.len * self.len;
        &self.weights[head * size..][..size]
    }

    /// The mean over the heads, query after query.
    #[must_use]
    pub fn mean(&self) -> Vec<f32> {
        let mut mean = vec![0.0; self.len * self.len];
        for head in 0..self.n_heads {
            for (mean, weight) in mean.iter_mut().zip(self.head(head)) {
                *mean += weight / self.n_heads as f32;
            }
        }
        mean
    }

    /// A head in numbers; NaN where its weights are.
    ///
    /// # Panics
    ///
    /// If there is no such head.
    #[must_use]
    pub fn figures(&self, head: usize) -> HeadFigures {
        let (mut entropy, mut distance, mut class_weight) = (0.0, 0.0, 0.0);
        for (query, row) in self.head(head).chunks(self.len).enumerate() {
            class_weight += f64::from(row[0]);
            for (key, weight) in row.iter().enumerate() {
                let p = f64::from(*weight);
                // The limit of p ln p at 0 is 0.
                if p != 0.0 {
                    entropy -= p * p.ln();
                }
                distance += p * query.abs_diff(key) as f64;
            }
        }
        let len = self.len as f64;
        let entropy = entropy / len;
        HeadFigures {
            entropy,
            normalized_entropy: if self.len > 1 {
                entropy / len.ln()
            } else {
                entropy
            },
            distance: distance / len,
            class_weight: class_weight / len,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(weights: &[f32], len: usize) -> HeadFigures {
        AttentionMaps::new(0, 1, len, weights.to_vec()).figures(0)
    }

    #[test]
    fn a_head_that_looks_at_itself_and_one_that_looks_everywhere_are_told_apart() {
        let itself = figures(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], 3);
        assert_eq!(
            itself,
            HeadFigures {
                entropy: 0.0,
                normalized_entropy: 0.0,
                distance: 0.0,
                class_weight: 1.0 / 3.0,
            }
        );
        let everywhere = figures(&[0.25; 16], 4);
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(near(everywhere.entropy, 4_f64.ln()));
        assert!(near(everywhere.normalized_entropy, 1.0));
        // Of four places the pairs lie 20 apart, over 16 pairs.
        assert!(near(everywhere.distance, 20.0 / 16.0));
        assert!(near(everywhere.class_weight, 0.25));
    }

    #[test]
    fn a_row_worked_by_hand() {
        // Entropies: ln 2; 0.5 ln 2 + 2 · 0.25 ln 4 = 1.5 ln 2; 0.
        let found = figures(&[0.5, 0.0, 0.5, 0.25, 0.5, 0.25, 1.0, 0.0, 0.0], 3);
        let entropy = 2.5 * 2_f64.ln() / 3.0;
        assert!((found.entropy - entropy).abs() < 1e-12);
        assert!((found.normalized_entropy - entropy / 3_f64.ln()).abs() < 1e-12);
        assert!((found.distance - (1.0 + 0.5 + 2.0) / 3.0).abs() < 1e-12);
        assert!((found.class_weight - 1.75 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_single_token_has_no_entropy_and_a_nan_stays_one() {
        assert_eq!(figures(&[1.0], 1).normalized_entropy, 0.0);
        let broken = figures(&[f32::NAN, 0.5, 0.5, 0.5], 2);
        assert!(broken.entropy.is_nan() && broken.distance.is_nan());
    }
}
