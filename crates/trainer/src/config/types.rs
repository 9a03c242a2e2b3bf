//! The configuration as Rust values: one struct a section, one field a key.
//!
//! What each key means, its range and its default stand in the table of [`super::keys`]; a value of
//! [`Config`] that came out of [`super::load`] or [`super::parse`] has passed all of it.

use std::path::PathBuf;

use regard_data::series::Calendar;
use regard_model::gradient_checkpointing::GradientCheckpointing;
use serde::{Deserialize, Serialize};

use super::{ClassWeights, Column, Extent, Period, PrivacyConfig, Source};

/// Declares an enum of a `one of` key, written in the configuration in lower case.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every name that a configuration may use, in the order of the documentation.
            pub const NAMES: &'static [&'static str] = &[$($text),+];

            /// The name in a configuration.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }
    };
}

names! {
    /// What the model learns to do.
    Task {
        /// One label out of several for each text.
        TextClassification = "text-classification",
        /// The steps to come of each channel.
        SeriesForecasting = "series-forecasting",
        /// One label out of several for each series.
        SeriesClassification = "series-classification",
        /// How unusual each step is.
        SeriesAnomaly = "series-anomaly",
    }
}

impl Task {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::TextClassification,
        Self::SeriesForecasting,
        Self::SeriesClassification,
        Self::SeriesAnomaly,
    ];

    /// Whether it cuts tables into windows.
    #[must_use]
    pub const fn has_windows(self) -> bool {
        matches!(self, Self::SeriesForecasting | Self::SeriesAnomaly)
    }

    /// What an example is, in the plural.
    #[must_use]
    pub const fn units(self) -> &'static str {
        match self {
            Self::TextClassification => "texts",
            Self::SeriesClassification => "series",
            Self::SeriesForecasting | Self::SeriesAnomaly => "windows",
        }
    }

    /// What an example is made of, as the model sees it, in the plural.
    #[must_use]
    pub const fn positions(self) -> &'static str {
        match self {
            Self::TextClassification => "tokens",
            _ => "positions",
        }
    }

    /// The figures that a model of this task can be chosen by.
    #[must_use]
    pub const fn metrics(self) -> &'static [MetricName] {
        match self {
            Self::TextClassification | Self::SeriesClassification => &[
                MetricName::Accuracy,
                MetricName::MacroF1,
                MetricName::Mcc,
                MetricName::Loss,
            ],
            Self::SeriesForecasting => &[
                MetricName::Mse,
                MetricName::Mae,
                MetricName::Pinball,
                MetricName::Loss,
            ],
            // Labels of anomalies are never used in training, choosing included.
            Self::SeriesAnomaly => &[MetricName::Mse, MetricName::Mae, MetricName::Loss],
        }
    }
}

names! {
    /// What is added to a forecast beside the blocks.
    LinearSkip {
        /// Nothing.
        None = "none",
        /// A linear map of the normalised lookback, from zero.
        Zero = "zero",
        /// The same, from the closed-form ridge of the training part.
        Ridge = "ridge",
    }
}

names! {
    /// What a step of a series is judged by.
    AnomalyMethod {
        /// How far it is from its forecast.
        Forecast = "forecast",
    }
}

names! {
    /// Which neighbours a score is averaged with.
    AnomalySmoothing {
        /// Those before it.
        Past = "past",
        /// Those on both sides.
        Around = "around",
    }
}

names! {
    /// The part whose scores the threshold is a quantile of.
    ThresholdPart {
        /// What the model learned from.
        Train = "train",
        /// What it did not learn from.
        Valid = "valid",
    }
}

names! {
    /// What becomes of rows of one series with one time.
    RepeatedTimes {
        /// There may be none.
        Refuse = "refuse",
        /// The first one counts.
        First = "first",
        /// The last one counts.
        Last = "last",
        /// Their mean counts.
        Mean = "mean",
        /// They are kept, and no missing row is filled in.
        Keep = "keep",
    }
}

names! {
    /// What the border between the parts of a file of series is.
    SplitBy {
        /// A time: each series has a piece in every part.
        Time = "time",
        /// An id: each series is whole in one part.
        Id = "id",
    }
}

names! {
    /// How the channels of series are brought to one scale.
    ScalerKind {
        /// Each to mean 0 and deviation 1 over the training part.
        Standard = "standard",
        /// They stay as they are.
        None = "none",
    }
}

