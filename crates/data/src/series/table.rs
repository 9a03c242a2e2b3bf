//! A table of time series.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::lay::lay;
use super::raw::read_raw;
use super::store::Store;
use super::{Frequency, Moment, SeriesColumns, SeriesOptions, TimeZoneOfColumn};
use crate::{DataError, Fingerprint, Records, Source};

/// One or several series of the same channels: rows of `f32` in time order, NaN where a value is missing.
///
/// Rows of one series stand together, series in the order of their first rows in the file. Where the
/// [frequency](Frequency) is a fixed step the rows are a grid: a row that the file lacks is there with every value
/// missing. Values are in memory or, beyond a limit, in a temporary file that is mapped; besides, a table holds at most
/// 16 bytes a row, and reading one about 60.
pub struct SeriesTable {
    pub(super) path: PathBuf,
    pub(super) columns: Vec<String>,
    pub(super) n_targets: usize,
    pub(super) series: Vec<SeriesRows>,
    pub(super) axis: Axis,
    pub(super) frequency: Frequency,
    pub(super) zone: TimeZoneOfColumn,
    pub(super) values: Store,
    /// The row of the table that each row of the file became, where they differ.
    pub(super) row_of_record: Option<Vec<usize>>,
    pub(super) n_records: usize,
    pub(super) n_filled: usize,
    pub(super) coarse: Option<(String, f64, f64)>,
    pub(super) fingerprint: Fingerprint,
}

/// The rows of one series among all.
pub(super) struct SeriesRows {
    pub id: String,
    pub start: usize,
    pub len: usize,
}

/// The times of all rows.
pub(super) enum Axis {
    None,
    /// The time of each series' first row; the others follow by this step.
    Grid {
        starts: Vec<i64>,
        step: i64,
    },
    Rows(Vec<i64>),
}

impl SeriesTable {
    /// Reads a file.
    ///
    /// # Errors
    /// If the file is faulty, a column is missing or named twice, a value is no number or infinite, a time cannot be
    /// read or could be two, or times repeat and may not.
    pub fn load(
        source: &Source,
        columns: &SeriesColumns,
        options: &SeriesOptions,
    ) -> Result<Self, DataError> {
        Self::from_records(Records::open(source)?, columns, options)
    }

    /// Reads rows; see [`SeriesTable::load`].
    ///
    /// # Errors
    /// As [`SeriesTable::load`].
    pub fn from_records(
        records: Records,
        columns: &SeriesColumns,
        options: &SeriesOptions,
    ) -> Result<Self, DataError> {
        lay(read_raw(records, columns, options, &mut Err)?, options)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the channels: the targets, then those that are known ahead.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How many of the channels, the first ones, are targets.
    #[must_use]
    pub fn n_targets(&self) -> usize {
        self.n_targets
    }

    /// How many series there are.
    #[must_use]
    pub fn n_series(&self) -> usize {
        self.series.len()
    }

    /// The id of a series; empty where the file has no column of ids.
    ///
    /// # Panics
    /// If `series` is not below the number of series, as all functions that take one.
    #[must_use]
    pub fn id(&self, series: usize) -> &str {
        &self.series[series].id
    }

    /// The number of rows of a series.
    #[must_use]
    pub fn len(&self, series: usize) -> usize {
        self.series[series].len
    }

    /// The number of rows of all series together.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.values.len() / self.columns.len()
    }

    /// How many rows the file has.
    #[must_use]
    pub fn n_records(&self) -> usize {
        self.n_records
    }

    /// How many rows the file lacks, so that they are there with every value missing.
    #[must_use]
    pub fn n_filled(&self) -> usize {
        self.n_filled
    }

    /// The series and the row of it that a row of the file became, both from 0.
    ///
    /// # Panics
    /// If `record` is not below [`SeriesTable::n_records`].
    #[must_use]
    pub fn place_of_record(&self, record: usize) -> (usize, usize) {
        assert!(
            record < self.n_records,
            "the file has {} rows",
            self.n_records
        );
        let row = self
            .row_of_record
            .as_ref()
            .map_or(record, |rows| rows[record]);
        let series = self.series.partition_point(|series| series.start <= row) - 1;
        (series, row - self.series[series].start)
    }

