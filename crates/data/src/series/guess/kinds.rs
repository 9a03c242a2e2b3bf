//! What a column holds, by a sample of its rows.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::Record;
use crate::series::raw::field;
use crate::series::time::TimeColumn;
use crate::series::value::{NoValue, read_value};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Times, or so it seems.
    Times,
    /// Numbers.
    Numbers,
    /// Few different short words.
    Words,
    /// Anything else that is no number: texts of several words, or a different one in each row.
    Texts,
    /// Nothing.
    Nothing,
}

/// A column of the sample.
pub(super) struct ColumnKind {
    pub name: String,
    pub kind: Kind,
    /// Whether its values are numbers or missing, but for a few faulty ones, as of a column that holds nothing.
    pub are_numbers: bool,
    /// How many different values there are.
    pub n_distinct: usize,
}

impl Kind {
    /// What a column of it holds, in a word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Times => "times",
            Self::Numbers => "numbers",
            Self::Words => "words",
            Self::Texts => "texts",
            Self::Nothing => "nothing",
        }
    }
}

/// Words that name a column of times.
const TIME_NAMES: [&str; 9] = [
    "time",
    "date",
    "datetime",
    "timestamp",
    "ds",
    "ts",
    "day",
    "month",
    "year",
];

/// How many of so many values may be faulty without changing what a column is taken for: the reader says which they are.
pub(super) const fn tolerated(values: usize) -> usize {
    const LEAST: usize = 20;
    if values < LEAST { 0 } else { values / LEAST }
}

/// A name without case.
pub(super) fn is_called(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Tells what a column holds.
pub(super) fn column_kind(name: &str, place: usize, sample: &[Record]) -> ColumnKind {
    let texts: Vec<Cow<'_, str>> = sample
        .iter()
        .map(|record| field(record, place).unwrap_or_default())
        .collect();
    let present: Vec<&str> = texts
        .iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
        .collect();
    let distinct: HashSet<&str> = present.iter().copied().collect();
    let numbers = (present.iter())
        .filter(|text| read_value(text) != Err(NoValue::NotANumber))
        .count();
    let are_numbers = numbers + tolerated(present.len()) >= present.len();
    ColumnKind {
        name: name.to_owned(),
        kind: kind(name, &present, are_numbers, distinct.len()),
        are_numbers,
        n_distinct: distinct.len(),
    }
}

fn kind(name: &str, present: &[&str], are_numbers: bool, n_distinct: usize) -> Kind {
    if present.is_empty() {
        return Kind::Nothing;
    }
    let mut column = TimeColumn::new(None);
    let times = present.iter().filter(|text| column.push(text).is_ok());
    let are_times = times.count() + tolerated(present.len()) >= present.len();
    // A number is a time only where the column is called one.
    if are_times && (!are_numbers || is_called(name, &TIME_NAMES)) {
        return Kind::Times;
    }
    if are_numbers {
        return Kind::Numbers;
    }
    const LONGEST_WORDS: usize = 3;
    let is_short =
        |text: &&str| text.split_whitespace().count() <= LONGEST_WORDS && text.len() <= 64;
    // Of one row nobody knows whether its words come again.
    if present.iter().all(is_short) && (2 * n_distinct <= present.len() || present.len() < 4) {
        return Kind::Words;
    }
    Kind::Texts
}
