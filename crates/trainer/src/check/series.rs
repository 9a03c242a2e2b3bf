//! What is wrong with a table of series.

use regard_data::doctor::Problem;
use regard_data::series::SeriesExam;

use super::data::DataReport;
use crate::config::Config;
use crate::task::series_data::{layout, parts};

/// Looks at the table of a configuration, at its parts and at their windows.
pub(super) fn look_at(config: &Config) -> DataReport {
    let data = &config.data;
    let (source, columns, options) = layout(data);
    let exam = SeriesExam::of(&source, &columns, &options);
    let mut report = DataReport {
        problems: exam.problems().to_vec(),
        ..DataReport::default()
    };
    if let Some(table) = exam.table() {
        match parts(table, data) {
            Ok(split) => {
                let found = exam.judge_windows(&split, data.lookback, data.horizon);
                report.problems.extend(found);
            }
            Err(error) => report.problems.push(Problem::of_error(&error)),
        }
    }
    report
}
