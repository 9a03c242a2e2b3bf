//! What a model looks like.

use burn::tensor::Device;
use regard_attention::{Mechanism, PositionKind};
use regard_ops::Key;
use serde::{Deserialize, Serialize};

use crate::block::NormPosition;
use crate::embed::SeriesConfig;
use crate::error::ModelError;
use crate::feed_forward::Activation;
use crate::heads::Pooling;
use crate::transformer::Transformer;

/// The shape of a [`Transformer`], as bundles keep it.
///
/// PyTorch equivalent: the arguments of `nn.TransformerEncoder` and its layers, the embedding and
/// the head in one value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransformerConfig {
    /// How the input becomes vectors.
    pub embedding: EmbeddingConfig,
    /// Features of a hidden state.
    pub d_model: usize,
    /// Blocks.
    pub n_layers: usize,
    /// Attention heads; they divide `d_model`.
    pub n_heads: usize,
    /// Key and value heads; they divide `n_heads`.
    pub n_kv_heads: usize,
    /// Features inside the feed-forward layer.
    pub d_ff: usize,
    /// The feed-forward layer's activation.
    pub activation: Activation,
    /// Where the norms stand. Pre-norm has a final norm before the head.
    pub norm_position: NormPosition,
    /// Dropout after the embedding, at the residual branches and inside the feed-forward layer.
    pub dropout: f64,
    /// Dropout on attention weights.
    pub attention_dropout: f64,
    /// The attention mechanism.
    pub attention: Mechanism,
    /// What the model answers.
    pub head: HeadConfig,
}

/// How the input becomes vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum EmbeddingConfig {
    /// Token ids through a table.
    Text {
        /// Entries of the table; ids are below it.
        vocab_size: usize,
        /// The longest input, in tokens.
        max_length: usize,
        /// Which positions the model knows.
        position: PositionKind,
    },
    /// Patches of series through a projection.
    Series(SeriesConfig),
}

impl EmbeddingConfig {
    /// The embedding of series whose rows are single channels.
    pub(crate) fn single_channel(&self) -> Option<&SeriesConfig> {
        match self {
            Self::Series(series) if series.channels == 1 => Some(series),
            _ => None,
        }
    }

    /// Numbers that are known of each step of a series beside its values.
    #[must_use]
    pub fn calendar(&self) -> usize {
        match self {
            Self::Series(series) => series.calendar,
            Self::Text { .. } => 0,
        }
    }

    /// The most positions of a row.
    #[must_use]
    pub fn max_positions(&self) -> usize {
        match self {
            Self::Text { max_length, .. } => *max_length,
            Self::Series(series) => series.max_positions(),
        }
    }
}

/// What the model answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum HeadConfig {
    /// One of several classes for each row.
    Classification {
        /// Classes.
        n_classes: usize,
        /// How positions become one vector.
        pooling: Pooling,
    },
    /// The steps to come of each row, from all its positions at once.
    Forecast {
        /// Numbers for each step: 1 for a point, or as many as there are quantiles.
        n_outputs: usize,
        /// Steps.
        horizon: usize,
        /// Whether a linear map from the steps seen to the steps to come is added beside the blocks; for series whose
        /// rows are single channels.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        linear_skip: bool,
    },
    /// What stands at each position.
    Reconstruction {
        /// Numbers of a position.
        features: usize,
    },
}

impl HeadConfig {
    /// One of each kind with each of its options, for tests that hold for every head.
    pub const EXAMPLES: &[Self] = &[
        Self::Classification {
            n_classes: 3,
            pooling: Pooling::First,
        },
        Self::Classification {
            n_classes: 3,
            pooling: Pooling::Mean,
        },
        Self::Classification {
            n_classes: 3,
            pooling: Pooling::Max,
        },
        Self::Forecast {
            n_outputs: 1,
            horizon: 4,
            linear_skip: false,
        },
        Self::Forecast {
            n_outputs: 3,
            horizon: 2,
            linear_skip: false,
        },
        Self::Reconstruction { features: 2 },
    ];

    /// Whether steps seen reach steps to come beside the blocks.
    pub(crate) fn has_linear_skip(&self) -> bool {
        matches!(
            self,
            Self::Forecast {
                linear_skip: true,
                ..
            }
        )
    }

