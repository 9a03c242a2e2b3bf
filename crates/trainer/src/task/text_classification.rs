//! Classification of text.

use std::path::Path;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use regard_bundle::{Bundle, BundleInfo, Companion, Schema, TextSchema, text_input};
use regard_data::{
    DataError, Labels, TokenCache, TokenRows, Tokenizer, TokenizerConfig, TokenizerKind,
    TokenizerTrainer, require_two_classes,
};
use regard_model::{EmbeddingConfig, HeadConfig, TransformerConfig};
use regard_ops::Key;

use super::classes::{class_weights, evaluate_classes, weighted_cross_entropy};
use super::encoder::encoder;
use super::text_parts::{TextParts, format};
use super::{Batch, Evaluation, Split, Targets, Task};
use crate::config::{self, Config};
use crate::error::TrainError;

/// Texts that a tokenizer is trained on: more of them change no vocabulary that is worth having, and take minutes.
const TOKENIZER_TEXT_BYTES: f64 = (64 << 20) as f64;

/// One label out of several for each text. A unit is a text, and a text is one row.
pub struct TextClassification {
    tokenizer: Tokenizer,
    /// How many of the training texts the tokenizer was trained on, where they were not all.
    sampled: Option<usize>,
    labels: Labels,
    /// Training, validation and test.
    parts: [Option<Part>; 3],
    schema: TextSchema,
    task: &'static str,
    model: config::ModelConfig,
    label_smoothing: f64,
    /// The weight of each class's examples; none when all weigh the same.
    class_weights: Option<Vec<f32>>,
    word_dropout: f64,
    data_fingerprint: String,
    tokenizer_hash: String,
    /// Behind the parts, so that no file is removed while it is mapped.
    _cache: TokenCache,
}

/// A part of the data as token ids.
struct Part {
    rows: TokenRows,
    classes: Vec<u32>,
}

impl TextClassification {
    /// Reads the data, trains the tokenizer on the training part and encodes every part.
    ///
    /// # Errors
    ///
    /// If the data cannot be read or is not what the configuration says.
    pub fn load(config: &Config, cache: TokenCache) -> Result<Self, TrainError> {
        let data = &config.data;
        let texts = TextParts::read(config, None)?;
        let mut counts = vec![0; texts.labels.len()];
        for class in texts.classes(Split::Train) {
            counts[class as usize] += 1;
        }
        // Which labels private data has is private.
        if config.privacy.is_none() {
            require_two_classes(&texts.labels, &counts, &data.train.display().to_string())?;
        }
        let class_weights = class_weights(&config.train.class_weights, &counts)?;
        let init_from = config.train.init_from.as_deref();
        let (tokenizer, sampled) = tokenizer(&config.tokenizer, init_from, &texts)?;
        let tokenizer_hash = blake3::hash(&tokenizer.to_json()?).to_hex().to_string();
        let unit = config.privacy.as_ref().map(|privacy| &privacy.unit);
        let parts = encode(&texts, &tokenizer, &cache, |split| {
            TokenCache::key(&[
                split.name(),
                &texts.fingerprint,
                &tokenizer_hash,
                // Which rows are in which part.
                &format!("{:?}, {:?}, {unit:?}", data.valid, data.test),
            ])
        })?;
        Ok(Self {
            tokenizer,
            sampled,
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
            class_weights,
            word_dropout: config.train.word_dropout,
            data_fingerprint: texts.fingerprint,
            tokenizer_hash,
            _cache: cache,
        })
    }

