//! A search as the data of its page.

use regard_report::tuning::{TuningKey, TuningReport, TuningRung, TuningTrial, TuningValue};
use regard_trainer::config::{Config, Scale, SearchRange, SearchRanges};
use regard_trainer::tune::{Trial, TrialOutcome, TrialResult, TuneOutcome};

use crate::args::TuneArgs;

/// The data of the page.
pub fn page(
    args: &TuneArgs,
    config: &Config,
    ranges: &SearchRanges,
    outcome: &TuneOutcome,
) -> anyhow::Result<TuningReport> {
    let keys = ranges
        .iter()
        .map(|(path, range)| key(config, path, range))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let trials = outcome.ranked();
    let stem = args.settings.config.file_stem().unwrap_or_default();
    let best_file = outcome.best_file.display();
    let train = format!("regard train {best_file}");
    Ok(TuningReport {
        name: stem.to_string_lossy().into_owned(),
        metric: config.eval.metric.name().to_owned(),
        budget: args.budget.to_string(),
        seconds: outcome.seconds,
        rungs: (outcome.plan.rungs.iter())
            .map(|rung| TuningRung {
                trials: rung.trials,
                steps: rung.steps,
            })
            .collect(),
        trials: trials.into_iter().map(|t| trial(t, &keys)).collect(),
        keys,
        base_value: outcome.base_value,
        next: vec![
            ("Train the best configuration in full:".to_owned(), train),
            (
                "See how much of its figure is the luck of a seed, on the test data:".to_owned(),
                format!("regard bench seeds {best_file} --seeds 0..4"),
            ),
        ],
        command: command(args),
        version: format!("regard {}", env!("CARGO_PKG_VERSION")),
    })
}

fn key(config: &Config, path: &str, range: &SearchRange) -> anyhow::Result<TuningKey> {
    let before = config.value(path)?;
    let is_log = matches!(
        range,
        SearchRange::Integers {
            scale: Scale::Log,
            ..
        } | SearchRange::Numbers {
            scale: Scale::Log,
            ..
        }
    );
    Ok(TuningKey {
        path: path.to_owned(),
        range: range.to_string(),
        is_log,
        is_choice: matches!(range, SearchRange::Choices(_)),
        before: before.map_or_else(|| value("not set"), |before| value(&before.to_string())),
    })
}

fn trial(trial: &Trial, keys: &[TuningKey]) -> TuningTrial {
    let values = keys.iter().map(|key| match trial.values.get(&key.path) {
        Some(set) => value(&set.to_string()),
        None => key.before.clone(),
    });
    let failed = trial
        .results
        .iter()
        .find_map(|result| match &result.outcome {
            TrialOutcome::Failed(why) => Some(why.clone()),
            _ => None,
        });
    TuningTrial {
        number: trial.number,
        values: values.collect(),
        results: trial.results.iter().map(TrialResult::value).collect(),
        failed,
    }
}

/// A value from how TOML writes it; a text in quotation marks is no number.
fn value(text: &str) -> TuningValue {
    TuningValue {
        text: text.to_owned(),
        number: text.parse().ok(),
    }
}

/// The command line of the search.
fn command(args: &TuneArgs) -> String {
    let mut words = vec![
        "regard".to_owned(),
        "tune".to_owned(),
        args.settings.config.display().to_string(),
        "--budget".to_owned(),
        args.budget.to_string(),
    ];
    let mut option = |name: &str, text: String| {
        words.push(name.to_owned());
        let plain = text
            .chars()
            .all(|c| c.is_alphanumeric() || "._-=/:+%,".contains(c));
        words.push(match plain {
            true => text,
            false => format!("'{}'", text.replace('\'', r"'\''")),
        });
    };
    for setting in &args.settings.overrides {
        option("--set", setting.clone());
    }
    if let Some(seed) = args.seed {
        option("--seed", seed.to_string());
    }
    if let Some(out) = &args.out {
        option("--out", out.display().to_string());
    }
    words.join(" ")
}
