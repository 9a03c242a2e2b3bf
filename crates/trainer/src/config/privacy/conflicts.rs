//! The settings that would break the promise of `[privacy]`.

use super::super::conflict::Conflict;
use super::super::names::{
    Keep, LinearSkip, OnNan, ScalerKind, Task, ThresholdPart, TokenizerKind,
};
use super::super::types::Config;
use super::super::values::{ClassWeights, Source};
use super::{PrivacyConfig, PrivacyUnit, expected_batch};

/// Among fewer units, the noise that hides one hides everything.
const LEAST_UNITS: u64 = 100;

/// Every setting that contradicts `[privacy]`.
pub(in crate::config) fn conflicts(config: &Config, found: &mut Vec<Conflict>) {
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
        (Task::SeriesForecasting | Task::SeriesAnomaly, Record | Document | User(_)) => (
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
    let has_windows = config.task.has_windows();
    if has_windows && privacy.unit == Series && config.data.id_column.is_none() {
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
    // A `.ts` file has nothing but channels and labels, a row without an id nothing but steps and a label.
    let extension = config.data.train.extension();
    let is_ts = extension.is_some_and(|extension| extension.eq_ignore_ascii_case("ts"));
    let has_channels = has_windows || (!is_ts && config.data.id_column.is_some());
    if config.data.target_columns.is_none() && has_channels {
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
    let of_a_unit = match &privacy.unit {
        PrivacyUnit::User(_) => "records of a user",
        PrivacyUnit::Series if config.task.has_windows() => "windows of a series",
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
    if !config.task.has_windows() && data.labels.is_none() && !privacy.is_public("labels") {
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
    if config.task == Task::SeriesAnomaly
        && (config.anomaly.threshold_on == ThresholdPart::Train || !valid_is_public)
    {
        refuse(
            &["anomaly.threshold_on", "data.valid", "privacy.public"],
            "public validation data to find the threshold on, beside [privacy]",
            format!(
                "the scores of the {} part",
                match config.anomaly.threshold_on {
                    ThresholdPart::Train => "training",
                    ThresholdPart::Valid => "private validation",
                }
            ),
            "a threshold is a quantile of scores, and a quantile of private ones tells something of them; give a public \
             file as `data.valid`, privacy.public = [\"valid\"] and anomaly.threshold_on = \"valid\"",
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
