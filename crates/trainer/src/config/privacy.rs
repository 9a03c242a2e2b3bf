//! `[privacy]`: what private training promises, and the settings that would break the promise.

use std::fmt;

use regard_accounting::Adjacency;
use regard_data::Column;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Table, Value};

use super::conflict::Conflict;
use super::types::{Config, Keep, LinearSkip, OnNan, ScalerKind, Task, TokenizerKind};
use super::values::{ClassWeights, Source};

/// Among fewer units, the noise that hides one hides everything.
const LEAST_UNITS: u64 = 100;
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

/// Every setting that contradicts `[privacy]`.
pub(super) fn conflicts(config: &Config, found: &mut Vec<Conflict>) {
    let Some(privacy) = &config.privacy else {
        return;
    };
    unit(config, privacy, found);
    budget(config, privacy, found);
    sampling(config, privacy, found);
    looks_at_private_data(config, privacy, found);
    has_no_private_way(config, found);
}

fn unit(config: &Config, privacy: &PrivacyConfig, found: &mut Vec<Conflict>) {
    use PrivacyUnit::{Document, Record, Series, User, Window};
    let (expected, hint) = match (config.task, &privacy.unit) {
        (Task::TextClassification, Window | Series) => (
            "\"record\", \"document\" or \"user:COLUMN\", since the task is about texts",
            "a text is a record, and a document too; \"user:COLUMN\" joins the texts of one person",
        ),
        (Task::SeriesClassification, Document | Window | User(_)) => (
            "\"series\" or \"record\", since the task is about whole series",
            "a series with its label is a record",
        ),
        (Task::SeriesForecasting, Record | Document | User(_)) => (
            "\"series\" or \"window\", since the task is about series",
            "a value stands in many windows: \"series\" protects all that one id has, \"window\" one \
             window of it; name the person's column in `data.id_column`",
        ),
        _ => ("", ""),
    };
    if !expected.is_empty() {
        found.push(Conflict {
            keys: &["privacy.unit", "task"],
            expected: expected.to_owned(),
            found: format!("\"{}\"", privacy.unit),
            hint: Some(hint.to_owned()),
        });
    }
    if config.task == Task::TextClassification {
        return;
    }
    let is_forecast = config.task == Task::SeriesForecasting;
    if is_forecast && privacy.unit == Series && config.data.id_column.is_none() {
        found.push(Conflict {
            keys: &["data.id_column", "privacy.unit"],
            expected: "the column that says which series a row belongs to".to_owned(),
            found: "nothing: the file is one series".to_owned(),
            hint: Some(
                "noise that hides the only series hides everything: privacy.unit = \"window\" protects \
                 less, a window of it"
                    .to_owned(),
            ),
        });
    }
    if config.task == Task::SeriesClassification && config.data.max_steps.is_none() {
        found.push(Conflict {
            keys: &["data.max_steps"],
            expected: "the most steps of a series, beside [privacy]".to_owned(),
            found: "nothing".to_owned(),
            hint: Some(
                "how long the longest series is would be found in private data; a longer one is cut off"
                    .to_owned(),
            ),
        });
    }
    // A `.ts` file has nothing but channels and labels.
    let extension = config.data.train.extension();
    let is_ts = extension.is_some_and(|extension| extension.eq_ignore_ascii_case("ts"));
    if config.data.target_columns.is_none() && (is_forecast || !is_ts) {
        found.push(Conflict {
            keys: &["data.target_columns"],
            expected: "the channels, beside [privacy]".to_owned(),
            found: "nothing".to_owned(),
            hint: Some("which columns hold numbers would be found in private data".to_owned()),
        });
    }
    if config.data.scaler == ScalerKind::Standard && !privacy.is_public("scaler") {
        found.push(Conflict {
            keys: &["data.scaler", "privacy.public"],
            expected: "\"none\" beside [privacy]".to_owned(),
            found: "\"standard\"".to_owned(),
            hint: Some(
                "means and deviations of private data are private; `model.instance_norm` scales each \
                 window or series by itself, or privacy.public = [\"scaler\"] says that they may be known"
                    .to_owned(),
            ),
        });
    }
}