names! {
    /// The format of a data file.
    DataFormat {
        /// Comma-separated values as RFC 4180 has them.
        Csv = "csv",
        /// Tab-separated values, without quoting.
        Tsv = "tsv",
        /// One JSON object a line.
        JsonLines = "jsonl",
        /// A folder with one folder a label, and one text file an example in each.
        Folder = "folder",
    }
}

names! {
    /// How a text becomes tokens.
    TokenizerKind {
        /// One token a byte of UTF-8.
        Bytes = "bytes",
        /// One token a character seen in training.
        Characters = "characters",
        /// One token a word seen in training.
        Words = "words",
        /// Byte-pair encoding, trained on the training data.
        Bpe = "bpe",
    }
}

names! {
    /// The non-linearity inside the feed-forward layer.
    Activation {
        /// The exact Gaussian error linear unit.
        Gelu = "gelu",
        /// The rectified linear unit.
        Relu = "relu",
    }
}

names! {
    /// Where a block normalises.
    NormPosition {
        /// Before each sub-layer, with a final norm after the last block.
        Pre = "pre",
        /// After each residual sum, as in the first transformer.
        Post = "post",
    }
}

names! {
    /// How a token's place in the sequence reaches the model.
    Position {
        /// One trained vector a position.
        Learned = "learned",
        /// Fixed sines and cosines.
        Sinusoidal = "sinusoidal",
        /// Not at all: the model sees a bag of tokens.
        None = "none",
    }
}

names! {
    /// How the vectors of a sequence become one.
    Pooling {
        /// The first token's vector.
        First = "first",
        /// The mean over the tokens that are not padding.
        Mean = "mean",
        /// The maximum over the tokens that are not padding.
        Max = "max",
    }
}

names! {
    /// How tokens attend to each other.
    Mechanism {
        /// Every token to every other.
        Full = "full",
    }
}

names! {
    /// The update rule.
    Optimizer {
        /// Adam with decoupled weight decay.
        AdamW = "adamw",
        /// Stochastic gradient descent with momentum and decoupled weight decay.
        Sgd = "sgd",
    }
}

names! {
    /// Which parameters are trained; the others stay as they are.
    Trainable {
        /// All.
        All = "all",
        /// Those of the head.
        Head = "head",
        /// Biases, norms' shifts among them, and the head (Ben Zaken et al. 2022, BitFit).
        Biases = "biases",
    }
}

names! {
    /// The course of the learning rate after warm-up.
    ScheduleKind {
        /// Half a cosine down to zero.
        Cosine = "cosine",
        /// A straight line down to zero.
        Linear = "linear",
        /// No change.
        Constant = "constant",
    }
}

names! {
    /// What happens when a loss or a gradient is not finite.
    OnNan {
        /// The run stops before the update and says where.
        Stop = "stop",
        /// The step is made without an update, counted and logged.
        Skip = "skip",
    }
}

names! {
    /// The figure by which the best model is chosen.
    MetricName {
        /// The share of units with the right label.
        Accuracy = "accuracy",
        /// The mean over classes of the F1 score.
        MacroF1 = "macro_f1",
        /// The Matthews correlation over all classes.
        Mcc = "mcc",
        /// The mean log loss.
        Loss = "loss",
        /// The mean squared error of scaled values.
        Mse = "mse",
        /// The mean absolute error of scaled values.
        Mae = "mae",
        /// The mean pinball loss of scaled values.
        Pinball = "pinball",
    }
}

impl MetricName {
    /// The direction in which this metric is better.
    #[must_use]
    pub const fn mode(self) -> Mode {
        match self {
            Self::Accuracy | Self::MacroF1 | Self::Mcc => Mode::Max,
            Self::Loss | Self::Mse | Self::Mae | Self::Pinball => Mode::Min,
        }
    }
}

names! {
    /// The direction in which a metric is better.
    Mode {
        /// Higher is better.
        Max = "max",
        /// Lower is better.
        Min = "min",
    }
}

names! {
    /// Which of the evaluated models a run ends with.
    Keep {
        /// The best by the metric.
        Best = "best",
        /// The last.
        Last = "last",
    }
}

impl Mode {
    /// Whether `value` is strictly better than `best`; a NaN never is.
    #[must_use]
    pub fn is_better(self, value: f64, best: f64) -> bool {
        match self {
            Self::Max => value > best,
            Self::Min => value < best,
        }
    }
}

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