    /// `n_classes` classes over the mean of the positions.
    #[must_use]
    pub fn classification(n_classes: usize) -> Self {
        Self::Classification {
            n_classes,
            pooling: Pooling::Mean,
        }
    }
}

impl TransformerConfig {
    /// An encoder of text with learned positions: d_model 128, 2 pre-norm layers, 4 heads, d_ff 4 ·
    /// d_model, GELU, dropout 0.1, no attention dropout.
    #[must_use]
    pub fn text(vocab_size: usize, max_length: usize, head: HeadConfig) -> Self {
        Self {
            embedding: EmbeddingConfig::Text {
                vocab_size,
                max_length,
                position: PositionKind::Learned,
            },
            d_model: 128,
            n_layers: 2,
            n_heads: 4,
            n_kv_heads: 4,
            d_ff: 512,
            activation: Activation::Gelu,
            norm_position: NormPosition::Pre,
            dropout: 0.1,
            attention_dropout: 0.0,
            attention: Mechanism::Full,
            head,
        }
    }

    /// A forecaster of single channels as PatchTST's scripts make it for small data: d_model 16, 3 pre-norm layers, 4
    /// heads, d_ff 128, patches of 16 steps every 8, instance normalisation, dropout 0.3.
    #[must_use]
    pub fn forecaster(lookback: usize, horizon: usize) -> Self {
        Self {
            embedding: EmbeddingConfig::Series(SeriesConfig {
                channels: 1,
                max_steps: lookback,
                patch_length: 16,
                patch_stride: 8,
                end_padding: true,
                position: PositionKind::Learned,
                instance_norm: true,
                missing: false,
                calendar: 0,
                stem: None,
            }),
            d_model: 16,
            n_layers: 3,
            d_ff: 128,
            dropout: 0.3,
            head: HeadConfig::Forecast {
                n_outputs: 1,
                horizon,
                linear_skip: false,
            },
            ..Self::text(1, 1, HeadConfig::classification(1))
        }
    }

    /// Another width; `d_ff` becomes four times it.
    #[must_use]
    pub fn with_d_model(mut self, d_model: usize) -> Self {
        self.d_model = d_model;
        self.d_ff = 4 * d_model;
        self
    }

    /// Another number of blocks.
    #[must_use]
    pub fn with_layers(mut self, n_layers: usize) -> Self {
        self.n_layers = n_layers;
        self
    }

    /// Another number of heads, for keys and values too.
    #[must_use]
    pub fn with_heads(mut self, n_heads: usize) -> Self {
        self.n_heads = n_heads;
        self.n_kv_heads = n_heads;
        self
    }

    /// Finds everything that keeps this from being a model.
    ///
    /// # Errors
    ///
    /// [`ModelError::Config`] with all problems.
    pub fn validate(&self) -> Result<(), ModelError> {
        let mut problems = Vec::new();
        let mut at_least_one = |name: &str, value: usize| {
            if value == 0 {
                problems.push(format!("{name} is 0: give at least 1"));
            }
        };
        at_least_one("d_model", self.d_model);
        at_least_one("n_layers", self.n_layers);
        at_least_one("n_heads", self.n_heads);
        at_least_one("n_kv_heads", self.n_kv_heads);
        at_least_one("d_ff", self.d_ff);
        match &self.embedding {
            EmbeddingConfig::Text {
                vocab_size,
                max_length,
                ..
            } => {
                at_least_one("vocab_size", *vocab_size);
                at_least_one("max_length", *max_length);
            }
            EmbeddingConfig::Series(_) => {}
        }
        match &self.head {
            HeadConfig::Classification { n_classes, .. } => at_least_one("n_classes", *n_classes),
            HeadConfig::Forecast {
                n_outputs, horizon, ..
            } => {
                at_least_one("n_outputs", *n_outputs);
                at_least_one("horizon", *horizon);
            }
            HeadConfig::Reconstruction { features } => at_least_one("features", *features),
        }
        if self.head.has_linear_skip() && self.embedding.single_channel().is_none() {
            problems.push(
                "linear_skip needs series of single channels: make each channel a row".to_owned(),
            );
        }
        if let EmbeddingConfig::Series(series) = &self.embedding {
            problems.extend(series.problems());
            let answers_steps = !matches!(self.head, HeadConfig::Classification { .. });
            if answers_steps && series.instance_norm && series.channels > 1 {
                problems.push(format!(
                    "instance_norm takes the scale from {} channels of a row, and the head's steps get one back: \
                     make each channel a row",
                    series.channels
                ));
            }
        }
        if self.n_heads > 0 && !self.d_model.is_multiple_of(self.n_heads) {
            problems.push(format!(
                "n_heads ({}) does not divide d_model ({})",
                self.n_heads, self.d_model
            ));
        }
        if self.n_kv_heads > 0 && !self.n_heads.is_multiple_of(self.n_kv_heads) {
            problems.push(format!(
                "n_kv_heads ({}) does not divide n_heads ({})",
                self.n_kv_heads, self.n_heads
            ));
        }
        for (name, rate) in [
            ("dropout", self.dropout),
            ("attention_dropout", self.attention_dropout),
        ] {
            if !(0.0..1.0).contains(&rate) {
                problems.push(format!("{name} is {rate}: a rate lies in [0, 1)"));
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ModelError::Config(problems))
        }
    }

