//! Dropout as a function of a place.

use burn::tensor::{Tensor, TensorData};

use crate::context::Context;
use crate::random::Key;

/// Sets each element to zero with probability `rate` and scales the others by `1 / (1 - rate)`
/// (Srivastava et al. 2014), in a training pass; elsewhere the identity.
///
/// PyTorch equivalent: `F.dropout`. Differs from it: the mask is a function of the run's seed, the
/// step, the stage, the site and the row's number in the batch, so it replays when a stage is
/// recomputed and does not change when a batch is split or padded further. The rate is exact to
/// 2^-16.
///
/// # Shapes
///
/// - input: `[rows, ..., width]`, any rank from 2
/// - output: the same
#[must_use]
pub fn dropout<const D: usize>(
    input: Tensor<D>,
    rate: f64,
    name: &'static str,
    context: &Context<'_>,
) -> Tensor<D> {
    if rate == 0.0 {
        return input;
    }
    let Some((key, first_row)) = context.random_site(name) else {
        return input;
    };
    let mask = dropout_mask(input.dims(), rate, key, first_row);
    let options = (&input.device().inner(), input.dtype());
    input * Tensor::from_data(mask, options)
}

/// The mask of [`dropout`]: zeros and `1 / (1 - rate)`.
///
/// Each line along the last dimension draws under the key of its indices, so an element's value does
/// not depend on the extent of any dimension.
///
/// # Panics
///
/// If `rate` is not in `[0, 1)`.
#[must_use]
pub fn dropout_mask<const D: usize>(
    shape: [usize; D],
    rate: f64,
    key: Key,
    first_row: u64,
) -> TensorData {
    assert!(
        (0.0..1.0).contains(&rate),
        "a dropout rate lies in [0, 1), found {rate}"
    );
    // 16 bits an element: four elements for each draw of 64 bits.
    let threshold = ((rate * 65_536.0).round() as u32).min(65_535);
    let keep = 65_536.0 / f64::from(65_536 - threshold);
    let table = [0.0_f32, keep as f32];
    let width = shape[D - 1];
    let mut values = vec![0.0_f32; shape.iter().product()];
    if width > 0 {
        let inner = &shape[1..D - 1];
        let lines_per_row = inner.iter().product::<usize>();
        for (line, out) in values.chunks_exact_mut(width).enumerate() {
            let row = first_row + (line / lines_per_row) as u64;
            let mut line_key = key.fold(row);
            let mut rest = line % lines_per_row;
            let mut extent = lines_per_row;
            for &n in inner {
                extent /= n;
                line_key = line_key.fold((rest / extent) as u64);
                rest %= extent;
            }
            for (draw, four) in out.chunks_mut(4).enumerate() {
                let bits = line_key.bits(draw as u64);
                for (i, value) in four.iter_mut().enumerate() {
                    let sixteen = (bits >> (16 * i)) as u32 & 0xFFFF;
                    *value = table[usize::from(sixteen >= threshold)];
                }
            }
        }
    }
    TensorData::new(values, shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask<const D: usize>(shape: [usize; D], first_row: u64) -> Vec<f32> {
        dropout_mask(shape, 0.1, Key::new(5), first_row)
            .try_into_vec()
            .expect("the mask is f32")
    }

    #[test]
    fn the_share_of_zeros_is_the_rate_and_the_mean_is_one() {
        let mask = mask([64, 50, 128], 0);
        let n = mask.len() as f64;
        let zeros = mask.iter().filter(|v| **v == 0.0).count() as f64;
        // Five standard errors either way.
        assert!((zeros / n - 0.1).abs() < 5.0 * (0.1_f64 * 0.9 / n).sqrt());
        let mean = mask.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        assert!((mean - 1.0).abs() < 5.0 * (0.1_f64 / 0.9 / n).sqrt());
    }

    #[test]
    fn splitting_or_padding_a_batch_changes_no_element() {
        let whole = mask([4, 6, 8], 0);
        assert_eq!(whole[2 * 48..], mask([2, 6, 8], 2)[..]);
        let longer = mask([4, 9, 8], 0);
        for row in 0..4 {
            assert_eq!(whole[row * 48..][..48], longer[row * 72..][..48]);
        }
        let (narrow, wide) = (mask([2, 3, 5, 5], 0), mask([2, 3, 7, 9], 0));
        for (row, head, q, k) in [(0, 0, 0, 0), (1, 2, 4, 4), (0, 1, 3, 2)] {
            assert_eq!(
                narrow[((row * 3 + head) * 5 + q) * 5 + k],
                wide[((row * 3 + head) * 7 + q) * 9 + k]
            );
        }
    }

    #[test]
    fn rows_draw_apart() {
        let mask = mask([2, 1, 4096], 0);
        assert_ne!(mask[..4096], mask[4096..]);
    }
}
