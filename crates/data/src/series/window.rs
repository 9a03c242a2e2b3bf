//! Windows as numbers: which rows the n-th one is.

use std::ops::Range;

use super::{SeriesTable, Span};
use crate::DataError;

/// The windows of a part: pairs of `lookback` rows that are seen and `horizon` rows behind them that are to be told.
///
/// The rows to be told lie inside the part's spans. Those that are seen may lie before a span's first row, in the same
/// series: at the border of a split the past is known. From each span's first window to its last a window begins every
/// `stride` rows, and the span's last possible window is always there, even off the stride: the newest rows count.
///
/// With a horizon of 0 a window is `lookback` rows whose last is inside the span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowIndex {
    lookback: usize,
    horizon: usize,
    stride: usize,
    spans: Vec<Windows>,
    /// How many windows the spans up to each have.
    ends: Vec<usize>,
}

/// The windows of one span, by the first row behind those that are seen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Windows {
    series: usize,
    first: usize,
    last: usize,
}

/// One window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The series.
    pub series: usize,
    /// The first row that is seen.
    pub start: usize,
    /// How many rows are seen.
    pub lookback: usize,
    /// How many are to be told.
    pub horizon: usize,
}

impl Window {
    /// The rows that are seen.
    #[must_use]
    pub fn past(&self) -> Range<usize> {
        self.start..self.start + self.lookback
    }

    /// The rows to be told.
    #[must_use]
    pub fn future(&self) -> Range<usize> {
        self.start + self.lookback..self.start + self.lookback + self.horizon
    }
}

impl WindowIndex {
    /// The windows of spans of a table. Spans that are too short have none.
    ///
    /// # Errors
    /// [`DataError::TooFewRows`] if no span has a window.
    ///
    /// # Panics
    /// If `lookback` or `stride` is 0.
    pub fn new(
        table: &SeriesTable,
        spans: &[Span],
        lookback: usize,
        horizon: usize,
        stride: usize,
    ) -> Result<Self, DataError> {
        let index = Self::of_spans(spans, lookback, horizon, stride);
        if index.is_empty() {
            let longest = spans
                .iter()
                .max_by_key(|span| span.rows.end.min(span.rows.len() + lookback));
            return Err(DataError::TooFewRows {
                path: table.path().to_owned(),
                rows: longest.map_or(0, |span| span.rows.len()),
                before: longest.map_or(0, |span| span.rows.start),
                lookback,
                horizon,
            });
        }
        Ok(index)
    }

    /// The windows of spans, of which there may be none.
    ///
    /// # Panics
    /// If `lookback` or `stride` is 0.
    #[must_use]
    pub fn of_spans(spans: &[Span], lookback: usize, horizon: usize, stride: usize) -> Self {
        assert!(lookback > 0 && stride > 0, "a window needs rows and a step");
        let mut index = Self {
            lookback,
            horizon,
            stride,
            spans: Vec::new(),
            ends: Vec::new(),
        };
        for Span { series, rows } in spans {
            // Without a horizon the last row that is seen is the one that must be inside.
            let first = lookback.max(rows.start + usize::from(horizon == 0));
            let Some(last) = rows.end.checked_sub(horizon).filter(|last| *last >= first) else {
                continue;
            };
            let before = index.len();
            index.spans.push(Windows {
                series: *series,
                first,
                last,
            });
            index
                .ends
                .push(before + 1 + (last - first).div_ceil(stride));
        }
        index
    }

    /// How many windows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// How many spans are long enough for a window.
    #[must_use]
    pub fn n_spans(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many rows are seen.
    #[must_use]
    pub fn lookback(&self) -> usize {
        self.lookback
    }

    /// How many rows are to be told.
    #[must_use]
    pub fn horizon(&self) -> usize {
        self.horizon
    }

    /// How many rows apart windows begin.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The n-th window, in the order of the spans and in time order, at a cost that grows with the logarithm of the number
    /// of spans.
    ///
    /// # Panics
    /// If `n` is not below `len`.
    #[must_use]
    pub fn window(&self, n: usize) -> Window {
        assert!(
            n < self.len(),
            "there are {} windows, not {n} and more",
            self.len()
        );
        let span = self.ends.partition_point(|end| *end <= n);
        let before = span.checked_sub(1).map_or(0, |before| self.ends[before]);
        let Windows {
            series,
            first,
            last,
        } = self.spans[span];
        Window {
            series,
            start: last.min(first + (n - before) * self.stride) - self.lookback,
            lookback: self.lookback,
            horizon: self.horizon,
        }
    }

    /// All windows in their order.
    pub fn iter(&self) -> impl Iterator<Item = Window> + '_ {
        (0..self.len()).map(|n| self.window(n))
    }
}
