//! Dropout, and initial values.

mod common;

use burn::tensor::Tensor;
use common::{device, normals, values};
use regard_ops::{Context, Init, Key, Pass, dropout, dropout_mask};

#[test]
fn initial_values_are_what_they_say() {
    let device = device();
    let (n, key) = ([200, 300], Key::new(6));
    let moments = |init: Init| {
        let values = values(&init.param(n, key, &device).val());
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let square = values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64;
        let largest = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        (mean, square.sqrt(), largest)
    };
    // Five standard errors of 60,000 draws.
    let errors = 5.0 / 60_000_f64.sqrt();
    let (mean, deviation, _) = moments(Init::Normal(0.02));
    assert!(mean.abs() < 0.02 * errors && (deviation / 0.02 - 1.0).abs() < errors);
    let bound = (6.0_f64 / 500.0).sqrt();
    assert_eq!(Init::xavier_uniform(200, 300), Init::Uniform(bound));
    let (mean, deviation, largest) = moments(Init::Uniform(bound));
    assert!(
        mean.abs() < bound * errors && (deviation * 3.0_f64.sqrt() / bound - 1.0).abs() < errors
    );
    assert!(largest <= bound * (1.0 + 1e-6) && largest > 0.999 * bound);
    assert_eq!(moments(Init::Constant(-2.0)), (-2.0, 2.0, 2.0));
}

#[test]
fn dropout_multiplies_by_its_mask_in_training_only() {
    let device = device();
    let input = normals("input", [3, 4, 8], &device).require_grad();
    let key = Key::new(7).fold(2);
    for context in [
        &Context::evaluation(),
        &Context::evaluation().with_pass(Pass::Recompute),
    ] {
        let output = dropout(input.clone(), 0.5, "site", context);
        assert_eq!(values(&output), values(&input));
    }
    let rate_zero = dropout(input.clone(), 0.0, "site", &Context::training(key, 0));
    assert_eq!(values(&rate_zero), values(&input));

    let output = dropout(input.clone(), 0.5, "site", &Context::training(key, 6));
    // The place: stage 0, no path, then the site's name.
    let mask = dropout_mask([3, 4, 8], 0.5, key.fold(0).stream("site"), 6);
    let mask = mask.try_into_vec_as::<f64>().expect("floats");
    assert!(
        mask.contains(&0.0) && mask.contains(&2.0) && mask.iter().all(|m| [0.0, 2.0].contains(m))
    );
    let product: Vec<f64> = values(&input)
        .iter()
        .zip(&mask)
        .map(|(x, m)| x * m)
        .collect();
    assert_eq!(values(&output), product);
    let gradient = input
        .grad(&output.sum().backward())
        .expect("a leaf has a gradient");
    assert_eq!(values(&gradient), mask, "the gradient is the mask");
}

#[test]
fn places_draw_different_masks() {
    let ones = Tensor::<2>::ones([1, 256], &device());
    let key = Key::new(7);
    let mut masks = std::collections::BTreeSet::new();
    let mut draw = |context: &Context<'_>, name| {
        let mask = values(&dropout(ones.clone(), 0.5, name, context));
        let bits: Vec<bool> = mask.iter().map(|m| *m == 0.0).collect();
        assert!(masks.insert(bits), "two places share a mask");
    };
    for (key, row) in [(key, 0), (key, 1), (key.fold(1), 0), (Key::new(8), 0)] {
        for stage in [0, 1] {
            let mut context = Context::training(key, row);
            context.enter_stage(stage);
            draw(&context, "a");
            draw(&context, "b");
            context.within("a", |context| draw(context, "b"));
            context.within("b", |context| {
                context.within("a", |context| draw(context, "a"))
            });
        }
    }
    assert_eq!(masks.len(), 32);
}

#[test]
#[should_panic(expected = "a dropout rate lies in [0, 1), found 1")]
fn a_rate_of_one_is_refused() {
    let _ = dropout_mask([1, 4], 1.0, Key::new(1), 0);
}

#[test]
fn a_batch_without_rows_has_a_mask_without_values() {
    for shape in [[0, 3, 4], [2, 0, 4], [2, 3, 0]] {
        assert_eq!(
            dropout_mask(shape, 0.5, Key::new(1), 0).shape().to_vec(),
            shape
        );
    }
}
