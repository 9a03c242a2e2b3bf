//! What a column holds, by a sample of its rows.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::Record;
use crate::series::raw::field;
use crate::series::time::TimeColumn;
use crate::series::value::{NoValue, read_value};

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// How many different values there are.
    pub n_distinct: usize,
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
    ColumnKind {
        name: name.to_owned(),
        kind: kind(name, &present, distinct.len()),
        n_distinct: distinct.len(),
    }
}

fn kind(name: &str, present: &[&str], n_distinct: usize) -> Kind {
    if present.is_empty() {
        return Kind::Nothing;
    }
    let numbers = present
        .iter()
        .all(|text| read_value(text) != Err(NoValue::NotANumber));
    let mut times = TimeColumn::new(None);
    let reads_times = present.iter().all(|text| times.push(text).is_ok());
    // A number is a time only where the column is called one.
    if reads_times && (!numbers || is_called(name, &TIME_NAMES)) {
        return Kind::Times;
    }
    if numbers {
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
