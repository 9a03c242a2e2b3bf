//! Training some of the parameters.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;
use regard_model::Transformer;
use regard_model::weights::ParameterPath;

use crate::config::Trainable;

/// The model with the parameters frozen that `trainable` leaves out.
pub(crate) fn freeze(model: Transformer, trainable: Trainable) -> Transformer {
    struct Freeze {
        path: ParameterPath,
        trainable: Trainable,
    }
    impl ModuleMapper for Freeze {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.enter(name, container);
        }

        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.exit();
        }

        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if is_trained(&self.path.name(), self.trainable) {
                return param;
            }
            param.map(|tensor| tensor.inner().autodiff())
        }
    }
    if trainable == Trainable::All {
        return model;
    }
    model.map(&mut Freeze {
        path: ParameterPath::new(),
        trainable,
    })
}

fn is_trained(name: &str, trainable: Trainable) -> bool {
    match trainable {
        Trainable::All => true,
        Trainable::Head => name.starts_with("head."),
        // A head that stays as it was drawn would leave nothing to learn.
        Trainable::Biases => name.starts_with("head.") || name.ends_with("bias"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_and_the_biases_are_told_by_their_names() {
        let names = [
            "embed.token.weight",
            "blocks.0.attention.qkv.weight",
            "blocks.0.attention.qkv.bias",
            "blocks.0.norm1.bias",
            "head.linear.weight",
            "head.linear.bias",
        ];
        let trained = |trainable| names.map(|name| is_trained(name, trainable));
        assert_eq!(trained(Trainable::All), [true; 6]);
        assert_eq!(
            trained(Trainable::Head),
            [false, false, false, false, true, true]
        );
        assert_eq!(
            trained(Trainable::Biases),
            [false, false, true, true, true, true]
        );
    }
}
