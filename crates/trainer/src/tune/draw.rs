//! The settings of a trial, as a function of the seed and the trial's number.

use std::collections::{BTreeMap, HashSet};

use regard_ops::Key;
use toml::Value;

use crate::config::{Config, Scale, SearchRange, SearchRanges};
use crate::error::TrainError;

/// The values of the keys that a search sets, by path.
pub type Values = BTreeMap<String, Value>;

/// Draws that are made for a trial before the space counts as exhausted.
const ATTEMPTS: u64 = 300;
/// The digits of a drawn number that count: nobody tunes a fourth one.
const DIGITS: i32 = 3;

/// A trial before it trains.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    /// What it sets; nothing for the configuration as it stands.
    pub values: Values,
    /// The configuration with it.
    pub config: Config,
}

/// Draws `n` trials, or fewer where the ranges do not hold so many different ones.
///
/// Trial 0 is the configuration as it stands, so that a search shows what it has gained. Draws that
/// contradict themselves (a width that does not divide into heads) or that an earlier trial has are
/// drawn again.
///
/// # Errors
///
/// If no draw makes a configuration.
pub(super) fn draw(
    base: &Config,
    ranges: &SearchRanges,
    seed: u64,
    n: usize,
) -> Result<Vec<Drawn>, TrainError> {
    let key = Key::new(seed).stream("tune");
    let mut seen = HashSet::from([base.to_toml()?]);
    let mut trials = vec![Drawn {
        values: Values::new(),
        config: base.clone(),
    }];
    let mut refused = None;
    while trials.len() < n {
        let key = key.fold(trials.len() as u64);
        let mut found = None;
        for attempt in 0..ATTEMPTS {
            let values = draw_once(ranges, key.fold(attempt));
            match base.with_values(&values) {
                Ok(config) if seen.insert(config.to_toml()?) => {
                    found = Some(Drawn { values, config });
                    break;
                }
                Ok(_) => {}
                Err(error) => refused = Some(error),
            }
        }
        let Some(trial) = found else { break };
        trials.push(trial);
    }
    match refused {
        Some(error) if trials.len() == 1 && n > 1 => Err(TrainError::NoSettings {
            attempts: ATTEMPTS,
            problem: error.to_string(),
        }),
        _ => Ok(trials),
    }
}

/// One draw: each key has a stream of its own, so that a range more or less leaves the others.
fn draw_once(ranges: &SearchRanges, key: Key) -> Values {
    let draw =
        |(path, range): (&String, &SearchRange)| (path.clone(), value(range, key.stream(path)));
    ranges.iter().map(draw).collect()
}

fn value(range: &SearchRange, key: Key) -> Value {
    let uniform = key.uniform(0);
    match *range {
        SearchRange::Choices(ref values) => {
            values[key.below(0, values.len() as u64) as usize].clone()
        }
        SearchRange::Integers { min, max, scale } => {
            // Each number has the interval up to the next one, the greatest too.
            let number = between(min as f64, max as f64 + 1.0, scale, uniform).floor();
            Value::Integer((number as i64).clamp(min, max))
        }
        SearchRange::Numbers { min, max, scale } => {
            let number = rounded(between(min, max, scale, uniform));
            Value::Float(number.clamp(min, max))
        }
    }
}

fn between(min: f64, max: f64, scale: Scale, uniform: f64) -> f64 {
    match scale {
        Scale::Linear => min + uniform * (max - min),
        Scale::Log => (min.ln() + uniform * (max.ln() - min.ln())).exp(),
    }
}

/// The number to a few significant digits, as its shortest decimal says it.
fn rounded(number: f64) -> f64 {
    format!("{number:.*e}", DIGITS as usize - 1)
        .parse()
        .expect("a number in scientific notation is a number")
}

#[cfg(test)]
mod tests {

    use std::path::Path;

    use super::*;
    use crate::config::parse_search;

    const BASE: &str = "version = 1\ntask = \"text-classification\"\n[data]\ntrain = \"t.tsv\"\n\
        [model]\nd_model = 16\nn_heads = 4\n";

    fn space(ranges: &[&str]) -> (Config, SearchRanges) {
        let settings: Vec<String> = ranges.iter().map(|r| format!("tune.ranges.{r}")).collect();
        parse_search(BASE, Path::new("c.toml"), &settings).unwrap()
    }

