//! Sums, norms and scales of gradients, each in a fixed order.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

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
        .reshape([whole / PIECE]);
    let rest = flat.narrow(0, whole, n - whole);
    if whole == n {
        return pieces.sum();
    }
    pieces.sum() + rest.square().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn a_squared_sum_in_pieces_is_the_squared_sum() {
        let device = Device::flex();
        for n in [1, 7, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 17] {
            let values: Vec<f32> = (0..n).map(|i| ((i % 13) as f32 - 6.0) / 8.0).collect();
            let expected: f64 = values.iter().map(|v| f64::from(*v).powi(2)).sum();
            let sum = squared_sum(Tensor::<1>::from_data(values.as_slice(), &device));
            let found = f64::from(sum.into_scalar::<f32>());
            assert!((found / expected - 1.0).abs() < 1e-6, "{n}: {found} and {expected}");
        }
    }
}
