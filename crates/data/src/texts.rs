//! Texts with labels, in memory.

use crate::labelled::{Pass, read_labelled};
use crate::{DataError, Examples, Fingerprint, Labels, Records, Source, TextColumns};

/// The labelled texts of one file in memory: all texts in one string, one label id and one line number a row.
///
/// For data of any size there is [`LabelledFile`](crate::LabelledFile), which leaves the texts where they are.
#[derive(Debug, Clone)]
pub struct LabelledTexts {
    text: String,
    ends: Vec<usize>,
    label_ids: Vec<u32>,
    lines: Vec<u64>,
    labels: Labels,
    fingerprint: Fingerprint,
}

impl LabelledTexts {
    /// Reads a file. With `labels` every row's label must be one of them; without, they are what the file holds, in
    /// natural order.
    ///
    /// # Errors
    /// If the file is faulty, a column is missing, a label is empty or unknown, or there are no rows.
    pub fn load(
        source: &Source,
        columns: &TextColumns,
        labels: Option<&Labels>,
    ) -> Result<Self, DataError> {
        Self::from_records(Records::open(source)?, columns, labels)
    }

    /// Reads rows; see [`LabelledTexts::load`].
    ///
    /// # Errors
    /// As [`LabelledTexts::load`].
    pub fn from_records(
        records: Records,
        columns: &TextColumns,
        labels: Option<&Labels>,
    ) -> Result<Self, DataError> {
        let (mut text, mut ends, mut lines) = (String::new(), Vec::new(), Vec::new());
        let mut label_ids = Vec::new();
        let Pass {
            labels,
            fingerprint,
            renamed,
            ..
        } = read_labelled(records, columns, labels, |row| {
            text.push_str(row.text);
            ends.push(text.len());
            lines.push(row.line);
            label_ids.push(row.label);
            Ok::<(), DataError>(())
        })?;
        if let Some(renamed) = renamed {
            label_ids
                .iter_mut()
                .for_each(|id| *id = renamed[*id as usize]);
        }
        Ok(Self {
            text,
            ends,
            label_ids,
            lines,
            labels,
            fingerprint,
        })
    }

    /// The line of the file where example `index` starts.
    ///
    /// # Panics
    /// If `index` is not below `len`.
    #[must_use]
    pub fn line(&self, index: usize) -> u64 {
        self.lines[index]
    }

    /// The hash of the columns, labels and texts, the same for the same data on every machine.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

impl Examples for LabelledTexts {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn text(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[index]]
    }

    fn label(&self, index: usize) -> u32 {
        self.label_ids[index]
    }

    fn labels(&self) -> &Labels {
        &self.labels
    }
}
