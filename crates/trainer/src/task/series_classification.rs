//! Classification of whole series.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use regard_bundle::{BundleInfo, Companion, Schema, SeriesSchema, series_input};
use regard_data::series::{Calendar, LabelledColumns, LabelledSeries, RepeatedTimes, Scaler};
use regard_data::{Labels, require_two_classes};
use regard_model::{EmbeddingConfig, HeadConfig, SeriesConfig, StemConfig, TransformerConfig};
use regard_ops::Key;

use super::classes::{class_weights, evaluate_classes, weighted_cross_entropy};
use super::encoder::encoder;
use super::held_out::{held_out, held_out_by_content, require_other_rows};
use super::text_parts::{format, source};
use super::{Baselines, Batch, Evaluation, Split, Targets, Task, baselines};
use crate::config::{self, Config, ScalerKind};
use crate::error::TrainError;

/// One label out of several for each series. A unit is a series, and a series is one row of all its channels: what
/// channels say together is often what a class is.
pub struct SeriesClassification {
    /// The training file, then those of validation and test, if there are some.
    files: Vec<LabelledSeries>,
    /// Of each part the file and the series in it.
    parts: [Vec<(usize, usize)>; 3],
    scaler: Scaler,
    has_missing: bool,
    longest: usize,
    class_weights: Option<Vec<f32>>,
    config: Config,
}

impl SeriesClassification {
    /// Reads the data; the scaler is fitted on the training part alone.
    ///
    /// # Errors
    ///
    /// If the data cannot be read or is not what the configuration says.
    pub fn load(config: &Config) -> Result<Self, TrainError> {
        let data = &config.data;
        let is_private = config.privacy.is_some();
        let declared = data.labels.clone().map(Labels::new).transpose()?;
        let train = read(config, &data.train, declared.as_ref())?;
        let labels = train.labels().clone();
        let mut parts = [Vec::new(), Vec::new(), Vec::new()];
        let splits = match is_private {
            true => held_out_by_content(data, (0..train.len()).map(|series| train.hash(series))),
            false => held_out(data, train.label_ids())?,
        };
        for (row, split) in splits.into_iter().enumerate() {
            parts[split as usize].push((0, row));
        }
        let mut files = vec![train];
        let others = [
            (Split::Valid, data.valid.as_ref()),
            (Split::Test, data.test.as_ref()),
        ];
        for (split, other) in others {
            if let Some(config::Source::Path(path)) = other {
                let read = read(config, path, Some(&labels))?;
                if read.channels() != files[0].channels() {
                    return Err(regard_data::DataError::ColumnsChanged {
                        path: path.clone(),
                        missing: lacking(files[0].channels(), read.channels()),
                        unexpected: lacking(read.channels(), files[0].channels()),
                        expected: files[0].channels().to_vec(),
                    }
                    .into());
                }
                require_other_rows(
                    files.iter().map(LabelledSeries::fingerprint),
                    read.fingerprint(),
                    split,
                    path,
                )?;
                parts[split as usize] = (0..read.len()).map(|row| (files.len(), row)).collect();
                files.push(read);
            }
        }
        let mut counts = vec![0; labels.len()];
        for (_, row) in &parts[Split::Train as usize] {
            counts[files[0].label_ids()[*row] as usize] += 1;
        }
        // Which labels private data has is private.
        if !is_private {
            require_two_classes(&labels, &counts, &data.train.display().to_string())?;
        }
        let rows = parts[Split::Train as usize].iter();
        let rows: Vec<usize> = rows.map(|(_, row)| *row).collect();
        Ok(Self {
            scaler: match data.scaler {
                ScalerKind::Standard => Scaler::fit_series(&files[0], &rows, data.train.as_path())?,
                ScalerKind::None => Scaler::identity(files[0].channels()),
            },
            // Whether private data has gaps is private: its model is always ready for some.
            has_missing: is_private || files.iter().any(has_missing),
            longest: data.max_steps.unwrap_or_else(|| {
                let longest = files.iter().map(LabelledSeries::longest).max();
                longest.unwrap_or(1)
            }),
            class_weights: class_weights(&config.train.class_weights, &counts)?,
            files,
            parts,
            config: config.clone(),
        })
    }

