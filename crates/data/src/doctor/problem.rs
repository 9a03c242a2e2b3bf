//! What the doctor has to say, one thing at a time.

use std::path::PathBuf;

use serde::Serialize;

use crate::{DataError, Record};

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Training would refuse, or learn nothing that means anything.
    Error,
    /// Training goes on, and its figures mislead or are worse than they could be.
    Warning,
    /// Worth knowing.
    Note,
}

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u64,
}

/// Something that a person should know of their data or settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How much it matters.
    pub level: Level,
    /// The file, where it is in one.
    pub file: Option<PathBuf>,
    /// The first line of the file where it is, from 1.
    pub line: Option<u64>,
    /// How often it occurs.
    pub count: u64,
    /// What it is.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem of no place.
    pub fn new(level: Level, message: impl Into<String>) -> Self {
        Self {
            level,
            file: None,
            line: None,
            count: 1,
            message: message.into(),
            hint: None,
        }
    }

    /// In this file.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// First at this place.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.file = Some(place.file.clone());
        self.line = Some(place.line);
        self
    }

    /// This often.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = count;
        self
    }

    /// To be mended like this.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// An error of a reader, its place and its advice taken apart.
    #[must_use]
    pub fn of_error(error: &DataError) -> Self {
        let (file, line) = error.place();
        let mut message = error.to_string();
        if let Some(file) = file {
            let file = file.display().to_string();
            if let Some(rest) = message.strip_prefix(&file) {
                message = rest.trim_start_matches([':', ' ']).to_owned();
            }
        }
        if let Some(line) = line {
            let place = format!("line {line}");
            if let Some(rest) = message.strip_prefix(&place) {
                message = rest.trim_start_matches([':', ',', ' ']).to_owned();
            }
        }
        // Advice follows a semicolon in all messages of this crate.
        let (mut message, hint) = match message.split_once("; ") {
            Some((what, how)) => (what.to_owned(), Some(how.to_owned())),
            None => (message, None),
        };
        if let Some(cause) = std::error::Error::source(error) {
            message.push_str(&format!(": {cause}"));
        }
        Self {
            level: Level::Error,
            file: file.map(ToOwned::to_owned),
            line,
            count: 1,
            message,
            hint,
        }
    }
}

/// How often something occurred, and where first.
#[derive(Debug, Default)]
pub(super) struct Tally {
    first: Option<Place>,
    count: u64,
}

impl Tally {
    pub(super) fn add(&mut self, record: &Record) {
        self.count += 1;
        self.first.get_or_insert_with(|| Place {
            file: record.path().to_owned(),
            line: record.line(),
        });
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The problem, if it occurred; `message` is told how often.
    pub(super) fn problem(
        &self,
        level: Level,
        message: impl FnOnce(u64) -> String,
        hint: &str,
    ) -> Option<Problem> {
        let first = self.first.as_ref()?;
        Some(
            Problem::new(level, message(self.count))
                .at(first)
                .times(self.count)
                .hint(hint),
        )
    }
}

/// `1 row`, `2 rows`, `1,234 rows`.
pub(crate) fn rows(count: u64) -> String {
    counted(count, "row")
}

/// A number of things whose plural ends in s.
pub(crate) fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(count))
}

/// A number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_parted_by_commas() {
        assert_eq!(rows(1), "1 row");
        assert_eq!(rows(999), "999 rows");
        assert_eq!(rows(1_234_567), "1,234,567 rows");
    }

    #[test]
    fn an_error_is_taken_apart() {
        let error = DataError::InvalidUtf8 {
            path: "a.csv".into(),
            line: 3,
            byte: 7,
        };
        let problem = Problem::of_error(&error);
        assert_eq!(problem.file, Some("a.csv".into()));
        assert_eq!(problem.line, Some(3));
        assert_eq!(problem.message, "byte 7: invalid UTF-8");
        let hint = "convert the file, for example with iconv -f LATIN1 -t UTF-8";
        assert_eq!(problem.hint.as_deref(), Some(hint));

        let error = DataError::Open {
            path: "a.csv".into(),
            source: std::io::Error::other("gone"),
        };
        let problem = Problem::of_error(&error);
        assert_eq!(problem.message, "cannot open a.csv: gone");
        assert_eq!((problem.line, problem.hint), (None, None));
    }
}
