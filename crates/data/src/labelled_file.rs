//! Texts with labels, left in their file.

use std::fs;
use std::path::Path;

use crate::labelled::{LabelledRow, Pass, read_labelled};
use crate::{DataError, Fingerprint, Labels, Records, Source, TextColumns};

/// The labelled texts of one file, of which only the label ids are held, four bytes a row: the texts are read again as
/// often as they are wanted.
#[derive(Debug, Clone)]
pub struct LabelledFile {
    source: Source,
    columns: TextColumns,
    label_ids: Vec<u32>,
    labels: Labels,
    fingerprint: Fingerprint,
    text_bytes: u64,
}

impl LabelledFile {
    /// Reads a file once, for its labels and its fingerprint. With `labels` every row's label must be one of them;
    /// without, they are what the file holds, in natural order.
    ///
    /// # Errors
    /// If the file can be read only once, is faulty, lacks a column or rows, or a label is empty or unknown.
    pub fn open(
        source: &Source,
        columns: &TextColumns,
        labels: Option<&Labels>,
    ) -> Result<Self, DataError> {
        require_regular_file(source.path())?;
        let (mut label_ids, mut text_bytes) = (Vec::new(), 0);
        let Pass {
            labels,
            fingerprint,
            renamed,
            ..
        } = read_labelled(Records::open(source)?, columns, labels, |row| {
            label_ids.push(row.label);
            text_bytes += row.text.len() as u64;
            Ok::<(), DataError>(())
        })?;
        if let Some(renamed) = renamed {
            label_ids
                .iter_mut()
                .for_each(|id| *id = renamed[*id as usize]);
        }
        label_ids.shrink_to_fit();
        Ok(Self {
            source: source.clone(),
            columns: columns.clone(),
            label_ids,
            labels,
            fingerprint,
            text_bytes,
        })
    }

    /// Reads the file again and hands out each row with its number, from 0.
    ///
    /// # Errors
    /// What `visit` gives; or [`DataError::Changed`] if the rows are not those of [`LabelledFile::open`], at the latest
    /// behind the last one.
    pub fn visit<E: From<DataError>>(
        &self,
        mut visit: impl FnMut(usize, LabelledRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let path = self.source.path();
        let changed = || DataError::Changed {
            path: path.to_owned(),
        };
        let mut number = 0;
        let pass = Records::open(&self.source)
            .map_err(Stop::Read)
            .and_then(|records| {
                read_labelled(records, &self.columns, Some(&self.labels), |row| {
                    if self.label_ids.get(number) != Some(&row.label) {
                        return Err(Stop::Read(changed()));
                    }
                    number += 1;
                    visit(number - 1, row).map_err(Stop::Visitor)
                })
            });
        match pass {
            Ok(pass) if pass.rows == self.len() && pass.fingerprint == self.fingerprint => Ok(()),
            Err(Stop::Visitor(error)) => Err(error),
            Err(Stop::Read(error @ (DataError::Open { .. } | DataError::Read { .. }))) => {
                Err(error.into())
            }
            // What was a row the first time and is a fault now.
            Ok(_) | Err(Stop::Read(_)) => Err(changed().into()),
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.label_ids.len()
    }

    /// Whether there are no rows, which [`LabelledFile::open`] refuses.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.label_ids.is_empty()
    }

    /// The label id of each row.
    #[must_use]
    pub fn label_ids(&self) -> &[u32] {
        &self.label_ids
    }

    /// The labels that the ids stand for.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The hash of the columns, labels and texts, the same for the same data on every machine.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// The length of all texts together, in bytes.
    #[must_use]
    pub fn text_bytes(&self) -> u64 {
        self.text_bytes
    }
}

/// Who ended a pass over a file.
enum Stop<E> {
    Read(DataError),
    Visitor(E),
}

impl<E> From<DataError> for Stop<E> {
    fn from(error: DataError) -> Self {
        Self::Read(error)
    }
}

/// Hands out the labelled rows of a stream or file once, holding one at a time; `labels` are those of a model.
///
/// # Errors
/// What `visit` gives; or if the file is faulty, lacks a column or rows, or a label is empty or unknown.
pub fn visit_labelled<E: From<DataError>>(
    records: Records,
    columns: &TextColumns,
    labels: &Labels,
    visit: impl FnMut(LabelledRow<'_>) -> Result<(), E>,
) -> Result<(), E> {
    read_labelled(records, columns, Some(labels), visit).map(|_| ())
}

/// Refuses what gives its content only once. Looked at before it is opened: opening a pipe that nobody writes to waits
/// for ever.
///
/// # Errors
/// [`DataError::ReadOnce`]; [`DataError::Open`] if there is nothing at `path`. A folder passes, for the reader to refuse.
pub fn require_regular_file(path: &Path) -> Result<(), DataError> {
    let metadata = fs::metadata(path).map_err(|source| DataError::Open {
        path: path.to_owned(),
        source,
    })?;
    if metadata.is_file() || metadata.is_dir() {
        return Ok(());
    }
    Err(DataError::ReadOnce {
        path: path.to_owned(),
    })
}
