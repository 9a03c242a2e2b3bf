//! What values a key takes, and what is wrong with one that it does not take.

use std::fmt;

use regard_model::gradient_checkpointing::{parse_size, size_text};
use toml::Value;

use super::nearest::nearest;
use super::privacy::PrivacyUnit;
use super::values::{ClassWeights, Period};

/// The longest text that a configuration value may have, in bytes.
const MAX_TEXT_BYTES: usize = 4096;
/// The longest piece of a value that an error message repeats, in characters.
const MAX_SHOWN_CHARS: usize = 60;

/// The choices of stages that have a name.
const RECOMPUTED: &[&str] = &["none", "every-block"];

/// An interval of numbers; both ends are finite, so that infinity and NaN are never inside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    low: f64,
    low_is_open: bool,
    high: f64,
    high_is_open: bool,
}

impl Range {
    pub(super) const fn closed(low: f64, high: f64) -> Self {
        Self {
            low,
            low_is_open: false,
            high,
            high_is_open: false,
        }
    }

    pub(super) const fn half_open(low: f64, high: f64) -> Self {
        Self {
            high_is_open: true,
            ..Self::closed(low, high)
        }
    }

    pub(super) const fn open_closed(low: f64, high: f64) -> Self {
        Self {
            low_is_open: true,
            ..Self::closed(low, high)
        }
    }

    pub(super) const fn open(low: f64, high: f64) -> Self {
        Self {
            low_is_open: true,
            ..Self::half_open(low, high)
        }
    }

    fn contains(&self, number: f64) -> bool {
        let above = number > self.low || (!self.low_is_open && number == self.low);
        let below = number < self.high || (!self.high_is_open && number == self.high);
        above && below
    }
}

impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.low_is_open { '(' } else { '[' };
        let close = if self.high_is_open { ')' } else { ']' };
        if self.low > 0.0 && self.low < 1e-6 {
            return write!(formatter, "{open}{:e}, {}{close}", self.low, self.high);
        }
        write!(formatter, "{open}{}, {}{close}", self.low, self.high)
    }
}

/// The values that a key takes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// A whole number.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A number.
    Float(Range),
    /// `true` or `false`.
    Bool,
    /// A name that can be a folder's.
    Name,
    /// One of some names.
    OneOf {
        /// The names.
        names: &'static [&'static str],
        /// Names of the design that this build does not have.
        planned: &'static [&'static str],
    },
    /// Some of these names.
    AnyOf {
        /// The names.
        names: &'static [&'static str],
    },
    /// What private training protects.
    PrivacyUnit,
    /// A list of different texts.
    Texts {
        /// The least number of them.
        min: usize,
    },
    /// A list of numbers.
    Floats {
        /// How many.
        len: usize,
        /// The range of each.
        range: Range,
    },
    /// A list of different columns.
    Columns,
    /// Probabilities in (0, 1), each above the one before.
    Quantiles,
    /// A number of rows, or a share in (0, 1].
    Extent,
    /// A column: its name, or its 0-based number.
    Column,
    /// A path of a file, relative to the current directory.
    Path,
    /// A path of a file, or a share in (0, 1).
    PathOrShare,
    /// How much the examples of each class count: `"none"`, `"balanced"` or a list of numbers.
    ClassWeights,
    /// Which stages run again: `"none"`, `"every-block"`, `{every = 2}` or `{memory = "2 GiB"}`.
    GradientCheckpointing,
    /// A length of training.
    Period {
        /// Whether it may be empty.
        may_be_zero: bool,
    },
}

/// A value that a key does not take.
#[derive(Debug, PartialEq)]
pub(super) struct Mismatch {
    pub expected: String,
    pub found: String,
    pub hint: Option<String>,
}

