//! The configuration as Rust values: one struct a section, one field a key.
//!
//! What each key means, its range and its default stand in the table of [`super::keys`]; a value of
//! [`Config`] that came out of [`super::load`] or [`super::parse`] has passed all of it.

use std::path::PathBuf;

use regard_data::series::Calendar;
use regard_model::gradient_checkpointing::GradientCheckpointing;
use serde::{Deserialize, Serialize};

use super::names::{
    Activation, AnomalyMethod, AnomalySmoothing, DataFormat, Keep, LinearSkip, Mechanism,
    MetricName, Mode, NormPosition, OnNan, Optimizer, Pooling, Position, RepeatedTimes, ScalerKind,
    ScheduleKind, SplitBy, Task, ThresholdPart, TokenizerKind, Trainable,
};
use super::{ClassWeights, Column, Extent, Period, PrivacyConfig, Source};

/// A whole configuration, validated, with every default filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The version of the configuration format.
    pub version: u32,
    /// What the model learns to do.
    pub task: Task,
    /// The root of all randomness of the run.
    pub seed: u64,
    /// The run's name, which is also its folder under `runs/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where examples come from.
    pub data: DataConfig,
    /// How texts become tokens.
    pub tokenizer: TokenizerConfig,
    /// The architecture.
    pub model: ModelConfig,
    /// The training loop.
    pub train: TrainConfig,
    /// When and by what the model is judged.
    pub eval: EvalConfig,
    /// When the run's state is saved.
    pub checkpoint: CheckpointConfig,
    /// What private training promises; training without a promise when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<PrivacyConfig>,
    /// How unusual steps are found.
    pub anomaly: AnomalyConfig,
    /// What is told of the run.
    pub report: ReportConfig,
}

impl Config {
    /// Whether a part of the data is kept for a test.
    #[must_use]
    pub fn has_test_data(&self) -> bool {
        let is_split = self.task.has_windows() && self.data.split.test.is_some();
        self.data.test.is_some() || is_split
    }
}

/// `[data]`: where examples come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// The training file, or folder of labels.
    pub train: PathBuf,
    /// The validation file, or the share of the training file held out for validation; absent where `split` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<Source>,
    /// The test file, or the share of the training file held out for the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Source>,
    /// The format of the files, when their extension does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<DataFormat>,
    /// Whether the first line of a CSV or TSV file names the columns.
    pub header: bool,
    /// The column that holds the text.
    pub text_column: Column,
    /// The column that holds the label.
    pub label_column: Column,
    /// The labels in the order of the model's outputs; taken from the training data when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// The steps of a whole series that the model takes; as many as the longest has when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<usize>,
    /// The column that holds the time of a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_column: Option<Column>,
    /// The column that says which series a row belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_column: Option<Column>,
    /// What becomes of rows with one time.
    pub repeated_times: RepeatedTimes,
    /// The channels; every column of numbers that is not named otherwise when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_columns: Option<Vec<Column>>,
    /// How the channels are brought to one scale.
    pub scaler: ScalerKind,
    /// What the model knows of the time of each step.
    #[serde(default)]
    pub calendar: Calendar,
    /// The steps that the model sees.
    pub lookback: usize,
    /// The steps that it tells.
    pub horizon: usize,
    /// The steps from one training window to the next.
    pub stride: usize,
    /// The parts of the training file of series.
    pub split: SplitConfig,
    /// The most token ids of a part that are held in memory, in MiB; more go to a file that is mapped.
    pub memory_mib: u64,
}

/// `[data.split]`: the parts of the training file of series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitConfig {
    /// What the border between them is.
    pub by: SplitBy,
    /// What the model learns from.
    pub train: Extent,
    /// What the best model is chosen by; absent where it is a file of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<Extent>,
    /// What nothing is chosen by; absent where it is a file of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Extent>,
}

/// `[anomaly]`: how unusual steps are found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnomalyConfig {
    /// What a step is judged by.
    pub method: AnomalyMethod,
    /// The share of a part's scores that lie below the threshold.
    pub quantile: f64,
    /// That part.
    pub threshold_on: ThresholdPart,
    /// The steps whose scores are averaged.
    pub smooth: usize,
    /// Which they are.
    pub smoothing: AnomalySmoothing,
    /// The file of labelled windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows: Option<PathBuf>,
}

/// `[tokenizer]`: how texts become tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenizerConfig {
    /// The kind of token.
    pub kind: TokenizerKind,
    /// The largest number of different tokens (`words` and `bpe`).
    pub vocab_size: usize,
    /// How often something must occur in the training data to become a token.
    pub min_frequency: u64,
    /// The largest number of tokens of one text; what exceeds it is cut off.
    pub max_length: usize,
    /// Whether texts are put in lower case first.
    pub lowercase: bool,
    /// A tokenizer made before, used instead of training one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// `[model]`: the architecture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The width of a token's vector.
    pub d_model: usize,
    /// The number of blocks.
    pub n_layers: usize,
    /// The number of attention heads.
    pub n_heads: usize,
    /// The number of key and value heads; as many as `n_heads` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_kv_heads: Option<usize>,
    /// The inner width of the feed-forward layer.
    pub d_ff: usize,
    /// The non-linearity of the feed-forward layer.
    pub activation: Activation,
    /// Where a block normalises.
    pub norm_position: NormPosition,
    /// How positions reach the model.
    pub position: Position,
    /// How the vectors of a sequence become one.
    pub pooling: Pooling,
    /// The dropout rate of embeddings, residual branches and feed-forward layers.
    pub dropout: f64,
    /// The dropout rate of attention weights.
    pub attention_dropout: f64,
    /// Whether each window of each channel is normalised, and forecasts brought back.
    pub instance_norm: bool,
    /// What is added to a forecast beside the blocks.
    pub linear_skip: LinearSkip,
    /// The quantiles that are forecast; a point when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<Vec<f64>>,
    /// Convolutions before the patches.
    pub stem: StemConfig,
    /// The pieces of a series.
    pub patch: PatchConfig,
    /// How tokens attend to each other.
    pub attention: AttentionConfig,
}

