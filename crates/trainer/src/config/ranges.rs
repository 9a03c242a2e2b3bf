//! `[tune.ranges]`: the values that a search may give to keys.
//!
//! The table says nothing of a single run: it is no part of a [`super::Config`], and no fingerprint
//! depends on it. It is checked with the rest of the file all the same, so that a slip in it is found
//! when the file is read and not when a search begins.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::error::{Origin, Problem};
use super::keys::{self, Key};
use super::kind::{Kind, Mismatch, describe};
use super::nearest::nearest;

/// More choices than this are no list that somebody wrote.
const MOST_CHOICES: usize = 1000;
/// What stands where a key's range should stand.
const A_RANGE: &str = "a list of values, or {min = …, max = …}";

/// Keys that no search may set, by path or section, and why.
const FIXED: &[(&str, &str)] = &[
    ("version", "the format of the file is no setting of a model"),
    ("task", "trials of different tasks cannot be compared"),
    ("name", "the search names its runs itself"),
    (
        "seed",
        "a search over seeds chooses the luckiest one; `regard bench seeds` shows their spread",
    ),
    (
        "data",
        "trials are compared on the same data, read in the same way",
    ),
    ("eval", "trials are compared by the same figure"),
    ("checkpoint", "nothing that is learned depends on it"),
    ("report", "nothing that is learned depends on it"),
    (
        "privacy",
        "each trial looks at the private data anew, and no promise would hold",
    ),
    ("train.epochs", "the search decides how long a trial trains"),
    (
        "train.max_steps",
        "the search decides how long a trial trains",
    ),
    (
        "train.gradient_checkpointing",
        "nothing that is learned depends on it",
    ),
    (
        "train.early_stopping",
        "the search decides how long a trial trains",
    ),
];

/// How the numbers between two ends are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Every number alike.
    #[default]
    Linear,
    /// Every ratio alike: as many between 0.001 and 0.01 as between 0.01 and 0.1.
    Log,
}

impl Scale {
    /// Every name that a configuration may use.
    const NAMES: &'static [&'static str] = &["linear", "log"];

    fn read(text: &str) -> Option<Self> {
        match text {
            "linear" => Some(Self::Linear),
            "log" => Some(Self::Log),
            _ => None,
        }
    }
}

/// The values that a search may give to one key.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SearchRange {
    /// One of these.
    Choices(Vec<Value>),
    /// A whole number between two, both included.
    Integers {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
        /// How they are spread.
        scale: Scale,
    },
    /// A number between two.
    Numbers {
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
        /// How they are spread.
        scale: Scale,
    },
}

/// The range as a configuration has it, in TOML.
impl fmt::Display for SearchRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ends = |min: &dyn fmt::Display, max: &dyn fmt::Display, scale: &Scale| {
            write!(formatter, "{{min = {min}, max = {max}")?;
            if *scale == Scale::Log {
                write!(formatter, ", scale = \"log\"")?;
            }
            write!(formatter, "}}")
        };
        match self {
            Self::Integers { min, max, scale } => ends(min, max, scale),
            Self::Numbers { min, max, scale } => {
                ends(&Value::Float(*min), &Value::Float(*max), scale)
            }
            Self::Choices(values) => write!(formatter, "{}", Value::Array(values.clone())),
        }
    }
}

/// The keys that a search sets, by path, with their ranges.
pub type SearchRanges = BTreeMap<String, SearchRange>;

/// Ranges as they were written, by the path of their key.
pub(super) type WrittenRanges = BTreeMap<String, (Value, Origin)>;

/// The ranges that are right; a problem for each that is not.
pub(super) fn check(written: WrittenRanges, problems: &mut Vec<Problem>) -> SearchRanges {
    let mut ranges = SearchRanges::new();
    for (path, (value, origin)) in written {
        let checked = match keys::find(&path) {
            Some(key) => range(key, value),
            // Only known keys are written into the map.
            None => continue,
        };
        match checked {
            Ok(range) => {
                ranges.insert(path, range);
            }
            Err(wrong) => problems.push(Problem {
                origin,
                key: format!("tune.ranges.{path}"),
                expected: wrong.expected,
                found: wrong.found,
                hint: wrong.hint,
            }),
        }
    }
    ranges
}

