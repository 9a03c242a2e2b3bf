//! Which columns of a file are what, and what to make of its rows.

use serde::{Deserialize, Serialize};

use super::TimeForm;
use crate::Column;

/// The columns of a table of time series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeriesColumns {
    /// The column of times; none where the rows are in time order and there is no calendar.
    pub time: Option<Column>,
    /// The column that tells which series a row belongs to; none where the file is one series.
    pub id: Option<Column>,
    /// The columns to forecast, or to judge. Empty: every column of numbers that is not named otherwise.
    pub targets: Vec<Column>,
    /// Columns whose values are known ahead of time.
    pub known: Vec<Column>,
    /// A column of labels, which is no channel.
    pub label: Option<Column>,
}

impl SeriesColumns {
    /// These columns with the targets that a table has, by their names, or by their numbers where there are no names.
    #[must_use]
    pub fn with_targets(self, names: &[String], header: bool) -> Self {
        let column = |name: &String| match (header, name.parse()) {
            (false, Ok(number)) => Column::Number(number),
            _ => Column::Name(name.clone()),
        };
        Self {
            targets: names.iter().map(column).collect(),
            ..self
        }
    }
}

/// What becomes of two rows of one series with one time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RepeatedTimes {
    /// The table is refused.
    #[default]
    Refuse,
    /// The first row counts.
    First,
    /// The last row counts.
    Last,
    /// The mean of the rows counts, of each column over the values that are not missing.
    Mean,
    /// Every row counts, in the order of the file, and no missing row is filled in: times serve the calendar and the
    /// labels alone.
    Keep,
}

/// What to make of the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesOptions {
    /// What becomes of repeated times.
    pub repeated_times: RepeatedTimes,
    /// How times are written, where the file leaves it open.
    pub time_form: Option<TimeForm>,
    /// Whether each series is laid out by itself, so that no other changes what becomes of it: no missing row is filled in, since
    /// the step of the grid would be that of all, and clocks with offsets are UTC, whether offsets differ or not.
    pub each_by_itself: bool,
    /// Values beyond this many bytes go into a temporary file, which is mapped into memory.
    pub memory_bytes: u64,
}

impl Default for SeriesOptions {
    fn default() -> Self {
        Self {
            repeated_times: RepeatedTimes::default(),
            time_form: None,
            each_by_itself: false,
            memory_bytes: 256 << 20,
        }
    }
}
