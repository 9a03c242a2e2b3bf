//! What all readers of labelled series share.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::LabelledSeries;
use crate::fingerprint::labelled_series_fingerprint;
use crate::labelled::{LONGEST_LABEL_BYTES, MOST_LABELS, SeenLabels};
use crate::wording::excerpt;
use crate::{DataError, Fingerprint, Labels};

/// Takes series one after another.
pub(super) struct Builder<'a> {
    path: PathBuf,
    /// What messages call the column of labels.
    label_column: String,
    labels: Option<&'a Labels>,
    seen: SeenLabels,
    series: LabelledSeries,
}

impl<'a> Builder<'a> {
    pub fn new(path: &Path, label_column: String, labels: Option<&'a Labels>) -> Self {
        Self {
            path: path.to_owned(),
            label_column,
            labels,
            seen: SeenLabels::default(),
            series: LabelledSeries {
                channels: Vec::new(),
                values: Vec::new(),
                ends: Vec::new(),
                ids: Vec::new(),
                lines: Vec::new(),
                label_ids: Vec::new(),
                labels: Labels::default(),
                fingerprint: Fingerprint::default(),
            },
        }
    }

    pub fn set_channels(&mut self, channels: Vec<String>) {
        self.series.channels = channels;
    }

    /// Adds a series, `[length, channels]`.
    pub fn push(
        &mut self,
        line: u64,
        id: Option<String>,
        values: &[f32],
        label: Option<&str>,
    ) -> Result<(), DataError> {
        if values.is_empty() {
            return Err(DataError::EmptySeries {
                path: self.path.clone(),
                line,
            });
        }
        if let Some(label) = label {
            let label = self.label_id(line, label)?;
            self.series.label_ids.push(label);
        }
        let series = &mut self.series;
        series.values.extend_from_slice(values);
        series
            .ids
            .push(id.unwrap_or_else(|| series.ends.len().to_string()));
        series.lines.push(line);
        series
            .ends
            .push(series.values.len() / series.channels.len());
        Ok(())
    }

    fn label_id(&mut self, line: u64, label: &str) -> Result<u32, DataError> {
        let (path, column) = (|| self.path.clone(), || self.label_column.clone());
        if label.is_empty() {
            return Err(DataError::EmptyLabel {
                path: path(),
                line,
                column: column(),
            });
        }
        if label.len() > LONGEST_LABEL_BYTES {
            return Err(DataError::LabelTooLong {
                path: path(),
                line,
                column: column(),
                limit_bytes: LONGEST_LABEL_BYTES,
            });
        }
        match self.labels {
            Some(labels) => labels.id(label).ok_or_else(|| DataError::UnknownLabel {
                path: path(),
                line,
                label: excerpt(label),
                known: labels.names().to_vec(),
                nearest: labels.nearest(label),
            }),
            None => {
                let id = self.seen.id(Cow::Borrowed(label));
                id.ok_or_else(|| DataError::TooManyLabels {
                    path: self.path.clone(),
                    column: self.label_column.clone(),
                    most: MOST_LABELS,
                })
            }
        }
    }

    pub fn finish(mut self) -> Result<LabelledSeries, DataError> {
        if self.series.is_empty() {
            return Err(DataError::NoRows { path: self.path });
        }
        match self.labels {
            Some(labels) => self.series.labels = labels.clone(),
            None => {
                let (labels, renamed) = self.seen.sort()?;
                self.series.labels = labels;
                (self.series.label_ids.iter_mut()).for_each(|id| *id = renamed[*id as usize]);
            }
        }
        self.series.fingerprint = labelled_series_fingerprint(&self.series);
        Ok(self.series)
    }
}
