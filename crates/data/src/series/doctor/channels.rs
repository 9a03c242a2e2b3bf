//! Channels that teach nothing, or too much.

use crate::doctor::{Level, Problem, counted};
use crate::series::SeriesTable;

/// Rows that are read at once.
const CHUNK_ROWS: usize = 4_096;

/// What is known of one channel after one pass.
#[derive(Clone)]
struct Channel {
    first: Option<f32>,
    is_constant: bool,
    n_missing: u64,
}

/// Channels without a value or with a single one, gaps, and targets that a known column repeats. A single value is a fault
/// of rows that a scaler is fitted on alone.
pub(super) fn problems(table: &SeriesTable, is_fitted_on: bool) -> Vec<Problem> {
    let (width, n_targets) = (table.columns().len(), table.n_targets());
    let start = Channel {
        first: None,
        is_constant: true,
        n_missing: 0,
    };
    let mut channels = vec![start; width];
    // Whether a known column has been the target so far, by target and known column.
    let mut is_same = vec![vec![true; width - n_targets]; n_targets];
    let mut chunk = vec![0.0; CHUNK_ROWS * width];
    for series in 0..table.n_series() {
        for start in (0..table.len(series)).step_by(CHUNK_ROWS) {
            let end = table.len(series).min(start + CHUNK_ROWS);
            let values = &mut chunk[..(end - start) * width];
            table.copy_rows(series, start..end, values);
            for row in values.chunks_exact(width) {
                for (channel, value) in channels.iter_mut().zip(row) {
                    channel.take(*value);
                }
                for (target, same) in is_same.iter_mut().enumerate() {
                    for (known, same) in same.iter_mut().enumerate() {
                        let (a, b) = (row[target], row[n_targets + known]);
                        *same &= a == b || (a.is_nan() && b.is_nan());
                    }
                }
            }
        }
    }
    let rows = table.n_rows() as u64;
    let names = table.columns();
    let mut problems: Vec<Problem> = channels
        .iter()
        .zip(names)
        .filter_map(|(channel, name)| channel.problem(name, rows, is_fitted_on))
        .collect();
    for (target, same) in is_same
        .iter()
        .enumerate()
        .filter(|(target, _)| channels[*target].first.is_some())
    {
        for (known, _) in same.iter().enumerate().filter(|(_, same)| **same) {
            let message = format!(
                "the known column {:?} is the target {:?} in every row, so the model would be told what it is to tell",
                names[n_targets + known],
                names[target]
            );
            problems.push(
                Problem::new(Level::Error, message).hint("leave it out of data.known_columns"),
            );
        }
    }
    problems
        .into_iter()
        .map(|problem| problem.in_file(table.path()))
        .collect()
}

impl Channel {
    fn take(&mut self, value: f32) {
        if value.is_nan() {
            self.n_missing += 1;
        } else {
            self.is_constant &= *self.first.get_or_insert(value) == value;
        }
    }

    fn problem(&self, name: &str, rows: u64, is_fitted_on: bool) -> Option<Problem> {
        let Some(first) = self.first else {
            let message = format!("the column {name:?} has no value at all");
            return Some(
                Problem::new(Level::Error, message)
                    .hint("leave it out: name the others as data.target_columns"),
            );
        };
        if self.is_constant && is_fitted_on {
            let message = format!(
                "the column {name:?} is {first} in every row, so it has no scale and teaches nothing"
            );
            return Some(
                Problem::new(Level::Error, message)
                    .hint("leave it out: name the others as data.target_columns"),
            );
        }
        if self.n_missing == 0 {
            return None;
        }
        let share = 100.0 * self.n_missing as f64 / rows as f64;
        let level = if share >= 50.0 {
            Level::Warning
        } else {
            Level::Note
        };
        let message = format!(
            "the column {name:?} lacks {} ({share:.1} % of the rows)",
            counted(self.n_missing, "value")
        );
        Some(
            Problem::new(level, message)
                .times(self.n_missing)
                .hint("they are masked, never taken for a number"),
        )
    }
}