fn budget(config: &Config, privacy: &PrivacyConfig, found: &mut Vec<Conflict>) {
    match (privacy.epsilon, privacy.noise_multiplier) {
        (None, None) => found.push(Conflict {
            keys: &["privacy.epsilon", "privacy.noise_multiplier"],
            expected: "a budget, or `privacy.noise_multiplier`".to_owned(),
            found: "neither".to_owned(),
            hint: Some(
                "epsilon 1 is a strong promise, 3 a usual one, 8 a weak one; `regard privacy plan` \
                 tells what each would cost"
                    .to_owned(),
            ),
        }),
        (Some(epsilon), Some(noise)) => found.push(Conflict {
            keys: &["privacy.noise_multiplier", "privacy.epsilon"],
            expected: "nothing beside `privacy.epsilon`, from which the noise follows".to_owned(),
            found: format!("{noise}, and an epsilon of {epsilon}"),
            hint: Some("leave one of the two keys out".to_owned()),
        }),
        _ => {}
    }
    let size = privacy.dataset_size.unwrap_or(0) as f64;
    let advice = if size >= 2.0 {
        let usual = size.powf(-1.1);
        format!("1 / dataset_size^1.1 is usual, here `delta = {usual:.1e}`")
    } else {
        "1 / dataset_size^1.1 is usual".to_owned()
    };
    match privacy.delta {
        None => found.push(Conflict {
            keys: &["privacy.delta"],
            expected: "the probability with which the promise may fail, well below 1 / \
                       `privacy.dataset_size`"
                .to_owned(),
            found: "nothing".to_owned(),
            hint: Some(advice),
        }),
        Some(delta) if size > 0.0 && delta >= 1.0 / size => found.push(Conflict {
            keys: &["privacy.delta", "privacy.dataset_size"],
            expected: format!("less than 1 / `privacy.dataset_size` ({:.1e})", 1.0 / size),
            found: format!("{delta:e}"),
            hint: Some(format!(
                "publishing one unit whole would keep such a promise; {advice}"
            )),
        }),
        Some(_) => {}
    }
    if config.train.max_grad_norm != 0.0 {
        found.push(Conflict {
            keys: &["train.max_grad_norm"],
            expected: "nothing beside [privacy]".to_owned(),
            found: config.train.max_grad_norm.to_string(),
            hint: Some("each unit's gradient is bounded by `privacy.max_grad_norm`".to_owned()),
        });
    }
}

fn sampling(config: &Config, privacy: &PrivacyConfig, found: &mut Vec<Conflict>) {
    let batch_size = config.train.batch_size;
    let Some(size) = privacy.dataset_size else {
        found.push(Conflict {
            keys: &["privacy.dataset_size"],
            expected: "the number of units to train on, as a public constant".to_owned(),
            found: "nothing".to_owned(),
            hint: Some(
                "the exact number may itself be private: a round one near it is fine".to_owned(),
            ),
        });
        return;
    };
    if size < LEAST_UNITS {
        found.push(Conflict {
            keys: &["privacy.dataset_size"],
            expected: format!("at least {LEAST_UNITS} units"),
            found: size.to_string(),
            hint: Some(
                "noise that hides one of so few units hides all that they have in common; choose \
                 a smaller `privacy.unit` or train without a promise"
                    .to_owned(),
            ),
        });
    }
    match privacy.sample_rate {
        None if batch_size as u64 > size => found.push(Conflict {
            keys: &["train.batch_size", "privacy.dataset_size"],
            expected: format!("at most `privacy.dataset_size` ({size})"),
            found: batch_size.to_string(),
            hint: Some("it is the expected number of units of a step".to_owned()),
        }),
        Some(rate) if expected_batch(rate, size) != batch_size as i64 => found.push(Conflict {
            keys: &["train.batch_size", "privacy.sample_rate"],
            expected: "nothing beside `privacy.sample_rate`".to_owned(),
            found: batch_size.to_string(),
            hint: Some("both say how many units a step draws: leave one of them out".to_owned()),
        }),
        _ => {}
    }
    let of_a_unit = match (&privacy.unit, config.task) {
        (PrivacyUnit::User(_), _) => "records of a user",
        (PrivacyUnit::Series, Task::SeriesForecasting) => "windows of a series",
        _ => return,
    };
    if privacy.max_rows_per_unit.is_none() {
        found.push(Conflict {
            keys: &["privacy.max_rows_per_unit", "privacy.unit"],
            expected: format!("a number, since `privacy.unit` is \"{}\"", privacy.unit),
            found: "nothing".to_owned(),
            hint: Some(format!(
                "the most {of_a_unit} that a step takes: 4 or 8 is usual"
            )),
        });
    }
}

