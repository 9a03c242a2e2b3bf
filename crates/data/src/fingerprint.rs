//! Which data a run was trained on, as one hash.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::series::LabelledSeries;
use crate::{Labels, SeriesTable};

/// A BLAKE3 hash over the names of the columns and every row: of texts the labels in their order, and each text with its
/// label; of series their ids, times and values.
///
/// It is of what was read, not of the file's bytes: the same rows as CSV and as JSON Lines agree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The hash in hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The hash of a table of time series, as it is laid out: the order of the file's rows does not count where their times
/// tell it.
pub(crate) fn series_fingerprint(table: &SeriesTable) -> Fingerprint {
    let mut hasher = Fingerprinter(blake3::Hasher::new_derive_key(
        "Regard time series, version 1",
    ));
    let columns = table.columns();
    hasher.list(columns.iter().map(String::as_str));
    hasher.number(table.n_targets());
    hasher.number(table.n_series());
    let mut row_values = vec![0.0; columns.len()];
    for series in 0..table.n_series() {
        hasher.part(table.id(series));
        hasher.number(table.len(series));
        for row in 0..table.len(series) {
            if let Some(time) = table.time(series, row) {
                hasher.0.update(&time.0.to_le_bytes());
            }
            table.copy_rows(series, row..row + 1, &mut row_values);
            hasher.values(&row_values);
        }
    }
    Fingerprint(hasher.0.finalize().to_hex().to_string())
}

/// The hash of labelled series.
pub(crate) fn labelled_series_fingerprint(series: &LabelledSeries) -> Fingerprint {
    let mut hasher = Fingerprinter(blake3::Hasher::new_derive_key(
        "Regard labelled series, version 1",
    ));
    hasher.list(series.channels().iter().map(String::as_str));
    hasher.list(series.labels().names().iter().map(String::as_str));
    hasher.number(series.len());
    for number in 0..series.len() {
        hasher.number(series.length(number));
        hasher.values(series.values(number));
        if let Some(label) = series.label_ids().get(number) {
            hasher.number(*label as usize);
        }
    }
    Fingerprint(hasher.0.finalize().to_hex().to_string())
}

/// Hashes rows while they are read. Every part is preceded by its length, so that no two data sets hash the same bytes.
pub(crate) struct Fingerprinter(blake3::Hasher);

impl Fingerprinter {
    pub(crate) fn new(columns: &[&str]) -> Self {
        let mut hasher = Self(blake3::Hasher::new_derive_key(
            "Regard labelled texts, version 1",
        ));
        hasher.list(columns.iter().copied());
        hasher
    }

    pub(crate) fn row(&mut self, text: &str, label: &str) {
        self.part(text);
        self.part(label);
    }

    pub(crate) fn finish(mut self, rows: usize, labels: &Labels) -> Fingerprint {
        self.number(rows);
        self.list(labels.names().iter().map(String::as_str));
        Fingerprint(self.0.finalize().to_hex().to_string())
    }

    fn list<'a>(&mut self, parts: impl ExactSizeIterator<Item = &'a str>) {
        self.number(parts.len());
        parts.for_each(|part| self.part(part));
    }

    fn part(&mut self, text: &str) {
        self.number(text.len());
        self.0.update(text.as_bytes());
    }

    fn values(&mut self, values: &[f32]) {
        for value in values {
            // One NaN for all: there are many, and they all mean missing.
            let value = if value.is_nan() { f32::NAN } else { *value };
            self.0.update(&value.to_le_bytes());
        }
    }

    fn number(&mut self, number: usize) {
        self.0.update(&(number as u64).to_le_bytes());
    }
}

/// 64 bits of the hash of a text: of ten million texts two are confused once in 300,000 files.
#[must_use]
pub fn text_hash(text: &str) -> u64 {
    first_bits(blake3::hash(text.as_bytes()))
}

/// 64 bits of the hash of the values of a series.
pub(crate) fn values_hash(values: &[f32]) -> u64 {
    let mut hasher = Fingerprinter(blake3::Hasher::new());
    hasher.values(values);
    first_bits(hasher.0.finalize())
}

fn first_bits(hash: blake3::Hash) -> u64 {
    let (first, _) = hash.as_bytes().split_at(8);
    first
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
