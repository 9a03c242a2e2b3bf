//! The standard workloads: models and batches of fixed sizes, for comparing the time and memory of
//! a training step between programs.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use regard_bundle::{Workers, text_input};
use regard_model::gradient_checkpointing::Segments;
use regard_model::{EmbeddingConfig, HeadConfig, Input, Transformer, TransformerConfig};
use regard_ops::Key;

use crate::checkpoint::TrainingState;
use crate::config::ClippingStyle;
use crate::error::TrainError;
use crate::layer_decay::LayerDecay;
use crate::optimizer::{OptimizerSettings, UpdateRule};
use crate::privacy::{Clipping, Entropy, Mechanism};
use crate::run::Snapshot;
use crate::step::{StepSettings, StepSource, Stepper};
use crate::task::{Batch, Targets, cross_entropy, squared_error};
use regard_accounting::Adjacency;

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
    /// W4, series: 64 windows of 512 steps and 7 channels, each channel a row; patches of 16 steps every 8 with an end
    /// padding, instance normalisation, d_model 128, 3 layers, 8 heads, d_ff 256, 96 steps from a flattened head.
    Series,
    /// E12, a deep encoder of text: d_model 256, 12 layers, 8 heads, d_ff 1024, 512 tokens, batch 16.
    DeepText,
    /// S26, for the time of a save: 26 million parameters, d_model 512, 7 layers, 8 heads, d_ff 2048, 32
    /// tokens, batch 2.
    LargeModel,
}

const CHANNELS: usize = 7;
const LOOKBACK: usize = 512;
const HORIZON: usize = 96;
const VOCAB_SIZE: usize = 8000;
const N_CLASSES: usize = 2;
const LEARNING_RATE: f64 = 1e-3;

impl Workload {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::SmallText,
        Self::BaseText,
        Self::LongText,
        Self::Series,
        Self::DeepText,
        Self::LargeModel,
    ];

    /// The name, `W1` to `W4`, `E12` or `S26`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SmallText => "W1",
            Self::BaseText => "W2",
            Self::LongText => "W3",
            Self::Series => "W4",
            Self::DeepText => "E12",
            Self::LargeModel => "S26",
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

    /// `(d_model, layers, heads, d_ff, tokens or steps, batch)`.
    const fn sizes(self) -> (usize, usize, usize, usize, usize, usize) {
        match self {
            Self::SmallText => (128, 4, 4, 512, 128, 32),
            Self::BaseText => (256, 6, 8, 1024, 256, 16),
            Self::LongText => (128, 2, 4, 512, 2048, 2),
            Self::Series => (128, 3, 8, 256, LOOKBACK, 64),
            Self::DeepText => (256, 12, 8, 1024, 512, 16),
            Self::LargeModel => (512, 7, 8, 2048, 32, 2),
        }
    }

    /// The model's shape.
    #[must_use]
    pub fn model(self) -> TransformerConfig {
        let (d_model, layers, heads, d_ff, tokens, _) = self.sizes();
        let head = HeadConfig::classification(N_CLASSES);
        let config = match self {
            Self::Series => TransformerConfig::forecaster(tokens, HORIZON),
            _ => TransformerConfig::text(VOCAB_SIZE, tokens, head),
        };
        let mut config = config
            .with_d_model(d_model)
            .with_layers(layers)
            .with_heads(heads);
        config.d_ff = d_ff;
        config.dropout = 0.1;
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
        let start = Start {
            shards,
            batch_size: self.batch_size(),
            recomputes: false,
        };
        self.start_with(device, workers, start)
    }

    /// [`Workload::start`] in another way.
    ///
    /// # Errors
    ///
    /// As [`Workload::start`].
    pub fn start_with(
        self,
        device: &Device,
        workers: Workers,
        start: Start,
    ) -> Result<Bench, regard_model::ModelError> {
        let (_, layers, _, _, tokens, _) = self.sizes();
        let batch = start.batch_size;
        let key = Key::new(0);
        let model: Transformer = self.model().init(key, &device.clone().autodiff())?;
        let settings = StepSettings {
            device: device.clone(),
            key,
            micro_batch: None,
            shards: start.shards,
            workers,
            segments: Segments::of_blocks(layers, if start.recomputes { 1 } else { layers }),
            mixup: None,
            max_grad_norm: Some(1.0),
            optimizer: OptimizerSettings {
                rule: UpdateRule::AdamW,
                betas: [0.9, 0.999],
                epsilon: 1e-8,
                weight_decay: 0.01,
                layer_decay: LayerDecay::none(),
            },
        };
        Ok(Bench {
            data: match self {
                Self::Series => Source::Series(Series::draw(self.model(), batch, key)),
                _ => Source::Text(Text::draw(tokens, batch, key)),
            },
            stepper: Stepper::new(model, settings),
            step: 0,
        })
    }
}

/// How a workload is run.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// The parts of a batch that run side by side.
    pub shards: usize,
    /// The units of a step.
    pub batch_size: usize,
    /// Whether every block but the last runs again in the backward pass.
    pub recomputes: bool,
}

/// A workload under way.
pub struct Bench {
    stepper: Stepper,
    data: Source,
    step: u64,
}

enum Source {
    Text(Text),
    Series(Series),
}

struct Text {
    rows: Vec<Vec<u32>>,
    classes: Vec<u32>,
}

impl Text {
    fn draw(tokens: usize, batch: usize, key: Key) -> Self {
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
        Self { rows, classes }
    }
}