    /// The number of steps of each series of a part.
    pub(crate) fn steps(&self, split: Split) -> Vec<u32> {
        let part = self.parts[split as usize].iter();
        part.map(|place| self.length(*place) as u32).collect()
    }

    /// The class of each series of a part.
    pub(crate) fn classes(&self, split: Split) -> Vec<u32> {
        let part = self.parts[split as usize].iter();
        part.map(|(file, row)| self.files[*file].label_ids()[*row])
            .collect()
    }

    fn length(&self, (file, row): (usize, usize)) -> usize {
        self.files[file].length(row)
    }

    /// A series in scaled units, changed at random in training.
    fn scaled(&self, (file, row): (usize, usize), randomness: Option<Key>) -> Vec<f32> {
        let mut values = self.files[file].values(row).to_vec();
        self.scaler.scale_rows(&mut values);
        if let Some(key) = randomness {
            augment(
                &mut values,
                self.scaler.columns().len(),
                &self.config.train,
                key,
            );
        }
        values
    }
}

/// Noise on each value, and a factor on each channel of the whole series (Um et al. 2017, <https://arxiv.org/abs/1706.00527>).
fn augment(values: &mut [f32], channels: usize, train: &config::TrainConfig, key: Key) {
    if train.scaling > 0.0 {
        let key = key.stream("scaling");
        for (i, value) in values.iter_mut().enumerate() {
            let factor = 1.0 + train.scaling * key.normal((i % channels) as u64);
            *value *= factor as f32;
        }
    }
    if train.jitter > 0.0 {
        let key = key.stream("jitter");
        for (i, value) in values.iter_mut().enumerate() {
            *value += (train.jitter * key.normal(i as u64)) as f32;
        }
    }
}

fn lacking(all: &[String], some: &[String]) -> Vec<String> {
    let lacks = all.iter().filter(|name| !some.contains(name));
    lacks.cloned().collect()
}

fn has_missing(file: &LabelledSeries) -> bool {
    (0..file.len()).any(|row| file.values(row).iter().any(|value| value.is_nan()))
}

/// Reads a file; what lies behind `data.max_steps` is cut off.
fn read(
    config: &Config,
    path: &Path,
    labels: Option<&Labels>,
) -> Result<LabelledSeries, TrainError> {
    let source = source(&config.data, path);
    let mut series = LabelledSeries::load(&source, &columns(config), labels)?;
    if let Some(steps) = config.data.max_steps {
        series.cut_to(steps);
    }
    Ok(series)
}

fn columns(config: &Config) -> LabelledColumns {
    let data = &config.data;
    LabelledColumns {
        label: Some(data.label_column.clone()),
        id: data.id_column.clone(),
        time: data.time_column.clone(),
        values: data.target_columns.clone().unwrap_or_default(),
    }
}

impl Task for SeriesClassification {
    fn model(&self) -> TransformerConfig {
        let model = &self.config.model;
        let embedding = SeriesConfig {
            channels: self.scaler.columns().len(),
            max_steps: self.longest.max(model.patch.length),
            patch_length: model.patch.length,
            patch_stride: model.patch.stride,
            end_padding: false,
            position: model.position.into(),
            instance_norm: model.instance_norm,
            missing: self.has_missing,
            calendar: 0,
            stem: (model.stem.layers > 0).then_some(StemConfig {
                layers: model.stem.layers,
                kernel: model.stem.kernel,
            }),
        };
        let head = HeadConfig::Classification {
            n_classes: self.files[0].labels().len(),
            pooling: model.pooling.into(),
        };
        encoder(model, EmbeddingConfig::Series(embedding), head)
    }

    fn n_units(&self, split: Split) -> usize {
        self.parts[split as usize].len()
    }

