//! Embedding of text.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use regard_attention::{Mask, Position};
use regard_ops::primitive::{Table, TableConfig};
use regard_ops::{Context, Key, Operation, dropout};

use crate::config::{EmbeddingConfig, TransformerConfig};

/// A batch of token ids.
#[derive(Clone, Debug)]
pub struct TextInput {
    /// `[batch, len]`, each below the vocabulary's size: whoever makes them checks them, for a
    /// backend may answer garbage.
    pub ids: Tensor<2, Int>,
    /// What is filling.
    pub mask: Mask,
}

/// `dropout(token[id] + position[t])`. What no token stands for is an id of its own (`[UNK]`), with
/// a trained vector like any other.
#[derive(Module, Debug)]
pub struct TextEmbedding {
    token: Table,
    position: Option<Position>,
    dropout: f64,
}

impl TextEmbedding {
    pub(crate) fn new(config: &TransformerConfig, key: Key, device: &Device) -> Self {
        let EmbeddingConfig::Text {
            vocab_size,
            max_length,
            position,
        } = config.embedding
        else {
            panic!("an embedding of text was made for a model of series");
        };
        let d = config.d_model;
        Self {
            token: TableConfig::new(vocab_size, d).init(key.stream("token"), device),
            position: position.init(max_length, d, key.stream("position"), device),
            dropout: config.dropout,
        }
    }

    /// The embedded tokens.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, len, d_model]`
    #[must_use]
    pub fn forward(&self, input: &TextInput, context: &mut Context<'_>) -> Tensor<3> {
        let mut hidden = self.token.lookup(input.ids.clone(), "token", context);
        if let Some(position) = &self.position {
            hidden = position.add_to(hidden, "position", context);
        }
        hidden = context.output("sum", Operation::Function, hidden);
        dropout(hidden, self.dropout, "sum", context)
    }
}
