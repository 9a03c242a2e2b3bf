//! Classification of text.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use regard_bundle::{BundleInfo, ClassPrediction, TextSchema, text_input};
use regard_data::{
    DataError, Examples, Labels, Tokenizer, TokenizerConfig, TokenizerKind, require_two_classes,
};
use regard_model::{EmbeddingConfig, HeadConfig, TransformerConfig};
use regard_ops::Key;

use super::text_parts::{TextParts, format};
use super::{Batch, Evaluation, Split, Targets, Task};
use crate::config::{self, Config};
use crate::error::TrainError;
use crate::metrics::ClassificationMetrics;

/// One label out of several for each text. A unit is a text, and a text is one row.
pub struct TextClassification {
    tokenizer: Tokenizer,
    labels: Labels,
    /// Training, validation and test.
    parts: [Option<Part>; 3],
    schema: TextSchema,
    task: &'static str,
    model: config::ModelConfig,
    label_smoothing: f64,
    word_dropout: f64,
    data_fingerprint: String,
    tokenizer_hash: String,
}

/// A part of the data as token ids, one after the other.
struct Part {
    ids: Vec<u32>,
    ends: Vec<usize>,
    classes: Vec<u32>,
    n_truncated: usize,
}

impl Part {
    fn encode(tokenizer: &Tokenizer, texts: &dyn Examples) -> Result<Self, DataError> {
        let mut part = Self {
            ids: Vec::new(),
            ends: Vec::with_capacity(texts.len()),
            classes: Vec::with_capacity(texts.len()),
            n_truncated: 0,
        };
        for index in 0..texts.len() {
            let encoded = tokenizer.encode(texts.text(index))?;
            part.ids.extend(&encoded.ids);
            part.ends.push(part.ids.len());
            part.classes.push(texts.label(index));
            part.n_truncated += usize::from(encoded.truncated);
        }
        Ok(part)
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn row(&self, unit: usize) -> &[u32] {
        let start = unit.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.ids[start..self.ends[unit]]
    }
}

impl TextClassification {
    /// Reads the data, trains the tokenizer on the training part and encodes every part.
    ///
    /// # Errors
    ///
    /// If the data cannot be read or is not what the configuration says.
    pub fn load(config: &Config) -> Result<Self, TrainError> {
        let data = &config.data;
        let texts = TextParts::read(config, None)?;
        require_two_classes(&texts.train, &data.train.display().to_string())?;
        let settings = tokenizer_config(&config.tokenizer);
        let train = &texts.train;
        let tokenizer =
            Tokenizer::from_config(&settings, (0..train.len()).map(|index| train.text(index)))?;
        let parts = [
            Some(Part::encode(&tokenizer, train)?),
            Some(Part::encode(&tokenizer, &*texts.valid)?),
            texts
                .test
                .map(|test| Part::encode(&tokenizer, &*test))
                .transpose()?,
        ];
        let tokenizer_hash = blake3::hash(&tokenizer.to_json()?).to_hex().to_string();
        Ok(Self {
            tokenizer,
            labels: texts.labels,
            parts,
            schema: TextSchema {
                text_column: data.text_column.clone(),
                label_column: data.label_column.clone(),
                header: data.header,
                format: data.format.map(format),
            },
            task: config.task.name(),
            model: config.model.clone(),
            label_smoothing: config.train.label_smoothing,
            word_dropout: config.train.word_dropout,
            data_fingerprint: texts.fingerprint,
            tokenizer_hash,
        })
    }

    fn part(&self, split: Split) -> Option<&Part> {
        let [train, valid, test] = &self.parts;
        match split {
            Split::Train => train,
            Split::Valid => valid,
            Split::Test => test,
        }
        .as_ref()
    }
}

fn tokenizer_config(settings: &config::TokenizerConfig) -> TokenizerConfig {
    TokenizerConfig {
        kind: match settings.kind {
            config::TokenizerKind::Bytes => TokenizerKind::Bytes,
            config::TokenizerKind::Characters => TokenizerKind::Characters,
            config::TokenizerKind::Words => TokenizerKind::Words,
            config::TokenizerKind::Bpe => TokenizerKind::Bpe,
        },
        vocab_size: settings.vocab_size,
        max_length: settings.max_length,
        lowercase: settings.lowercase,
        file: settings.file.clone(),
    }
}

impl Task for TextClassification {
    fn model(&self) -> TransformerConfig {
        let model = &self.model;
        TransformerConfig {
            embedding: EmbeddingConfig::Text {
                vocab_size: self.tokenizer.vocab_size(),
                max_length: self.tokenizer.max_length(),
                position: match model.position {
                    config::Position::Learned => regard_model::PositionKind::Learned,
                    config::Position::Sinusoidal => regard_model::PositionKind::Sinusoidal,
                    config::Position::None => regard_model::PositionKind::None,
                },
            },
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
            head: HeadConfig::Classification {
                n_classes: self.labels.len(),
                pooling: match model.pooling {
                    config::Pooling::First => regard_model::Pooling::First,
                    config::Pooling::Mean => regard_model::Pooling::Mean,
                    config::Pooling::Max => regard_model::Pooling::Max,
                },
            },
        }
    }

