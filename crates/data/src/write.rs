//! Rows out: what was read, with columns added.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Write;

use crate::{Cell, DataError, Format, Record};

/// Writes rows as CSV, TSV, JSON Lines or plain lines.
///
/// CSV quotes what needs it. TSV has no quoting: a value with a tab or a line end is refused. Plain lines carry one
/// column. JSON rows that were read from JSON Lines keep their values as they were written.
#[derive(Debug)]
pub struct RowWriter<W: Write> {
    output: W,
    format: Format,
    columns: Vec<String>,
    added: usize,
    row: u64,
    line: String,
}

impl<W: Write> RowWriter<W> {
    /// Starts the output for rows of `columns` with the columns `added` behind them, and writes the header, if one is
    /// wanted and the format has one.
    ///
    /// # Errors
    /// If two columns have one name, the format cannot carry the columns or is a folder, or writing fails.
    pub fn new(
        output: W,
        format: Format,
        columns: &[String],
        added: &[String],
        header: bool,
    ) -> Result<Self, DataError> {
        let columns: Vec<String> = columns.iter().chain(added).cloned().collect();
        let mut names = HashSet::new();
        if let Some(column) = columns.iter().find(|name| !names.insert(name.as_str())) {
            return Err(DataError::RepeatedOutputColumn {
                column: column.clone(),
            });
        }
        if format == Format::Lines && columns.len() != 1 {
            return Err(DataError::NotForLines {
                columns: columns.len(),
            });
        }
        if format == Format::Folder {
            return Err(DataError::NotForFolder);
        }
        let mut writer = Self {
            output,
            format,
            columns,
            added: added.len(),
            row: 0,
            line: String::new(),
        };
        if header && matches!(format, Format::Csv | Format::Tsv) {
            let names = writer.columns.clone();
            writer.table_row(names.iter().map(String::as_str))?;
        }
        Ok(writer)
    }