    fn lengths(&self, split: Split) -> Vec<u32> {
        let EmbeddingConfig::Series(embedding) = self.model().embedding else {
            return Vec::new();
        };
        let part = self.parts[split as usize].iter();
        part.map(|place| embedding.n_positions(self.length(*place)) as u32)
            .collect()
    }

    fn batch(
        &self,
        split: Split,
        units: &[usize],
        randomness: Option<Key>,
        device: &Device,
    ) -> Batch {
        let part = &self.parts[split as usize];
        let classes = units.iter().map(|unit| {
            let (file, row) = part[*unit];
            self.files[file].label_ids()[row]
        });
        let rows: Vec<Vec<f32>> = units
            .iter()
            .map(|unit| {
                let key = randomness.map(|key| key.stream("augmentation").fold(*unit as u64));
                self.scaled(part[*unit], key)
            })
            .collect();
        Batch {
            targets: Targets::Classes(classes.collect()),
            unit_of_row: (0..units.len()).collect(),
            n_tokens: rows.iter().map(Vec::len).sum::<usize>() / self.scaler.columns().len(),
            input: series_input(&self.model(), &rows, &[], device),
        }
    }

    fn row_losses(&self, output: Tensor<3>, targets: &Targets) -> Tensor<1> {
        let smoothing = self.config.train.label_smoothing;
        let weights = self.class_weights.as_deref();
        weighted_cross_entropy(output, targets.classes(), smoothing, weights)
    }

    fn evaluate(&self, split: Split, outputs: &[Vec<f32>]) -> Result<Evaluation, TrainError> {
        evaluate_classes(split, self.files[0].labels(), &self.classes(split), outputs)
    }

    fn baselines(&self) -> Result<Option<Baselines>, TrainError> {
        Ok(baselines::of_classes(&self.files, &self.parts))
    }

    fn data_fingerprint(&self) -> String {
        let files = self.files.iter();
        let all: Vec<&str> = files.map(|file| file.fingerprint().as_str()).collect();
        all.join("+")
    }

    fn bundle_info(&self, step: u64) -> BundleInfo {
        let data = &self.config.data;
        BundleInfo {
            task: self.config.task.name().to_owned(),
            model: self.model(),
            schema: Schema::Series(SeriesSchema {
                time_column: data.time_column.clone(),
                id_column: data.id_column.clone(),
                cuts_long_series: data.max_steps.is_some(),
                label_column: Some(data.label_column.clone()),
                channels: self.scaler.columns().to_vec(),
                header: data.header,
                format: data.format.map(format),
                quantiles: Vec::new(),
                horizon: 0,
                repeated_times: RepeatedTimes::Refuse,
                calendar: Calendar::default(),
                each_by_itself: false,
                scores: None,
            }),
            labels: self.files[0].labels().names().to_vec(),
            step,
            data_fingerprint: self.data_fingerprint(),
        }
    }

    fn companion(&self) -> Companion<'_> {
        Companion::Scaler(&self.scaler)
    }

    fn summary(&self) -> Vec<String> {
        let labels = self.files[0].labels().names();
        let mut lines = Vec::new();
        for split in Split::ALL {
            let part = &self.parts[split as usize];
            if part.is_empty() {
                continue;
            }
            let mut counts = vec![0_usize; labels.len()];
            for class in self.classes(split) {
                counts[class as usize] += 1;
            }
            let shares: Vec<String> = (labels.iter().zip(counts).take(10))
                .map(|(label, count)| format!("{label} {count}"))
                .collect();
            let lengths = part.iter().map(|place| self.length(*place));
            let (shortest, longest) = (lengths.clone().min(), lengths.max());
            lines.push(format!(
                "{}: {} series ({}), {} to {} steps, {} channel(s){}",
                split.name(),
                part.len(),
                shares.join(", "),
                shortest.unwrap_or(0),
                longest.unwrap_or(0),
                self.scaler.columns().len(),
                match (&self.config.privacy, self.has_missing) {
                    (Some(_), _) => ", values may be missing",
                    (None, true) => ", some values missing",
                    (None, false) => "",
                }
            ));
        }
        lines
    }
}
