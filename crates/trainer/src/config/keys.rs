//! The table of keys: the one source for what a configuration may say.
//!
//! Checking, defaults, `--set`, the listing of `regard config schema` and the comparison on resume
//! all read [`KEYS`]. A new key is one row here and one field in [`super::Config`]; a test holds the
//! two together.

use regard_data::series::CalendarCycle;

use super::kind::{Kind, Range};
use super::privacy::{AdjacencyName, ClippingStyle};
use super::{
    Activation, AnomalyMethod, AnomalySmoothing, DataFormat, Keep, LinearSkip, Mechanism,
    MetricName, Mode, NormPosition, OnNan, Optimizer, Pooling, Position, PrivacyConfig,
    RepeatedTimes, ScalerKind, ScheduleKind, SplitBy, Task, ThresholdPart, TokenizerKind,
    Trainable,
};

/// What a key is when the configuration does not set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DefaultValue {
    /// It must be set; the text is an example, in TOML.
    Required(&'static str),
    /// It stays unset; the text says what then happens.
    Unset(&'static str),
    /// It has this value, in TOML.
    Is(&'static str),
}

/// One key of the configuration.
#[derive(Clone, Debug)]
pub struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) default: DefaultValue,
    pub(super) resumable: bool,
    pub(super) doc: &'static str,
}

impl Key {
    const fn new(
        section: &'static str,
        name: &'static str,
        kind: Kind,
        default: DefaultValue,
        doc: &'static str,
    ) -> Self {
        Self {
            section,
            name,
            kind,
            default,
            resumable: false,
            doc,
        }
    }

    const fn resumable(mut self) -> Self {
        self.resumable = true;
        self
    }

    /// The section without brackets, such as `model.attention`; empty at the top of the file.
    #[must_use]
    pub const fn section(&self) -> &'static str {
        self.section
    }

    /// The name inside the section.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The whole path, such as `train.epochs`.
    #[must_use]
    pub fn path(&self) -> String {
        join(self.section, self.name)
    }

    /// The values that the key takes; its `Display` is the sentence for people.
    #[must_use]
    pub const fn kind(&self) -> &Kind {
        &self.kind
    }

    /// What the key is when it is not set.
    #[must_use]
    pub const fn default(&self) -> DefaultValue {
        self.default
    }

    /// Whether a run may be continued with another value.
    #[must_use]
    pub const fn is_resumable(&self) -> bool {
        self.resumable
    }

    /// What the key means, in one line.
    #[must_use]
    pub const fn doc(&self) -> &'static str {
        self.doc
    }
}

/// Sections that mean something by being there: without them none of their keys has a value.
pub(super) const OPTIONAL_SECTIONS: &[&str] = &["privacy"];

/// The path of a key or section.
pub(super) fn join(section: &str, name: &str) -> String {
    if section.is_empty() {
        name.to_owned()
    } else {
        format!("{section}.{name}")
    }
}

/// The key with this path.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
    KEYS.iter()
        .find(|key| key.section == section && key.name == name)
}

/// The sections in the order of the table, the top of the file left out.
pub(super) fn sections() -> Vec<&'static str> {
    let mut sections = Vec::new();
    for key in KEYS {
        if !key.section.is_empty() && !sections.contains(&key.section) {
            sections.push(key.section);
        }
    }
    sections
}

const fn integer(min: i64, max: i64) -> Kind {
    Kind::Integer { min, max }
}

const fn one_of(names: &'static [&'static str]) -> Kind {
    Kind::OneOf {
        names,
        planned: &[],
    }
}

/// The optimiser computes in f32: a larger beta rounds to 1 there, and the correction of its bias divides by 0.
const LARGEST_BETA: f64 = 0.999_999_9;
/// A smaller number may become 0 in f32, and an update of a parameter that has no gradient yet 0 / 0.
const SMALLEST_EPSILON: f64 = 1e-30;

/// Rates and shares that may be zero but not one.
const BELOW_ONE: Kind = Kind::Float(Range::half_open(0.0, 1.0));

use DefaultValue::{Is, Required, Unset};

