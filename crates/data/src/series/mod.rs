//! Time series: tables of numbers in time order, cut into windows.
//!
//! ```text
//! file -> RawRows (as read) -> SeriesTable (by series, in time order, on its grid) -> SeriesSplit -> WindowIndex -> rows of a batch
//! ```
//!
//! A table holds every value once, in memory or in a file that is mapped; windows are numbers until a batch is cut.

mod anomaly_windows;
pub mod baseline;
mod calendar;
mod columns;
mod doctor;
mod frequency;
mod guess;
mod labelled;
mod lay;
pub mod metric;
mod raw;
mod rounding;
mod scaler;
mod split;
mod store;
mod table;
mod time;
mod value;
mod window;

pub use anomaly_windows::{AnomalyWindows, MarkedRows};
pub use calendar::{Calendar, CalendarCycle};
pub use columns::{RepeatedTimes, SeriesColumns, SeriesOptions};
pub use doctor::SeriesExam;
pub use frequency::Frequency;
pub use guess::{
    GuessOptions, Reason, Season, SeriesGuess, SeriesTask, are_values, describe_columns, guess,
    has_header, reads_as_time, season_of,
};
pub use labelled::{LabelledColumns, LabelledSeries, SeriesForm};
pub use scaler::{ConstantChannels, Scaler};
pub use split::{Extent, SeriesSplit, Span};
pub use table::SeriesTable;
pub use time::{Moment, TimeForm, TimeZoneOfColumn};
pub use window::{Window, WindowIndex};
