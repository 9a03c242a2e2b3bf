//! What is wrong with a table of time series, before anything is learned from it.

mod channels;
mod exam;
mod order;
mod windows;

pub use exam::SeriesExam;
