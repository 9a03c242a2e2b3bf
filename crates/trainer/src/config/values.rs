//! The values that a key may have and TOML has no type for: a column, a source, a period,
//! weights of classes.

use std::fmt;
use std::path::PathBuf;

pub use regard_data::Column;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where the examples of a split come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// A share of the training file, in (0, 1).
    Share(f64),
    /// A file of its own.
    Path(PathBuf),
}

/// How much the examples of each class count in training.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassWeights {
    /// Every example the same.
    None,
    /// Every class the same: an example weighs `n / (n_classes · n_of_its_class)`.
    Balanced,
    /// A weight for each class, in the order of the model's outputs.
    Each(Vec<f64>),
}

impl ClassWeights {
    /// The names that a configuration may use.
    pub const NAMES: &'static [&'static str] = &["none", "balanced"];

    /// The weights that a name stands for.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "balanced" => Some(Self::Balanced),
            _ => None,
        }
    }
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::Balanced => serializer.serialize_str("balanced"),
            Self::Each(weights) => weights.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Name(String),
            Each(Vec<f64>),
        }
        match Written::deserialize(deserializer)? {
            Written::Name(text) => Self::read(&text)
                .ok_or_else(|| serde::de::Error::custom(format!("\"{text}\" is no weighting"))),
            Written::Each(weights) => Ok(Self::Each(weights)),
        }
    }
}

/// A length of training: `100` (steps), `"5%"` (of all steps) or `"1 epoch"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Period {
    /// A number of optimiser steps.
    Steps(u64),
    /// A share of all steps of the run, in percent.
    Percent(f64),
    /// A number of passes over the training data.
    Epochs(f64),
}

impl Period {
    /// Reads the textual forms: `"5%"`, `"1 epoch"`, `"0.5 epochs"`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let number = |text: &str| {
            let number = text.trim_end();
            // `f64::from_str` also reads "inf" and "nan", which are no lengths.
            let digits = number
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
            digits.then(|| number.parse::<f64>().ok()).flatten()
        };
        if let Some(percent) = text.strip_suffix('%') {
            return number(percent).filter(|p| *p <= 100.0).map(Self::Percent);
        }
        let epochs = text
            .strip_suffix("epochs")
            .or_else(|| text.strip_suffix("epoch"))?;
        number(epochs).filter(|e| *e <= 1e9).map(Self::Epochs)
    }

    /// The number of steps, rounded to the nearest one.
    #[must_use]
    pub fn steps(self, total_steps: u64, steps_per_epoch: u64) -> u64 {
        // `as` saturates, and the products stay far below 2^53 for any run that ends.
        match self {
            Self::Steps(steps) => steps,
            Self::Percent(percent) => (percent / 100.0 * total_steps as f64).round() as u64,
            Self::Epochs(epochs) => (epochs * steps_per_epoch as f64).round() as u64,
        }
    }

    /// Whether the period is empty.
    #[must_use]
    pub fn is_zero(self) -> bool {
        match self {
            Self::Steps(steps) => steps == 0,
            Self::Percent(share) | Self::Epochs(share) => share == 0.0,
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(steps) => write!(formatter, "{steps}"),
            Self::Percent(percent) => write!(formatter, "{percent}%"),
            Self::Epochs(1.0) => write!(formatter, "1 epoch"),
            Self::Epochs(epochs) => write!(formatter, "{epochs} epochs"),
        }
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Steps(steps) => serializer.serialize_u64(*steps),
            Self::Percent(_) | Self::Epochs(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Steps(u64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Steps(steps) => Ok(Self::Steps(steps)),
            Written::Text(text) => Self::parse(&text)
                .ok_or_else(|| serde::de::Error::custom(format!("\"{text}\" is no period"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_reads_what_it_writes() {
        for (text, period) in [
            ("5%", Period::Percent(5.0)),
            ("12.5%", Period::Percent(12.5)),
            ("1 epoch", Period::Epochs(1.0)),
            ("0.5 epochs", Period::Epochs(0.5)),
        ] {
            assert_eq!(Period::parse(text), Some(period));
            assert_eq!(period.to_string(), text);
        }
        assert_eq!(Period::parse("1epoch"), Some(Period::Epochs(1.0)));
        assert_eq!(Period::parse(" 5 % "), Some(Period::Percent(5.0)));
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in [
            "",
            "%",
            "epoch",
            "-1%",
            "101%",
            "inf%",
            "nan epochs",
            "1e308 epochs",
            "5",
            "1 week",
        ] {
            assert_eq!(Period::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_period_is_counted_in_steps() {
        assert_eq!(Period::Steps(7).steps(1000, 30), 7);
        assert_eq!(Period::Percent(5.0).steps(1000, 30), 50);
        assert_eq!(Period::Epochs(1.0).steps(1000, 30), 30);
        assert_eq!(Period::Epochs(0.5).steps(1000, 31), 16);
    }
}
