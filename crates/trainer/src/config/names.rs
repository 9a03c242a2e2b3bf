//! What a configuration names: tasks, mechanisms, schedules and the like.

use serde::{Deserialize, Serialize};

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