impl Source {
    fn source(&self) -> &dyn StepSource {
        match self {
            Self::Text(data) => data,
            Self::Series(data) => data,
        }
    }
}

/// Random walks, and numbers to come.
struct Series {
    embedding: EmbeddingConfig,
    /// `CHANNELS` rows for each window, each `LOOKBACK` steps.
    rows: Vec<Vec<f32>>,
    /// The same rows, each `HORIZON` steps.
    targets: Vec<Vec<f32>>,
}

impl Series {
    fn draw(model: TransformerConfig, batch: usize, key: Key) -> Self {
        let draws = key.stream("workload");
        let rows = 0..(batch * CHANNELS) as u64;
        let walk = |row: u64| {
            let key = draws.stream("walk").fold(row);
            let mut level = 0.0;
            let steps = (0..LOOKBACK as u64).map(|t| {
                level += key.normal(t);
                level as f32
            });
            steps.collect()
        };
        let target = |row: u64| {
            let key = draws.stream("target").fold(row);
            let steps = (0..HORIZON as u64).map(|t| key.normal(t) as f32);
            steps.collect()
        };
        Self {
            embedding: model.embedding,
            rows: rows.clone().map(walk).collect(),
            targets: rows.map(target).collect(),
        }
    }
}

impl Bench {
    /// Makes a step; gives its loss.
    ///
    /// # Panics
    ///
    /// If the loss is not finite.
    pub fn step(&mut self) -> f64 {
        let data = self.data.source();
        let divisor = data.n_units() as f64;
        let report = self
            .stepper
            .step(self.step, data, divisor, LEARNING_RATE)
            .unwrap_or_else(|problem| panic!("the {} became {}", problem.what, problem.value));
        self.step += 1;
        report.loss
    }

    /// Makes a private step on the same batch, noise of noise multiplier 1 and update included; gives
    /// its loss.
    ///
    /// # Errors
    ///
    /// If the operating system gives no random bytes.
    pub fn private_step(&mut self) -> Result<f64, TrainError> {
        let data = self.data.source();
        let divisor = data.n_units() as f64;
        let mechanism = Mechanism {
            sample_rate: 0.01,
            noise_multiplier: 1.0,
            clipping: Clipping::new(ClippingStyle::Flat, 1.0),
            divisor,
            adjacency: Adjacency::AddRemove,
        };
        let mut entropy = Entropy::from_system()?;
        let made = self
            .stepper
            .private_step(&mechanism, data, &mut entropy, LEARNING_RATE);
        Ok(made.report.loss)
    }
}

impl Bench {
    /// What a checkpoint would hold now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let state = TrainingState {
            step: self.step,
            ..TrainingState::default()
        };
        Snapshot::new(&self.stepper, None, &state)
    }

    /// Trainable numbers.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        self.stepper.model().num_params()
    }

    /// Makes a step on one token, for all that a step takes beside activations. A model of series makes an
    /// ordinary step.
    ///
    /// # Panics
    ///
    /// As [`Bench::step`].
    pub fn step_on_almost_nothing(&mut self) -> f64 {
        match &mut self.data {
            Source::Series(_) => self.step(),
            Source::Text(data) => {
                let whole = std::mem::replace(data, Text::draw(1, 1, Key::new(1)));
                let loss = self.step();
                self.data = Source::Text(whole);
                loss
            }
        }
    }
}

impl StepSource for Text {
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
        cross_entropy(output, targets.classes(), 0.0)
    }
}

impl StepSource for Series {
    fn n_units(&self) -> usize {
        self.rows.len() / CHANNELS
    }

    fn n_rows(&self, _place: usize) -> usize {
        CHANNELS
    }

    fn batch(&self, places: Range<usize>, device: &Device) -> Batch {
        let EmbeddingConfig::Series(embedding) = &self.embedding else {
            panic!("the workload of series has a model of series");
        };
        let rows = places.start * CHANNELS..places.end * CHANNELS;
        let series: Vec<&[f32]> = self.rows[rows.clone()].iter().map(Vec::as_slice).collect();
        Batch {
            input: Input::series(embedding.batch(&series, device)),
            targets: Targets::Values {
                values: self.targets[rows.clone()].concat(),
                width: HORIZON,
            },
            unit_of_row: (0..rows.len()).map(|row| row / CHANNELS).collect(),
            n_tokens: rows.len() * embedding.max_positions(),
        }
    }

    fn row_losses(&self, output: Tensor<3>, targets: &Targets) -> Tensor<1> {
        squared_error(output, targets.values())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workloads_are_found_by_their_names_in_any_case() {
        for workload in Workload::ALL {
            assert_eq!(Workload::from_name(workload.name()), Some(*workload));
            let lower = workload.name().to_lowercase();
            assert_eq!(Workload::from_name(&lower), Some(*workload));
        }
        assert_eq!(Workload::from_name("W5"), None);
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
        // A patch projection and positions for the tables, a flattened head for the classes.
        let blocks = expected(128, 3, 256, 0) - 8000 * 128 - 2 * 128 - 2;
        let series = 17 * 128 + 64 * 128 + blocks + (64 * 128 + 1) * 96;
        let config = Workload::Series.model();
        let model = config.init(Key::new(0), &Device::flex()).unwrap();
        assert_eq!(model.num_params(), series);
        assert_eq!((config.dropout, config.attention_dropout), (0.1, 0.0));
    }
}
