//! Sums, norms and scales of gradients, each in a fixed order.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use regard_model::weights::ParameterPath;

/// Sums of more elements than this are taken piece by piece: flex hands larger ones to a tree of
/// threads, and the bytes of the result would depend on their number.
const PIECE: usize = 1 << 16;

/// Gives a clone of a model leaves of its own.
///
/// Tapes that share leaves deadlock in burn-autodiff 0.22.1 when they run on several threads; the
/// gradients are found by the parameters' ids all the same.
pub(crate) fn with_fresh_leaves<M: Module>(model: M) -> M {
    struct Fresh;
    impl ModuleMapper for Fresh {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|tensor| {
                let tracked = tensor.is_require_grad();
                let leaf = tensor.inner().autodiff();
                if tracked { leaf.require_grad() } else { leaf }
            })
        }
    }
    model.map(&mut Fresh)
}

/// Adds the gradients `from` to the gradients `into`.
pub(crate) fn add<M: Module>(model: &M, into: &mut GradientsParams, from: GradientsParams) {
    struct Add<'a> {
        into: &'a mut GradientsParams,
        from: GradientsParams,
    }
    impl ModuleVisitor for Add<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let Some(new) = self.from.remove::<D>(param.id) else {
                return;
            };
            let sum = match self.into.remove::<D>(param.id) {
                Some(old) => old + new,
                None => new,
            };
            self.into.register::<D>(param.id, sum);
        }
    }
    model.visit(&mut Add { into, from });
}

/// The norm of all gradients together, as one vector.
pub(crate) fn global_norm<M: Module>(model: &M, gradients: &GradientsParams) -> f64 {
    struct Squares<'a> {
        gradients: &'a GradientsParams,
        sums: Vec<Tensor<1>>,
    }
    impl ModuleVisitor for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                self.sums.push(squared_sum(gradient));
            }
        }
    }
    let mut squares = Squares {
        gradients,
        sums: Vec::new(),
    };
    model.visit(&mut squares);
    if squares.sums.is_empty() {
        return 0.0;
    }
    // One transfer for all, then f64 in order.
    let sums = Tensor::cat(squares.sums, 0)
        .into_data()
        .try_into_vec_as::<f32>()
        .expect("a float tensor converts to f32");
    sums.into_iter().map(f64::from).sum::<f64>().sqrt()
}

/// Which parameters a backward pass did not reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Audit {
    /// Parameters to be trained that have no gradient at all: something cuts them off.
    pub missing: Vec<String>,
    /// Those whose gradient is zero everywhere.
    pub zero: Vec<String>,
}

/// Looks for parameters that are to be trained and got nothing.
pub(crate) fn audit<M: Module>(model: &M, gradients: &GradientsParams) -> Audit {
    struct Look<'a> {
        gradients: &'a GradientsParams,
        path: ParameterPath,
        missing: Vec<String>,
        found: Vec<(String, Tensor<1>)>,
    }
    impl ModuleVisitor for Look<'_> {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.enter(name, container);
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if !param.val().is_require_grad() {
                return;
            }
            let name = self.path.name();
            match self.gradients.get::<D>(param.id) {
                None => self.missing.push(name),
                Some(gradient) => self.found.push((name, gradient.abs().max())),
            }
        }
    }
    let mut look = Look {
        gradients,
        path: ParameterPath::new(),
        missing: Vec::new(),
        found: Vec::new(),
    };
    model.visit(&mut look);
    let (names, largest): (Vec<String>, Vec<Tensor<1>>) = look.found.into_iter().unzip();
    let zero = match largest.is_empty() {
        true => Vec::new(),
        // One transfer for all.
        false => Tensor::cat(largest, 0)
            .into_data()
            .try_into_vec_as::<f32>()
            .expect("a float tensor converts to f32")
            .into_iter()
            .zip(names)
            .filter_map(|(largest, name)| (largest == 0.0).then_some(name))
            .collect(),
    };
    Audit {
        missing: look.missing,
        zero,
    }
}

/// What gradients of the global norm `norm` are multiplied by, so that their norm is at most
/// `max_grad_norm`.
///
/// PyTorch equivalent: the factor of `torch.nn.utils.clip_grad_norm_`.
pub(crate) fn clip_scale(norm: f64, max_grad_norm: Option<f64>) -> f64 {
    match max_grad_norm {
        Some(most) => (most / (norm + 1e-6)).min(1.0),
        None => 1.0,
    }
}

/// The sum of squares, `[1]`, in an order that no number of threads changes.
fn squared_sum<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let n = tensor.shape().num_elements();
    let flat: Tensor<1> = tensor.reshape([n]);
    if n <= PIECE {
        return flat.square().sum();
    }
    let whole = n / PIECE * PIECE;
    let pieces = flat
        .clone()
        .narrow(0, 0, whole)
        .reshape([whole / PIECE, PIECE])
        .square()
        .sum_dim(1)
        .reshape([whole / PIECE])
        .sum();
    // Burn has no empty tensors to narrow to.
    if whole == n {
        return pieces;
    }
    pieces + flat.narrow(0, whole, n - whole).square().sum()
}

#[cfg(test)]
mod tests {
    use burn::module::ParamId;
    use burn::tensor::{Device, TensorData};
    use serde_json::Value;

    use super::*;

    fn floats(value: &Value) -> Vec<f32> {
        let numbers = value["data"].as_array().unwrap().iter();
        numbers.map(|n| n.as_f64().unwrap() as f32).collect()
    }