    /// Writes a row that was read, with one value for each added column.
    ///
    /// # Errors
    /// If the format cannot carry a value, the number of values is wrong, or writing fails.
    pub fn write(&mut self, record: &Record, added: &[Cell<'_>]) -> Result<(), DataError> {
        if self.format == Format::JsonLines {
            return self.write_object(record, added);
        }
        let read = record.cells()?;
        if added.len() != self.added {
            return Err(self.wrong_width(read.len() + added.len()));
        }
        let old = self.columns.len() - self.added;
        let mut cells = vec![None; old];
        for (place, (name, cell)) in read.into_iter().enumerate() {
            let expected = |place: usize| {
                self.columns[..old]
                    .get(place)
                    .is_some_and(|column| column == name)
            };
            let column = if expected(place) {
                Some(place)
            } else {
                (0..old).find(|place| expected(*place))
            };
            let column = column.ok_or_else(|| DataError::NoOutputColumn {
                row: self.row + 1,
                column: crate::wording::excerpt(name),
            })?;
            cells[column] = Some(cell);
        }
        let empty = Cell::Text(Cow::Borrowed(""));
        self.table_row(
            cells
                .iter()
                .map(|cell| cell.as_ref().unwrap_or(&empty))
                .chain(added)
                .map(field),
        )
    }

    fn write_object(&mut self, record: &Record, added: &[Cell<'_>]) -> Result<(), DataError> {
        let read = match record.as_written() {
            Some(pairs) => pairs.collect(),
            None => record.cells()?,
        };
        if added.len() != self.added {
            return Err(self.wrong_width(read.len() + added.len()));
        }
        let new_names = self.columns[self.columns.len() - self.added..].to_vec();
        // A later row may have keys that the first one lacks.
        if let Some((name, _)) = read
            .iter()
            .find(|(name, _)| new_names.iter().any(|new| new == name))
        {
            return Err(DataError::RepeatedOutputColumn {
                column: (*name).to_owned(),
            });
        }
        let new = new_names.iter().map(String::as_str).zip(added);
        self.object(read.iter().map(|(name, cell)| (*name, cell)).chain(new))
    }

    /// Writes a row from one value for each column.
    ///
    /// # Errors
    /// As [`RowWriter::write`].
    pub fn write_cells(&mut self, cells: &[Cell<'_>]) -> Result<(), DataError> {
        if cells.len() != self.columns.len() {
            return Err(self.wrong_width(cells.len()));
        }
        if self.format == Format::JsonLines {
            let names = self.columns.clone();
            return self.object(names.iter().map(String::as_str).zip(cells));
        }
        self.table_row(cells.iter().map(field))
    }

    /// Hands what was written so far on to whoever reads the output.
    ///
    /// # Errors
    /// If writing fails.
    pub fn flush(&mut self) -> Result<(), DataError> {
        self.output
            .flush()
            .map_err(|source| DataError::Write { source })
    }

    /// Flushes the output and gives it back.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(mut self) -> Result<W, DataError> {
        self.flush()?;
        Ok(self.output)
    }

    fn table_row<'a>(&mut self, fields: impl Iterator<Item = &'a str>) -> Result<(), DataError> {
        self.line.clear();
        for (place, field) in fields.enumerate() {
            match self.format {
                Format::Csv => {
                    if place > 0 {
                        self.line.push(',');
                    }
                    // An empty field alone would make a blank line, which is no row.
                    let must_quote = self.columns.len() == 1 && field.is_empty();
                    push_csv(&mut self.line, field, must_quote);
                }
                _ => {
                    if place > 0 {
                        self.line.push('\t');
                    }
                    self.check_plain(place, field)?;
                    self.line.push_str(field);
                }
            }
        }
        self.end_row()
    }

    fn object<'a>(
        &mut self,
        pairs: impl Iterator<Item = (&'a str, &'a Cell<'a>)>,
    ) -> Result<(), DataError> {
        self.line.clear();
        self.line.push('{');
        for (place, (name, cell)) in pairs.enumerate() {
            if place > 0 {
                self.line.push(',');
            }
            push_json(&mut self.line, name);
            self.line.push(':');
            match cell {
                Cell::Text(text) => push_json(&mut self.line, text),
                Cell::Json(json) => self.line.push_str(json),
            }
        }
        self.line.push('}');
        self.end_row()
    }

    fn end_row(&mut self) -> Result<(), DataError> {
        self.line.push('\n');
        self.row += 1;
        self.output
            .write_all(self.line.as_bytes())
            .map_err(|source| DataError::Write { source })
    }

    fn check_plain(&self, place: usize, field: &str) -> Result<(), DataError> {
        let found = field.bytes().find_map(|byte| match byte {
            b'\t' if self.format == Format::Tsv => Some("tab"),
            b'\n' => Some("line feed"),
            b'\r' => Some("carriage return"),
            _ => None,
        });
        match found {
            Some(character) => Err(DataError::NotForPlainText {
                format: self.format,
                row: self.row + 1,
                column: self.columns[place].clone(),
                character,
            }),
            None => Ok(()),
        }
    }

    fn wrong_width(&self, found: usize) -> DataError {
        DataError::OutputWidth {
            row: self.row + 1,
            expected: self.columns.len(),
            found,
        }
    }
}

fn field<'a>(cell: &'a Cell<'_>) -> &'a str {
    match cell {
        Cell::Text(text) => text,
        Cell::Json(json) if json == "null" => "",
        Cell::Json(json) => json,
    }
}

fn push_csv(line: &mut String, field: &str, must_quote: bool) {
    // A byte order mark in quotes is a character; at the beginning of a file it would be dropped.
    let special = |byte| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    if !must_quote && !field.bytes().any(special) && !field.starts_with('\u{FEFF}') {
        line.push_str(field);
        return;
    }
    line.push('"');
    line.push_str(&field.replace('"', "\"\""));
    line.push('"');
}

fn push_json(line: &mut String, text: &str) {
    line.push_str(&serde_json::Value::from(text).to_string());
}
