//! Gaussian noise.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use regard_bundle::Workers;
use regard_model::Transformer;

/// Numbers that one stream of the generator makes; streams run side by side.
const CHUNK: usize = 1 << 15;

/// `n` independent normal numbers of mean 0 (Box and Muller 1958, in f64).
///
/// The seed decides all of them, and the number of threads none.
pub(super) fn normals(seed: [u8; 32], n: usize, deviation: f64, workers: Workers) -> Vec<f32> {
    let chunks = workers.map(n.div_ceil(CHUNK), |chunk| {
        let mut generator = ChaCha20Rng::from_seed(seed);
        generator.set_stream(chunk as u64);
        let len = CHUNK.min(n - chunk * CHUNK);
        let mut values = Vec::with_capacity(len + 1);
        while values.len() < len {
            // In (0, 1], so that the logarithm is finite.
            let uniform = |bits: u64| ((bits >> 11) + 1) as f64 * (1.0 / (1_u64 << 53) as f64);
            let radius = deviation * (-2.0 * uniform(generator.next_u64()).ln()).sqrt();
            let (sin, cos) = (std::f64::consts::TAU * uniform(generator.next_u64())).sin_cos();
            values.extend([(radius * cos) as f32, (radius * sin) as f32]);
        }
        values.truncate(len);
        values
    });
    chunks.concat()
}

/// `(sum + noise) / divisor` for every trainable parameter, those too that no drawn unit has a
/// gradient for.
pub(super) fn add(
    model: &Transformer,
    sum: GradientsParams,
    noise: Vec<f32>,
    divisor: f64,
) -> GradientsParams {
    struct Add {
        sum: GradientsParams,
        noise: std::vec::IntoIter<f32>,
        divisor: f64,
        noisy: GradientsParams,
    }
    impl ModuleVisitor for Add {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = param.val();
            if !value.is_require_grad() {
                return;
            }
            let shape = value.dims();
            let n = shape.iter().product();
            let noise: Vec<f32> = self.noise.by_ref().take(n).collect();
            assert_eq!(noise.len(), n, "noise for every number of the model");
            let options = (&value.device().inner(), value.dtype());
            let noise = Tensor::<D>::from_data(TensorData::new(noise, shape), options);
            let noisy = match self.sum.remove::<D>(param.id) {
                Some(sum) => sum + noise,
                None => noise,
            };
            self.noisy
                .register::<D>(param.id, noisy.div_scalar(self.divisor));
        }
    }
    let mut add = Add {
        sum,
        noise: noise.into_iter(),
        divisor,
        noisy: GradientsParams::new(),
    };
    model.visit(&mut add);
    assert_eq!(add.noise.len(), 0, "no noise without a number to hide");
    add.noisy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(seed: u8, deviation: f64, workers: usize) -> Vec<f64> {
        let values = normals([seed; 32], 100_001, deviation, Workers::new(workers));
        values.into_iter().map(f64::from).collect()
    }

    /// A two-sided test at five standard errors: a false alarm in 1.7 million, and 2/3 or 3/2 of the
    /// deviation are never taken for it.
    fn has_deviation(values: &[f64], deviation: f64) -> bool {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| v * v).sum::<f64>() / n;
        let expected = deviation * deviation;
        mean.abs() < 5.0 * deviation / n.sqrt()
            && (variance - expected).abs() < 5.0 * expected * (2.0 / n).sqrt()
    }

    #[test]
    fn noise_has_its_standard_deviation_and_no_other() {
        let values = draw(1, 0.7, 1);
        assert!(has_deviation(&values, 0.7));
        assert!(!has_deviation(&values, 0.7 * 2.0 / 3.0));
        assert!(!has_deviation(&values, 0.7 * 3.0 / 2.0));
        // The fourth moment and the tail, which a uniform or a clipped normal would not have.
        let n = values.len() as f64;
        let kurtosis = values.iter().map(|v| (v / 0.7).powi(4)).sum::<f64>() / n;
        assert!(
            (kurtosis - 3.0).abs() < 5.0 * (96.0 / n).sqrt(),
            "{kurtosis}"
        );
        let tail = values.iter().filter(|v| v.abs() > 3.0 * 0.7).count() as f64 / n;
        assert!((tail - 0.0027).abs() < 5.0 * (0.0027 / n).sqrt(), "{tail}");
    }

    #[test]
    fn numbers_are_independent_of_each_other_and_of_the_threads() {
        let values = draw(2, 1.0, 1);
        assert_eq!(values, draw(2, 1.0, 3));
        let other = draw(3, 1.0, 2);
        let n = values.len() as f64;
        let correlation =
            |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / n;
        assert!(correlation(&values, &other).abs() < 5.0 / n.sqrt());
        assert!(correlation(&values[1..], &values).abs() < 5.0 / n.sqrt());
        assert!(correlation(&values[CHUNK..], &values).abs() < 5.0 / n.sqrt());
    }
}