impl Kind {
    /// The value in its normal form, or what is wrong with it.
    pub(super) fn check(&self, value: Value) -> Result<Value, Mismatch> {
        let mismatch = |hint: Option<String>| {
            Err(Mismatch {
                expected: self.to_string(),
                found: describe(&value),
                hint,
            })
        };
        let plain = |text: &str| {
            !text.is_empty() && text.len() <= MAX_TEXT_BYTES && !text.contains(char::is_control)
        };
        match (self, &value) {
            (Self::Integer { min, max }, Value::Integer(n)) if (min..=max).contains(&n) => {}
            (Self::Integer { .. }, Value::Float(x)) if x.fract() == 0.0 && x.abs() < 1e15 => {
                return mismatch(Some(format!("write {x} without a point or exponent")));
            }
            (Self::Float(range), Value::Float(x)) if range.contains(*x) => {}
            (Self::Float(range), Value::Integer(n)) if range.contains(*n as f64) => {
                return Ok(Value::Float(*n as f64));
            }
            (Self::Bool, Value::Boolean(_)) => {}
            (Self::Name, Value::String(text)) if plain(text) => {
                if text.contains(['/', '\\', ':']) || text.starts_with('.') {
                    return mismatch(Some("the name becomes a folder's name".to_owned()));
                }
            }
            (Self::OneOf { names, planned }, Value::String(text)) => {
                if planned.contains(&text.as_str()) {
                    return mismatch(Some(format!("this build does not have \"{text}\" yet")));
                }
                if !names.contains(&text.as_str()) {
                    let hint = nearest(text, names.iter().copied());
                    return mismatch(hint.map(|name| format!("did you mean \"{name}\"?")));
                }
            }
            (Self::PrivacyUnit, Value::String(text)) => {
                return match PrivacyUnit::parse(text) {
                    Some(unit) => Ok(Value::String(unit.to_string())),
                    None => mismatch(None),
                };
            }
            (Self::AnyOf { names }, Value::Array(items)) => {
                let mut seen = Vec::new();
                for item in items {
                    match item.as_str() {
                        Some(text) if names.contains(&text) && !seen.contains(&text) => {
                            seen.push(text);
                        }
                        Some(text) if names.contains(&text) => {
                            return mismatch(Some(format!("{} stands twice", describe(item))));
                        }
                        _ => {
                            let near = item
                                .as_str()
                                .and_then(|text| nearest(text, names.iter().copied()));
                            let hint = near.map(|name| format!("did you mean \"{name}\"?"));
                            return mismatch(
                                hint.or_else(|| Some(format!("{} is none", describe(item)))),
                            );
                        }
                    }
                }
            }
            (Self::Texts { min }, Value::Array(items)) => {
                let mut seen = std::collections::HashSet::new();
                for item in items {
                    match item.as_str() {
                        Some(text) if plain(text) && seen.insert(text) => {}
                        Some(text) if plain(text) => {
                            return mismatch(Some(format!("{} stands twice", describe(item))));
                        }
                        _ => return mismatch(Some(format!("{} is no such text", describe(item)))),
                    }
                }
                if items.len() < *min {
                    return mismatch(None);
                }
            }
            (Self::Floats { len, range }, Value::Array(items)) if items.len() == *len => {
                return numbers(items, *range).or_else(|hint| mismatch(Some(hint)));
            }
            (Self::Columns, Value::Array(items)) if !items.is_empty() => {
                for (i, item) in items.iter().enumerate() {
                    if Self::Column.check(item.clone()).is_err() {
                        return mismatch(Some(format!("{} is no column", describe(item))));
                    }
                    if items[..i].contains(item) {
                        return mismatch(Some(format!("{} stands twice", describe(item))));
                    }
                }
            }
            (Self::Quantiles, Value::Array(items)) if !items.is_empty() => {
                let checked = numbers(items, Range::open(0.0, 1.0));
                let checked = checked.or_else(|hint| mismatch(Some(hint)))?;
                let quantiles = checked.as_array().map(Vec::as_slice).unwrap_or_default();
                let value = |value: &Value| value.as_float().unwrap_or(f64::NAN);
                if quantiles
                    .windows(2)
                    .any(|pair| value(&pair[0]) >= value(&pair[1]))
                {
                    return mismatch(None);
                }
                return Ok(checked);
            }
            (Self::Extent, Value::Integer(n)) if *n >= 1 => {}
            (Self::Extent, Value::Float(x)) if Range::open_closed(0.0, 1.0).contains(*x) => {}
            (Self::ClassWeights, Value::String(text)) => {
                if ClassWeights::read(text).is_none() {
                    let hint = nearest(text, ClassWeights::NAMES.iter().copied());
                    return mismatch(hint.map(|name| format!("did you mean \"{name}\"?")));
                }
            }
            (Self::ClassWeights, Value::Array(items)) if items.len() >= 2 => {
                let range = Range::open_closed(0.0, 1e6);
                return numbers(items, range).or_else(|hint| mismatch(Some(hint)));
            }
            (Self::GradientCheckpointing, Value::String(text)) => {
                if !RECOMPUTED.contains(&text.as_str()) {
                    let hint = nearest(text, RECOMPUTED.iter().copied());
                    return mismatch(hint.map(|name| format!("did you mean \"{name}\"?")));
                }
            }
            (Self::GradientCheckpointing, Value::Table(table)) => {
                return recomputed(table).or_else(|hint| mismatch(Some(hint)));
            }
            (Self::Column, Value::String(text)) if plain(text) => {}
            (Self::Column, Value::Integer(n)) if (0..=1_000_000).contains(n) => {}
            (Self::Path | Self::PathOrShare, Value::String(text)) if plain(text) => {
                if matches!(self, Self::PathOrShare) && text.parse::<f64>().is_ok() {
                    return mismatch(Some("write a share without quotation marks".to_owned()));
                }
            }
            (Self::PathOrShare, Value::Float(x)) if Range::open(0.0, 1.0).contains(*x) => {}
            (Self::Period { may_be_zero }, Value::Integer(n)) if *n >= 0 => {
                if *n == 0 && !may_be_zero {
                    return mismatch(None);
                }
            }
            (Self::Period { may_be_zero }, Value::String(text)) => match Period::parse(text) {
                Some(period) if *may_be_zero || !period.is_zero() => {
                    return Ok(Value::String(period.to_string()));
                }
                _ => {
                    let steps = text.trim().parse::<u64>().is_ok();
                    return mismatch(
                        steps.then(|| "write steps without quotation marks".to_owned()),
                    );
                }
            },
            _ => return mismatch(None),
        }
        Ok(value)
    }