    /// Draws a model under `key`: the same key gives the same model on every backend.
    ///
    /// # Errors
    ///
    /// As [`TransformerConfig::validate`].
    pub fn init(&self, key: Key, device: &Device) -> Result<Transformer, ModelError> {
        self.validate()?;
        Ok(Transformer::new(self, key.stream("init"), device))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_head_is_an_example_with_every_pooling() {
        for pooling in Pooling::EXAMPLES {
            let found = HeadConfig::EXAMPLES.iter().any(|head| match head {
                // A newcomer does not compile until it stands here, and so in the list.
                HeadConfig::Classification { pooling: other, .. } => pooling == other,
                HeadConfig::Forecast { .. } | HeadConfig::Reconstruction { .. } => false,
            });
            assert!(found, "{pooling:?}");
        }
    }

    fn problems(config: &TransformerConfig) -> Vec<String> {
        match config.validate() {
            Err(ModelError::Config(problems)) => problems,
            other => panic!("problems expected, found {other:?}"),
        }
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let mut config = TransformerConfig::text(0, 0, HeadConfig::classification(0));
        config.d_model = 10;
        config.n_heads = 4;
        config.n_kv_heads = 3;
        config.n_layers = 0;
        config.d_ff = 0;
        config.dropout = f64::NAN;
        config.attention_dropout = 1.0;
        assert_eq!(
            problems(&config),
            [
                "n_layers is 0: give at least 1",
                "d_ff is 0: give at least 1",
                "vocab_size is 0: give at least 1",
                "max_length is 0: give at least 1",
                "n_classes is 0: give at least 1",
                "n_heads (4) does not divide d_model (10)",
                "n_kv_heads (3) does not divide n_heads (4)",
                "dropout is NaN: a rate lies in [0, 1)",
                "attention_dropout is 1: a rate lies in [0, 1)",
            ]
        );
    }

    #[test]
    fn heads_of_number_zero_are_named_and_divide_nothing() {
        let config = TransformerConfig::text(2, 2, HeadConfig::classification(2)).with_heads(0);
        assert_eq!(
            problems(&config),
            [
                "n_heads is 0: give at least 1",
                "n_kv_heads is 0: give at least 1"
            ]
        );
    }

    #[test]
    fn a_configuration_survives_json_and_unknown_keys_are_refused() {
        for head in HeadConfig::EXAMPLES {
            let config = TransformerConfig::text(7, 5, head.clone());
            let json = serde_json::to_string(&config).expect("plain values");
            let back: TransformerConfig = serde_json::from_str(&json).expect("what was written");
            assert_eq!(back, config);
            let extra = json.replacen('{', "{\"d_modle\":8,", 1);
            let error = serde_json::from_str::<TransformerConfig>(&extra).expect_err("a typo");
            assert!(
                error.to_string().contains("unknown field `d_modle`"),
                "{error}"
            );
        }
    }
}
