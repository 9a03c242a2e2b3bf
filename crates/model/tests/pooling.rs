//! Pooling and the feed-forward layer against loops on the host.

mod common;

use burn::tensor::{DType, Tensor};
use common::{device, host, normals};
use proptest::prelude::*;
use regard_attention::{Mask, Padding};
use regard_model::{Activation, Pooling};

/// The pooled values and their gradient under `sum(pooled · weights)`, from a loop.
fn naive(
    pooling: Pooling,
    hidden: &[f32],
    filling: &[bool],
    [batch, len, d]: [usize; 3],
    weights: &[f32],
) -> [Vec<f64>; 2] {
    let (mut pooled, mut gradient) = (vec![0.0; batch * d], vec![0.0; hidden.len()]);
    for row in 0..batch {
        let real: Vec<usize> = (0..len).filter(|t| !filling[row * len + t]).collect();
        for i in 0..d {
            let at = |t: usize| (row * len + t) * d + i;
            // What each position weighs.
            let shares: Vec<(usize, f64)> = match pooling {
                Pooling::First => real.first().map(|t| (*t, 1.0)).into_iter().collect(),
                Pooling::Mean => real.iter().map(|t| (*t, 1.0 / real.len() as f64)).collect(),
                Pooling::Max => {
                    let best = real
                        .iter()
                        .max_by(|a, b| hidden[at(**a)].total_cmp(&hidden[at(**b)]));
                    best.map(|t| (*t, 1.0)).into_iter().collect()
                }
            };
            for (t, share) in shares {
                pooled[row * d + i] += share * f64::from(hidden[at(t)]);
                gradient[at(t)] = share * f64::from(weights[row * d + i]);
            }
        }
    }
    [pooled, gradient]
}

fn assert_near(what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let close = (f64::from(*found) - expected).abs() <= 1e-6 * (1.0 + expected.abs());
        assert!(
            close,
            "{what}[{i}]: found {found}, the loop gives {expected}"
        );
        if *expected == 0.0 {
            assert!(
                *found == 0.0,
                "{what}[{i}]: found {found}, filling means exactly zero"
            );
        }
    }
}

fn check(pooling: Pooling, filling: Option<Vec<bool>>, [batch, len, d]: [usize; 3]) {
    let hidden = normals("hidden", [batch, len, d], &device()).require_grad();
    let weights = normals("weights", [batch, 1, d], &device());
    let mask = match &filling {
        Some(filling) => Mask::none().with_padding(Padding::new(filling.clone(), batch, len)),
        None => Mask::none(),
    };
    let pooled = pooling.pool(hidden.clone(), &mask);
    assert_eq!(pooled.dims(), [batch, 1, d]);
    let gradients = (pooled.clone() * weights.clone()).sum().backward();
    let gradient = hidden.grad(&gradients).expect("a leaf has a gradient");
    let filling = filling.unwrap_or_else(|| vec![false; batch * len]);
    let (values, weights) = (host(&hidden).values, host(&weights).values);
    let [expected, of_hidden] = naive(pooling, &values, &filling, [batch, len, d], &weights);
    assert_near("pooled", &host(&pooled).values, &expected);
    assert_near("gradient", &host(&gradient).values, &of_hidden);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn pooling_is_the_loop_whatever_is_filling(
        (shape, filling) in (1..4_usize, 1..6_usize, 1..4_usize).prop_flat_map(|(batch, len, d)| {
            let bools = proptest::collection::vec(any::<bool>(), batch * len);
            (Just([batch, len, d]), proptest::option::of(bools))
        }),
    ) {
        for pooling in Pooling::EXAMPLES {
            check(*pooling, filling.clone(), shape);
        }
    }
}

#[test]
fn what_stands_at_filling_may_be_anything_finite() {
    let hidden = [
        [[1.0_f32], [f32::MAX]],
        [[-5.0], [f32::MAX]],
        [[f32::MAX], [f32::MAX]],
    ];
    for (pooling, expected) in [
        (Pooling::First, [1.0, -5.0, 0.0]),
        (Pooling::Mean, [1.0, -5.0, 0.0]),
        (Pooling::Max, [1.0, -5.0, 0.0]),
    ] {
        let hidden = Tensor::<3>::from_data(hidden, &device());
        let pooled = pooling.pool(hidden, &Mask::none().with_lengths(&[1, 1, 0], 2));
        assert_eq!(host(&pooled).values, expected, "{pooling:?}");
    }
}

#[test]
fn shares_of_a_mean_are_as_precise_as_the_hidden_states() {
    let options = (&device(), DType::F64);
    let hidden = Tensor::<3>::ones([1, 4, 1], options);
    let pooled = Pooling::Mean.pool(hidden, &Mask::none().with_lengths(&[3], 4));
    let pooled = pooled.into_data().try_into_vec::<f64>().expect("f64");
    assert!((pooled[0] - 1.0).abs() < 1e-15, "{pooled:?}");
}

#[test]
#[should_panic(expected = "the padding mask is for another batch")]
fn a_mask_of_another_batch_is_refused() {
    let hidden = Tensor::<3>::ones([2, 3, 1], &device());
    let _ = Pooling::Mean.pool(hidden, &Mask::none().with_lengths(&[3], 3));
}

#[test]
fn activations_are_their_formulas() {
    // x · Φ(x) from tables of the normal distribution.
    let points = [-3.0_f32, -1.0, 0.0, 0.5, 2.0];
    let gelu = [
        -0.004_049_694_f32,
        -0.158_655_25,
        0.0,
        0.345_731_24,
        1.954_499_7,
    ];
    let relu = [0.0_f32, 0.0, 0.0, 0.5, 2.0];
    for (activation, expected) in [(Activation::Gelu, gelu), (Activation::Relu, relu)] {
        let found = activation.apply(Tensor::<1>::from_data(points, &device()));
        for (found, expected) in host(&found).values.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-6,
                "{activation:?}: {found}, {expected}"
            );
        }
    }
}