    /// The kind of value, in a word.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Integer { .. } => "integer",
            Self::Float(_) => "number",
            Self::Bool => "boolean",
            Self::Name => "name",
            Self::OneOf { .. } => "choice",
            Self::AnyOf { .. } => "list of names",
            Self::PrivacyUnit => "unit",
            Self::Texts { .. } => "list of texts",
            Self::Floats { .. } => "list of numbers",
            Self::ClassWeights => "class weights",
            Self::GradientCheckpointing => "stages",
            Self::Columns => "list of columns",
            Self::Quantiles => "list of numbers",
            Self::Extent => "rows or share",
            Self::Column => "column",
            Self::Path => "path",
            Self::PathOrShare => "path or share",
            Self::Period { .. } => "period",
        }
    }

    /// Reads the right side of `--set key=value`: TOML, or bare text where the key takes text.
    pub(super) fn read_argument(&self, text: &str) -> Value {
        let parsed = format!("value = {text}")
            .parse::<toml::Table>()
            .ok()
            .filter(|table| table.len() == 1)
            .and_then(|mut table| table.remove("value"));
        let bare = || Value::String(text.to_owned());
        match (self, parsed) {
            (_, None) => bare(),
            // A run may be called 7, and a file 2024.
            (Self::Name | Self::Path | Self::OneOf { .. } | Self::PrivacyUnit, Some(value))
                if !value.is_str() =>
            {
                bare()
            }
            (_, Some(value)) => value,
        }
    }
}

