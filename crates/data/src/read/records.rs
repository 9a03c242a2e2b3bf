//! Rows of a file, streamed.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::csv::CsvParser;
use super::folder::FolderReader;
use super::input::Input;
use super::json_lines::Object;
use super::record::{Fields, Row, Table};
use super::{Column, Format, Record, Source};
use crate::DataError;
use crate::wording::nearest;

/// The rows of a file, one at a time, in bounded memory whatever the file holds.
///
/// Accepted everywhere: a byte order mark of UTF-8, line ends `\n` and `\r\n`, a last line without an end. Blank lines
/// are skipped, but in plain lines and in a TSV of one column, where they are an empty text.
/// After an error there are no more rows.
pub struct Records {
    input: Input,
    parser: Parser,
    table: Arc<Table>,
    /// The first rows, where they had to be read to know the columns.
    ahead: VecDeque<(u64, Row)>,
    /// What was wrong with the row behind those.
    fault: Option<DataError>,
    finished: bool,
}

/// The columns of JSON Lines are the keys of the first rows of a file, of so many and of so many bytes at most.
const KEY_ROWS: usize = 1_000;
const KEY_BYTES: usize = 4 << 20;

enum Parser {
    Csv(Box<CsvParser>),
    Tsv,
    JsonLines,
    Lines,
    Folder(Box<FolderReader>),
}

impl Parser {
    fn of_stream(format: Format, path: &Path) -> Result<Self, DataError> {
        Ok(match format {
            Format::Csv => Self::Csv(Box::new(CsvParser::new())),
            Format::Tsv => Self::Tsv,
            Format::JsonLines => Self::JsonLines,
            Format::Lines => Self::Lines,
            Format::Folder => {
                return Err(DataError::NoFolder {
                    path: path.to_owned(),
                });
            }
        })
    }
}

impl Records {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// If the file cannot be opened, its format is unknown, it is empty, or its first row is faulty.
    pub fn open(source: &Source) -> Result<Self, DataError> {
        let format = source.format()?;
        let (path, limits) = (source.path(), source.limits());
        if format == Format::Folder {
            let reader = FolderReader::open(path, limits)?;
            // A folder has no bytes of its own.
            let nothing = Input::new(Box::new(std::io::empty()), path.to_owned(), limits);
            let parser = Parser::Folder(Box::new(reader));
            return Self::new(nothing, parser, source.header(), 1);
        }
        let parser = Parser::of_stream(format, path)?;
        Self::new(
            Input::open(path, limits)?,
            parser,
            source.header(),
            KEY_ROWS,
        )
    }

    /// Reads from a stream such as the standard input, with the format, header and limits of `source`, whose path is
    /// what messages call the stream. Of JSON Lines the first row alone tells the columns: whoever writes it may wait for
    /// an answer.
    ///
    /// # Errors
    /// As [`Records::open`].
    pub fn from_reader(
        reader: impl Read + Send + 'static,
        source: &Source,
    ) -> Result<Self, DataError> {
        let input = Input::new(Box::new(reader), source.path().to_owned(), source.limits());
        let parser = Parser::of_stream(source.format()?, source.path())?;
        Self::new(input, parser, source.header(), 1)
    }

    fn new(input: Input, parser: Parser, header: bool, key_rows: usize) -> Result<Self, DataError> {
        let table = Arc::new(Table {
            path: input.path().to_owned(),
            columns: Vec::new(),
            named: true,
        });
        let mut records = Self {
            input,
            parser,
            table,
            ahead: VecDeque::new(),
            fault: None,
            finished: false,
        };
        records.read_columns(header, key_rows)?;
        Ok(records)
    }

