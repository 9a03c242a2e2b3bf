//! The bundle and its description.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use regard_data::series::Scaler;
use regard_data::{Column, Format, Source, Tokenizer};
use regard_model::weights::{self, TensorFile};
use regard_model::{EmbeddingConfig, HeadConfig, PositionKind, TransformerConfig};
use regard_ops::{Key, deferred};
use serde::{Deserialize, Serialize};

use crate::error::BundleError;
use crate::files::{FileRecord, publish, read_checked, read_up_to, seal, seal_of, stream_checked};
use crate::series::{SeriesModel, SeriesSchema};
use crate::text::TextClassifier;

/// The version of the bundle format that this program writes. It also reads version 1, whose description has no hash of
/// its own.
pub const FORMAT_VERSION: u32 = 2;
const WITHOUT_SEAL: u32 = 1;

const INFO: &str = "bundle.json";
const WEIGHTS: &str = "weights.safetensors";
const TOKENIZER: &str = "tokenizer.json";
const SCALER: &str = "scaler.json";
/// A description is a few kilobytes, plus the labels.
const LARGEST_INFO_BYTES: u64 = 64 << 20;

/// What a text model takes: where text and label stand in a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSchema {
    /// The column of the text.
    pub text_column: Column,
    /// The column of the label.
    pub label_column: Column,
    /// Whether tables begin with a line of column names.
    pub header: bool,
    /// The format of files whose names do not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
}

impl TextSchema {
    /// A file laid out as the training data was, or a folder of labels.
    #[must_use]
    pub fn source(&self, path: &Path) -> Source {
        let source = Source::new(path).with_header(self.header);
        match (self.format, source.format()) {
            // A model of a folder's texts may be asked about a file, whose extension then tells.
            (Some(format), Err(_)) if format != Format::Folder => source.with_format(format),
            _ => source,
        }
    }
}

/// What a model takes. (Untagged: the descriptions of text models have their fields at this place.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Schema {
    /// Text and label in a table.
    Text(TextSchema),
    /// Channels in a table.
    Series(SeriesSchema),
}

/// What a model needs beside its weights.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Companion<'a> {
    /// What turns texts into token ids.
    Tokenizer(&'a Tokenizer),
    /// What brings channels to one scale.
    Scaler(&'a Scaler),
}

impl Companion<'_> {
    fn file(self) -> Result<(&'static str, Vec<u8>), BundleError> {
        match self {
            Self::Tokenizer(tokenizer) => Ok((TOKENIZER, tokenizer.to_json()?)),
            Self::Scaler(scaler) => {
                let json = serde_json::to_vec_pretty(scaler).expect("names and numbers are JSON");
                Ok((SCALER, json))
            }
        }
    }
}

/// What a bundle is: `bundle.json`, without the hashes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleInfo {
    /// The task, as a configuration names it.
    pub task: String,
    /// The shape of the model.
    pub model: TransformerConfig,
    /// What it takes.
    pub schema: Schema,
    /// The names of the classes, in the order of the model's outputs; none where it does not classify.
    pub labels: Vec<String>,
    /// The step of the training run at which these weights stood.
    pub step: u64,
    /// The hash of the data that it was trained on.
    pub data_fingerprint: String,
}

impl BundleInfo {
    /// What a text model takes.
    ///
    /// # Errors
    ///
    /// [`BundleError::OtherTask`] if the model takes something else.
    pub fn text_schema(&self) -> Result<&TextSchema, BundleError> {
        match &self.schema {
            Schema::Text(schema) => Ok(schema),
            Schema::Series(_) => Err(self.other_task("a model of text")),
        }
    }

    /// What a model of series takes.
    ///
    /// # Errors
    ///
    /// [`BundleError::OtherTask`] if the model takes something else.
    pub fn series_schema(&self) -> Result<&SeriesSchema, BundleError> {
        match &self.schema {
            Schema::Series(schema) => Ok(schema),
            Schema::Text(_) => Err(self.other_task("a model of series")),
        }
    }

