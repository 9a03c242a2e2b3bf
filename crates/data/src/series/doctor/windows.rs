//! Whether the parts of a split have windows, and what these look back on.

use std::collections::HashMap;

use super::SeriesExam;
use crate::doctor::{Level, Place, Problem, counted};
use crate::series::{SeriesSplit, SeriesTable, Span, Window, WindowIndex};

impl SeriesExam {
    /// Looks at the windows of each part: whether there are any, whether the scaler has something to go by in the training
    /// rows, and how many look back across the border of their part.
    #[must_use]
    pub fn judge_windows(
        &self,
        split: &SeriesSplit,
        lookback: usize,
        horizon: usize,
    ) -> Vec<Problem> {
        let Some(table) = self.table() else {
            return Vec::new();
        };
        let mut problems = Vec::new();
        for (part, spans) in [
            ("train", &split.train),
            ("valid", &split.valid),
            ("test", &split.test),
        ] {
            if spans.is_empty() {
                continue;
            }
            match WindowIndex::new(table, spans, lookback, horizon, 1) {
                Err(error) => {
                    let mut problem = Problem::of_error(&error);
                    problem.message = format!("{part}: {}", problem.message);
                    problems.push(problem);
                }
                Ok(index) => problems.extend(self.borders(table, part, spans, &index)),
            }
        }
        problems
    }

    fn borders(
        &self,
        table: &SeriesTable,
        part: &str,
        spans: &[Span],
        index: &WindowIndex,
    ) -> Option<Problem> {
        let starts: HashMap<usize, usize> = spans
            .iter()
            .map(|span| (span.series, span.rows.start))
            .collect();
        let crosses = |window: &Window| {
            starts
                .get(&window.series)
                .is_some_and(|start| window.start < *start)
        };
        let count = index.iter().filter(crosses).count() as u64;
        let first = index.iter().find(crosses)?;
        let total = index.len();
        let message = format!(
            "{} of the {part} part's {total} look back across its first row; what they are to tell lies inside the part",
            counted(count, "window"),
        );
        let problem = Problem::new(Level::Note, message).times(count);
        Some(match self.line(first.series, first.past().end) {
            Some(line) => problem.at(&Place {
                file: table.path().to_owned(),
                line,
            }),
            None => problem.in_file(table.path()),
        })
    }
}
