//! One row of a file with all its fields.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::DataError;
use crate::wording::excerpt;

/// What all rows of one file share.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) path: PathBuf,
    pub(super) columns: Vec<String>,
    /// Whether the file names its columns; if not, `columns` are numbers.
    pub(super) named: bool,
}

/// Fields of a CSV or TSV row: one text and where each field ends, so that a row costs two allocations.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    pub(super) text: String,
    pub(super) ends: Vec<usize>,
}

impl Fields {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.text[start..end])
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

#[derive(Debug, Clone)]
pub(super) enum Row {
    Fields(Fields),
    Object(Vec<(String, Box<RawValue>)>),
}

/// One row: its line and all its fields, so that it can be written again with columns added.
#[derive(Debug, Clone)]
pub struct Record {
    pub(super) line: u64,
    pub(super) row: Row,
    pub(super) table: Arc<Table>,
}

/// A value on its way into a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// A text; JSON puts it in quotes.
    Text(Cow<'a, str>),
    /// The JSON of a value that is no text: a number, a list, `null`. A table shows `null` as an empty field.
    Json(Cow<'a, str>),
}

impl Record {
    /// The line where the row starts, from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The file that the row stands in: in a folder of labels another one for each row.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.table.path
    }

    /// About the memory that the row takes, in bytes.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        match &self.row {
            Row::Fields(fields) => fields.text.len(),
            Row::Object(pairs) => pairs
                .iter()
                .map(|(name, value)| name.len() + value.get().len())
                .sum(),
        }
    }

    /// The text of a column, by the number that [`Records::column`](crate::Records::column) found.
    ///
    /// A number or a truth value of JSON is its own text.
    ///
    /// # Errors
    /// If a JSON row has no value, `null`, a list or an object there. Fields of tables are always texts.
    pub fn text(&self, column: usize) -> Result<Cow<'_, str>, DataError> {
        let name = self.table.columns.get(column).map_or("", String::as_str);
        let missing = || DataError::MissingValue {
            path: self.table.path.clone(),
            line: self.line,
            column: name.to_owned(),
        };
        match &self.row {
            Row::Fields(fields) => fields.get(column).map(Cow::Borrowed).ok_or_else(missing),
            Row::Object(pairs) => {
                // Rows of one file mostly have the same keys in the same order.
                let value = match pairs.get(column) {
                    Some((key, value)) if key == name => value,
                    _ => {
                        &pairs
                            .iter()
                            .find(|(key, _)| key == name)
                            .ok_or_else(missing)?
                            .1
                    }
                };
                self.scalar(value.get(), name)
                    .and_then(|text| text.ok_or_else(missing))
            }
        }
    }

    /// All fields with their columns' names, in the order of the row.
    ///
    /// # Errors
    /// If a JSON text holds an escape that stands for no character.
    pub fn cells(&self) -> Result<Vec<(&str, Cell<'_>)>, DataError> {
        match &self.row {
            Row::Fields(fields) => {
                let names = self.table.columns.iter().map(String::as_str);
                Ok(names
                    .zip(fields.iter().map(|field| Cell::Text(Cow::Borrowed(field))))
                    .collect())
            }
            Row::Object(pairs) => pairs
                .iter()
                .map(|(name, value)| {
                    let json = value.get();
                    let cell = if json.starts_with('"') {
                        Cell::Text(Cow::Owned(self.unquote(json)?))
                    } else {
                        Cell::Json(Cow::Borrowed(json))
                    };
                    Ok((name.as_str(), cell))
                })
                .collect(),
        }
    }

    /// Names and JSON of the fields of a row that was read from JSON Lines, as they were written there.
    pub(crate) fn as_written(&self) -> Option<impl Iterator<Item = (&str, Cell<'_>)>> {
        match &self.row {
            Row::Fields(_) => None,
            Row::Object(pairs) => Some(
                pairs
                    .iter()
                    .map(|(name, value)| (name.as_str(), Cell::Json(value.get().into()))),
            ),
        }
    }

    /// The text of a JSON value that is no list and no object; `None` for `null`.
    fn scalar<'a>(
        &'a self,
        json: &'a str,
        column: &str,
    ) -> Result<Option<Cow<'a, str>>, DataError> {
        let nested = |found| DataError::NestedValue {
            path: self.table.path.clone(),
            line: self.line,
            column: column.to_owned(),
            found,
        };
        match json.as_bytes().first() {
            Some(b'"') => self.unquote(json).map(|text| Some(Cow::Owned(text))),
            Some(b'[') => Err(nested("a list")),
            Some(b'{') => Err(nested("an object")),
            _ if json == "null" => Ok(None),
            _ => Ok(Some(Cow::Borrowed(json))),
        }
    }

    fn unquote(&self, json: &str) -> Result<String, DataError> {
        serde_json::from_str(json).map_err(|error| {
            let message = error.to_string();
            // The place that serde_json names is within the value, not within the line.
            let what = message.split(" at line ").next().unwrap_or_default();
            DataError::InvalidJson {
                path: self.table.path.clone(),
                line: self.line,
                message: format!("{what} in {:?}", excerpt(json)),
            }
        })
    }
}
