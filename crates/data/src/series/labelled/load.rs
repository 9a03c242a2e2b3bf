//! Series with a label each, in memory.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{long, ts, wide};
use crate::fingerprint::values_hash;
use crate::labelled_file::require_regular_file;
use crate::{Column, DataError, Fingerprint, Labels, Source};

/// How a file holds whole series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeriesForm {
    /// A file `.ts` of the UCR and UEA archives: one series a line, channels parted by colons, the label last.
    Ts,
    /// A table with a row a series: every column but the label is a time step, in the order of the columns. Steps that are
    /// missing at the end of a row are behind the series' end.
    Wide,
    /// A table with a row a time step, a column of ids, and a label that is the same in all rows of an id.
    Long,
}

/// The columns of a table of labelled series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LabelledColumns {
    /// The column of labels; none where there are no labels, as in a table to predict for.
    pub label: Option<Column>,
    /// Which rows are one series: with it a table is read in long form, without in wide form.
    pub id: Option<Column>,
    /// The times of a long table; without it rows are in time order.
    pub time: Option<Column>,
    /// The channels of a long table, or the steps of a wide one. Empty: all columns of numbers that are not named otherwise.
    pub values: Vec<Column>,
}

impl LabelledColumns {
    /// The form of a file: the extension tells `.ts`, the column of ids the long form.
    #[must_use]
    pub fn form(&self, source: &Source) -> SeriesForm {
        let is_ts = |path: &Path| {
            path.extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("ts"))
        };
        match &self.id {
            _ if is_ts(source.path()) => SeriesForm::Ts,
            Some(_) => SeriesForm::Long,
            None => SeriesForm::Wide,
        }
    }
}

/// Series of the same channels, each with a length of its own and a label.
///
/// Values are rows in time order, `[length, channels]`, NaN where one is missing.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledSeries {
    pub(super) channels: Vec<String>,
    pub(super) values: Vec<f32>,
    /// Where the rows of each series end.
    pub(super) ends: Vec<usize>,
    pub(super) ids: Vec<String>,
    pub(super) lines: Vec<u64>,
    pub(super) label_ids: Vec<u32>,
    pub(super) labels: Labels,
    pub(super) fingerprint: Fingerprint,
}

impl LabelledSeries {
    /// Reads a file. With `labels` every label must be one of them; without, they are what the file names, in natural
    /// order.
    ///
    /// # Errors
    /// If the file is faulty, a column is missing, a value is no number or infinite, a label is missing, unknown or not
    /// the same in all rows of its series, or a series is empty.
    pub fn load(
        source: &Source,
        columns: &LabelledColumns,
        labels: Option<&Labels>,
    ) -> Result<Self, DataError> {
        require_regular_file(source.path())?;
        match columns.form(source) {
            SeriesForm::Ts => ts::read(source, labels),
            SeriesForm::Wide => wide::read(source, columns, labels),
            SeriesForm::Long => long::read(source, columns, labels),
        }
    }

    /// How many series there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none; a file without series is an error.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The names of the channels; numbers from 0 where the file names none.
    #[must_use]
    pub fn channels(&self) -> &[String] {
        &self.channels
    }

    /// The number of time steps of a series.
    ///
    /// # Panics
    /// If `series` is not below `len`, as all functions that take one.
    #[must_use]
    pub fn length(&self, series: usize) -> usize {
        self.ends[series] - self.start(series)
    }

    /// The length of the longest series.
    #[must_use]
    pub fn longest(&self) -> usize {
        (0..self.len())
            .map(|series| self.length(series))
            .max()
            .unwrap_or(0)
    }

    /// The values of a series, `[length, channels]`.
    #[must_use]
    pub fn values(&self, series: usize) -> &[f32] {
        let width = self.channels.len();
        &self.values[self.start(series) * width..self.ends[series] * width]
    }

    /// 64 bits of the hash of a series' values.
    #[must_use]
    pub fn hash(&self, series: usize) -> u64 {
        values_hash(self.values(series))
    }

    /// The id of a series: of a long table its own, else its number from 0.
    #[must_use]
    pub fn id(&self, series: usize) -> &str {
        &self.ids[series]
    }

    /// The line where a series starts, from 1.
    #[must_use]
    pub fn line(&self, series: usize) -> u64 {
        self.lines[series]
    }

    /// Whether the file has labels.
    #[must_use]
    pub fn is_labelled(&self) -> bool {
        !self.label_ids.is_empty()
    }

    /// The label of each series, by id; empty where the file has none.
    #[must_use]
    pub fn label_ids(&self) -> &[u32] {
        &self.label_ids
    }

    /// The labels.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// A hash over channels, labels and values, the same for the same data on every machine.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Cuts off what lies behind the first `steps` of each series.
    pub fn cut_to(&mut self, steps: usize) {
        if self.longest() <= steps {
            return;
        }
        let width = self.channels.len();
        let mut values = Vec::with_capacity(self.values.len());
        let mut ends = Vec::with_capacity(self.len());
        for series in 0..self.len() {
            let kept = self.length(series).min(steps);
            values.extend_from_slice(&self.values(series)[..kept * width]);
            ends.push(values.len() / width);
        }
        (self.values, self.ends) = (values, ends);
    }

    fn start(&self, series: usize) -> usize {
        series.checked_sub(1).map_or(0, |before| self.ends[before])
    }
}
