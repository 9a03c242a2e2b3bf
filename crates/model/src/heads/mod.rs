//! Pooling, and what turns hidden states into outputs.

mod classification;
mod forecast;
mod pooling;
mod positions;
mod reconstruction;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use regard_ops::{Context, Key};

pub use classification::ClassificationHead;
pub use forecast::ForecastHead;
pub use pooling::Pooling;
pub use reconstruction::ReconstructionHead;

use crate::config::{HeadConfig, TransformerConfig};
use crate::embed::Input;

/// A head: the last part of a model.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one a model")]
pub enum Head {
    /// One of several classes for each row.
    Classification(ClassificationHead),
    /// The steps to come of each row.
    Forecast(ForecastHead),
    /// What stands at each position.
    Reconstruction(ReconstructionHead),
}

impl Head {
    pub(crate) fn new(config: &TransformerConfig, key: Key, device: &Device) -> Self {
        let positions = [config.embedding.max_positions(), config.d_model];
        match config.head {
            HeadConfig::Classification { n_classes, pooling } => Self::Classification(
                ClassificationHead::new(config.d_model, n_classes, pooling, key, device),
            ),
            HeadConfig::Forecast {
                n_outputs,
                horizon,
                linear_skip,
            } => {
                let series = config.embedding.single_channel();
                let skip = series
                    .filter(|_| linear_skip)
                    .map(|series| series.max_steps);
                let head = ForecastHead::new(positions, [n_outputs, horizon], skip, key, device);
                Self::Forecast(head.with_calendar(config.embedding.calendar(), key, device))
            }
            HeadConfig::Reconstruction { features } => {
                Self::Reconstruction(ReconstructionHead::new(positions, features, key, device))
            }
        }
    }

    /// What the model answers.
    ///
    /// # Shapes
    ///
    /// - hidden: `[batch, len, d_model]`
    /// - output: `[batch, answers, features]`; a classification answers once, with a logit a class; a
    ///   forecast for each quantile, with a number a step; a reconstruction for each position
    #[must_use]
    pub fn forward(
        &self,
        hidden: Tensor<3>,
        input: &Input,
        context: &mut Context<'_>,
    ) -> Tensor<3> {
        let mask = input.mask();
        match self {
            Self::Classification(head) => head.forward(hidden, mask, context),
            Self::Forecast(head) => head.forward(hidden, input, context),
            Self::Reconstruction(head) => head.forward(hidden, mask, context),
        }
    }
}
