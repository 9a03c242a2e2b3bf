//! The rows of a table as they stand in the file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;

use super::rounding::Rounding;
use super::store::{Store, StoreWriter};
use super::time::{TimeColumn, Times};
use super::value::{NoValue, read_exact, read_value};
use super::{SeriesColumns, SeriesOptions};
use crate::wording::excerpt;
use crate::{Column, DataError, Record, Records};

/// From so many rows it is told which columns hold numbers.
const SAMPLE_ROWS: usize = 1_000;
/// More different series than this are no ids.
const MOST_SERIES: usize = 1_000_000;

/// Rows in the order of the file: what they hold, where they stand, and which series they belong to.
pub(crate) struct RawRows {
    pub path: PathBuf,
    /// Names of the columns of `values`: the targets, then the known ones.
    pub columns: Vec<String>,
    pub n_targets: usize,
    /// Columns that nobody named and that hold no numbers.
    pub ignored: Vec<String>,
    /// Ids in the order of their first rows; one empty id without a column of ids.
    pub series: Vec<String>,
    pub series_of_row: Vec<u32>,
    pub lines: Vec<u64>,
    pub times: Option<Times>,
    /// The label of each row where there is a column of labels, as a place in their names.
    pub label_of_row: Option<Vec<u32>>,
    pub label_names: Vec<String>,
    /// Row after row.
    pub values: Store,
    /// The first column whose values are too fine to be told apart as they are stored, and their range.
    pub coarse: Option<(String, f64, f64)>,
}

impl RawRows {
    pub fn n_rows(&self) -> usize {
        self.series_of_row.len()
    }

    pub fn width(&self) -> usize {
        self.columns.len()
    }
}

/// Where the columns stand in a record.
struct Places {
    time: Option<usize>,
    id: Option<usize>,
    label: Option<usize>,
    values: Vec<usize>,
    n_targets: usize,
}

/// Reads all rows. A value or a time that cannot be read goes to `fault`: if that lets it pass, the value is missing, and
/// the row of such a time is left out.
pub(crate) fn read_raw(
    records: Records,
    columns: &SeriesColumns,
    options: &SeriesOptions,
    fault: &mut dyn FnMut(DataError) -> Result<(), DataError>,
) -> Result<RawRows, DataError> {
    let path = records.path().to_owned();
    let names = records.columns().to_vec();
    let mut records = records;
    let mut sample = Vec::new();
    if columns.targets.is_empty() {
        for record in records.by_ref().take(SAMPLE_ROWS) {
            sample.push(record?);
        }
    }
    let (places, ignored) = places(&records, columns, &sample)?;
    let mut raw = Reading {
        roundings: vec![Rounding::new(); places.values.len()],
        places,
        names,
        times: TimeColumn::new(options.time_form),
        ids: Names::default(),
        labels: Names::default(),
        label_of_row: Vec::new(),
        series_of_row: Vec::new(),
        lines: Vec::new(),
        values: StoreWriter::new(options.memory_bytes),
        row: Vec::new(),
    };
    if raw.places.id.is_none() {
        raw.ids.names.push(String::new());
    }
    for record in sample.into_iter().map(Ok).chain(records) {
        raw.take(&record?, fault)?;
    }
    raw.finish(path, ignored)
}

/// Which columns are which: those that are named, and if no target is, every one that holds numbers.
fn places(
    records: &Records,
    columns: &SeriesColumns,
    sample: &[Record],
) -> Result<(Places, Vec<String>), DataError> {
    let find = |column: &Option<Column>| {
        column
            .as_ref()
            .map(|column| records.column(column))
            .transpose()
    };
    let find_all = |columns: &[Column]| -> Result<Vec<usize>, DataError> {
        columns
            .iter()
            .map(|column| records.column(column))
            .collect()
    };
    let (time, id, label) = (
        find(&columns.time)?,
        find(&columns.id)?,
        find(&columns.label)?,
    );
    let known = find_all(&columns.known)?;
    let mut ignored = Vec::new();
    let targets = if columns.targets.is_empty() {
        let (numbers, others): (Vec<usize>, Vec<usize>) = (0..records.columns().len())
            .filter(|place| ![time, id, label].contains(&Some(*place)) && !known.contains(place))
            .partition(|place| holds_numbers(sample, *place));
        ignored = others
            .iter()
            .map(|place| records.columns()[*place].clone())
            .collect();
        numbers
    } else {
        find_all(&columns.targets)?
    };
    if targets.is_empty() {
        return Err(DataError::NoNumericColumn {
            path: records.path().to_owned(),
            columns: ignored,
        });
    }
    let n_targets = targets.len();
    let named: Vec<usize> = time
        .into_iter()
        .chain(id)
        .chain(targets.iter().copied())
        .chain(known.iter().copied())
        .collect();
    if let Some(place) = (1..named.len()).find(|place| named[..*place].contains(&named[*place])) {
        return Err(DataError::SeriesColumnTwice {
            path: records.path().to_owned(),
            column: records.columns()[named[place]].clone(),
        });
    }
    let values = targets.into_iter().chain(known).collect();
    Ok((
        Places {
            time,
            id,
            label,
            values,
            n_targets,
        },
        ignored,
    ))
}