    /// The names of the columns: the header; their numbers for a table without one; the keys of the first rows of
    /// JSON Lines, in the order in which they first occur; `text` for plain lines.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.table.columns
    }

    /// Whether the rows are files in folders of labels.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        matches!(self.parser, Parser::Folder(_))
    }

    /// Where the rows come from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.table.path
    }

    /// The number of a column, for [`Record::text`].
    ///
    /// # Errors
    /// If there is no such column or its name occurs twice.
    pub fn column(&self, column: &Column) -> Result<usize, DataError> {
        let columns = &self.table.columns;
        let path = || self.table.path.clone();
        let missing = |nearest| DataError::MissingColumn {
            path: path(),
            column: column.to_string(),
            found: columns.clone(),
            nearest,
        };
        match column {
            Column::Number(number) if *number < columns.len() => Ok(*number),
            Column::Number(_) => Err(missing(None)),
            Column::Name(name) if !self.table.named => Err(DataError::NoHeader {
                path: path(),
                column: name.clone(),
                columns: columns.len(),
            }),
            Column::Name(name) => {
                let mut places = columns
                    .iter()
                    .enumerate()
                    .filter(|(_, column)| *column == name)
                    .map(|(place, _)| place);
                match (places.next(), places.next()) {
                    (Some(first), None) => Ok(first),
                    (Some(first), Some(second)) => Err(DataError::AmbiguousColumn {
                        path: path(),
                        column: name.clone(),
                        first,
                        second,
                    }),
                    (None, _) => Err(missing(nearest(name, columns.iter().map(String::as_str)))),
                }
            }
        }
    }

    fn read_columns(&mut self, header: bool, key_rows: usize) -> Result<(), DataError> {
        if matches!(self.parser, Parser::Lines) {
            self.set_columns(vec!["text".to_owned()], true);
            return Ok(());
        }
        if self.is_folder() {
            self.set_columns(vec!["text".to_owned(), "label".to_owned()], true);
            return Ok(());
        }
        let Some((line, row)) = self.parse()? else {
            return Err(DataError::Empty {
                path: self.table.path.clone(),
            });
        };
        let columns = match &row {
            Row::Fields(fields) if header => {
                self.set_columns(fields.iter().map(str::to_owned).collect(), true);
                return Ok(());
            }
            Row::Fields(fields) => (0..fields.len()).map(|number| number.to_string()).collect(),
            Row::Object(_) => Vec::new(),
        };
        let is_object = matches!(row, Row::Object(_));
        self.ahead.push_back((line, row));
        if is_object {
            return self.read_keys(key_rows);
        }
        self.set_columns(columns, false);
        Ok(())
    }

    /// Reads the first rows of JSON Lines for their keys: a row may lack some.
    fn read_keys(&mut self, rows: usize) -> Result<(), DataError> {
        let limit = self.input.limits().columns;
        let (mut columns, mut known) = (Vec::new(), HashSet::new());
        let mut bytes = 0;
        loop {
            if let Some((line, Row::Object(pairs))) = self.ahead.back() {
                for (name, value) in pairs {
                    bytes += name.len() + value.get().len();
                    if known.insert(name.clone()) {
                        columns.push(name.clone());
                    }
                }
                if columns.len() > limit {
                    return Err(DataError::TooManyColumns {
                        path: self.table.path.clone(),
                        line: *line,
                        limit,
                    });
                }
            }
            if self.ahead.len() >= rows || bytes >= KEY_BYTES {
                break;
            }
            match self.parse() {
                Ok(Some(row)) => self.ahead.push_back(row),
                Ok(None) => break,
                // The rows before it come first.
                Err(fault) => {
                    self.fault = Some(fault);
                    break;
                }
            }
        }
        self.set_columns(columns, true);
        Ok(())
    }

    fn set_columns(&mut self, columns: Vec<String>, named: bool) {
        self.table = Arc::new(Table {
            path: self.table.path.clone(),
            columns,
            named,
        });
    }

    fn read(&mut self) -> Result<Option<Record>, DataError> {
        if let Parser::Folder(reader) = &mut self.parser {
            let next = reader.next()?;
            return Ok(next.map(|(path, fields)| Record {
                line: 1,
                row: Row::Fields(fields),
                table: Arc::new(Table {
                    path,
                    columns: self.table.columns.clone(),
                    named: true,
                }),
            }));
        }
        let row = match (self.ahead.pop_front(), self.fault.take()) {
            (Some(row), fault) => {
                self.fault = fault;
                Some(row)
            }
            (None, Some(fault)) => return Err(fault),
            (None, None) => self.parse()?,
        };
        let Some((line, row)) = row else {
            return Ok(None);
        };
        if let Row::Fields(fields) = &row {
            let (expected, found) = (self.table.columns.len(), fields.len());
            if found != expected {
                let quoting = matches!(self.parser, Parser::Csv(_));
                return Err(DataError::RaggedRow {
                    path: self.table.path.clone(),
                    line,
                    expected,
                    found,
                    quoting,
                });
            }
        }
        Ok(Some(Record {
            line,
            row,
            table: Arc::clone(&self.table),
        }))
    }

    fn parse(&mut self) -> Result<Option<(u64, Row)>, DataError> {
        if let Parser::Csv(parser) = &mut self.parser {
            return Ok(parser
                .next(&mut self.input)?
                .map(|(line, fields)| (line, Row::Fields(fields))));
        }
        let mut text = String::new();
        loop {
            text.clear();
            let line = self.input.line();
            if !self.input.read_line(&mut text)? {
                return Ok(None);
            }
            let blank = match self.parser {
                Parser::JsonLines => text.trim_ascii().is_empty(),
                // In a table of one column an empty line is a row with an empty field.
                Parser::Tsv => text.is_empty() && self.table.columns.len() != 1,
                _ => false,
            };
            if blank {
                continue;
            }
            let row = match self.parser {
                Parser::JsonLines => self.object(line, &text)?,
                Parser::Tsv => Row::Fields(self.tab_separated(line, &text)?),
                _ => Row::Fields(Fields {
                    ends: vec![text.len()],
                    text,
                }),
            };
            return Ok(Some((line, row)));
        }
    }

    fn tab_separated(&self, line: u64, text: &str) -> Result<Fields, DataError> {
        let limit = self.input.limits().columns;
        let mut fields = Fields {
            text: String::with_capacity(text.len()),
            ends: Vec::new(),
        };
        for field in text.split('\t') {
            if fields.len() == limit {
                return Err(DataError::TooManyColumns {
                    path: self.table.path.clone(),
                    line,
                    limit,
                });
            }
            fields.text.push_str(field);
            fields.ends.push(fields.text.len());
        }
        Ok(fields)
    }

    fn object(&self, line: u64, text: &str) -> Result<Row, DataError> {
        let Object(pairs) =
            Object::parse(text, self.input.limits().columns).map_err(|message| {
                DataError::InvalidJson {
                    path: self.table.path.clone(),
                    line,
                    message,
                }
            })?;
        Ok(Row::Object(pairs))
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Records")
            .field("path", &self.table.path)
            .field("columns", &self.table.columns)
            .finish_non_exhaustive()
    }
}

impl Iterator for Records {
    type Item = Result<Record, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let record = self.read().transpose();
        self.finished = !matches!(record, Some(Ok(_)));
        record
    }
}