fn range(key: &Key, value: Value) -> Result<SearchRange, Mismatch> {
    let path = key.path();
    let fixed = FIXED
        .iter()
        .find(|(fixed, _)| *fixed == path || *fixed == key.section);
    if let Some((_, reason)) = fixed {
        return Err(Mismatch {
            expected: "a key that a search may set".to_owned(),
            found: "one that it may not".to_owned(),
            hint: Some((*reason).to_owned()),
        });
    }
    match value {
        Value::Array(items) => choices(key, items),
        Value::Table(table) => ends(key, &table),
        other => Err(Mismatch {
            expected: A_RANGE.to_owned(),
            found: describe(&other),
            hint: Some(format!("one value is no range: set `{path}` itself")),
        }),
    }
}

fn choices(key: &Key, items: Vec<Value>) -> Result<SearchRange, Mismatch> {
    let whole = Value::Array(items.clone());
    let mismatch = |expected: String, hint: Option<String>| Mismatch {
        expected,
        found: describe(&whole),
        hint,
    };
    if !(2..=MOST_CHOICES).contains(&items.len()) {
        return Err(mismatch(
            format!("a list of 2 to {MOST_CHOICES} values"),
            (items.len() == 1)
                .then(|| format!("one value is no range: set `{}` itself", key.path())),
        ));
    }
    let mut values: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        match key.kind.check(item) {
            Ok(value) if values.contains(&value) => {
                return Err(mismatch(
                    "a list of different values".to_owned(),
                    Some(format!("{} stands twice", describe(&value))),
                ));
            }
            Ok(value) => values.push(value),
            Err(wrong) => {
                let hint = wrong.hint.map_or(String::new(), |hint| format!(": {hint}"));
                return Err(mismatch(
                    format!("a list of which each is {}", wrong.expected),
                    Some(format!("{} is not{hint}", wrong.found)),
                ));
            }
        }
    }
    Ok(SearchRange::Choices(values))
}

