//! The parts of a data set of labelled texts.

use std::path::Path;

use regard_data::{
    DataError, Format, LabelledFile, Labels, MOST_LABELS, Source, TextColumns, text_hash,
};

use super::Split;
use super::held_out::{held_out, held_out_by_content, require_other_rows, users};
use crate::config::{self, Config, DataConfig, DataFormat, PrivacyUnit};
use crate::error::TrainError;

/// Training, validation and test texts as a configuration cuts them.
///
/// The labels are held, the texts stay in their files and pass by when they are wanted: the memory does not grow with
/// their length.
pub(crate) struct TextParts {
    files: Vec<PartFile>,
    pub labels: Labels,
    /// The hash of every file that was read.
    pub fingerprint: String,
}

/// A file, and which part each of its rows is in.
struct PartFile {
    texts: LabelledFile,
    splits: RowSplits,
}

enum RowSplits {
    All(Split),
    Each(Vec<Split>),
}

impl PartFile {
    fn split(&self, row: usize) -> Split {
        match &self.splits {
            RowSplits::All(split) => *split,
            RowSplits::Each(splits) => splits[row],
        }
    }

    fn has(&self, split: Split) -> bool {
        match &self.splits {
            RowSplits::All(all) => *all == split,
            RowSplits::Each(splits) => splits.contains(&split),
        }
    }
}

/// A text of a part on its way past.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartText<'a> {
    pub split: Split,
    /// Its number within the part.
    pub unit: usize,
    pub text: &'a str,
    pub class: u32,
}

impl TextParts {
    /// Reads the files. `labels` are those of a model that exists already; without them they are the
    /// configuration's, or what the training file holds.
    pub fn read(config: &Config, labels: Option<&Labels>) -> Result<Self, TrainError> {
        let data = &config.data;
        let columns = TextColumns::new(data.text_column.clone(), data.label_column.clone());
        let declared = match (labels, &data.labels) {
            (Some(labels), _) => Some(labels.clone()),
            (None, Some(names)) => Some(Labels::new(names.clone())?),
            (None, None) => None,
        };
        if let Some(labels) = &declared
            && labels.len() > MOST_LABELS
        {
            return Err(TrainError::TooManyLabels {
                most: MOST_LABELS,
                found: labels.len(),
            });
        }
        let read = |path: &Path, labels: Option<&Labels>| {
            LabelledFile::open(&source(data, path), &columns, labels)
        };
        let whole = read(&data.train, declared.as_ref())?;
        let labels = whole.labels().clone();
        let mut fingerprints = vec![whole.fingerprint().as_str().to_owned()];
        let splits = match config.privacy.as_ref().map(|privacy| &privacy.unit) {
            Some(PrivacyUnit::User(column)) => {
                let users = users(data, column)?;
                held_out_by_content(data, users.iter().map(|user| text_hash(user)))
            }
            Some(_) => {
                let mut hashes = Vec::with_capacity(whole.len());
                whole.visit(|_, row| {
                    hashes.push(text_hash(row.text));
                    Ok::<_, DataError>(())
                })?;
                held_out_by_content(data, hashes)
            }
            None => held_out(data, whole.label_ids())?,
        };
        let mut others = Vec::new();
        let sources = [
            (Split::Test, data.test.as_ref()),
            (Split::Valid, data.valid.as_ref()),
        ];
        for (split, source) in sources {
            if let Some(config::Source::Path(path)) = source {
                let texts = read(path, Some(&labels))?;
                let earlier = others
                    .iter()
                    .map(|other: &PartFile| other.texts.fingerprint());
                let earlier = earlier.chain([whole.fingerprint()]);
                require_other_rows(earlier, texts.fingerprint(), split, path)?;
                fingerprints.push(texts.fingerprint().as_str().to_owned());
                others.push(PartFile {
                    texts,
                    splits: RowSplits::All(split),
                });
            }
        }
        let mut files = vec![PartFile {
            texts: whole,
            splits: RowSplits::Each(splits),
        }];
        files.append(&mut others);
        Ok(Self {
            files,
            labels,
            fingerprint: fingerprints.join("+"),
        })
    }

    /// Whether there is such a part.
    pub fn has(&self, split: Split) -> bool {
        self.files.iter().any(|file| file.has(split))
    }

    /// The class of each unit of a part.
    pub fn classes(&self, split: Split) -> Vec<u32> {
        let of_file = |file: &PartFile| -> Vec<u32> {
            let labels = file.texts.label_ids().iter().enumerate();
            labels
                .filter(|(row, _)| file.split(*row) == split)
                .map(|(_, label)| *label)
                .collect()
        };
        let file = self.files.iter().find(|file| file.has(split));
        file.map(of_file).unwrap_or_default()
    }

    /// The length of the texts of the files that hold a part, in bytes.
    pub fn text_bytes(&self, split: Split) -> u64 {
        let files = self.files.iter().filter(|file| file.has(split));
        files.map(|file| file.texts.text_bytes()).sum()
    }

    /// Reads the files of some parts once more and hands out each text of them, a part's in the order of its units.
    ///
    /// # Errors
    ///
    /// What `visit` gives; or if a file can no longer be read as it was.
    pub fn visit<E: From<DataError>>(
        &self,
        wanted: &[Split],
        mut visit: impl FnMut(PartText<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        for file in &self.files {
            if !wanted.iter().any(|split| file.has(*split)) {
                continue;
            }
            let mut units = [0; Split::ALL.len()];
            file.texts.visit(|row, labelled| {
                let split = file.split(row);
                let unit = units[split as usize];
                units[split as usize] += 1;
                if !wanted.contains(&split) {
                    return Ok(());
                }
                visit(PartText {
                    split,
                    unit,
                    text: labelled.text,
                    class: labelled.label,
                })
            })?;
        }
        Ok(())
    }
}

/// A file laid out as a configuration says.
pub(crate) fn source(data: &DataConfig, path: &Path) -> Source {
    let source = Source::new(path).with_header(data.header);
    match data.format {
        Some(name) => source.with_format(format(name)),
        None => source,
    }
}

/// The data crate's name of a format.
pub(crate) const fn format(name: DataFormat) -> Format {
    match name {
        DataFormat::Csv => Format::Csv,
        DataFormat::Tsv => Format::Tsv,
        DataFormat::JsonLines => Format::JsonLines,
        DataFormat::Folder => Format::Folder,
    }
}
