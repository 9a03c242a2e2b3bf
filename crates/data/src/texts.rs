//! Texts with labels, in memory.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::fingerprint::Fingerprinter;
use crate::wording::excerpt;
use crate::{Column, DataError, Examples, Fingerprint, Labels, Records, Source};

/// The columns that hold a text and its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextColumns {
    /// The column of texts.
    pub text: Column,
    /// The column of labels.
    pub label: Column,
}

impl TextColumns {
    /// Columns by name or by number.
    pub fn new(text: impl Into<Column>, label: impl Into<Column>) -> Self {
        Self {
            text: text.into(),
            label: label.into(),
        }
    }
}

/// The labelled texts of one file: all texts in one string, one label id and one line number a row.
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
        let path = records.path().to_owned();
        let text_column = records.column(&columns.text)?;
        let label_column = records.column(&columns.label)?;
        let label_name = records.columns()[label_column].clone();
        let mut fingerprinter = Fingerprinter::new(&[&records.columns()[text_column], &label_name]);
        let mut seen = SeenLabels::default();
        let (mut text, mut ends, mut lines) = (String::new(), Vec::new(), Vec::new());
        let mut label_ids = Vec::new();
        for record in records {
            let record = record?;
            let (row, label) = (record.text(text_column)?, record.text(label_column)?);
            if label.is_empty() {
                return Err(DataError::EmptyLabel {
                    path,
                    line: record.line(),
                    column: label_name,
                });
            }
            fingerprinter.row(&row, &label);
            let id = match labels {
                None => seen.id(label),
                Some(labels) => labels.id(&label).ok_or_else(|| DataError::UnknownLabel {
                    path: path.clone(),
                    line: record.line(),
                    label: excerpt(&label),
                    known: labels.names().to_vec(),
                    nearest: labels.nearest(&label),
                })?,
            };
            label_ids.push(id);
            text.push_str(&row);
            ends.push(text.len());
            lines.push(record.line());
        }
        if ends.is_empty() {
            return Err(DataError::NoRows { path });
        }
        let labels = match labels {
            Some(labels) => labels.clone(),
            None => seen.sort(&mut label_ids)?,
        };
        let fingerprint = fingerprinter.finish(ends.len(), &labels);
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

/// Labels in the order in which the file first names them.
#[derive(Default)]
struct SeenLabels {
    ids: HashMap<String, u32>,
    names: Vec<String>,
}

impl SeenLabels {
    fn id(&mut self, label: Cow<'_, str>) -> u32 {
        if let Some(id) = self.ids.get(label.as_ref()) {
            return *id;
        }
        let id = u32::try_from(self.names.len())
            .expect("four thousand million labels do not fit in memory as texts");
        self.names.push(label.clone().into_owned());
        self.ids.insert(label.into_owned(), id);
        id
    }

    /// Puts the labels into their natural order and renames the ids.
    fn sort(self, label_ids: &mut [u32]) -> Result<Labels, DataError> {
        let mut renamed = vec![0; self.names.len()];
        let labels = Labels::sorted(self.names)?;
        for (id, name) in (0_u32..).zip(labels.names()) {
            renamed[self.ids[name] as usize] = id;
        }
        label_ids
            .iter_mut()
            .for_each(|id| *id = renamed[*id as usize]);
        Ok(labels)
    }
}