fn ends(key: &Key, table: &Table) -> Result<SearchRange, Mismatch> {
    const FIELDS: [&str; 3] = ["min", "max", "scale"];
    let mismatch = |expected: String, found: String, hint: Option<String>| {
        Err(Mismatch {
            expected,
            found,
            hint,
        })
    };
    if !matches!(key.kind, Kind::Integer { .. } | Kind::Float(_)) {
        let hint = "only a number has values between two others".to_owned();
        return mismatch(
            format!("a list, each {}", key.kind),
            "a table".to_owned(),
            Some(hint),
        );
    }
    if let Some(other) = table.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        let near = nearest(other, FIELDS).map(|near| format!("did you mean `{near}`?"));
        return mismatch(
            "min, max and scale alone".to_owned(),
            describe(&Value::String(other.clone())),
            near,
        );
    }
    let end = |name: &str| match table.get(name) {
        None => Err(Mismatch {
            expected: "both min and max".to_owned(),
            found: format!("no {name}"),
            hint: Some("for instance {min = 1, max = 4}".to_owned()),
        }),
        Some(value) => key.kind.check(value.clone()).map_err(|wrong| Mismatch {
            expected: format!("{name}: {}", wrong.expected),
            ..wrong
        }),
    };
    let (min, max) = (end("min")?, end("max")?);
    let scale = match table.get("scale") {
        None => Scale::Linear,
        Some(value) => match value.as_str().and_then(Scale::read) {
            Some(scale) => scale,
            None => {
                let names = Scale::NAMES.join("\" or \"");
                let near = value.as_str().and_then(|text| {
                    nearest(text, Scale::NAMES.iter().copied())
                        .map(|near| format!("did you mean \"{near}\"?"))
                });
                return mismatch(format!("scale: \"{names}\""), describe(value), near);
            }
        },
    };
    let shown = || format!("min = {}, max = {}", describe(&min), describe(&max));
    let number = |value: &Value| value.as_float().or(value.as_integer().map(|n| n as f64));
    let (Some(low), Some(high)) = (number(&min), number(&max)) else {
        return mismatch("two numbers".to_owned(), shown(), None);
    };
    if low >= high {
        return mismatch("a min below its max".to_owned(), shown(), None);
    }
    if scale == Scale::Log && low <= 0.0 {
        let hint = "no ratio leads away from zero: choose a small min, or leave out the scale";
        return mismatch(
            "a min above 0, since scale is \"log\"".to_owned(),
            shown(),
            Some(hint.to_owned()),
        );
    }
    Ok(match (&min, &max) {
        (Value::Integer(min), Value::Integer(max)) => SearchRange::Integers {
            min: *min,
            max: *max,
            scale,
        },
        _ => SearchRange::Numbers {
            min: low,
            max: high,
            scale,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{ConfigError, parse_search};
    use super::*;

    const BASE: &str = "version = 1\ntask = \"text-classification\"\n[data]\ntrain = \"t.tsv\"\n";

    fn read(lines: &str, overrides: &[&str]) -> Result<SearchRanges, ConfigError> {
        let text = format!("{BASE}{lines}");
        parse_search(&text, Path::new("c.toml"), overrides).map(|(_, ranges)| ranges)
    }

    #[test]
    fn a_range_may_be_written_in_every_way_that_toml_has() {
        let expected: Vec<(&str, &str)> = vec![
            ("model.dropout", "[0.1, 0.3]"),
            ("model.n_layers", "{min = 1, max = 4}"),
            (
                "train.learning_rate",
                "{min = 0.0001, max = 0.003, scale = \"log\"}",
            ),
        ];
        let quoted = "[tune.ranges]\n\"model.dropout\" = [0.1, 0.3]\n\
            \"model.n_layers\" = {min = 1, max = 4, scale = \"linear\"}\n\
            \"train.learning_rate\" = {min = 1e-4, max = 3e-3, scale = \"log\"}\n";
        let dotted = quoted.replace('"', "").replace("log", "\"log\"");
        let dotted = dotted.replace("linear", "\"linear\"");
        let sections = "[tune.ranges.model]\ndropout = [0.1, 0.3]\nn_layers = {min = 1, max = 4}\n\
            [tune.ranges.train.learning_rate]\nmin = 1e-4\nmax = 3e-3\nscale = \"log\"\n";
        for text in [quoted, &dotted, sections] {
            let ranges = read(text, &[]).unwrap();
            let found: Vec<(&str, String)> = ranges
                .iter()
                .map(|(path, range)| (path.as_str(), range.to_string()))
                .collect();
            let expected: Vec<(&str, String)> = expected
                .iter()
                .map(|(p, r)| (*p, (*r).to_owned()))
                .collect();
            assert_eq!(found, expected, "{text}");
        }
        let set = read(
            quoted,
            &["tune.ranges.model.dropout=[0.2, 0.4, 0.5]", "seed=3"],
        );
        assert_eq!(set.unwrap()["model.dropout"].to_string(), "[0.2, 0.4, 0.5]");
    }

    #[test]
    fn ranges_change_neither_a_run_nor_its_fingerprint() {
        let with = format!("{BASE}[tune.ranges]\nmodel.dropout = [0.1, 0.3]\n");
        let path = Path::new("c.toml");
        let plain = super::super::parse::<&str>(BASE, path, &[]).unwrap();
        let with = super::super::parse::<&str>(&with, path, &[]).unwrap();
        assert_eq!(plain, with);
        assert_eq!(plain.fingerprint().unwrap(), with.fingerprint().unwrap());
    }

    #[test]
    fn every_wrong_range_is_told_at_once_with_its_line() {
        let wrong = "[tune]\nrange = 1\n[tune.ranges]\n\
            train.learning_rat = [1e-3, 1e-4]\n\
            model.dropout = {min = 0.5, max = 0.1}\n\
            train.learning_rate = {min = 0, max = 1e-3, scale = \"log\"}\n\
            train.weight_decay = {min = 0, max = 0.1, scale = \"log\"}\n\
            model.n_layers = {min = 1.5, max = 4}\n\
            model.n_heads = {min = 1, max = 4, scal = \"log\"}\n\
            model.pooling = {min = 1, max = 2}\n\
            model.norm_position = [\"pre\", \"pots\"]\n\
            model.d_ff = 64\n\
            model.d_model = [64]\n\
            train.word_dropout = [0.1, 0.1]\n\
            train.betas = {min = 0.8, max = 0.9}\n\
            train.label_smoothing = {max = 0.1}\n\
            train.batch_size = {min = 8, max = 64, scale = \"exponential\"}\n\
            train.max_steps = [10, 20]\n\
            seed = [1, 2]\n";
        let error = read(wrong, &["tune.ranges.model.dropuot=[0.1]"]).unwrap_err();
        let expected = "\
18 problems with the configuration c.toml
  c.toml:6: `tune.range`: expected a key of [tune], found an unknown one
    hint: did you mean `tune.ranges`?
  c.toml:8: `tune.ranges.train.learning_rat`: expected a key of [train], found an unknown one
    hint: did you mean `train.learning_rate`?
  c.toml:9: `tune.ranges.model.dropout`: expected a min below its max, found min = 0.5, max = 0.1
  c.toml:10: `tune.ranges.train.learning_rate`: expected min: a number in (0, 100], found 0
  c.toml:11: `tune.ranges.train.weight_decay`: expected a min above 0, since scale is \"log\", found min = 0.0, max = 0.1
    hint: no ratio leads away from zero: choose a small min, or leave out the scale
  c.toml:12: `tune.ranges.model.n_layers`: expected min: an integer from 1 to 1024, found 1.5
  c.toml:13: `tune.ranges.model.n_heads`: expected min, max and scale alone, found \"scal\"
    hint: did you mean `scale`?
  c.toml:14: `tune.ranges.model.pooling`: expected a list, each \"first\", \"mean\" or \"max\", found a table
    hint: only a number has values between two others
  c.toml:15: `tune.ranges.model.norm_position`: expected a list of which each is \"pre\" or \"post\", found [\"pre\", \"pots\"]
    hint: \"pots\" is not: did you mean \"post\"?
  c.toml:16: `tune.ranges.model.d_ff`: expected a list of values, or {min = …, max = …}, found 64
    hint: one value is no range: set `model.d_ff` itself
  c.toml:17: `tune.ranges.model.d_model`: expected a list of 2 to 1000 values, found [64]
    hint: one value is no range: set `model.d_model` itself
  c.toml:18: `tune.ranges.train.word_dropout`: expected a list of different values, found [0.1, 0.1]
    hint: 0.1 stands twice
  c.toml:19: `tune.ranges.train.betas`: expected a list, each a list of 2 numbers in [0, 0.9999999], found a table
    hint: only a number has values between two others
  c.toml:20: `tune.ranges.train.label_smoothing`: expected both min and max, found no min
    hint: for instance {min = 1, max = 4}
  c.toml:21: `tune.ranges.train.batch_size`: expected scale: \"linear\" or \"log\", found \"exponential\"
  c.toml:22: `tune.ranges.train.max_steps`: expected a key that a search may set, found one that it may not
    hint: the search decides how long a trial trains
  c.toml:23: `tune.ranges.seed`: expected a key that a search may set, found one that it may not
    hint: a search over seeds chooses the luckiest one; `regard bench seeds` shows their spread
  --set tune.ranges.model.dropuot=[0.1]: `tune.ranges.model.dropuot`: expected a key of [model], found an unknown one
    hint: did you mean `model.dropout`?";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_key_with_two_ranges_is_refused() {
        let twice = "[tune.ranges]\nmodel.dropout = [0.1, 0.3]\n\"model.dropout\" = [0.1, 0.2]\n";
        let error = read(twice, &[]).unwrap_err().to_string();
        assert!(error.contains("expected one range, found two"), "{error}");
        let error = read("[tune]\nranges = 3\n", &[]).unwrap_err().to_string();
        assert!(
            error.contains("`tune.ranges`: expected a section [tune.ranges], found"),
            "{error}"
        );
    }
}
