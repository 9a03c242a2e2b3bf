//! How positions become one vector.

use burn::tensor::{Tensor, TensorData};
use regard_attention::{Mask, Padding};
use serde::{Deserialize, Serialize};

/// A way of pooling; filling never takes part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// The first real position, where a class token stands; zero for a row without any.
    First,
    /// The mean of the real positions; zero for a row without any.
    #[default]
    Mean,
    /// The greatest value of each feature over the real positions; zero for a row without any.
    Max,
}

impl Pooling {
    /// One of each kind, for tests that hold for every pooling.
    pub const EXAMPLES: &[Self] = &[Self::First, Self::Mean, Self::Max];

    /// One vector for each row.
    ///
    /// # Shapes
    ///
    /// - hidden: `[batch, len, d_model]`
    /// - output: `[batch, 1, d_model]`
    #[must_use]
    pub fn pool(self, hidden: Tensor<3>, mask: &Mask) -> Tensor<3> {
        let [batch, len, d] = hidden.dims();
        let (device, dtype) = (hidden.device().inner(), hidden.dtype());
        if let Some(padding) = mask.padding() {
            assert_eq!(
                [padding.batch(), padding.len()],
                [batch, len],
                "the padding mask is for another batch: [rows, positions]"
            );
        }
        match (self, mask.padding()) {
            (Self::First, None) => hidden.slice([0..batch, 0..1, 0..d]),
            (Self::Mean, None) => hidden.mean_dim(1),
            (Self::Max, None) => hidden.max_dim(1),
            (Self::First, Some(padding)) => {
                let starts = |row| matches!(padding.row(row), [false, ..]);
                if (0..batch).all(starts) {
                    return hidden.slice([0..batch, 0..1, 0..d]);
                }
                weighted_sum(hidden, padding, |row| {
                    let first = row.iter().position(|hidden| !hidden);
                    (0..len).map(|t| f64::from(first == Some(t))).collect()
                })
            }
            (Self::Mean, Some(padding)) => weighted_sum(hidden, padding, |row| {
                let n = row.iter().filter(|hidden| !**hidden).count();
                row.iter()
                    .map(|hidden| if *hidden { 0.0 } else { 1.0 / n as f64 })
                    .collect()
            }),
            (Self::Max, Some(padding)) => {
                let visible = padding.visible(&device, dtype).reshape([batch, len, 1]);
                let hides = visible.lower_elem(0.5).expand([batch, len, d]);
                // The lowest finite value, not minus infinity: a row of filling alone gives zero
                // below, and zero times infinity would be NaN.
                let best = hidden.mask_fill(hides, f32::MIN / 2.0).max_dim(1); // [batch, 1, d]
                let empty: Vec<bool> = padding.lengths().iter().map(|n| *n == 0).collect();
                if !empty.contains(&true) {
                    return best;
                }
                let empty = Tensor::<1, burn::tensor::Bool>::from_data(empty.as_slice(), &device)
                    .reshape([batch, 1, 1])
                    .expand([batch, 1, d]);
                best.mask_fill(empty, 0.0)
            }
        }
    }
}

/// The sum over positions, the positions of a row weighing `weights(row)`.
fn weighted_sum(
    hidden: Tensor<3>,
    padding: &Padding,
    weights: impl Fn(&[bool]) -> Vec<f64>,
) -> Tensor<3> {
    let [batch, len, _] = hidden.dims();
    let values: Vec<f64> = (0..batch)
        .flat_map(|row| weights(padding.row(row)))
        .collect();
    let options = (&hidden.device().inner(), hidden.dtype());
    let weights = Tensor::from_data(TensorData::new(values, [batch, len, 1]), options);
    (hidden * weights).sum_dim(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pooling_is_an_example() {
        // A newcomer does not compile until it has its place in this chain, and so in the list.
        let next = |last| match last {
            None => Some(Pooling::First),
            Some(Pooling::First) => Some(Pooling::Mean),
            Some(Pooling::Mean) => Some(Pooling::Max),
            Some(Pooling::Max) => None,
        };
        let all = std::iter::successors(next(None), |last| next(Some(*last)));
        assert_eq!(all.collect::<Vec<_>>(), Pooling::EXAMPLES);
    }
}
