//! `[privacy]`: what private training promises.

mod conflicts;

use std::fmt;

use regard_accounting::Adjacency;
use regard_data::Column;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Table, Value};

use super::names::{Keep, ScalerKind};

pub(super) use conflicts::conflicts;

/// Keys that have another default beside `[privacy]`: clipping is per unit there, and nothing is
/// chosen by looking at private data.
const PRIVATE_DEFAULTS: &[(&str, &str, Value)] = &[
    ("train", "max_grad_norm", Value::Float(0.0)),
    ("report", "examples", Value::Boolean(false)),
];

/// How a unit's gradient is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ClippingStyle {
    /// Its norm over all parameters is at most `max_grad_norm`.
    Flat,
    /// It is divided by its norm, so that every unit counts about the same and there is no threshold
    /// to tune (Bu et al. 2022, <https://arxiv.org/abs/2206.07136>).
    AutoS,
    /// Its norm over the parameters of each operation is at most an even share of `max_grad_norm`.
    PerLayer,
}

impl ClippingStyle {
    /// Every name that a configuration may use.
    pub const NAMES: &'static [&'static str] = &["flat", "auto-s", "per-layer"];
}

/// Which two datasets must be hard to tell apart, as a configuration names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AdjacencyName {
    /// One unit more or less.
    AddRemove,
    /// One unit that contributes nothing; the number of units is public.
    ZeroOut,
    /// One unit replaced by another; the number of units is public.
    ReplaceOne,
}

impl AdjacencyName {
    /// Every name that a configuration may use.
    pub const NAMES: &'static [&'static str] = &["add-remove", "zero-out", "replace-one"];

    /// The accountant's adjacency.
    #[must_use]
    pub const fn adjacency(self) -> Adjacency {
        match self {
            Self::AddRemove => Adjacency::AddRemove,
            Self::ZeroOut => Adjacency::ZeroOut,
            Self::ReplaceOne => Adjacency::ReplaceOne,
        }
    }
}

/// What the promise protects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrivacyUnit {
    /// Each record of the training data.
    Record,
    /// Each text, which is a record.
    Document,
    /// Each training window of a series.
    Window,
    /// Each series, with all its windows.
    Series,
    /// All records with the same value in a column, together.
    User(Column),
}

impl PrivacyUnit {
    /// What a configuration may write.
    pub const FORMS: &'static str = "\"record\", \"document\" or \"user:COLUMN\" for texts, \"series\" or \"window\" for series";

    /// The unit that a text names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "record" => return Some(Self::Record),
            "document" => return Some(Self::Document),
            "window" => return Some(Self::Window),
            "series" => return Some(Self::Series),
            _ => {}
        }
        let column = text.strip_prefix("user:").map(str::trim)?;
        if column.is_empty() {
            return None;
        }
        Some(Self::User(match column.parse() {
            Ok(number) => Column::Number(number),
            Err(_) => Column::Name(column.to_owned()),
        }))
    }
}

impl fmt::Display for PrivacyUnit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record => write!(formatter, "record"),
            Self::Document => write!(formatter, "document"),
            Self::Window => write!(formatter, "window"),
            Self::Series => write!(formatter, "series"),
            Self::User(Column::Name(name)) => write!(formatter, "user:{name}"),
            Self::User(Column::Number(number)) => write!(formatter, "user:{number}"),
        }
    }
}

impl Serialize for PrivacyUnit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PrivacyUnit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let unknown = || serde::de::Error::custom(format!("\"{text}\" is no unit"));
        Self::parse(&text).ok_or_else(unknown)
    }
}

/// `[privacy]`: what private training promises.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivacyConfig {
    /// The largest epsilon of the whole run; the noise follows from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// The probability with which the promise may fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta: Option<f64>,
    /// The standard deviation of the noise over the bound on a unit's contribution; epsilon follows
    /// from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_multiplier: Option<f64>,
    /// The bound on the norm of a unit's contribution to a step.
    pub max_grad_norm: f64,
    /// How a unit's gradient is bounded.
    pub clipping: ClippingStyle,
    /// What the promise protects.
    pub unit: PrivacyUnit,
    /// The most rows of a unit that a step takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rows_per_unit: Option<usize>,
    /// Which two datasets must be hard to tell apart.
    pub adjacency: AdjacencyName,
    /// The probability with which a step draws a unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_rate: Option<f64>,
    /// The number of units of the training data, as a public constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_size: Option<u64>,
    /// Canaries that are planted for an audit of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_canaries: Option<usize>,
    /// What of the data is public all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<Vec<String>>,
}

impl PrivacyConfig {
    /// Parts of the data that can be declared public.
    pub const PUBLIC_NAMES: &'static [&'static str] = &["labels", "valid", "vocabulary", "scaler"];

    /// Whether a part of the data was declared public.
    #[must_use]
    pub fn is_public(&self, part: &str) -> bool {
        let public = self.public.iter().flatten();
        public.into_iter().any(|name| name == part)
    }
}

/// Gives keys that were not written the defaults that they have beside `[privacy]`.
pub(super) fn set_private_defaults(resolved: &mut Table, is_written: impl Fn(&str) -> bool) {
    let set = |resolved: &mut Table, section: &str, name: &str, value: Value| {
        if let Some(table) = resolved.get_mut(section).and_then(Value::as_table_mut)
            && !is_written(&format!("{section}.{name}"))
        {
            table.insert(name.to_owned(), value);
        }
    };
    for (section, name, value) in PRIVATE_DEFAULTS {
        set(resolved, section, name, value.clone());
    }
    set(
        resolved,
        "eval",
        "keep",
        Value::String(Keep::Last.name().to_owned()),
    );
    let public = resolved
        .get("privacy")
        .and_then(|table| table.get("public"));
    let public = public.and_then(Value::as_array).into_iter().flatten();
    if !public
        .into_iter()
        .any(|part| part.as_str() == Some("scaler"))
    {
        let none = ScalerKind::None.name().to_owned();
        set(resolved, "data", "scaler", Value::String(none));
    }
    let key = |name: &str| resolved.get("privacy").and_then(|table| table.get(name));
    let size = key("dataset_size").and_then(Value::as_integer);
    let rate = key("sample_rate").and_then(Value::as_float);
    if let (Some(size), Some(rate)) = (size, rate)
        && !is_written("train.batch_size")
        && let Some(table) = resolved.get_mut("train").and_then(Value::as_table_mut)
    {
        let batch = expected_batch(rate, size as u64);
        table.insert("batch_size".to_owned(), Value::Integer(batch));
    }
}

/// The expected batch as a whole number.
fn expected_batch(sample_rate: f64, dataset_size: u64) -> i64 {
    ((sample_rate * dataset_size as f64).round() as i64).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_reads_what_it_writes() {
        for text in [
            "record",
            "document",
            "window",
            "series",
            "user:name",
            "user:3",
            "user:first name",
        ] {
            assert_eq!(PrivacyUnit::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "user", "user:", "users:a", "windows"] {
            assert_eq!(PrivacyUnit::parse(text), None, "{text}");
        }
    }
}
