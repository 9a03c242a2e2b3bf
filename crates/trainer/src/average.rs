//! A moving average of the weights, which is often better than the last ones.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use regard_model::weights::{self, TensorFile};
use regard_model::{ModelError, Transformer};

/// An exponential moving average of a model's weights (Polyak and Juditsky 1992 average evenly; this
/// form is that of TensorFlow's `ExponentialMovingAverage`).
///
/// `average = decay · average + (1 - decay) · weights`, after every update. Early on the decay is the
/// smaller `(1 + n) / (10 + n)` after `n` updates, so that the first weights are soon forgotten.
///
/// PyTorch equivalent: `torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn(decay)`, but
/// for the rising decay.
pub struct Average {
    model: Transformer,
    decay: f64,
}

impl Average {
    /// Begins at the weights of `model`, which may be one in training.
    #[must_use]
    pub fn new(model: &Transformer, decay: f64) -> Self {
        Self {
            model: model.valid(),
            decay,
        }
    }

    /// The averaged model, without autodiff.
    #[must_use]
    pub fn model(&self) -> &Transformer {
        &self.model
    }

    /// Takes in the weights of `model` after its update number `n_updates`, counted from 1.
    pub fn update(&mut self, model: &Transformer, n_updates: u64) {
        let n = n_updates as f64;
        let mut now = Collector(GradientsParams::new());
        model.visit(&mut now);
        self.model = self.model.clone().map(&mut Mixer {
            now: now.0,
            decay: self.decay.min((1.0 + n) / (10.0 + n)),
        });
    }

    /// Replaces the averaged weights; `what` names their file in errors.
    ///
    /// # Errors
    ///
    /// If they do not fit the model, which is then as it was.
    pub fn set_weights(&mut self, file: TensorFile, what: &str) -> Result<(), ModelError> {
        self.model = weights::apply(self.model.clone(), file, what)?;
        Ok(())
    }
}

/// The tensors of a model by parameter, without autodiff; Burn's container of gradients holds any
/// tensors of any rank.
struct Collector(GradientsParams);

impl ModuleVisitor for Collector {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register::<D>(param.id, param.val().inner());
    }
}

struct Mixer {
    now: GradientsParams,
    decay: f64,
}

impl ModuleMapper for Mixer {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(now) = self.now.remove::<D>(param.id) else {
            return param;
        };
        let decay = self.decay;
        param.map(|average| average.mul_scalar(decay) + now.mul_scalar(1.0 - decay))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use regard_model::{
        Activation, EmbeddingConfig, HeadConfig, Mechanism, NormPosition, Pooling, PositionKind,
        TransformerConfig,
    };
    use regard_ops::Key;

    use super::*;

    fn model(seed: u64) -> Transformer {
        let config = TransformerConfig {
            embedding: EmbeddingConfig::Text {
                vocab_size: 7,
                max_length: 3,
                position: PositionKind::Learned,
            },
            d_model: 4,
            n_layers: 1,
            n_heads: 2,
            n_kv_heads: 2,
            d_ff: 4,
            activation: Activation::Gelu,
            norm_position: NormPosition::Pre,
            dropout: 0.0,
            attention_dropout: 0.0,
            attention: Mechanism::Full,
            head: HeadConfig::Classification {
                n_classes: 2,
                pooling: Pooling::Mean,
            },
        };
        let device = Device::default().autodiff();
        config.init(Key::new(seed), &device).unwrap()
    }

    fn values(file: &TensorFile, name: &str) -> Vec<f32> {
        file.get(name).unwrap().values.clone()
    }

    #[test]
    fn an_average_follows_its_equation_and_forgets_the_first_weights_soon() {
        let first = model(0);
        let mut average = Average::new(&first, 0.9);
        let other = weights::collect(&model(1));
        let next = weights::apply(first.clone(), other.clone(), "other").unwrap();
        average.update(&next, 1);
        average.update(&next, 1_000);
        let (start, got) = (weights::collect(&first), weights::collect(average.model()));
        for name in [
            "embed.token.weight",
            "blocks.0.attention.qkv.weight",
            "norm.bias",
        ] {
            let triples = values(&start, name)
                .into_iter()
                .zip(values(&other, name))
                .zip(values(&got, name));
            for ((start, other), got) in triples {
                // Decays of 2/11 and 0.9.
                let once = start * 2.0 / 11.0 + other * 9.0 / 11.0;
                let expected = once * 0.9 + other * 0.1;
                assert!((got - expected).abs() < 1e-6, "{name}: {got} {expected}");
            }
        }
    }

    #[test]
    fn the_model_that_is_averaged_stays_as_it_is() {
        let first = model(0);
        let before = weights::collect(&first);
        let mut average = Average::new(&first, 0.5);
        average.update(&model_like(&first), 5);
        assert_eq!(weights::collect(&first), before);
        assert_ne!(weights::collect(average.model()), before);
    }

    fn model_like(first: &Transformer) -> Transformer {
        weights::apply(first.clone(), weights::collect(&model(2)), "second").unwrap()
    }
}
