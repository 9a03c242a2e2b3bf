//! How many numbers a model trains, counted without making it.

use regard_attention::PositionKind;

use crate::block::NormPosition;
use crate::config::{EmbeddingConfig, HeadConfig, TransformerConfig};

/// The trainable numbers of a model, by part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterCounts {
    /// The tables of tokens and positions.
    pub embedding: u64,
    /// All blocks.
    pub blocks: u64,
    /// The last norm and the head.
    pub head: u64,
}

impl ParameterCounts {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        (self.embedding.saturating_add(self.blocks)).saturating_add(self.head)
    }
}

impl TransformerConfig {
    /// Counts the trainable numbers of such a model; `u64::MAX` stands for more than can be counted.
    #[must_use]
    pub fn parameter_counts(&self) -> ParameterCounts {
        // In f64, or the sizes of a hostile description overflow; whole numbers up to 2^53 are exact.
        let [d, d_ff, n_layers] = [self.d_model, self.d_ff, self.n_layers].map(|n| n as f64);
        let positions = |position: PositionKind| match position {
            PositionKind::Learned => self.embedding.max_positions() as f64,
            // The others are computed.
            _ => 0.0,
        };
        let embedding = match &self.embedding {
            EmbeddingConfig::Text {
                vocab_size,
                position,
                ..
            } => (*vocab_size as f64 + positions(*position)) * d,
            EmbeddingConfig::Series(series) => {
                let features = series.channels as f64 * if series.missing { 2.0 } else { 1.0 };
                let (stem, width) = match series.stem {
                    None => (0.0, features),
                    Some(stem) => {
                        let (layers, kernel) = (stem.layers as f64, stem.kernel as f64);
                        let matrices = kernel * d * (features + (layers - 1.0) * d);
                        // A bias and a norm each.
                        (matrices + layers * 3.0 * d, d)
                    }
                };
                let patch = series.patch_length as f64 * width * d + d;
                stem + patch + (positions(series.position) + series.calendar as f64) * d
            }
        };
        let d_kv = d / (self.n_heads as f64).max(1.0) * self.n_kv_heads as f64;
        // Queries, keys and values, then the output: matrices and biases. A mechanism adds nothing to them.
        let attention = (2.0 * d + 2.0 * d_kv) * (d + 1.0);
        let feed_forward = d * d_ff + d_ff + d_ff * d + d;
        let norms = 4.0 * d;
        let last_norm = match self.norm_position {
            NormPosition::Pre => 2.0 * d,
            NormPosition::Post => 0.0,
        };
        let head = match self.head {
            HeadConfig::Classification { n_classes, .. } => (d + 1.0) * n_classes as f64,
            HeadConfig::Forecast {
                n_outputs,
                horizon,
                linear_skip,
            } => {
                let positions = self.embedding.max_positions() as f64;
                let skip = match self.embedding.single_channel() {
                    Some(series) if linear_skip => series.max_steps as f64 + 1.0,
                    _ => 0.0,
                };
                let calendar = self.embedding.calendar() as f64 * n_outputs as f64;
                (positions * d + 1.0 + skip) * n_outputs as f64 * horizon as f64 + calendar
            }
            HeadConfig::Reconstruction { features } => (d + 1.0) * features as f64,
        };
        // `as` saturates.
        ParameterCounts {
            embedding: embedding as u64,
            blocks: (n_layers * (attention + feed_forward + norms)) as u64,
            head: (last_norm + head) as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use burn::tensor::Device;
    use regard_ops::Key;

    use super::*;

    #[test]
    fn the_count_is_that_of_the_model_made() {
        for head in HeadConfig::EXAMPLES {
            for norm_position in NormPosition::EXAMPLES {
                for (n_kv_heads, position) in [
                    (4, PositionKind::Learned),
                    (2, PositionKind::Sinusoidal),
                    (1, PositionKind::None),
                ] {
                    let mut config = TransformerConfig::text(11, 7, head.clone())
                        .with_d_model(8)
                        .with_layers(3)
                        .with_heads(4);
                    config.n_kv_heads = n_kv_heads;
                    config.norm_position = *norm_position;
                    config.d_ff = 13;
                    let EmbeddingConfig::Text {
                        position: place, ..
                    } = &mut config.embedding
                    else {
                        panic!("a model of text was made");
                    };
                    *place = position;
                    let model = config.init(Key::new(0), &Device::flex()).unwrap();
                    assert_eq!(
                        config.parameter_counts().total(),
                        model.num_params() as u64,
                        "{config:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn impossible_sizes_are_counted_as_very_many() {
        let mut config =
            TransformerConfig::text(usize::MAX, usize::MAX, HeadConfig::classification(2));
        config.d_model = usize::MAX;
        assert_eq!(config.parameter_counts().total(), u64::MAX);
    }
}