    /// One value; NaN where it is missing.
    ///
    /// # Panics
    /// If there is no such series, row or column.
    #[must_use]
    pub fn value(&self, series: usize, row: usize, column: usize) -> f32 {
        let SeriesRows { start, len, .. } = self.series[series];
        assert!(
            row < len && column < self.columns.len(),
            "series {series} has {len} rows"
        );
        self.values
            .value((start + row) * self.columns.len() + column)
    }

    /// Copies rows, each with all columns, as `[rows, columns]`.
    ///
    /// # Panics
    /// If the series has no such rows, or `into` is not of their size.
    pub fn copy_rows(&self, series: usize, rows: Range<usize>, into: &mut [f32]) {
        let SeriesRows { start, len, .. } = self.series[series];
        assert!(
            rows.start <= rows.end && rows.end <= len,
            "series {series} has {len} rows, not {rows:?}"
        );
        let width = self.columns.len();
        self.values.copy(
            (start + rows.start) * width..(start + rows.end) * width,
            into,
        );
    }

    /// The time of a row, which may lie behind the last one: such a time follows from the frequency. None where there are
    /// no times, or none follows.
    #[must_use]
    pub fn time(&self, series: usize, row: usize) -> Option<Moment> {
        let SeriesRows { start, len, .. } = self.series[series];
        let last = len.checked_sub(1)?;
        let inside = row.min(last);
        let time = Moment(match &self.axis {
            Axis::None => return None,
            Axis::Grid { starts, step } => starts[series] + step * inside as i64,
            Axis::Rows(times) => times[start + inside],
        });
        if row == inside {
            return Some(time);
        }
        self.frequency.after(time, row - last, self.zone)
    }

    /// The time of a row as text; see [`SeriesTable::time`].
    #[must_use]
    pub fn time_text(&self, series: usize, row: usize) -> Option<String> {
        self.time(series, row).map(|time| time.text(self.zone))
    }

    /// Whether values can be told apart as they are stored, in 32 bits: a movement of 1 around a hundred million cannot.
    ///
    /// # Errors
    /// [`DataError::CoarseValues`] with the first column where that loses more than a five-hundredth of the range.
    pub fn require_fine(&self) -> Result<(), DataError> {
        match &self.coarse {
            None => Ok(()),
            Some((column, low, high)) => Err(DataError::CoarseValues {
                path: self.path.clone(),
                column: column.clone(),
                low: *low,
                high: *high,
            }),
        }
    }

    /// How the rows follow each other.
    #[must_use]
    pub fn frequency(&self) -> Frequency {
        self.frequency
    }

    /// What the clock of the times is.
    #[must_use]
    pub fn zone(&self) -> TimeZoneOfColumn {
        self.zone
    }

    /// Whether the values are mapped from a temporary file.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        self.values.is_mapped()
    }

    /// A hash over columns, ids, times and values, the same for the same data on every machine and in every format.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Whether these are the columns, in this order, that something was trained on.
    ///
    /// # Errors
    /// [`DataError::ColumnsChanged`] names those that are missing and those that came.
    pub fn require_columns(&self, expected: &[String]) -> Result<(), DataError> {
        if self.columns == expected {
            return Ok(());
        }
        let lacking = |all: &[String], some: &[String]| -> Vec<String> {
            all.iter()
                .filter(|name| !some.contains(name))
                .cloned()
                .collect()
        };
        Err(DataError::ColumnsChanged {
            path: self.path.clone(),
            missing: lacking(expected, &self.columns),
            unexpected: lacking(&self.columns, expected),
            expected: expected.to_vec(),
        })
    }
}

impl fmt::Debug for SeriesTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SeriesTable")
            .field("path", &self.path)
            .field("columns", &self.columns)
            .field("series", &self.series.len())
            .field("rows", &self.n_rows())
            .field("frequency", &self.frequency)
            .field("mapped", &self.is_mapped())
            .finish_non_exhaustive()
    }
}
