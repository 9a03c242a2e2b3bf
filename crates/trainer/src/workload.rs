//! The standard workloads: models and batches of fixed sizes, for comparing the time and memory of
//! a training step between programs.

use std::ops::Range;

use burn::tensor::{Device, Tensor};
use regard_bundle::{Workers, text_input};
use regard_model::{HeadConfig, Transformer, TransformerConfig};
use regard_ops::Key;

use crate::layer_decay::LayerDecay;
use crate::optimizer::AdamWSettings;
use crate::step::{StepSettings, StepSource, Stepper};
use crate::task::{Batch, Targets, cross_entropy};

/// A workload. All: pre-norm with a final norm, GELU, learned positions, mean pooling, dropout 0.1
/// after the embedding, at the residual branches and inside the feed-forward layer, no attention
/// dropout, f32, AdamW (1e-3, 0.9, 0.999, 1e-8, decay 0.01), gradient norm at most 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Workload {
    /// W1, small text: vocabulary 8000, d_model 128, 4 layers, 4 heads, d_ff 512, 128 tokens, batch 32.
    SmallText,
    /// W2, text: d_model 256, 6 layers, 8 heads, d_ff 1024, 256 tokens, batch 16.
    BaseText,
    /// W3, long text: d_model 128, 2 layers, 4 heads, d_ff 512, 2048 tokens, batch 2.
    LongText,
}

const VOCAB_SIZE: usize = 8000;
const N_CLASSES: usize = 2;
const LEARNING_RATE: f64 = 1e-3;

impl Workload {
    /// All of them.
    pub const ALL: &[Self] = &[Self::SmallText, Self::BaseText, Self::LongText];

    /// The name, `W1` to `W3`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SmallText => "W1",
            Self::BaseText => "W2",
            Self::LongText => "W3",
        }
    }

    /// The workload of this name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|workload| workload.name().eq_ignore_ascii_case(name))
    }

    /// `(d_model, layers, heads, d_ff, tokens, batch)`.
    const fn sizes(self) -> (usize, usize, usize, usize, usize, usize) {
        match self {
            Self::SmallText => (128, 4, 4, 512, 128, 32),
            Self::BaseText => (256, 6, 8, 1024, 256, 16),
            Self::LongText => (128, 2, 4, 512, 2048, 2),
        }
    }

    /// The model's shape.
    #[must_use]
    pub fn model(self) -> TransformerConfig {
        let (d_model, layers, heads, d_ff, tokens, _) = self.sizes();
        let head = HeadConfig::classification(N_CLASSES);
        let mut config = TransformerConfig::text(VOCAB_SIZE, tokens, head)
            .with_d_model(d_model)
            .with_layers(layers)
            .with_heads(heads);
        config.d_ff = d_ff;
        config
    }

    /// The units of a step.
    #[must_use]
    pub const fn batch_size(self) -> usize {
        self.sizes().5
    }

    /// A model in training on `device` (without autodiff), with its data.
    ///
    /// # Errors
    ///
    /// Never for these sizes; the model's constructor may refuse others.
    pub fn start(
        self,
        device: &Device,
        workers: Workers,
        shards: usize,
    ) -> Result<Bench, regard_model::ModelError> {
        let (.., tokens, batch) = self.sizes();
        let key = Key::new(0);
        let model: Transformer = self.model().init(key, &device.clone().autodiff())?;
        let settings = StepSettings {
            device: device.clone(),
            key,
            micro_batch: None,
            shards,
            workers,
            mixup: None,
            max_grad_norm: Some(1.0),
            adamw: AdamWSettings {
                betas: [0.9, 0.999],
                epsilon: 1e-8,
                weight_decay: 0.01,
                layer_decay: LayerDecay::none(),
            },
        };
        let draws = key.stream("workload");
        let rows = (0..batch as u64)
            .map(|row| {
                let draws = draws.fold(row);
                (0..tokens as u64)
                    .map(|t| draws.below(t, VOCAB_SIZE as u64) as u32)
                    .collect()
            })
            .collect();
        let classes = (0..batch as u64)
            .map(|row| draws.stream("class").below(row, N_CLASSES as u64) as u32)
            .collect();
        Ok(Bench {
            stepper: Stepper::new(model, settings),
            data: Data { rows, classes },
            step: 0,
        })
    }
}

/// A workload under way.
pub struct Bench {
    stepper: Stepper,
    data: Data,
    step: u64,
}

struct Data {
    rows: Vec<Vec<u32>>,
    classes: Vec<u32>,
}

impl Bench {
    /// Makes a step; gives its loss.
    ///
    /// # Panics
    ///
    /// If the loss is not finite.
    pub fn step(&mut self) -> f64 {
        let divisor = self.data.rows.len() as f64;
        let report = self
            .stepper
            .step(self.step, &self.data, divisor, LEARNING_RATE)
            .unwrap_or_else(|problem| panic!("the {} became {}", problem.what, problem.value));
        self.step += 1;
        report.loss
    }
}

impl StepSource for Data {
    fn n_units(&self) -> usize {
        self.rows.len()
    }

    fn batch(&self, places: Range<usize>, device: &Device) -> Batch {
        let rows: Vec<&[u32]> = self.rows[places.clone()]
            .iter()
            .map(Vec::as_slice)
            .collect();
        Batch {
            input: text_input(&rows, 0, device),
            targets: Targets::Classes(self.classes[places.clone()].to_vec()),
            unit_of_row: (0..places.len()).collect(),
            n_tokens: rows.iter().map(|row| row.len()).sum(),
        }
    }

    fn row_losses(&self, output: Tensor<3>, targets: &Targets) -> Tensor<1> {
        let Targets::Classes(classes) = targets;
        cross_entropy(output, classes, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Module;

    use super::*;

    #[test]
    fn workloads_are_found_by_their_names_in_any_case() {
        for workload in Workload::ALL {
            assert_eq!(Workload::from_name(workload.name()), Some(*workload));
            let lower = workload.name().to_lowercase();
            assert_eq!(Workload::from_name(&lower), Some(*workload));
        }
        assert_eq!(Workload::from_name("W4"), None);
    }

    /// What PyTorch counts in a stack of these sizes: two tables, blocks of packed q, k and v, an
    /// output projection, two layers and two norms, a final norm and a head.
    fn expected(d: usize, layers: usize, d_ff: usize, tokens: usize) -> usize {
        let block = 3 * (d * d + d) + d * d + d + d * d_ff + d_ff + d_ff * d + d + 4 * d;
        (8000 + tokens) * d + layers * block + 2 * d + 2 * d + 2
    }

    #[test]
    fn models_have_the_sizes_of_their_definitions() {
        for (workload, parameters, batch) in [
            (Workload::SmallText, expected(128, 4, 512, 128), 32),
            (Workload::BaseText, expected(256, 6, 1024, 256), 16),
            (Workload::LongText, expected(128, 2, 512, 2048), 2),
        ] {
            let config = workload.model();
            let model = config.init(Key::new(0), &Device::flex()).unwrap();
            assert_eq!(model.num_params(), parameters, "{}", workload.name());
            assert_eq!(workload.batch_size(), batch);
            assert_eq!((config.dropout, config.attention_dropout), (0.1, 0.0));
        }
    }
}
