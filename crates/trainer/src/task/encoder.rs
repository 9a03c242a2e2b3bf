//! The encoder that a configuration describes, whatever it reads and answers.

use regard_model::{EmbeddingConfig, HeadConfig, TransformerConfig};

use crate::config::{self, ModelConfig};

/// The settings of `[model]` around an embedding and a head.
pub(super) fn encoder(
    model: &ModelConfig,
    embedding: EmbeddingConfig,
    head: HeadConfig,
) -> TransformerConfig {
    TransformerConfig {
        embedding,
        d_model: model.d_model,
        n_layers: model.n_layers,
        n_heads: model.n_heads,
        n_kv_heads: model.n_kv_heads.unwrap_or(model.n_heads),
        d_ff: model.d_ff,
        activation: match model.activation {
            config::Activation::Gelu => regard_model::Activation::Gelu,
            config::Activation::Relu => regard_model::Activation::Relu,
        },
        norm_position: match model.norm_position {
            config::NormPosition::Pre => regard_model::NormPosition::Pre,
            config::NormPosition::Post => regard_model::NormPosition::Post,
        },
        dropout: model.dropout,
        attention_dropout: model.attention_dropout,
        attention: match model.attention.mechanism {
            config::Mechanism::Full => regard_model::Mechanism::Full,
        },
        head,
    }
}

impl From<config::Position> for regard_model::PositionKind {
    fn from(position: config::Position) -> Self {
        match position {
            config::Position::Learned => Self::Learned,
            config::Position::Sinusoidal => Self::Sinusoidal,
            config::Position::None => Self::None,
        }
    }
}
