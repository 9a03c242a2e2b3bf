//! What a file of series is for, guessed from what is in it; every guess with its reason.

mod classes;
mod forecasting;
mod header;
mod ids;
mod kinds;
mod layout;
mod scan;
mod season;
mod sizes;

use serde::Serialize;

pub use header::{are_values, has_header, reads_as_time};
pub use layout::{describe_columns, guess};
pub use season::{Season, season_of};

use super::{Calendar, Frequency, RepeatedTimes, SeriesForm};
use crate::Column;

/// What to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeriesTask {
    /// Tell the next rows.
    Forecasting,
    /// Tell the label of a whole series.
    Classification,
}

/// What somebody said of a file before it is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct GuessOptions {
    /// The column of labels of whole series.
    pub label: Option<Column>,
    /// What to do with the file; labels of series count for nothing where it is forecasting.
    pub task: Option<SeriesTask>,
    /// The share of a table's rows that is trained on: a channel that never changes there has no scale.
    pub train_share: f64,
}

impl Default for GuessOptions {
    fn default() -> Self {
        Self {
            label: None,
            task: None,
            train_share: 0.7,
        }
    }
}

/// What was guessed of a file of series.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SeriesGuess {
    /// What to do with it.
    pub task: SeriesTask,
    /// The column of times, by name; by number in a file without a header, or where the name is empty or comes twice.
    pub time_column: Option<Column>,
    /// The column of ids.
    pub id_column: Option<Column>,
    /// The column of labels.
    pub label_column: Option<Column>,
    /// How many labels there are, for classification.
    pub n_labels: usize,
    /// The names of the channels.
    pub channels: Vec<String>,
    /// The columns of the channels; none where they are all columns of numbers that are not named otherwise, so that they
    /// need not be listed.
    pub target_columns: Option<Vec<Column>>,
    /// How whole series stand in the file, for classification.
    pub form: Option<SeriesForm>,
    /// What must become of repeated times.
    pub repeated_times: RepeatedTimes,
    /// How rows follow each other.
    pub frequency: Frequency,
    /// Rows of a season.
    pub season: Option<usize>,
    /// Cycles of the calendar that are longer than the lookback.
    pub calendar: Calendar,
    /// Rows of the file; series, for classification.
    pub rows: usize,
    /// The number of series.
    pub n_series: usize,
    /// Rows of a series, which half of all rows have at least in theirs.
    pub rows_of_series: usize,
    /// Rows to look back; for classification the longest series.
    pub lookback: usize,
    /// Rows to tell; 0 for classification.
    pub horizon: usize,
    /// Each guess and its reason, in full sentences.
    pub reasons: Vec<Reason>,
}

/// A guess and its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What was guessed: `task`, `time_column`, `id_column`, `label_column`, `target_columns`, `frequency`, `season`,
    /// `lookback`, `horizon` or `repeated_times`.
    pub what: &'static str,
    /// A sentence.
    pub sentence: String,
}
