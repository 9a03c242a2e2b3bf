//! The parts of a data set of labelled texts.

use std::path::Path;
use std::sync::Arc;

use regard_data::{
    DataError, Examples, Format, LabelledTexts, Labels, Source, Subset, TextColumns, stratified,
};

use crate::config::{self, Config, DataFormat};
use crate::error::TrainError;

/// More labels than this are no classes, and a confusion matrix of them fills the memory.
const MOST_LABELS: usize = 4096;

/// Training, validation and test texts as a configuration cuts them.
pub(crate) struct TextParts {
    pub train: Subset<Arc<LabelledTexts>>,
    pub valid: Box<dyn Examples>,
    pub test: Option<Box<dyn Examples>>,
    pub labels: Labels,
    /// The hash of every file that was read.
    pub fingerprint: String,
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
        let read = |path: &Path, labels: Option<&Labels>| {
            let mut source = Source::new(path).with_header(data.header);
            if let Some(name) = data.format {
                source = source.with_format(format(name));
            }
            LabelledTexts::load(&source, &columns, labels).map(Arc::new)
        };
        let whole = read(&data.train, declared.as_ref())?;
        let labels = whole.labels().clone();
        if labels.len() > MOST_LABELS {
            return Err(TrainError::TooManyLabels {
                path: data.train.clone(),
                column: data.label_column.to_string(),
                most: MOST_LABELS,
                found: labels.len(),
            });
        }
        let mut fingerprints = vec![whole.fingerprint().as_str().to_owned()];

        // Shares are drawn one after the other from what is left: the test share first, so that it
        // does not depend on whether there is a validation share.
        let mut rest: Vec<usize> = (0..whole.len()).collect();
        let mut part = |source: &config::Source| -> Result<Box<dyn Examples>, TrainError> {
            match source {
                config::Source::Path(path) => {
                    let texts = read(path, Some(&labels))?;
                    fingerprints.push(texts.fingerprint().as_str().to_owned());
                    Ok(Box::new(texts))
                }
                config::Source::Share(share) => {
                    let classes: Vec<u32> = rest.iter().map(|row| whole.label(*row)).collect();
                    // A share is of the whole file, whatever was drawn from it before.
                    let of_rest = share * whole.len() as f64 / rest.len() as f64;
                    let as_written = |held_out| DataError::EmptySplit {
                        share: *share,
                        rows: whole.len(),
                        held_out,
                    };
                    let split = stratified(&classes, of_rest).map_err(|error| match error {
                        DataError::EmptySplit { held_out, .. } => as_written(held_out),
                        DataError::ShareOutOfRange { .. } => as_written(rest.len()),
                        error => error,
                    })?;
                    let held_out = split.held_out.iter().map(|i| rest[*i]).collect();
                    rest = split.rest.iter().map(|i| rest[*i]).collect();
                    Ok(Box::new(Subset::new(Arc::clone(&whole), held_out)))
                }
            }
        };
        let test = data.test.as_ref().map(&mut part).transpose()?;
        let valid = part(&data.valid)?;
        Ok(Self {
            train: Subset::new(Arc::clone(&whole), rest),
            valid,
            test,
            labels,
            fingerprint: fingerprints.join("+"),
        })
    }
}

/// The data crate's name of a format.
pub(crate) const fn format(name: DataFormat) -> Format {
    match name {
        DataFormat::Csv => Format::Csv,
        DataFormat::Tsv => Format::Tsv,
        DataFormat::JsonLines => Format::JsonLines,
    }
}
