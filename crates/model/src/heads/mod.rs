//! Pooling, and what turns hidden states into outputs.

mod classification;
mod pooling;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use regard_attention::Mask;
use regard_ops::{Context, Key};

pub use classification::ClassificationHead;
pub use pooling::Pooling;

use crate::config::{HeadConfig, TransformerConfig};

/// A head: the last part of a model.
#[derive(Module, Debug)]
pub enum Head {
    /// One of several classes for each row.
    Classification(ClassificationHead),
}

impl Head {
    pub(crate) fn new(config: &TransformerConfig, key: Key, device: &Device) -> Self {
        match config.head {
            HeadConfig::Classification { n_classes, pooling } => Self::Classification(
                ClassificationHead::new(config.d_model, n_classes, pooling, key, device),
            ),
        }
    }

    /// What the model answers.
    ///
    /// # Shapes
    ///
    /// - hidden: `[batch, len, d_model]`
    /// - output: `[batch, answers, features]`; a classification answers once, with a logit a class
    #[must_use]
    pub fn forward(&self, hidden: Tensor<3>, mask: &Mask, context: &mut Context<'_>) -> Tensor<3> {
        match self {
            Self::Classification(head) => head.forward(hidden, mask, context),
        }
    }
}