    fn other_task(&self, expected: &'static str) -> BundleError {
        BundleError::OtherTask {
            expected,
            found: self.task.clone(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct InfoFile {
    /// The hash of everything behind it in the file; put there when the rest is written.
    #[serde(default, skip_serializing)]
    #[expect(
        dead_code,
        reason = "it is looked at in the text; here it must not count as a part of the description"
    )]
    blake3: Option<String>,
    format_version: u32,
    regard_version: String,
    #[serde(flatten)]
    info: serde_json::Value,
    files: BTreeMap<String, FileRecord>,
}

/// A trained model with everything that it needs to predict.
#[derive(Debug)]
pub struct Bundle {
    info: BundleInfo,
    model: Model,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one a bundle")]
enum Model {
    Text(TextClassifier),
    Series(SeriesModel),
}

impl Bundle {
    /// The privacy statement of a privately trained model, among [`Bundle::attachment`]s.
    pub const PRIVACY: &str = "privacy.json";
    /// The ledger behind it.
    pub const LEDGER: &str = "ledger.jsonl";
    /// The tokenizer of a model of texts; [`Bundle::attachment`] gives it too.
    pub const TOKENIZER: &str = TOKENIZER;

    /// Reads a bundle; `path` is its folder or the folder of the run that holds it.
    ///
    /// # Errors
    ///
    /// If there is no bundle, a file is damaged or of another version, or the parts do not fit each
    /// other.
    pub fn load(path: &Path, device: &Device) -> Result<Self, BundleError> {
        let folder = find(path)?;
        let at = folder.join(INFO);
        let text = read_up_to(&at, LARGEST_INFO_BYTES)?;
        let wrong = |reason: String| BundleError::Format {
            path: at.clone(),
            reason,
        };
        let damaged = |expected: String, found: String| BundleError::Damaged {
            path: at.clone(),
            expected,
            found,
        };
        let seal = seal_of(&text);
        if let Some((expected, found)) = &seal
            && expected != found
        {
            return Err(damaged(
                format!("the BLAKE3 hash {expected}"),
                found.clone(),
            ));
        }
        let file: InfoFile =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if !(WITHOUT_SEAL..=FORMAT_VERSION).contains(&file.format_version) {
            return Err(BundleError::Version {
                path: at,
                expected: FORMAT_VERSION,
                found: file.format_version,
            });
        }
        if file.format_version > WITHOUT_SEAL && seal.is_none() {
            return Err(damaged(
                "its own BLAKE3 hash in its first line".to_owned(),
                "none".to_owned(),
            ));
        }
        let info: BundleInfo =
            serde_json::from_value(file.info).map_err(|error| wrong(error.to_string()))?;
        let companion = match &info.schema {
            Schema::Text(_) => {
                let tokenizer = read_checked(&folder, TOKENIZER, &file.files)?;
                let tokenizer = Tokenizer::from_json(&tokenizer, None)?;
                fit(&info, &tokenizer).map_err(wrong)?;
                Loaded::Tokenizer(tokenizer)
            }
            Schema::Series(schema) => {
                let scaler = read_checked(&folder, SCALER, &file.files)?;
                let scaler = serde_json::from_slice(&scaler)
                    .map_err(|error| wrong(format!("{SCALER}: {error}")))?;
                fit_series(&info, schema, &scaler).map_err(wrong)?;
                Loaded::Scaler(scaler, schema.clone())
            }
        };
        let name = folder.join(WEIGHTS).display().to_string();
        let tensors = stream_checked(&folder, WEIGHTS, &file.files, |weights, length| {
            Ok(TensorFile::read(weights, length, &name)?)
        })?;
        // Before the model takes memory: a description can claim any size.
        let least = least_values(&info.model);
        if least > tensors.n_values() as f64 {
            return Err(wrong(format!(
                "the model has at least {least} values, {WEIGHTS} holds {}",
                tensors.n_values()
            )));
        }
        // The weights are replaced at once: nothing is drawn, and the key does not matter.
        let model = deferred(|| info.model.init(Key::new(0), device))?;
        let model = weights::apply(model, tensors, &name)?;
        let device = device.clone();
        let model = match companion {
            Loaded::Tokenizer(tokenizer) => {
                let labels = info.labels.clone();
                Model::Text(TextClassifier::new(tokenizer, labels, model, device))
            }
            Loaded::Scaler(scaler, schema) => {
                let config = info.model.clone();
                let series = SeriesModel::new(config, schema, scaler, model, device);
                Model::Series(series.with_labels(info.labels.clone()))
            }
        };
        Ok(Self { info, model })
    }

    /// Writes a bundle to the folder `target`: complete, or not at all. A bundle that stands there
    /// is replaced.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn save(
        target: &Path,
        info: &BundleInfo,
        companion: Companion<'_>,
        weights: &TensorFile,
    ) -> Result<(), BundleError> {
        Self::save_with(target, info, companion, weights, Vec::new())
    }

    /// [`Bundle::save`] with more files beside the model, by name: [`Bundle::PRIVACY`] and
    /// [`Bundle::LEDGER`].
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn save_with(
        target: &Path,
        info: &BundleInfo,
        companion: Companion<'_>,
        weights: &TensorFile,
        attachments: Vec<(&'static str, Vec<u8>)>,
    ) -> Result<(), BundleError> {
        let mut files = vec![(WEIGHTS, weights.to_bytes()), companion.file()?];
        files.extend(attachments);
        let described = InfoFile {
            blake3: None,
            format_version: FORMAT_VERSION,
            regard_version: env!("CARGO_PKG_VERSION").to_owned(),
            info: serde_json::to_value(info)
                .expect("a description has string keys and plain values"),
            files: files
                .iter()
                .map(|(name, content)| ((*name).to_owned(), FileRecord::of(content)))
                .collect(),
        };
        let mut json = serde_json::to_string_pretty(&described)
            .expect("a description has string keys and plain values");
        json.push('\n');
        let json = seal(&json).into_bytes();
        files.push((INFO, json));
        publish(target, &files)
    }

    /// A file that stands beside the model, checked against its hash; none if the bundle, which is at
    /// `path` or in the run's folder there, does not name it.
    ///
    /// # Errors
    ///
    /// If there is no bundle, or the file is gone or damaged.
    pub fn attachment(path: &Path, name: &str) -> Result<Option<Vec<u8>>, BundleError> {
        let folder = find(path)?;
        let at = folder.join(INFO);
        let text = read_up_to(&at, LARGEST_INFO_BYTES)?;
        if let Some((expected, found)) = seal_of(&text)
            && expected != found
        {
            return Err(BundleError::Damaged {
                path: at,
                expected: format!("the BLAKE3 hash {expected}"),
                found,
            });
        }
        let file: InfoFile =
            serde_json::from_slice(&text).map_err(|error| BundleError::Format {
                path: at,
                reason: error.to_string(),
            })?;
        if !file.files.contains_key(name) {
            return Ok(None);
        }
        read_checked(&folder, name, &file.files).map(Some)
    }

    /// Whether a bundle stands at `path`, a bundle's or a run's folder.
    #[must_use]
    pub fn exists(path: &Path) -> bool {
        find(path).is_ok()
    }

    /// What the bundle is.
    #[must_use]
    pub fn info(&self) -> &BundleInfo {
        &self.info
    }

    /// The classifier of text.
    ///
    /// # Errors
    ///
    /// [`BundleError::OtherTask`] if the bundle holds another model.
    pub fn text_classifier(&self) -> Result<&TextClassifier, BundleError> {
        match &self.model {
            Model::Text(classifier) => Ok(classifier),
            Model::Series(_) => Err(self.info.other_task("a model of text")),
        }
    }

    /// The classifier of text, without the description.
    ///
    /// # Errors
    ///
    /// [`BundleError::OtherTask`] if the bundle holds another model.
    pub fn into_text_classifier(self) -> Result<TextClassifier, BundleError> {
        match self.model {
            Model::Text(classifier) => Ok(classifier),
            Model::Series(_) => Err(self.info.other_task("a model of text")),
        }
    }

    /// The model of series, without the description.
    ///
    /// # Errors
    ///
    /// [`BundleError::OtherTask`] if the bundle holds another model.
    pub fn into_series_model(self) -> Result<SeriesModel, BundleError> {
        match self.model {
            Model::Series(model) => Ok(model),
            Model::Text(_) => Err(self.info.other_task("a model of series")),
        }
    }
}

/// The folder with `bundle.json`: the path itself, or `bundle` in it.
fn find(path: &Path) -> Result<PathBuf, BundleError> {
    for folder in [path.to_owned(), path.join("bundle")] {
        if folder.join(INFO).is_file() {
            return Ok(folder);
        }
    }
    let found = if path.is_file() {
        "a file"
    } else if path.join("checkpoints").is_dir() {
        "a run that is not finished (run `regard train` on it again to finish it)"
    } else if path.is_dir() {
        "a folder without bundle.json"
    } else {
        "nothing"
    };
    Err(BundleError::Missing {
        path: path.to_owned(),
        found: found.to_owned(),
    })
}

/// Fewer values than a model of this shape has, but not by much: its tables, and of each block the
/// matrices that every block has. In `f64`, where no product overflows.
fn least_values(model: &TransformerConfig) -> f64 {
    let size = |n: usize| n as f64;
    let d_model = size(model.d_model);
    let block = 2.0 * d_model * (d_model + size(model.d_ff));
    let mut values = size(model.n_layers) * block;
    if let EmbeddingConfig::Text {
        vocab_size,
        max_length,
        position,
    } = model.embedding
    {
        values += size(vocab_size) * d_model;
        if position == PositionKind::Learned {
            values += size(max_length) * d_model;
        }
    }
    if let EmbeddingConfig::Series(series) = &model.embedding {
        values += size(series.patch_length) * size(series.channels) * d_model;
        if series.position == PositionKind::Learned {
            values += size(series.max_positions()) * d_model;
        }
    }
    values
        + match model.head {
            HeadConfig::Classification { n_classes, .. } => size(n_classes) * d_model,
            HeadConfig::Forecast {
                n_outputs, horizon, ..
            } => {
                let positions = size(model.embedding.max_positions());
                positions * d_model * size(n_outputs) * size(horizon)
            }
            HeadConfig::Reconstruction { features } => size(features) * d_model,
            // Of a head that is newer than this function nothing is known, and none is the least.
            _ => 0.0,
        }
}

/// What a bundle holds beside weights.
#[expect(clippy::large_enum_variant, reason = "there is one a bundle")]
enum Loaded {
    Tokenizer(Tokenizer),
    Scaler(Scaler, SeriesSchema),
}

/// Whether the parts of a bundle of series belong together.
fn fit_series(info: &BundleInfo, schema: &SeriesSchema, scaler: &Scaler) -> Result<(), String> {
    let model = &info.model;
    let EmbeddingConfig::Series(series) = &model.embedding else {
        return Err("the model does not take series".to_owned());
    };
    model.validate().map_err(|error| error.to_string())?;
    let n = scaler.columns().len();
    let expected = match model.head {
        HeadConfig::Classification { .. } => n,
        // Each channel is a row.
        _ => 1,
    };
    if series.channels != expected {
        return Err(format!(
            "the model takes rows of {} channels, the bundle has {expected}",
            series.channels
        ));
    }
    if series.calendar != schema.calendar.width() {
        return Err(format!(
            "the model knows {} numbers of the time of a step, the description {}",
            series.calendar,
            schema.calendar.width()
        ));
    }
    if scaler.columns() != schema.channels
        || [scaler.mean(), scaler.std()].map(<[f64]>::len) != [n; 2]
    {
        return Err(format!(
            "the scaler has the channels {}, the model {}",
            scaler.columns().join(", "),
            schema.channels.join(", ")
        ));
    }
    let numbers = scaler.mean().iter().chain(scaler.std());
    if scaler.std().contains(&0.0) || numbers.into_iter().any(|number| !number.is_finite()) {
        return Err("the scaler has a scale of zero or numbers that are not finite".to_owned());
    }
    if let HeadConfig::Classification { n_classes, .. } = model.head
        && n_classes != info.labels.len()
    {
        return Err(format!(
            "the model has {n_classes} classes and the bundle {} labels",
            info.labels.len()
        ));
    }
    if let HeadConfig::Forecast {
        n_outputs, horizon, ..
    } = model.head
    {
        let expected = [schema.quantiles.len().max(1), schema.horizon];
        if [n_outputs, horizon] != expected {
            return Err(format!(
                "the model tells {n_outputs} numbers of {horizon} steps, the description {} of {}",
                expected[0], expected[1]
            ));
        }
    }
    Ok(())
}

/// Whether the parts of a bundle belong together.
fn fit(info: &BundleInfo, tokenizer: &Tokenizer) -> Result<(), String> {
    let EmbeddingConfig::Text {
        vocab_size,
        max_length,
        ..
    } = info.model.embedding
    else {
        return Err("the model does not take text".to_owned());
    };
    if tokenizer.vocab_size() > vocab_size || tokenizer.max_length() > max_length {
        return Err(format!(
            "the tokenizer makes {} ids and {} positions, the model has {vocab_size} and {max_length}",
            tokenizer.vocab_size(),
            tokenizer.max_length(),
        ));
    }
    let HeadConfig::Classification { n_classes, .. } = info.model.head else {
        return Err("the model does not classify".to_owned());
    };
    if n_classes != info.labels.len() {
        return Err(format!(
            "the model has {n_classes} classes and the bundle {} labels",
            info.labels.len()
        ));
    }
    Ok(())
}