fn looks_at_private_data(config: &Config, privacy: &PrivacyConfig, found: &mut Vec<Conflict>) {
    let mut refuse = |keys: &'static [&'static str], expected: &str, what: String, hint: &str| {
        found.push(Conflict {
            keys,
            expected: expected.to_owned(),
            found: what,
            hint: Some(hint.to_owned()),
        });
    };
    let Config {
        data,
        tokenizer,
        train,
        eval,
        ..
    } = config;
    if config.task != Task::SeriesForecasting
        && data.labels.is_none()
        && !privacy.is_public("labels")
    {
        refuse(
            &["data.labels", "privacy.public"],
            "the labels, since those that are found in private data are private",
            "nothing".to_owned(),
            "write data.labels = [\"…\", \"…\"], or privacy.public = [\"labels\"] if everybody \
             may know which labels there are",
        );
    }
    if config.task == Task::TextClassification
        && tokenizer.kind != TokenizerKind::Bytes
        && tokenizer.file.is_none()
        && train.init_from.is_none()
        && !privacy.is_public("vocabulary")
    {
        refuse(
            &["tokenizer.kind", "tokenizer.file", "privacy.public"],
            "\"bytes\", or a `tokenizer.file` that was made from public texts, beside [privacy]",
            format!("\"{}\"", tokenizer.kind.name()),
            "a vocabulary that is trained on private texts shows their words; \
             privacy.public = [\"vocabulary\"] says that they may be shown",
        );
    }
    if let ClassWeights::Balanced = train.class_weights {
        refuse(
            &["train.class_weights"],
            "\"none\" or numbers, beside [privacy]",
            "\"balanced\"".to_owned(),
            "it counts the labels of private data",
        );
    }
    let valid_is_public = privacy.is_public("valid");
    if valid_is_public && !matches!(data.valid, Some(Source::Path(_))) {
        refuse(
            &["privacy.public", "data.valid"],
            "a file as `data.valid`, if \"valid\" is to be public",
            match data.valid {
                Some(Source::Share(share)) => {
                    format!("the share {share} of the private training data")
                }
                _ => "a later part of the same private series".to_owned(),
            },
            "give the public file, or take \"valid\" out of `privacy.public`",
        );
    }
    if eval.keep == Keep::Best && !valid_is_public {
        refuse(
            &["eval.keep"],
            "\"last\" beside [privacy]",
            "\"best\"".to_owned(),
            "whoever chooses by private data tells something about it; leave the key out, or give \
             public validation data and privacy.public = [\"valid\"]",
        );
    }
    if let Some(patience) = train.early_stopping
        && !valid_is_public
    {
        refuse(
            &["train.early_stopping"],
            "nothing beside [privacy]",
            patience.to_string(),
            "when it stops depends on private validation data; the budget ends the run",
        );
    }
    if config.report.examples {
        refuse(
            &["report.examples"],
            "false beside [privacy]",
            "true".to_owned(),
            "examples in a report are private texts",
        );
    }
}

fn has_no_private_way(config: &Config, found: &mut Vec<Conflict>) {
    if config.train.mixup > 0.0 {
        found.push(Conflict {
            keys: &["train.mixup"],
            expected: "0 beside [privacy]".to_owned(),
            found: config.train.mixup.to_string(),
            hint: Some(
                "a mixture of two units is bounded as if it were one of them, so both would leak"
                    .to_owned(),
            ),
        });
    }
    if config.model.linear_skip == LinearSkip::Ridge {
        found.push(Conflict {
            keys: &["model.linear_skip"],
            expected: "\"none\" or \"zero\" beside [privacy]".to_owned(),
            found: "\"ridge\"".to_owned(),
            hint: Some("the ridge is fitted on the private values, without noise".to_owned()),
        });
    }
    if config.train.on_nan != OnNan::Stop {
        found.push(Conflict {
            keys: &["train.on_nan"],
            expected: "\"stop\" beside [privacy]".to_owned(),
            found: format!("\"{}\"", config.train.on_nan.name()),
            hint: Some(
                "no step is left out there, or it would tell who was in it: a unit whose gradient is \
                 not finite contributes nothing"
                    .to_owned(),
            ),
        });
    }
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
