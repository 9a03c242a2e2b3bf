//! Losses of forecasts, row by row.

use burn::tensor::{Tensor, TensorData};

/// The targets `[rows, 1, steps]` with 0 where they are missing, and the weight of each step: 1 over the number of
/// the row's observed steps, or 0.
fn observed(output: &Tensor<3>, values: &[f32]) -> (Tensor<3>, Tensor<3>) {
    let [rows, _, steps] = output.dims();
    assert_eq!(
        values.len(),
        rows * steps,
        "a target for each step of each row"
    );
    let mut known = Vec::with_capacity(values.len());
    let mut weights = Vec::with_capacity(values.len());
    for row in values.chunks(steps) {
        let n = row.iter().filter(|value| !value.is_nan()).count();
        for value in row {
            let missing = value.is_nan();
            known.push(if missing { 0.0 } else { *value });
            weights.push(if missing { 0.0 } else { 1.0 / n as f32 });
        }
    }
    let options = (&output.device().inner(), output.dtype());
    let tensor = |values| Tensor::from_data(TensorData::new(values, [rows, 1, steps]), options);
    (tensor(known), tensor(weights))
}

/// The mean over the row's observed steps of `(target - output)²`; 0 for a row without any.
///
/// PyTorch equivalent: `F.mse_loss(reduction="none").mean(...)` of each row.
///
/// # Shapes
///
/// - output: `[rows, 1, steps]`
/// - values: `rows * steps` targets, NaN = missing
/// - result: `[rows]`
///
/// # Panics
///
/// If there is not one target for each step of each row.
#[must_use]
pub fn squared_error(output: Tensor<3>, values: &[f32]) -> Tensor<1> {
    let rows = output.dims()[0];
    let (targets, weights) = observed(&output, values);
    let error = (output - targets).square() * weights;
    error.sum_dim(2).reshape([rows])
}

/// The mean over quantiles and the row's observed steps of the pinball loss
/// `max(q · e, (q - 1) · e)`, `e = target - output_q` (Koenker and Bassett 1978).
///
/// # Shapes
///
/// - output: `[rows, quantiles, steps]`
/// - values: `rows * steps` targets, NaN = missing
/// - result: `[rows]`
///
/// # Panics
///
/// If there is not one target for each step of each row, or not one output for each quantile.
#[must_use]
pub fn pinball(output: Tensor<3>, values: &[f32], quantiles: &[f64]) -> Tensor<1> {
    let [rows, n, _] = output.dims();
    assert_eq!(n, quantiles.len(), "an output for each quantile");
    let (device, dtype) = (output.device().inner(), output.dtype());
    let (targets, weights) = observed(&output, values);
    let q = TensorData::new(quantiles.to_vec(), [1, n, 1]);
    let q = Tensor::<3>::from_data(q, (&device, dtype));
    let error = targets - output; // [rows, quantiles, steps]
    let loss = (error.clone() * q.clone()).max_pair(error * (q - 1.0)) * weights;
    loss.sum_dim(2).mean_dim(1).reshape([rows])
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn values(tensor: Tensor<1>) -> Vec<f32> {
        tensor.into_data().try_into_vec().expect("f32")
    }

    #[test]
    fn missing_steps_take_no_part_and_the_others_are_a_mean() {
        let device = Device::flex();
        let output = Tensor::<3>::from_data([[[1.0, 2.0, 3.0]], [[0.0, 0.0, 0.0]]], &device);
        let targets = [2.0, f32::NAN, 5.0, f32::NAN, f32::NAN, f32::NAN];
        assert_eq!(values(squared_error(output, &targets)), [2.5, 0.0]);
    }

    #[test]
    fn the_pinball_loss_is_its_definition() {
        let device = Device::flex();
        let quantiles = [0.1, 0.5, 0.9];
        let output = [[1.0, 4.0], [2.0, 5.0], [3.0, 9.0]];
        let targets = [2.5_f32, 4.5];
        let mut expected = 0.0;
        for (row, q) in output.iter().zip(quantiles) {
            for (found, target) in row.iter().zip(targets) {
                let error = f64::from(target) - found;
                expected += (q * error).max((q - 1.0) * error) / 6.0;
            }
        }
        let output = Tensor::<3>::from_data([output], &device);
        let found = values(pinball(output, &targets, &quantiles));
        assert!(
            (f64::from(found[0]) - expected).abs() < 1e-6,
            "{found:?}, {expected}"
        );
    }

    #[test]
    fn the_constant_with_the_least_pinball_loss_is_the_quantile() {
        let device = Device::flex();
        let targets: Vec<f32> = (0..100).map(|i| i as f32).collect();
        for q in [0.1, 0.5, 0.9] {
            let loss = |level: f64| {
                let output = Tensor::<3>::full([1, 1, 100], level, &device);
                values(pinball(output, &targets, &[q]))[0]
            };
            let best = (0..100)
                .map(f64::from)
                .min_by(|a, b| loss(*a).total_cmp(&loss(*b)));
            assert!(
                (best.expect("some level") - 100.0 * q).abs() <= 1.0,
                "{q}: {best:?}"
            );
        }
    }
}
