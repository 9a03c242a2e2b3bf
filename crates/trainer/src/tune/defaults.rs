//! Ranges for a configuration that declares none.

use toml::Value;

use crate::config::{Config, KEYS, LinearSkip, Scale, SearchRange, SearchRanges};

/// The widths that are tried, in parts of the configuration's own.
const WIDTHS: [f64; 5] = [0.5, 0.75, 1.0, 1.5, 2.0];

/// Ranges around a configuration that are worth a search for most data.
///
/// The rates have the range in which they help anything; the sizes lie around the configuration's
/// own, and every width can be cut into the configuration's heads.
#[must_use]
pub fn default_ranges(config: &Config) -> SearchRanges {
    let numbers = |min, max, scale| SearchRange::Numbers { min, max, scale };
    let model = &config.model;
    let mut ranges = SearchRanges::from([
        (
            "train.learning_rate".to_owned(),
            numbers(1e-4, 3e-3, Scale::Log),
        ),
        (
            "train.weight_decay".to_owned(),
            numbers(1e-3, 0.3, Scale::Log),
        ),
        (
            "train.label_smoothing".to_owned(),
            SearchRange::Choices([0.0, 0.05, 0.1].map(Value::Float).to_vec()),
        ),
        (
            "train.word_dropout".to_owned(),
            numbers(0.0, 0.3, Scale::Linear),
        ),
        ("model.dropout".to_owned(), numbers(0.0, 0.5, Scale::Linear)),
        (
            "model.n_layers".to_owned(),
            SearchRange::Integers {
                min: model.n_layers.saturating_sub(1).max(1) as i64,
                // A key takes at most this many.
                max: (model.n_layers + 2).min(1024) as i64,
                scale: Scale::Linear,
            },
        ),
    ]);
    if config.model.linear_skip == LinearSkip::Ridge {
        // More would soon forget the ridge.
        ranges.insert(
            "train.learning_rate".to_owned(),
            numbers(1e-5, 1e-3, Scale::Log),
        );
    }
    let has = |path: &String| {
        let key = KEYS.iter().find(|key| key.path() == *path);
        key.is_some_and(|key| key.tasks().contains(&config.task))
    };
    ranges.retain(|path, _| has(path));
    // Sines and cosines come in pairs.
    let unit = 2 * model.n_heads;
    let mut widths: Vec<Value> = WIDTHS
        .iter()
        .map(|part| {
            let units = (part * model.d_model as f64 / unit as f64).round().max(1.0);
            (units as usize * unit).min(65_536 / unit * unit)
        })
        .map(|width| Value::Integer(width as i64))
        .collect();
    widths.dedup();
    if widths.len() > 1 {
        ranges.insert("model.d_model".to_owned(), SearchRange::Choices(widths));
    }
    ranges
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{parse, parse_search};

    #[test]
    fn default_ranges_are_ranges_that_a_configuration_may_declare() {
        for sizes in [
            "",
            "[model]\nd_model = 16\nn_heads = 8\n",
            "[model]\nd_model = 9\nn_heads = 3\nn_layers = 1\n",
            "[model]\nd_model = 1024\nn_heads = 1024\n",
            "[model]\nd_model = 8\nn_heads = 2\nn_layers = 1024\n",
        ] {
            for (task, data) in [
                ("text-classification", ""),
                ("series-forecasting", "lookback = 48\nhorizon = 12\n"),
                ("series-classification", ""),
            ] {
                declared(&format!(
                    "version = 1\ntask = \"{task}\"\n[data]\ntrain = \"t.tsv\"\n{data}{sizes}"
                ));
            }
        }
    }

    /// The default ranges of a configuration may be declared, and each of its widths makes a configuration.
    fn declared(text: &str) {
        let config = parse::<&str>(text, Path::new("c.toml"), &[]).unwrap();
        let ranges = default_ranges(&config);
        let settings: Vec<String> = ranges
            .iter()
            .map(|(path, range)| format!("tune.ranges.{path}={range}"))
            .collect();
        let read = parse_search(text, Path::new("c.toml"), &settings);
        assert_eq!(read.unwrap().1, ranges, "{text}");
        let Some(SearchRange::Choices(widths)) = ranges.get("model.d_model") else {
            return;
        };
        for width in widths {
            let values = [("model.d_model".to_owned(), width.clone())].into();
            let made = config.with_values(&values);
            assert!(made.is_ok(), "{text}: {made:?}");
        }
    }
}