    fn tensor<const D: usize>(value: &Value, device: &Device) -> Tensor<D> {
        let shape: [usize; D] = serde_json::from_value::<Vec<usize>>(value["shape"].clone())
            .unwrap()
            .try_into()
            .unwrap();
        Tensor::from_data(TensorData::new(floats(value), shape), device)
    }

    /// Parameters of the ranks and shapes of the golden file.
    #[derive(Module, Debug)]
    struct Three {
        first: Param<Tensor<2>>,
        second: Param<Tensor<1>>,
        third: Param<Tensor<2>>,
    }

    #[test]
    fn gradients_are_clipped_by_the_global_norm_as_pytorch_clips_them() {
        let device = Device::flex();
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/golden/optimizer.json"
        );
        let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let cases = file["cases"].as_array().unwrap().iter();
        let cases: Vec<&Value> = cases
            .filter(|case| case["name"].as_str().unwrap().starts_with("clip-"))
            .collect();
        assert_eq!(cases.len(), 2);
        let mut scales = Vec::new();
        for case in cases {
            let (inputs, outputs) = (&case["inputs"], &case["outputs"]);
            let gradient = |i: usize| &inputs[format!("gradient.{i}")];
            let id = ParamId::new;
            let model = Three {
                first: Param::initialized(id(), tensor(gradient(0), &device)),
                second: Param::initialized(id(), tensor(gradient(1), &device)),
                third: Param::initialized(id(), tensor(gradient(2), &device)),
            };
            let mut gradients = GradientsParams::new();
            gradients.register::<2>(model.first.id, tensor(gradient(0), &device));
            gradients.register::<1>(model.second.id, tensor(gradient(1), &device));
            gradients.register::<2>(model.third.id, tensor(gradient(2), &device));

            let norm = global_norm(&model, &gradients);
            let expected = f64::from(floats(&outputs["norm"])[0]);
            assert!(
                (norm / expected - 1.0).abs() < 1e-6,
                "{norm}, expected {expected}"
            );
            let max_grad_norm = f64::from(floats(&inputs["max_grad_norm"])[0]);
            let scale = clip_scale(norm, Some(max_grad_norm));
            for i in 0..3 {
                let clipped = floats(&outputs[format!("clipped.{i}")]);
                for (before, after) in floats(gradient(i)).into_iter().zip(clipped) {
                    let found = (f64::from(before) * scale) as f32;
                    assert!(
                        (found - after).abs() <= 1e-6 * after.abs(),
                        "{found}, {after}"
                    );
                }
            }
            assert_eq!(clip_scale(norm, None), 1.0);
            scales.push(scale);
        }
        assert!(scales[0] < 1.0, "the first case is clipped: {scales:?}");
        assert_eq!(scales[1], 1.0, "the second is not");
    }

    #[test]
    fn a_squared_sum_of_5_million_numbers_is_the_same_on_any_number_of_threads() {
        // Pieces of unlike magnitudes: sums of like ones are hardly rounded, in whatever order.
        let key = regard_ops::Key::new(3);
        let values: Vec<f32> = (0..80)
            .flat_map(|piece| {
                let scale = (2.0 * key.fold(1).normal(piece)).exp();
                let first = piece * PIECE as u64;
                (first..first + PIECE as u64).map(move |i| (scale * key.normal(i)) as f32)
            })
            .collect();
        let tensor = Tensor::<1>::from_data(values.as_slice(), &Device::flex());
        let sum = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let sum = || squared_sum(tensor.clone()).into_scalar::<f32>().to_bits();
            pool.unwrap().install(sum)
        };
        let expected = sum(1);
        // Which thread takes what is a matter of chance.
        for threads in [2, 3, 8, 2, 3, 8] {
            assert_eq!(sum(threads), expected, "{threads} threads");
        }
    }

    #[test]
    fn a_layer_that_is_cut_off_is_named_and_a_gradient_of_zero_too() {
        let device = Device::flex().autodiff();
        let model = Three {
            first: Param::from_data([[1.0, 2.0]], &device),
            second: Param::from_data([3.0], &device),
            third: Param::from_data([[0.0], [0.0]], &device),
        };
        // The second is cut off on purpose; the first meets only zeros.
        let loss =
            model.first.val().matmul(model.third.val()).sum() + model.second.val().detach().sum();
        let mut tape = loss.backward();
        let gradients = GradientsParams::from_module(&mut tape, &model);
        let found = audit(&model, &gradients);
        assert_eq!(found.missing, ["second"]);
        assert_eq!(found.zero, ["first"]);
        // What is not to be trained needs no gradient.
        let frozen = audit(&model.clone().no_grad(), &gradients);
        assert_eq!(frozen, Audit::default());
    }

    #[test]
    fn a_norm_of_zero_clips_nothing() {
        assert_eq!(clip_scale(0.0, Some(1.0)), 1.0);
        let model = Three {
            first: Param::from_data([[0.0]], &Device::flex()),
            second: Param::from_data([0.0], &Device::flex()),
            third: Param::from_data([[0.0]], &Device::flex()),
        };
        assert_eq!(global_norm(&model, &GradientsParams::new()), 0.0);
    }

    #[test]
    fn a_squared_sum_in_pieces_is_the_squared_sum() {
        let device = Device::flex();
        for n in [1, 7, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 17] {
            let values: Vec<f32> = (0..n).map(|i| ((i % 13) as f32 - 6.0) / 8.0).collect();
            let expected: f64 = values.iter().map(|v| f64::from(*v).powi(2)).sum();
            let sum = squared_sum(Tensor::<1>::from_data(values.as_slice(), &device));
            let found = f64::from(sum.into_scalar::<f32>());
            assert!(
                (found / expected - 1.0).abs() < 1e-6,
                "{n}: {found} and {expected}"
            );
        }
    }
}