    /// What turns texts into token ids.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
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

/// The tokenizer of a configuration; and the number of texts that it was trained on, where not on all.
fn tokenizer(
    settings: &config::TokenizerConfig,
    init_from: Option<&Path>,
    texts: &TextParts,
) -> Result<(Tokenizer, Option<usize>), TrainError> {
    let settings = tokenizer_config(settings);
    if let Some(from) = init_from {
        let json = Bundle::attachment(from, Bundle::TOKENIZER)?;
        let json = json.ok_or_else(|| TrainError::InitFrom {
            path: from.to_owned(),
            problems: vec!["it has no tokenizer: it is no model of texts".to_owned()],
        })?;
        return Ok((
            Tokenizer::from_json(&json, Some(settings.max_length))?,
            None,
        ));
    }
    if let Some(file) = &settings.file {
        settings.validate()?;
        return Ok((Tokenizer::open(file, Some(settings.max_length))?, None));
    }
    let mut trainer = TokenizerTrainer::new(&settings)?;
    if !trainer.needs_texts() {
        return Ok((trainer.finish()?, None));
    }
    let share = TOKENIZER_TEXT_BYTES / texts.text_bytes(Split::Train).max(1) as f64;
    // By a key of its own, as parts are held out: the same texts in every run.
    let key = Key::new(0).stream("tokenizer-texts");
    let (mut taken, mut all) = (0, 0);
    texts.visit(&[Split::Train], |text| {
        all += 1;
        if share >= 1.0 || key.uniform(text.unit as u64) < share {
            taken += 1;
            trainer.add(text.text)?;
        }
        Ok::<(), DataError>(())
    })?;
    Ok((trainer.finish()?, (taken < all).then_some(taken)))
}

/// Encodes every part, but for those that an earlier process left in the cache.
fn encode(
    texts: &TextParts,
    tokenizer: &Tokenizer,
    cache: &TokenCache,
    key: impl Fn(Split) -> [u8; 32],
) -> Result<[Option<Part>; 3], TrainError> {
    let vocab_size = tokenizer.vocab_size();
    let there = Split::ALL.map(|split| cache.open(split.name(), &key(split), vocab_size));
    let wanted: Vec<Split> = Split::ALL
        .into_iter()
        .filter(|split| there[*split as usize].is_none() && texts.has(*split))
        .collect();
    let mut writers = Split::ALL.map(|split| cache.write(split.name(), key(split), vocab_size));
    texts.visit(&wanted, |text| {
        let encoded = tokenizer.encode(text.text)?;
        writers[text.split as usize].push(&encoded.ids, encoded.truncated)
    })?;
    let mut parts = [None, None, None];
    for ((split, there), writer) in Split::ALL.into_iter().zip(there).zip(writers) {
        if texts.has(split) {
            parts[split as usize] = Some(Part {
                rows: there.map_or_else(|| writer.finish(), Ok)?,
                classes: texts.classes(split),
            });
        }
    }
    Ok(parts)
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
        min_frequency: settings.min_frequency,
        max_length: settings.max_length,
        lowercase: settings.lowercase,
        file: settings.file.clone(),
    }
}

impl Task for TextClassification {
    fn model(&self) -> TransformerConfig {
        let embedding = EmbeddingConfig::Text {
            vocab_size: self.tokenizer.vocab_size(),
            max_length: self.tokenizer.max_length(),
            position: self.model.position.into(),
        };
        let head = HeadConfig::Classification {
            n_classes: self.labels.len(),
            pooling: self.model.pooling.into(),
        };
        encoder(&self.model, embedding, head)
    }

    fn n_units(&self, split: Split) -> usize {
        self.part(split).map_or(0, |part| part.rows.len())
    }

    fn lengths(&self, split: Split) -> Vec<u32> {
        let Some(part) = self.part(split) else {
            return Vec::new();
        };
        (0..part.rows.len())
            .map(|unit| part.rows.length(unit) as u32)
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
        let mut rows: Vec<Vec<u32>> = units.iter().map(|unit| part.rows.row(*unit)).collect();
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
        let weights = self.class_weights.as_deref();
        weighted_cross_entropy(output, targets.classes(), self.label_smoothing, weights)
    }

    fn evaluate(&self, split: Split, outputs: &[Vec<f32>]) -> Result<Evaluation, TrainError> {
        let part = self
            .part(split)
            .expect("the caller asks for units of parts that have some");
        evaluate_classes(split, &self.labels, &part.classes, outputs)
    }

    fn data_fingerprint(&self) -> String {
        // Token ids are data too: a tokenizer from a file may change under a run.
        format!("{}+{}", self.data_fingerprint, self.tokenizer_hash)
    }

    fn bundle_info(&self, step: u64) -> BundleInfo {
        BundleInfo {
            task: self.task.to_owned(),
            model: self.model(),
            schema: Schema::Text(self.schema.clone()),
            labels: self.labels.names().to_vec(),
            step,
            data_fingerprint: self.data_fingerprint.clone(),
        }
    }

    fn companion(&self) -> Companion<'_> {
        Companion::Tokenizer(&self.tokenizer)
    }

    fn summary(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for split in Split::ALL {
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
                part.rows.len(),
                shares.join(", "),
                part.rows.n_tokens(),
                part.rows.n_truncated(),
                self.tokenizer.max_length()
            ));
        }
        if let Some(taken) = self.sampled {
            lines.push(format!(
                "tokenizer: trained on {taken} of the {} training texts, a fixed draw of about {} MiB",
                self.n_units(Split::Train),
                TOKENIZER_TEXT_BYTES / f64::from(1 << 20),
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
