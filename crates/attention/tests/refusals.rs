//! Masks that do not fit are refused with what was expected and what was found.

mod common;

use burn::tensor::Tensor;
use common::device;
use regard_attention::{Mask, Padding, attend};

/// Runs attention of `rows` rows of 2 positions under `mask`.
fn attend_with(rows: usize, mask: &Mask) -> [usize; 4] {
    let input = Tensor::<4>::ones([rows, 1, 2, 3], &device());
    attend(input.clone(), input.clone(), input, mask).dims()
}

#[test]
#[should_panic(expected = "the padding mask is for 3 rows, found 1")]
fn a_padding_mask_for_more_rows_is_refused() {
    let _ = attend_with(1, &Mask::none().with_lengths(&[1, 2, 2], 2));
}

#[test]
#[should_panic(expected = "the padding mask is for 1 rows, found 3")]
fn a_padding_mask_for_fewer_rows_is_refused() {
    let _ = attend_with(3, &Mask::none().with_lengths(&[1], 2));
}

#[test]
#[should_panic(expected = "the padding mask is for 5 keys, found 2")]
fn a_padding_mask_for_other_keys_is_refused() {
    let _ = attend_with(1, &Mask::none().with_lengths(&[1], 5));
}

#[test]
#[should_panic(expected = "the dense mask is for 2 rows, found 3")]
fn a_dense_mask_for_other_rows_is_refused() {
    let hidden = Tensor::<3>::zeros([2, 2, 2], &device().inner()).greater_elem(1.0);
    let _ = attend_with(3, &Mask::none().with_dense(hidden));
}

#[test]
#[should_panic(expected = "the dense mask is for 2 queries and 3 keys, found 2 and 2")]
fn a_dense_mask_for_other_keys_is_refused() {
    let hidden = Tensor::<3>::zeros([1, 2, 3], &device().inner()).greater_elem(1.0);
    let _ = attend_with(3, &Mask::none().with_dense(hidden));
}

#[test]
#[should_panic(expected = "a row of 4 positions in 3")]
fn a_row_longer_than_its_batch_is_refused() {
    let _ = Mask::none().with_lengths(&[4], 3);
}

#[test]
#[should_panic(expected = "padding of 2 rows of 2 positions takes 4 values")]
fn padding_of_another_size_is_refused() {
    let _ = Padding::new(vec![true], 2, 2);
}
