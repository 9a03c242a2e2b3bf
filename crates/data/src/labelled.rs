//! One pass over the labelled texts of a file: what every reader of them shares.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::fingerprint::Fingerprinter;
use crate::wording::excerpt;
use crate::{Column, DataError, Fingerprint, Labels, Records};

/// More different labels than this are no classes, and a confusion matrix of them fills the memory.
pub const MOST_LABELS: usize = 4096;
/// A longer label is a text, and 4,096 of the longest lines would fill the memory.
pub(crate) const LONGEST_LABEL_BYTES: usize = 1024;

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

    /// The numbers of both columns, for [`Record::text`](crate::Record::text). A folder of labels has no columns to
    /// choose from, so the settings are not asked there.
    ///
    /// # Errors
    /// If a column is missing or ambiguous, or both are one.
    pub fn places(&self, records: &Records) -> Result<(usize, usize), DataError> {
        if records.is_folder() {
            return Ok((0, 1));
        }
        let (text, label) = (records.column(&self.text)?, records.column(&self.label)?);
        if text == label {
            return Err(DataError::SameColumn {
                path: records.path().to_owned(),
                text: self.text.to_string(),
                label: self.label.to_string(),
            });
        }
        Ok((text, label))
    }
}

/// A row of labelled text on its way past.
#[derive(Debug, Clone, Copy)]
pub struct LabelledRow<'a> {
    /// The line where it starts, from 1.
    pub line: u64,
    /// The text.
    pub text: &'a str,
    /// The label's id.
    pub label: u32,
}

/// What a pass over a file leaves behind.
pub(crate) struct Pass {
    pub rows: usize,
    pub labels: Labels,
    pub fingerprint: Fingerprint,
    /// Where labels were not given: the final id of each id that rows were handed out with.
    pub renamed: Option<Vec<u32>>,
}

/// Hands out the rows in their order, holding one at a time.
///
/// With `labels` every row's label must be one of them. Without, they are what the file holds, in natural order; until
/// the file's end nobody knows that order, and rows carry ids in the order of appearance.
pub(crate) fn read_labelled<E: From<DataError>>(
    records: Records,
    columns: &TextColumns,
    labels: Option<&Labels>,
    mut visit: impl FnMut(LabelledRow<'_>) -> Result<(), E>,
) -> Result<Pass, E> {
    let path = records.path().to_owned();
    let (text_column, label_column) = columns.places(&records)?;
    let label_name = records.columns()[label_column].clone();
    let mut fingerprinter = Fingerprinter::new(&[&records.columns()[text_column], &label_name]);
    let mut seen = SeenLabels::default();
    let mut rows = 0;
    for record in records {
        let record = record?;
        let line = record.line();
        let (text, label) = (record.text(text_column)?, record.text(label_column)?);
        let of_label = |error: fn(_, _, _) -> DataError| {
            error(record.path().to_owned(), line, label_name.clone())
        };
        if label.is_empty() {
            return Err(of_label(|path, line, column| DataError::EmptyLabel {
                path,
                line,
                column,
            })
            .into());
        }
        if label.len() > LONGEST_LABEL_BYTES {
            let error = of_label(|path, line, column| DataError::LabelTooLong {
                path,
                line,
                column,
                limit_bytes: LONGEST_LABEL_BYTES,
            });
            return Err(error.into());
        }
        fingerprinter.row(&text, &label);
        let id = match labels {
            None => seen.id(label).ok_or_else(|| DataError::TooManyLabels {
                path: path.clone(),
                column: label_name.clone(),
                most: MOST_LABELS,
            })?,
            Some(labels) => labels.id(&label).ok_or_else(|| DataError::UnknownLabel {
                path: record.path().to_owned(),
                line,
                label: excerpt(&label),
                known: labels.names().to_vec(),
                nearest: labels.nearest(&label),
            })?,
        };
        rows += 1;
        visit(LabelledRow {
            line,
            text: &text,
            label: id,
        })?;
    }
    if rows == 0 {
        return Err(DataError::NoRows { path }.into());
    }
    let (labels, renamed) = match labels {
        Some(labels) => (labels.clone(), None),
        None => seen
            .sort()
            .map(|(labels, renamed)| (labels, Some(renamed)))?,
    };
    Ok(Pass {
        rows,
        fingerprint: fingerprinter.finish(rows, &labels),
        labels,
        renamed,
    })
}

/// Labels in the order in which the file first names them.
#[derive(Default)]
pub(crate) struct SeenLabels {
    ids: HashMap<String, u32>,
    names: Vec<String>,
}

impl SeenLabels {
    /// The id of a label; none if there are too many.
    pub(crate) fn id(&mut self, label: Cow<'_, str>) -> Option<u32> {
        if let Some(id) = self.ids.get(label.as_ref()) {
            return Some(*id);
        }
        if self.names.len() == MOST_LABELS {
            return None;
        }
        let id = self.names.len() as u32;
        self.names.push(label.clone().into_owned());
        self.ids.insert(label.into_owned(), id);
        Some(id)
    }

    /// The labels in their natural order, and the new id of each old one.
    pub(crate) fn sort(self) -> Result<(Labels, Vec<u32>), DataError> {
        let mut renamed = vec![0; self.names.len()];
        let labels = Labels::sorted(self.names)?;
        for (id, name) in (0_u32..).zip(labels.names()) {
            renamed[self.ids[name] as usize] = id;
        }
        Ok((labels, renamed))
    }
}