/// `[model.stem]`: convolutions over the steps, before the patches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StemConfig {
    /// How many; 0 has none.
    pub layers: usize,
    /// Steps under each.
    pub kernel: usize,
}

/// `[model.patch]`: the pieces of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchConfig {
    /// Steps of a patch.
    pub length: usize,
    /// Steps from one patch to the next.
    pub stride: usize,
}

/// `[model.attention]`: how tokens attend to each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttentionConfig {
    /// The mechanism.
    pub mechanism: Mechanism,
}

/// `[train]`: the training loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// The number of passes over the training data.
    pub epochs: u64,
    /// The largest number of optimiser steps; `epochs` alone decides when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u64>,
    /// The number of units of one optimiser step.
    pub batch_size: usize,
    /// The largest number of units in memory at once; the whole batch when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_batch: Option<usize>,
    /// The number of parts of a batch that run side by side.
    pub shards: usize,
    /// The update rule.
    pub optimizer: Optimizer,
    /// How much of the last update is made again (`sgd`).
    pub momentum: f64,
    /// Which parameters are trained.
    pub trainable: Trainable,
    /// A run or bundle whose weights training starts from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_from: Option<PathBuf>,
    /// The learning rate at the end of warm-up.
    pub learning_rate: f64,
    /// The decay rates of the optimiser's first and second moments.
    pub betas: [f64; 2],
    /// The number added to the root of the second moment.
    pub epsilon: f64,
    /// The course of the learning rate after warm-up.
    pub schedule: ScheduleKind,
    /// How long the learning rate rises from zero.
    pub warmup: Period,
    /// The decoupled weight decay of matrices.
    pub weight_decay: f64,
    /// The largest norm of the whole gradient; 0 leaves it as it is.
    pub max_grad_norm: f64,
    /// The share of a label's probability spread over all labels.
    pub label_smoothing: f64,
    /// The probability that a token becomes the unknown token, in training alone.
    pub word_dropout: f64,
    /// The standard deviation of the noise on each scaled value, in training alone.
    pub jitter: f64,
    /// The standard deviation of the factor on each channel of a series, in training alone.
    pub scaling: f64,
    /// The concentration of the shares in which examples are mixed; 0 mixes none.
    pub mixup: f64,
    /// The factor on the learning rate from each stage to the one below it.
    pub layer_decay: f64,
    /// How much the examples of each class count.
    pub class_weights: ClassWeights,
    /// The decay of the moving average of the weights; 0 keeps none.
    pub ema: f64,
    /// The number of evaluations without a better one after which the run ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<u64>,
    /// Which blocks run again in the backward pass.
    pub gradient_checkpointing: GradientCheckpointing,
    /// What happens when a loss or a gradient is not finite.
    pub on_nan: OnNan,
}

impl TrainConfig {
    /// The largest norm of the whole gradient, or none when it is left as it is.
    #[must_use]
    pub fn clip_norm(&self) -> Option<f64> {
        (self.max_grad_norm > 0.0).then_some(self.max_grad_norm)
    }

    /// The concentration of mixtures, or none when nothing is mixed.
    #[must_use]
    pub fn mixup(&self) -> Option<f64> {
        (self.mixup > 0.0).then_some(self.mixup)
    }

    /// The decay of the moving average, or none when there is no average.
    #[must_use]
    pub fn ema(&self) -> Option<f64> {
        (self.ema > 0.0).then_some(self.ema)
    }
}

/// `[eval]`: when and by what the model is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvalConfig {
    /// The time between evaluations.
    pub every: Period,
    /// The figure by which the best model is chosen.
    pub metric: MetricName,
    /// The direction in which the metric is better; the metric's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Which of the evaluated models goes into the bundle.
    pub keep: Keep,
}

impl EvalConfig {
    /// The direction in which the metric is better.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode.unwrap_or(self.metric.mode())
    }
}

/// `[checkpoint]`: when the run's state is saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointConfig {
    /// The number of steps between saves; each evaluation saves too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_steps: Option<u64>,
    /// The number of newest checkpoints kept, beside the best one.
    pub keep: usize,
}

/// `[report]`: what is told of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportConfig {
    /// Whether scalars are also written as event files of TensorBoard.
    pub tensorboard: bool,
    /// Whether `report.html` is written into the run's folder at the end.
    pub html: bool,
    /// Whether texts of the data may appear in the report.
    pub examples: bool,
}