    fn n_units(&self, split: Split) -> usize {
        self.part(split).map_or(0, Part::len)
    }

    fn lengths(&self, split: Split) -> Vec<u32> {
        let Some(part) = self.part(split) else {
            return Vec::new();
        };
        (0..part.len())
            .map(|unit| part.row(unit).len() as u32)
            .collect()
    }

    fn batch(
        &self,
        split: Split,
        units: &[usize],
        randomness: Option<Key>,
        device: &Device,
    ) -> Batch {
        let part = self
            .part(split)
            .expect("the caller asks for units of parts that have some");
        let mut rows: Vec<Vec<u32>> = units.iter().map(|unit| part.row(*unit).to_vec()).collect();
        if let Some(key) = randomness.filter(|_| self.word_dropout > 0.0) {
            let key = key.stream("word-dropout");
            for (row, unit) in rows.iter_mut().zip(units) {
                let key = key.fold(*unit as u64);
                // The class token stays.
                for (place, id) in row.iter_mut().enumerate().skip(1) {
                    if key.uniform(place as u64) < self.word_dropout {
                        *id = self.tokenizer.unknown_id();
                    }
                }
            }
        }
        let rows: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
        Batch {
            input: text_input(&rows, self.tokenizer.pad_id(), device),
            targets: Targets::Classes(units.iter().map(|unit| part.classes[*unit]).collect()),
            unit_of_row: (0..units.len()).collect(),
            n_tokens: rows.iter().map(|row| row.len()).sum(),
        }
    }

    fn row_losses(&self, output: Tensor<3>, targets: &Targets) -> Tensor<1> {
        let Targets::Classes(classes) = targets;
        cross_entropy(output, classes, self.label_smoothing)
    }

    fn evaluate(&self, split: Split, outputs: &[Vec<f32>]) -> Result<Evaluation, TrainError> {
        let part = self
            .part(split)
            .expect("the caller asks for units of parts that have some");
        let mut metrics = ClassificationMetrics::new(self.labels.len());
        for (logits, class) in outputs.iter().zip(&part.classes) {
            let prediction = ClassPrediction::from_logits(logits, false);
            metrics.add(&prediction.probabilities, *class as usize)?;
        }
        Ok(Evaluation {
            split,
            labels: self.labels.names().to_vec(),
            report: metrics.report()?,
        })
    }

    fn data_fingerprint(&self) -> String {
        // Token ids are data too: a tokenizer from a file may change under a run.
        format!("{}+{}", self.data_fingerprint, self.tokenizer_hash)
    }

    fn bundle_info(&self, step: u64) -> BundleInfo {
        BundleInfo {
            task: self.task.to_owned(),
            model: self.model(),
            schema: self.schema.clone(),
            labels: self.labels.names().to_vec(),
            step,
            data_fingerprint: self.data_fingerprint.clone(),
        }
    }

    fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    fn summary(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for split in [Split::Train, Split::Valid, Split::Test] {
            let Some(part) = self.part(split) else {
                continue;
            };
            let mut counts = vec![0_usize; self.labels.len()];
            for class in &part.classes {
                counts[*class as usize] += 1;
            }
            let shares: Vec<String> = self
                .labels
                .names()
                .iter()
                .zip(counts)
                .take(10)
                .map(|(label, count)| format!("{label} {count}"))
                .collect();
            lines.push(format!(
                "{}: {} texts ({}), {} tokens, {} cut at {}",
                split.name(),
                part.len(),
                shares.join(", "),
                part.ids.len(),
                part.n_truncated,
                self.tokenizer.max_length()
            ));
        }
        lines
    }
}

/// `-sum_c target_c · log softmax(logits)_c` of each row, where the target has `1 - smoothing` on
/// the class and `smoothing` spread over all classes (Szegedy et al. 2016).
///
/// PyTorch equivalent: `F.cross_entropy(reduction="none", label_smoothing=...)`.
///
/// # Shapes
///
/// - logits: `[rows, 1, n_classes]`
/// - output: `[rows]`
#[must_use]
pub fn cross_entropy(logits: Tensor<3>, classes: &[u32], smoothing: f64) -> Tensor<1> {
    let [rows, _, n_classes] = logits.dims();
    let device = logits.device().inner();
    let log_probabilities = log_softmax(logits.reshape([rows, n_classes]), 1);
    let index: Vec<i32> = classes.iter().map(|class| *class as i32).collect();
    let index = Tensor::<2, Int>::from_data(TensorData::new(index, [rows, 1]), &device);
    let right = log_probabilities.clone().gather(1, index).reshape([rows]);
    if smoothing == 0.0 {
        return right.neg();
    }
    let spread = log_probabilities.mean_dim(1).reshape([rows]);
    (right.mul_scalar(1.0 - smoothing) + spread.mul_scalar(smoothing)).neg()
}
