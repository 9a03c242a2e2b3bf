//! Inputs, and embeddings of them.

mod series;
mod series_config;
mod series_input;
mod text;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use regard_attention::Mask;
use regard_ops::{Context, Key};

pub use series::SeriesEmbedding;
pub use series_config::{SeriesConfig, StemConfig};
pub use series_input::{CalendarRow, SeriesInput, Statistics};
pub use text::{TextEmbedding, TextInput};

use crate::config::{EmbeddingConfig, TransformerConfig};

/// What a model takes: a batch on a device, with its masks. No part of it carries a gradient.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one a batch, and its tensors are elsewhere"
)]
pub enum Input {
    /// Token ids.
    Text(TextInput),
    /// Series.
    Series(SeriesInput),
}

impl Input {
    /// Token ids `[batch, len]`, none of them filling.
    #[must_use]
    pub fn text(ids: burn::tensor::Tensor<2, burn::tensor::Int>) -> Self {
        Self::Text(TextInput {
            ids,
            mask: Mask::none(),
        })
    }

    /// A batch of series, from [`SeriesConfig::batch`].
    #[must_use]
    pub fn series(input: SeriesInput) -> Self {
        Self::Series(input)
    }

    /// Says how many positions of each row of ids are real; the rest is filling. Series know their lengths.
    #[must_use]
    pub fn with_lengths(self, lengths: &[usize]) -> Self {
        match self {
            Self::Text(TextInput { ids, mask }) => {
                let [_, len] = ids.dims();
                let mask = mask.with_lengths(lengths, len);
                Self::Text(TextInput { ids, mask })
            }
            Self::Series(input) => Self::Series(input),
        }
    }

    /// The mask that every block uses.
    #[must_use]
    pub fn mask(&self) -> &Mask {
        match self {
            Self::Text(input) => &input.mask,
            Self::Series(input) => input.mask(),
        }
    }

    /// The number of rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        match self {
            Self::Text(input) => input.ids.dims()[0],
            Self::Series(input) => input.n_rows(),
        }
    }

    /// What normalisation took from each row, and forecasts get back.
    #[must_use]
    pub fn statistics(&self) -> Option<&Statistics> {
        match self {
            Self::Text(_) => None,
            Self::Series(input) => input.statistics(),
        }
    }
}

/// An embedding: the first stage of a model.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one a model")]
pub enum Embedding {
    /// Of token ids.
    Text(TextEmbedding),
    /// Of series.
    Series(SeriesEmbedding),
}

impl Embedding {
    pub(crate) fn new(config: &TransformerConfig, key: Key, device: &Device) -> Self {
        match &config.embedding {
            EmbeddingConfig::Text { .. } => Self::Text(TextEmbedding::new(config, key, device)),
            EmbeddingConfig::Series(series) => Self::Series(SeriesEmbedding::new(
                series,
                config.d_model,
                config.dropout,
                key,
                device,
            )),
        }
    }

    /// The embedded input.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, len, d_model]`
    ///
    /// # Panics
    ///
    /// If the input is of another kind than the embedding.
    #[must_use]
    pub fn forward(&self, input: &Input, context: &mut Context<'_>) -> Tensor<3> {
        match (self, input) {
            (Self::Text(embedding), Input::Text(input)) => embedding.forward(input, context),
            (Self::Series(embedding), Input::Series(input)) => embedding.forward(input, context),
            (Self::Text(_), Input::Series(_)) => panic!("a model of text was given series"),
            (Self::Series(_), Input::Text(_)) => panic!("a model of series was given text"),
        }
    }
}
