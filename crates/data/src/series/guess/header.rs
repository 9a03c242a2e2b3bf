//! Whether the first row of a table names its columns.

use super::kinds::tolerated;
use crate::series::time::TimeColumn;
use crate::series::value::{NoValue, read_value};
use crate::wording::other_separator;
use crate::{DataError, Format, Records, Source};

/// Rows that the question looks at.
const LOOKED_AT: usize = 1_000;
/// A longer field is no name.
const LONGEST_NAME: usize = 64;
/// So many whole numbers that count on are names beside an index without a name, or beside a word.
const LEAST_COUNTED: usize = 3;
const MANY_COUNTED: usize = 8;

/// Whether the first row of a table names its columns. Other files than tables count as named.
///
/// It does where a field is neither a number nor a time and all values below it are, or where all fields but one at an end
/// are numbers that count on, as pandas writes columns without names. Elsewhere it does if none of its fields is empty, a number, long,
/// or comes again in its column.
///
/// # Errors
/// If the first rows cannot be read, or hold one field each that another separator parts.
pub fn has_header(source: &Source) -> Result<bool, DataError> {
    let source = source.clone().with_header(false);
    if !matches!(source.format()?, Format::Csv | Format::Tsv) {
        return Ok(true);
    }
    let mut records = Records::open(&source)?;
    let n_columns = records.columns().len();
    let Some(first) = records.next().transpose()? else {
        return Ok(true);
    };
    let names: Vec<String> = (0..n_columns)
        .map(|place| first.text(place).map(|name| name.trim().to_owned()))
        .collect::<Result<_, _>>()?;
    let hint = other_separator(&names);
    if !hint.is_empty() {
        return Err(DataError::OneColumn {
            path: source.path().to_owned(),
            hint,
        });
    }
    let mut below: Vec<Below> = (0..n_columns).map(|_| Below::new()).collect();
    for record in records.take(LOOKED_AT) {
        let record = record?;
        for (place, below) in below.iter_mut().enumerate() {
            below.add(record.text(place)?.trim(), &names[place]);
        }
    }
    let is_named = |(name, below): (&String, &Below)| {
        !name.is_empty()
            && name.chars().count() <= LONGEST_NAME
            && !is_number(name)
            && TimeColumn::new(None).push(name).is_err()
            && below.is_typed()
    };
    if names.iter().zip(&below).any(is_named) {
        return Ok(true);
    }
    if names_count_on(&names, &below) {
        return Ok(true);
    }
    let looks_like_data = |(name, below): (&String, &Below)| {
        name.is_empty()
            || name.parse::<f64>().is_ok()
            || name.chars().count() > LONGEST_NAME
            || below.has_name
    };
    Ok(!names.iter().zip(&below).any(looks_like_data))
}

/// Whether names of columns look like values: one is a time, no whole number or long, or all are numbers.
#[must_use]
pub fn are_values(names: &[String]) -> bool {
    let is_value = |name: &String| {
        let name = name.trim();
        let is_whole = || name.bytes().all(|byte| byte.is_ascii_digit());
        name.chars().count() > LONGEST_NAME
            || (TimeColumn::new(None).push(name).is_ok() && !is_whole())
            || (name.parse::<f64>().is_ok() && !is_whole())
    };
    names.iter().any(is_value) || names.iter().all(|name| is_number(name))
}

/// Whether a field by itself can be read as a time that is more than a number.
#[must_use]
pub fn reads_as_time(text: &str) -> bool {
    !is_number(text) && TimeColumn::new(None).push(text).is_ok()
}

fn is_number(text: &str) -> bool {
    read_value(text) != Err(NoValue::NotANumber)
}

/// Whether all names but the first or the last are whole numbers that count on, beside an index without a name, or, where
/// there are many, beside a word.
fn names_count_on(names: &[String], below: &[Below]) -> bool {
    let is_word = |name: &String| !name.is_empty() && !is_number(name);
    let is_index = |column: &Below| !column.has_empty && column.is_typed();
    match names {
        [index, others @ ..] if index.is_empty() && is_index(&below[0]) => {
            others.len() >= LEAST_COUNTED && count_on(others)
        }
        [word, others @ ..] | [others @ .., word] if is_word(word) => {
            others.len() >= MANY_COUNTED && count_on(others)
        }
        _ => false,
    }
}

fn count_on(names: &[String]) -> bool {
    let numbers: Vec<u64> = names.iter().flat_map(|name| name.parse()).collect();
    numbers.len() == names.len() && numbers.windows(2).all(|pair| pair[0] + 1 == pair[1])
}

/// What stands below the first field of a column.
struct Below {
    present: usize,
    numbers: usize,
    times: usize,
    reader: TimeColumn,
    has_empty: bool,
    has_name: bool,
}

impl Below {
    fn new() -> Self {
        Self {
            present: 0,
            numbers: 0,
            times: 0,
            reader: TimeColumn::new(None),
            has_empty: false,
            has_name: false,
        }
    }

    fn add(&mut self, text: &str, name: &str) {
        self.has_name |= text == name;
        if text.is_empty() {
            self.has_empty = true;
            return;
        }
        self.present += 1;
        self.numbers += usize::from(is_number(text));
        self.times += usize::from(self.reader.push(text).is_ok());
    }

    /// Whether all values are numbers, or all are times, but for a few faulty ones.
    fn is_typed(&self) -> bool {
        let all = self.present - tolerated(self.present);
        self.present > 0 && (self.numbers >= all || self.times >= all)
    }
}