/// Whether every value of a column is a number or missing. A column that is missing throughout counts: it is named when
/// the table is looked at, which is better than to leave it out without a word.
fn holds_numbers(sample: &[Record], place: usize) -> bool {
    sample.iter().all(|record| {
        field(record, place).is_ok_and(|text| read_value(&text) != Err(NoValue::NotANumber))
    })
}

/// The text of a field; empty where JSON has `null` or no such key.
pub(super) fn field(record: &Record, place: usize) -> Result<Cow<'_, str>, DataError> {
    match record.text(place) {
        Err(DataError::MissingValue { .. }) => Ok("".into()),
        other => other,
    }
}

/// The value of a field as it is stored; NaN where it is missing.
pub(super) fn value_of(record: &Record, place: usize, column: &str) -> Result<f32, DataError> {
    exact_value_of(record, place, column).map(|value| value as f32)
}

/// The value of a field; NaN where it is missing.
fn exact_value_of(record: &Record, place: usize, column: &str) -> Result<f64, DataError> {
    let text = field(record, place)?;
    read_exact(&text).map_err(|what| {
        let (path, line) = (record.path().to_owned(), record.line());
        let (column, value) = (column.to_owned(), excerpt(&text));
        match what {
            NoValue::NotANumber => DataError::NotANumber {
                path,
                line,
                column,
                value,
            },
            NoValue::Infinite => DataError::InfiniteValue {
                path,
                line,
                column,
                value,
            },
        }
    })
}

/// Names in the order in which the file first has them.
#[derive(Default)]
struct Names {
    places: HashMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    /// The place of a name; none if there are too many.
    fn place(&mut self, name: Cow<'_, str>) -> Option<u32> {
        if let Some(place) = self.places.get(name.as_ref()) {
            return Some(*place);
        }
        if self.names.len() == MOST_SERIES {
            return None;
        }
        let place = self.names.len() as u32;
        self.names.push(name.clone().into_owned());
        self.places.insert(name.into_owned(), place);
        Some(place)
    }
}

struct Reading {
    places: Places,
    names: Vec<String>,
    times: TimeColumn,
    ids: Names,
    labels: Names,
    label_of_row: Vec<u32>,
    series_of_row: Vec<u32>,
    lines: Vec<u64>,
    values: StoreWriter,
    roundings: Vec<Rounding>,
    row: Vec<f32>,
}

impl Reading {
    fn take(
        &mut self,
        record: &Record,
        fault: &mut dyn FnMut(DataError) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        if let Some(place) = self.places.time {
            let text = field(record, place)?;
            if let Err(unreadable) = self.times.push(&text) {
                return fault(DataError::UnparsableTime {
                    path: record.path().to_owned(),
                    line: record.line(),
                    column: self.names[place].clone(),
                    value: excerpt(&text),
                    tried: unreadable.0,
                });
            }
        }
        let series = match self.places.id {
            None => 0,
            Some(place) => {
                let id = self.ids.place(field(record, place)?);
                id.ok_or_else(|| self.too_many(record, place))?
            }
        };
        if let Some(place) = self.places.label {
            let label = self.labels.place(field(record, place)?);
            self.label_of_row
                .push(label.ok_or_else(|| self.too_many(record, place))?);
        }
        self.row.clear();
        for (place, rounding) in self.places.values.iter().zip(&mut self.roundings) {
            let value = match exact_value_of(record, *place, &self.names[*place]) {
                Ok(value) => value,
                Err(error) => {
                    fault(error)?;
                    f64::NAN
                }
            };
            rounding.take(value);
            self.row.push(value as f32);
        }
        self.values.push(&self.row)?;
        self.series_of_row.push(series);
        self.lines.push(record.line());
        Ok(())
    }

    fn too_many(&self, record: &Record, place: usize) -> DataError {
        DataError::TooManySeries {
            path: record.path().to_owned(),
            column: self.names[place].clone(),
            most: MOST_SERIES,
        }
    }

    fn finish(self, path: PathBuf, ignored: Vec<String>) -> Result<RawRows, DataError> {
        if self.series_of_row.is_empty() {
            return Err(DataError::NoRows { path });
        }
        let time_column = self.places.time.map(|place| self.names[place].clone());
        let times = match &time_column {
            None => None,
            Some(column) => {
                Some(
                    self.times
                        .finish()
                        .map_err(|ambiguous| DataError::AmbiguousTimes {
                            path: path.clone(),
                            column: column.clone(),
                            value: excerpt(&ambiguous.first),
                            forms: ambiguous.forms,
                        })?,
                )
            }
        };
        let coarse = self.places.values.iter().zip(&self.roundings);
        let mut coarse = coarse.filter_map(|(place, rounding)| {
            let (low, high) = rounding.coarse()?;
            Some((self.names[*place].clone(), low, high))
        });
        Ok(RawRows {
            coarse: coarse.next(),
            columns: (self.places.values.iter())
                .map(|place| self.names[*place].clone())
                .collect(),
            n_targets: self.places.n_targets,
            ignored,
            series: self.ids.names,
            series_of_row: self.series_of_row,
            label_of_row: self.places.label.map(|_| self.label_of_row),
            label_names: self.labels.names,
            lines: self.lines,
            times,
            values: self.values.finish()?,
            path,
        })
    }
}
