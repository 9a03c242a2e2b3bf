//! One file of series, row by row.

use std::collections::BTreeMap;

use super::{channels, order};
use crate::doctor::{Level, Problem};
use crate::labelled_file::require_regular_file;
use crate::series::lay::lay;
use crate::series::raw::{RawRows, read_raw};
use crate::series::{SeriesColumns, SeriesOptions, SeriesTable};
use crate::wording::listed;
use crate::{DataError, Records, Source};

/// More kinds of faults in more columns than this are only the first ones.
const MOST_KINDS: usize = 100;

/// What was found in one file of series.
///
/// A value that cannot be read is a problem and counts as missing, a row whose time cannot be read is one and is left
/// out; the rest is looked at all the same, up to the first fault that leaves open where the next row starts.
#[derive(Debug)]
pub struct SeriesExam {
    problems: Vec<Problem>,
    table: Option<SeriesTable>,
    /// Whether a scaler is fitted on some of the rows.
    is_fitted_on: bool,
    /// The line of each row of the file.
    lines: Vec<u64>,
}

impl SeriesExam {
    /// Looks at a file with rows to train on.
    #[must_use]
    pub fn of(source: &Source, columns: &SeriesColumns, options: &SeriesOptions) -> Self {
        Self::look(source, columns, options, true)
    }

    /// Looks at a file of another part, whose scale is that of the training rows.
    #[must_use]
    pub fn of_other_part(
        source: &Source,
        columns: &SeriesColumns,
        options: &SeriesOptions,
    ) -> Self {
        Self::look(source, columns, options, false)
    }

    fn look(
        source: &Source,
        columns: &SeriesColumns,
        options: &SeriesOptions,
        is_fitted_on: bool,
    ) -> Self {
        let mut faults = Faults::default();
        let mut exam = Self {
            problems: Vec::new(),
            table: None,
            is_fitted_on,
            lines: Vec::new(),
        };
        let raw = require_regular_file(source.path())
            .and_then(|()| Records::open(source))
            .and_then(|records| {
                read_raw(records, columns, options, &mut |error| {
                    faults.add(&error);
                    Ok(())
                })
            });
        exam.problems.extend(faults.problems());
        match raw {
            Ok(raw) => exam.look_at(raw, columns, options),
            Err(error) => exam.problems.push(Problem::of_error(&error)),
        }
        exam
    }

    fn look_at(&mut self, raw: RawRows, columns: &SeriesColumns, options: &SeriesOptions) {
        self.problems.extend(ignored_columns(&raw, columns));
        self.problems
            .extend(order::order_problems(&raw, options.repeated_times));
        self.lines.clone_from(&raw.lines);
        match lay(raw, options) {
            Ok(table) => {
                self.problems
                    .extend(order::step_problems(&table, &self.lines));
                match table.require_fine() {
                    // What is stored would say that the values are one.
                    Err(error) => self.problems.push(Problem::of_error(&error)),
                    Ok(()) => self
                        .problems
                        .extend(channels::problems(&table, self.is_fitted_on)),
                }
                self.table = Some(table);
            }
            // Repeated times are a problem already.
            Err(DataError::RepeatedTime { .. }) => {}
            Err(error) => self.problems.push(Problem::of_error(&error)),
        }
    }

    /// What is wrong with the file.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The table, with every value missing that could not be read; none if the rows make up no table.
    #[must_use]
    pub fn table(&self) -> Option<&SeriesTable> {
        self.table.as_ref()
    }

    /// The line of the file that a row stands on; none for a row that the file lacks.
    ///
    /// # Panics
    /// If there is no table, or no such series or row.
    #[must_use]
    pub fn line(&self, series: usize, row: usize) -> Option<u64> {
        let table = self
            .table
            .as_ref()
            .expect("a caller that has a row has a table");
        order::line_of(table, &self.lines, series, row)
    }
}

/// Columns that nobody named and that hold no numbers.
fn ignored_columns(raw: &RawRows, columns: &SeriesColumns) -> Option<Problem> {
    if raw.ignored.is_empty() {
        return None;
    }
    let message = format!(
        "the columns {} hold no numbers and are left out",
        listed(&raw.ignored)
    );
    let hint = match columns.time {
        None => "if one of them holds the times, name it as data.time_column",
        Some(_) => "if one of them tells the series apart, name it as data.id_column",
    };
    let level = if columns.time.is_none() {
        Level::Warning
    } else {
        Level::Note
    };
    Some(Problem::new(level, message).in_file(&raw.path).hint(hint))
}

/// Faults by kind and column: the first of each, and how many.
#[derive(Default)]
struct Faults(BTreeMap<(&'static str, String), (Problem, u64)>);

impl Faults {
    fn add(&mut self, error: &DataError) {
        let key = match error {
            DataError::UnparsableTime { column, .. } => ("0 time", column.clone()),
            DataError::NotANumber { column, .. } => ("1 number", column.clone()),
            DataError::InfiniteValue { column, .. } => ("2 infinite", column.clone()),
            _ => ("3 other", String::new()),
        };
        if self.0.len() < MOST_KINDS || self.0.contains_key(&key) {
            let fault = self
                .0
                .entry(key)
                .or_insert_with(|| (Problem::of_error(error), 0));
            fault.1 += 1;
        }
    }

    fn problems(self) -> impl Iterator<Item = Problem> {
        self.0.into_values().map(|(mut problem, count)| {
            if count > 1 {
                problem
                    .message
                    .push_str(&format!(", and so on in {count} rows"));
            }
            problem.times(count)
        })
    }
}
