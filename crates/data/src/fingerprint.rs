//! Which data a run was trained on, as one hash.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Labels;

/// A BLAKE3 hash over the names of the columns, the labels in their order, and every text with its label.
///
/// It is of what was read, not of the file's bytes: the same rows as CSV and as JSON Lines agree.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

    fn number(&mut self, number: usize) {
        self.0.update(&(number as u64).to_le_bytes());
    }
}