/// Every key, in the order of the resolved file.
// One row a key: spread over eight lines each, the table could not be read as one.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    Key::new("", "version", integer(1, 1), Required("1"),
        "the version of the configuration format"),
    Key::new("", "task",
        one_of(Task::NAMES),
        Required("\"text-classification\""), "what the model learns to do"),
    Key::new("", "seed", integer(0, i64::MAX), Is("0"), "the root of all randomness of the run"),
    Key::new("", "name", Kind::Name, Unset("the stem of the configuration's file name"),
        "the run's name, and its folder under runs/ unless --out is given"),

    Key::new("data", "train", Kind::Path, Required("\"data/train.tsv\""),
        "the training file (CSV, TSV or JSON Lines), or a folder with one folder a label"),
    Key::new("data", "valid", Kind::PathOrShare, Is("0.1"),
        "the validation file, or the share of the training file held out for it (forecasts and anomalies: a file, else \
         what data.split says)"),
    Key::new("data", "test", Kind::PathOrShare, Unset("no test at the end of training"),
        "the test file, or the share of the training file held out for it (forecasts and anomalies: a file, else what \
         data.split says)"),
    Key::new("data", "format", one_of(DataFormat::NAMES), Unset("by the file name's extension, or folder where one is"),
        "the format of the data files"),
    Key::new("data", "header", Kind::Bool, Is("true"),
        "whether the first line of a CSV or TSV file names the columns"),
    Key::new("data", "text_column", Kind::Column, Is("\"text\""), "the column that holds the text"),
    Key::new("data", "label_column", Kind::Column, Is("\"label\""),
        "the column that holds the label"),
    Key::new("data", "labels", Kind::Texts { min: 2 },
        Unset("the labels of the training data, sorted"),
        "the labels, in the order of the model's outputs"),

    Key::new("data", "max_steps", integer(1, 1_000_000), Unset("as many as the longest series has"),
        "the steps of a series that the model takes; what lies behind them is cut off"),
    Key::new("data", "time_column", Kind::Column, Unset("rows stand in time order"),
        "the column that holds the time of a row"),
    Key::new("data", "id_column", Kind::Column, Unset("the file is one series"),
        "the column that says which series a row belongs to"),
    Key::new("data", "repeated_times", one_of(RepeatedTimes::NAMES), Is("\"refuse\""),
        "what becomes of rows of one series with one time: none may be, the first, the last or the mean counts, or all \
         are kept as they are and no missing row is filled in"),
    Key::new("data", "target_columns", Kind::Columns, Unset("every column of numbers that is not named otherwise"),
        "the channels: what is forecast, or judged"),
    Key::new("data", "scaler", one_of(ScalerKind::NAMES), Is("\"standard\""),
        "how the channels are brought to one scale: each to mean 0 and deviation 1 over the training part, or not at all"),
    Key::new("data", "calendar", Kind::AnyOf { names: CalendarCycle::NAMES }, Is("[]"),
        "cycles of the calendar whose place the model knows at each step, of the steps to come too"),
    Key::new("data", "lookback", integer(1, 1_000_000), Is("96"), "the steps that the model sees"),
    Key::new("data", "horizon", integer(1, 100_000), Is("24"), "the steps that it tells"),
    Key::new("data", "stride", integer(1, 1_000_000), Is("1"),
        "the steps from one window to the next, in training; evaluation takes every window"),
    Key::new("data", "memory_mib", integer(0, 1_048_576), Is("32"),
        "the most token ids of a part that are held in memory, in MiB; more go to a file that is mapped").resumable(),

    Key::new("data.split", "by", one_of(SplitBy::NAMES), Is("\"time\""),
        "whether each series is cut in time, or whole series are drawn for each part (shares of the number of series)"),
    Key::new("data.split", "train", Kind::Extent, Is("0.7"),
        "the first part of each series, in rows or as a share: what the model learns from; where data.valid or data.test is \
         a file, by default all that is left"),
    Key::new("data.split", "valid", Kind::Extent, Is("0.1"),
        "the part behind it: what the best model is chosen by; none where data.valid is a file"),
    Key::new("data.split", "test", Kind::Extent, Is("0.2"),
        "the part behind both; a window may begin before a border and tells only steps behind it; none where data.test is a \
         file"),

    Key::new("tokenizer", "kind", one_of(TokenizerKind::NAMES), Is("\"words\""),
        "what a token is"),
    Key::new("tokenizer", "vocab_size", integer(6, 10_000_000), Is("8000"),
        "the largest number of different tokens (words, bpe)"),
    Key::new("tokenizer", "min_frequency", integer(1, 1_000_000_000), Is("1"),
        "how often a word or character must occur in the training data to become a token, and a pair \
         of bpe (which always needs two); what is rarer is unknown"),
    Key::new("tokenizer", "max_length", integer(2, 1_000_000), Is("128"),
        "the largest number of tokens of one text; what exceeds it is cut off"),
    Key::new("tokenizer", "lowercase", Kind::Bool, Is("true"),
        "whether texts are put in lower case first"),
    Key::new("tokenizer", "file", Kind::Path, Unset("a tokenizer is trained on the training data"),
        "a tokenizer made before, used instead of training one"),

    Key::new("model", "d_model", integer(1, 65_536), Is("128"), "the width of a token's vector"),
    Key::new("model", "n_layers", integer(1, 1_024), Is("2"), "the number of blocks"),
    Key::new("model", "n_heads", integer(1, 1_024), Is("4"), "the number of attention heads"),
    Key::new("model", "n_kv_heads", integer(1, 1_024), Unset("as many as n_heads"),
        "the number of key and value heads, each shared by a group of query heads"),
    Key::new("model", "d_ff", integer(1, 1_048_576), Is("256"),
        "the inner width of the feed-forward layer"),
    Key::new("model", "activation", one_of(Activation::NAMES), Is("\"gelu\""),
        "the non-linearity of the feed-forward layer"),
    Key::new("model", "norm_position", one_of(NormPosition::NAMES), Is("\"pre\""),
        "where a block normalises"),
    Key::new("model", "position", one_of(Position::NAMES), Is("\"learned\""),
        "how positions reach the model"),
    Key::new("model", "pooling", one_of(Pooling::NAMES), Is("\"mean\""),
        "how the vectors of a text become one"),
    Key::new("model", "dropout", BELOW_ONE, Is("0.1"),
        "the dropout rate of embeddings, residual branches and feed-forward layers"),
    Key::new("model", "attention_dropout", BELOW_ONE, Is("0.0"),
        "the dropout rate of attention weights"),
    Key::new("model", "instance_norm", Kind::Bool, Is("true"),
        "whether each window of each channel is brought to mean 0 and variance 1, and forecasts back"),
    Key::new("model", "linear_skip", one_of(LinearSkip::NAMES), Is("\"none\""),
        "a linear map of the normalised lookback that is added to the forecast: none, one that begins at zero, or one that \
         begins as the closed-form ridge of the training part"),
    Key::new("model", "quantiles", Kind::Quantiles, Unset("a point, by the squared error"),
        "the quantiles that are forecast, by the pinball loss"),
    Key::new("model.stem", "layers", integer(0, 4), Is("0"),
        "the number of convolutions over the steps, before the patches: they see neighbours where few examples teach \
         attention little"),
    Key::new("model.stem", "kernel", integer(1, 1_001), Is("7"), "the steps under each of them, an odd number"),
    Key::new("model.patch", "length", integer(1, 100_000), Is("16"), "the steps of a patch"),
    Key::new("model.patch", "stride", integer(1, 100_000), Is("8"),
        "the steps from one patch to the next"),
    Key::new("model.attention", "mechanism", one_of(Mechanism::NAMES), Is("\"full\""),
        "how tokens attend to each other"),

    Key::new("train", "epochs", integer(1, 1_000_000_000), Is("10"),
        "the number of passes over the training data").resumable(),
    Key::new("train", "max_steps", integer(1, 1_000_000_000_000), Unset("epochs alone decides"),
        "the largest number of optimiser steps").resumable(),
    Key::new("train", "batch_size", integer(1, 1_048_576), Is("32"),
        "the number of units of one optimiser step"),
    Key::new("train", "micro_batch", integer(1, 1_048_576), Unset("the whole batch"),
        "the largest number of units in memory at once").resumable(),
    Key::new("train", "shards", integer(1, 1_024), Is("4"),
        "the number of parts of a batch that run side by side; fixed, so that results do not \
         depend on the number of cores"),
    Key::new("train", "optimizer", one_of(Optimizer::NAMES), Is("\"adamw\""), "the update rule"),
    Key::new("train", "momentum", BELOW_ONE, Is("0.9"),
        "how much of the last update is made again (sgd)"),
    Key::new("train", "trainable", one_of(Trainable::NAMES), Is("\"all\""),
        "which parameters are trained: all, those of the head, or the biases and the head"),
    Key::new("train", "init_from", Kind::Path, Unset("the weights are drawn at random"),
        "a run or bundle that training starts from: its weights, and its tokenizer; a head for other labels starts afresh"),
    Key::new("train", "learning_rate", Kind::Float(Range::open_closed(0.0, 100.0)), Is("5e-4"),
        "the learning rate at the end of warm-up"),
    Key::new("train", "betas", Kind::Floats { len: 2, range: Range::closed(0.0, LARGEST_BETA) },
        Is("[0.9, 0.999]"), "the decay rates of the optimiser's first and second moments"),
    Key::new("train", "epsilon", Kind::Float(Range::closed(SMALLEST_EPSILON, 1.0)), Is("1e-8"),
        "the number added to the root of the second moment"),
    Key::new("train", "schedule", one_of(ScheduleKind::NAMES), Is("\"cosine\""),
        "the course of the learning rate after warm-up"),
    Key::new("train", "warmup", Kind::Period { may_be_zero: true }, Is("\"5%\""),
        "how long the learning rate rises from zero"),
    Key::new("train", "weight_decay", Kind::Float(Range::closed(0.0, 100.0)), Is("0.01"),
        "the decoupled weight decay of matrices (norms, biases and embeddings have none)"),
    Key::new("train", "max_grad_norm", Kind::Float(Range::closed(0.0, 1e6)), Is("1.0"),
        "the largest norm of the whole gradient; 0 leaves it as it is"),
    Key::new("train", "label_smoothing", BELOW_ONE, Is("0.0"),
        "the share of a label's probability spread over all labels"),
    Key::new("train", "word_dropout", BELOW_ONE, Is("0.0"),
        "the probability that a token becomes the unknown token, in training alone"),
    Key::new("train", "jitter", Kind::Float(Range::closed(0.0, 10.0)), Is("0.0"),
        "noise on each value, in training alone: its standard deviation, in units of the channel's"),
    Key::new("train", "scaling", Kind::Float(Range::closed(0.0, 10.0)), Is("0.0"),
        "a factor on each channel of a series, in training alone: its standard deviation around 1"),
    Key::new("train", "mixup", Kind::Float(Range::closed(0.0, 1.0)), Is("0.0"),
        "mixes embedded examples and their targets, in training alone: the concentration alpha of the \
         shares, Beta(alpha, alpha); 0 mixes none"),
    Key::new("train", "layer_decay", Kind::Float(Range::open_closed(0.0, 1.0)), Is("1.0"),
        "the factor on the learning rate from each stage to the one below it: 1 is the same rate \
         for all"),
    Key::new("train", "class_weights", Kind::ClassWeights, Is("\"none\""),
        "how much the examples of each class count: all the same, each class the same \
         (\"balanced\"), or a number a class"),
    Key::new("train", "ema", Kind::Float(Range::half_open(0.0, 1.0)), Is("0.0"),
        "the decay of a moving average of the weights, which is then what is judged and kept; 0 \
         keeps none"),
    Key::new("train", "early_stopping", integer(1, 1_000_000), Unset("no early end"),
        "the number of evaluations without a better one after which the run ends").resumable(),
    Key::new("train", "gradient_checkpointing", Kind::GradientCheckpointing, Is("\"none\""),
        "which blocks run again in the backward pass instead of keeping what they computed: none, all \
         but the last, all but the last group of some, or as few as fit into an amount of memory").resumable(),
    Key::new("train", "on_nan", one_of(OnNan::NAMES), Is("\"stop\""),
        "what happens when a loss or a gradient is not finite: the run stops, or makes the step without an \
         update (at most 100 in a row)").resumable(),

    Key::new("eval", "every", Kind::Period { may_be_zero: false }, Is("\"1 epoch\""),
        "the time between evaluations").resumable(),
    Key::new("eval", "metric", one_of(MetricName::NAMES), Is("\"accuracy\""),
        "the figure by which the best model is chosen"),
    Key::new("eval", "mode", one_of(Mode::NAMES), Unset("the metric's own direction"),
        "the direction in which the metric is better"),
    Key::new("eval", "keep", one_of(Keep::NAMES), Is("\"best\""),
        "which of the evaluated models goes into the bundle: where the validation data is small or the \
         weights are averaged, the last is often the better choice"),

    Key::new("checkpoint", "every_steps", integer(1, 1_000_000_000_000),
        Unset("at evaluations alone"),
        "the number of steps between saves; each evaluation saves too").resumable(),
    Key::new("checkpoint", "keep", integer(1, 100_000), Is("2"),
        "the number of newest checkpoints kept, beside the best one").resumable(),

    Key::new("privacy", "epsilon", Kind::Float(Range::open_closed(0.0, 1e6)),
        Unset("it follows from noise_multiplier"),
        "the largest epsilon of the whole run; the noise follows from it"),
    Key::new("privacy", "delta", Kind::Float(Range::open(0.0, 1.0)), Unset("it must be said: a private run asks for it"),
        "the probability with which the promise may fail, well below 1 / dataset_size"),
    Key::new("privacy", "noise_multiplier", Kind::Float(Range::open_closed(0.0, 1e6)),
        Unset("it follows from epsilon"),
        "the standard deviation of the noise on a step's sum, divided by the bound on a unit's \
         contribution"),
    Key::new("privacy", "max_grad_norm", Kind::Float(Range::open_closed(0.0, 1e6)), Is("1.0"),
        "the bound on the norm of a unit's contribution to a step"),
    Key::new("privacy", "clipping", one_of(ClippingStyle::NAMES), Is("\"flat\""),
        "how a unit's gradient is bounded: cut to the bound, brought to it (auto-s), or cut operation \
         by operation"),
    Key::new("privacy", "unit", Kind::PrivacyUnit, Is("\"record\""),
        "what the promise protects: a record (a document is one), all records of a user, who is named in a \
         column, a series with all its windows, or a training window of it"),
    Key::new("privacy", "max_rows_per_unit", integer(1, 1_048_576), Unset("all of it, where a unit is a record or a window"),
        "the most records, or windows of a series, of a unit that a step takes; a new choice every time"),
    Key::new("privacy", "adjacency", one_of(AdjacencyName::NAMES), Is("\"add-remove\""),
        "which two datasets must be hard to tell apart: one unit more or less, one emptied, or one \
         replaced"),
    Key::new("privacy", "sample_rate", Kind::Float(Range::open_closed(0.0, 1.0)),
        Unset("train.batch_size / dataset_size"),
        "the probability with which a step draws a unit"),
    Key::new("privacy", "dataset_size", integer(1, 1_000_000_000_000),
        Unset("it must be said: a private run asks for it"),
        "the number of units to train on, as a public constant"),
    Key::new("privacy", "audit_canaries", integer(10, 100_000), Unset("none are planted"),
        "contributions planted in training, each with probability 1/2, for `regard audit RUN` to guess at"),
    Key::new("privacy", "public", Kind::AnyOf { names: PrivacyConfig::PUBLIC_NAMES },
        Unset("nothing is"), "what of the data is public all the same"),
    Key::new("anomaly", "method",
        Kind::OneOf { names: AnomalyMethod::NAMES, planned: &["reconstruction"] }, Is("\"forecast\""),
        "what a step is judged by: how far it is from the forecasts of it"),
    Key::new("anomaly", "quantile", Kind::Float(Range::open(0.0, 1.0)), Is("0.99"),
        "the share of the scores of `anomaly.threshold_on` that lie below the threshold"),
    Key::new("anomaly", "threshold_on", one_of(ThresholdPart::NAMES), Is("\"valid\""),
        "the part whose scores the threshold is found on: the one that the model learned from, whose errors are smaller \
         than any that follow, or the one behind it"),
    Key::new("anomaly", "smooth", integer(1, 1_000_000), Is("1"),
        "the steps whose scores are averaged"),
    Key::new("anomaly", "smoothing", one_of(AnomalySmoothing::NAMES), Is("\"past\""),
        "which steps they are: a step and those before it, as scores come in, or those on both sides, as they are \
         judged afterwards"),
    Key::new("anomaly", "windows", Kind::Path, Unset("scores are told without a judgement"),
        "the file of labelled windows that scores are compared with, never used in training"),

    Key::new("report", "tensorboard", Kind::Bool, Is("false"),
        "whether scalars are also written to tensorboard/ in the run's folder").resumable(),
    Key::new("report", "html", Kind::Bool, Is("true"),
        "whether report.html is written into the run's folder at the end").resumable(),
    Key::new("report", "examples", Kind::Bool, Is("true"),
        "whether texts or values of the data may appear in the report").resumable(),
];