/// A choice of stages in its normal form, or what is wrong with it.
fn recomputed(table: &toml::Table) -> Result<Value, String> {
    let mut entries = table.iter();
    let (Some((name, value)), None) = (entries.next(), entries.next()) else {
        return Err(format!("it has {} keys, and needs one", table.len()));
    };
    let value = match (name.as_str(), value) {
        ("every", Value::Integer(n)) if (1..=1024).contains(n) => Value::Integer(*n),
        ("every", other) => {
            let found = describe(other);
            return Err(format!(
                "every is {found}, expected an integer from 1 to 1024"
            ));
        }
        ("memory", Value::String(text)) if let Some(bytes) = parse_size(text) => {
            Value::String(size_text(bytes))
        }
        ("memory", other) => {
            let found = describe(other);
            return Err(format!(
                "memory is {found}, expected an amount such as \"2 GiB\" or \"512 MiB\""
            ));
        }
        (other, _) => {
            let near = nearest(other, ["every", "memory"]);
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err(format!("`{other}` is unknown{near}"));
        }
    };
    Ok(Value::Table([(name.clone(), value)].into_iter().collect()))
}

/// A list of numbers in a range, or which of them is not.
fn numbers(items: &[Value], range: Range) -> Result<Value, String> {
    let item = Kind::Float(range);
    let checked: Result<Vec<Value>, Mismatch> = items
        .iter()
        .map(|number| item.check(number.clone()))
        .collect();
    checked
        .map(Value::Array)
        .map_err(|wrong| format!("{} is not", wrong.found))
}

/// The sentence that follows "expected".
impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer { min, max } if min == max => write!(formatter, "the integer {min}"),
            Self::Integer { min, max: i64::MAX } => write!(formatter, "an integer from {min} up"),
            Self::Integer { min, max } => write!(formatter, "an integer from {min} to {max}"),
            Self::Float(range) => write!(formatter, "a number in {range}"),
            Self::Bool => write!(formatter, "true or false"),
            Self::Name => write!(
                formatter,
                "a name without /, \\ and : that does not begin with a point"
            ),
            Self::OneOf { names, .. } => {
                for (i, name) in names.iter().enumerate() {
                    let before = match i {
                        0 => "",
                        _ if i + 1 == names.len() => " or ",
                        _ => ", ",
                    };
                    write!(formatter, "{before}\"{name}\"")?;
                }
                Ok(())
            }
            Self::AnyOf { names } => {
                let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
                write!(formatter, "a list of {}", names.join(", "))
            }
            Self::PrivacyUnit => write!(formatter, "{}", PrivacyUnit::FORMS),
            Self::Texts { min } => {
                write!(
                    formatter,
                    "a list of at least {min} different, non-empty texts"
                )
            }
            Self::Floats { len, range } => {
                write!(formatter, "a list of {len} numbers in {range}")
            }
            Self::ClassWeights => write!(
                formatter,
                "\"none\", \"balanced\" or a list of at least 2 numbers in (0, 1000000]"
            ),
            Self::GradientCheckpointing => write!(
                formatter,
                "\"none\", \"every-block\", {{every = 2}} or {{memory = \"2 GiB\"}}"
            ),
            Self::Columns => write!(
                formatter,
                "a list of different columns, each a name or a number from 0"
            ),
            Self::Quantiles => write!(
                formatter,
                "a list of numbers in (0, 1), each above the one before"
            ),
            Self::Extent => write!(formatter, "a number of rows, or a share in (0, 1]"),
            Self::Column => write!(formatter, "a column's name, or its number from 0"),
            Self::Path => write!(formatter, "a path"),
            Self::PathOrShare => write!(formatter, "a path, or a share in (0, 1)"),
            Self::Period { may_be_zero } => {
                let least = if *may_be_zero { "" } else { ", more than none" };
                write!(
                    formatter,
                    "an integer (steps), \"5%\" or \"1 epoch\"{least}"
                )
            }
        }
    }
}

/// A value as an error message shows it: short, on one line.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let mut shown: String = text.chars().take(MAX_SHOWN_CHARS).collect();
            if shown.len() < text.len() {
                shown.push('…');
            }
            format!("{shown:?}")
        }
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(truth) => truth.to_string(),
        Value::Datetime(date) => format!("the date {date}"),
        Value::Array(items) if items.len() <= 4 && !items.iter().any(Value::is_array) => {
            let shown: Vec<String> = items.iter().map(describe).collect();
            format!("[{}]", shown.join(", "))
        }
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Table(_) => "a table".to_owned(),
    }
}