    fn column(trials: &[Drawn], path: &str) -> Vec<Value> {
        let drawn = trials.iter().skip(1);
        drawn.map(|trial| trial.values[path].clone()).collect()
    }

    #[test]
    fn a_trial_depends_on_the_seed_and_its_number_alone() {
        let ranges = [
            "train.learning_rate={min=1e-4,max=1e-2,scale=\"log\"}",
            "model.dropout=[0.1,0.2,0.3]",
        ];
        let (base, both) = space(&ranges);
        let ten = draw(&base, &both, 7, 10).unwrap();
        let four = draw(&base, &both, 7, 4).unwrap();
        assert_eq!(ten.len(), 10);
        for (a, b) in four.iter().zip(&ten) {
            assert_eq!(a.values, b.values);
        }
        assert!(ten[0].values.is_empty() && ten[0].config == base);
        // Another range beside it changes nothing of this one.
        let (_, one) = space(&ranges[..1]);
        let rate = "train.learning_rate";
        let alone = draw(&base, &one, 7, 10).unwrap();
        assert_eq!(column(&alone, rate), column(&ten, rate));
        let other = draw(&base, &both, 8, 10).unwrap();
        assert_ne!(column(&other, rate), column(&ten, rate));
    }

    #[test]
    fn draws_fill_their_ranges_as_their_scale_says() {
        let (base, ranges) = space(&[
            "train.learning_rate={min=1e-4,max=1e-2,scale=\"log\"}",
            "train.weight_decay={min=0,max=1}",
            "model.n_layers={min=1,max=4}",
            "model.d_ff={min=1,max=100,scale=\"log\"}",
            "model.pooling=[\"first\",\"max\"]",
        ]);
        let trials = draw(&base, &ranges, 1, 401).unwrap();
        let share = |path: &str, wanted: &dyn Fn(&Value) -> bool| {
            let values = column(&trials, path);
            assert_eq!(values.len(), 400);
            values.iter().filter(|value| wanted(value)).count() as f64 / 400.0
        };
        let float = |value: &Value| value.as_float().unwrap();
        let integer = |value: &Value| value.as_integer().unwrap();
        // Halves have a standard deviation of 0.025; the seed is fixed.
        let expect = |found: f64, expected: f64| {
            assert!((found - expected).abs() < 0.1, "{found} for {expected}");
        };
        expect(share("train.learning_rate", &|v| float(v) < 1e-3), 0.5);
        expect(share("train.weight_decay", &|v| float(v) < 0.5), 0.5);
        for n in 1..=4 {
            expect(share("model.n_layers", &|v| integer(v) == n), 0.25);
        }
        expect(share("model.d_ff", &|v| integer(v) < 10), 0.5);
        expect(share("model.pooling", &|v| v.as_str() == Some("max")), 0.5);
        let digits = |v: &Value| {
            let text = format!("{:e}", float(v));
            let mantissa = text.split('e').next().unwrap().to_owned();
            mantissa.chars().filter(char::is_ascii_digit).count() <= 3
        };
        assert_eq!(share("train.learning_rate", &digits), 1.0);
    }

    #[test]
    fn settings_that_make_no_model_are_drawn_again_and_none_is_drawn_twice() {
        // A quarter of the widths divides into four heads.
        let (base, ranges) = space(&["model.d_model={min=8,max=40}"]);
        let trials = draw(&base, &ranges, 0, 100).unwrap();
        let mut widths: Vec<i64> = column(&trials, "model.d_model")
            .iter()
            .map(|width| width.as_integer().unwrap())
            .collect();
        widths.sort_unstable();
        // All that there are, without the configuration's own.
        assert_eq!(widths, [8, 12, 20, 24, 28, 32, 36, 40]);

        let (base, ranges) = space(&["model.d_model=[17, 19]"]);
        let error = draw(&base, &ranges, 0, 5).unwrap_err().to_string();
        assert!(
            error.contains("none of 300 draws from [tune.ranges]")
                && error.contains("expected a multiple of `model.n_heads` (4)"),
            "{error}"
        );
        assert_eq!(draw(&base, &ranges, 0, 1).unwrap().len(), 1);
    }
}
