//! What is wrong with tables of series.

use regard_data::doctor::{Level, Problem};
use regard_data::series::{SeriesExam, SeriesSplit, Span};

use super::data::DataReport;
use crate::config::Config;
use crate::task::Split;
use crate::task::series_data::{layout, own_files, parts, require_calendar, source_of};

/// Looks at the tables of a configuration, at their parts and at their windows.
pub(super) fn look_at(config: &Config) -> DataReport {
    let data = &config.data;
    let (source, columns, options) = layout(config);
    let exam = SeriesExam::of(&source, &columns, &options);
    let mut report = DataReport {
        problems: exam.problems().to_vec(),
        ..DataReport::default()
    };
    let problems = &mut report.problems;
    if let Some(table) = exam.table() {
        if let Err(error) = require_calendar(config, table) {
            problems.push(Problem::of_error(&error));
        }
        match parts(table, config) {
            Ok(split) => {
                problems.extend(exam.judge_windows(&split, data.lookback, data.horizon));
            }
            Err(error) => problems.push(Problem::of_error(&error)),
        }
    }
    for (part, path) in own_files(data) {
        let other = SeriesExam::of_other_part(&source_of(data, path), &columns, &options);
        problems.extend(other.problems().iter().cloned());
        let Some(table) = other.table() else { continue };
        let mut split = SeriesSplit::default();
        match part {
            Split::Valid => split.valid = Span::whole(table),
            _ => split.test = Span::whole(table),
        }
        problems.extend(other.judge_windows(&split, data.lookback, data.horizon));
        let Some(train) = exam.table() else { continue };
        let faults = [
            table.require_columns(train.columns()),
            require_calendar(config, table),
        ];
        problems.extend(
            faults
                .iter()
                .filter_map(|fault| fault.as_ref().err())
                .map(Problem::of_error),
        );
        let (frequency, expected) = (table.frequency(), train.frequency());
        if frequency != expected {
            let message =
                format!("its steps are {frequency}, those of the training file {expected}");
            let hint = "a model knows steps and not how long they are: give rows of one frequency";
            problems.push(
                Problem::new(Level::Warning, message)
                    .in_file(path)
                    .hint(hint),
            );
        }
    }
    report
}
