//! What a run left behind, as the plain data of its report.

use std::path::Path;

use anyhow::Context;
use regard_bundle::{BundleInfo, Explanation};
use regard_model::EmbeddingConfig;
use regard_report::TrainingReport;
use regard_report::chart::ReliabilityBin;
use regard_report::training::{
    ClassFigures, Cost, Curves, Evaluated, Explained, Mistake, Origin, Part, Quality, TrainStep,
};
use regard_trainer::config::{Config, Keep, Task};
use regard_trainer::log::History;
use regard_trainer::privacy::Statement;
use regard_trainer::task::{Baselines, Evaluation, Split};
use regard_trainer::{JudgedText, PartDescription, RunDescription};

use crate::commands::beside::verdict;
use crate::device::{BACKENDS, Compute};

/// Brings together what `described` says and what the run's folder holds.
pub fn gather(
    described: &RunDescription,
    folder: &Path,
    compute: &Compute,
) -> anyhow::Result<TrainingReport> {
    let history = History::read(&folder.join("events.jsonl"))?;
    let config = &described.config;
    let texts = |judged: &Vec<JudgedText>| judged.iter().map(mistake).collect();
    Ok(TrainingReport {
        name: name(config, folder),
        is_series: config.task == Task::SeriesClassification,
        verdict: (described.baselines.as_ref())
            .and_then(|baselines| sentence(&described.evaluation, baselines)),
        labels: described.info.labels.clone(),
        quality: quality(described),
        parts: described.parts.iter().map(part).collect(),
        max_length: config.tokenizer.max_length,
        curves: curves(config, &described.info, &history),
        mistakes: (config.report.examples && config.task == Task::TextClassification)
            .then(|| texts(&described.mistakes)),
        explained: described.explained.iter().filter_map(explained).collect(),
        cost: Cost {
            model: model(config, &described.info),
            ..cost(described.n_parameters, &history)
        },
        promise: promise(folder)?,
        warnings: history.warnings.clone(),
        origin: origin(config, &described.info, folder, compute)?,
    })
}

/// Whether a model is better than what is reached without one, and that in a sentence.
pub(super) fn sentence(evaluation: &Evaluation, baselines: &Baselines) -> Option<(bool, String)> {
    let (_, is_beaten) = baselines.best(evaluation)?;
    let verdict = verdict(evaluation, baselines)?;
    let (first, rest) = verdict.split_at(1);
    Some((is_beaten, format!("{}{rest}.", first.to_uppercase())))
}

/// What a private run promises, sentence by sentence.
pub(super) fn promise(folder: &Path) -> anyhow::Result<Vec<String>> {
    Ok(
        Statement::of_bundle(folder)?.map_or_else(Vec::new, |statement| {
            let words = statement.to_string();
            words.lines().map(str::to_owned).collect()
        }),
    )
}

/// The run's name, or that of its folder.
pub(super) fn name(config: &Config, folder: &Path) -> String {
    let stem = || folder.file_name().unwrap_or_default().to_string_lossy();
    config.name.clone().unwrap_or_else(|| stem().into_owned())
}

fn quality(described: &RunDescription) -> Quality {
    let (_, report) =
        (described.evaluation.classes()).expect("only a run that classifies is described");
    // The first of equals, as a guesser that knows nothing else would.
    let counts = described.parts.first().map(|part| &part.class_counts);
    let commonest = counts.map_or(0, |counts| {
        (1..counts.len()).fold(0, |best, class| {
            if counts[class] > counts[best] {
                class
            } else {
                best
            }
        })
    });
    let support = report
        .per_class
        .get(commonest)
        .map_or(0, |class| class.support);
    Quality {
        is_test: described.evaluation.split == Split::Test,
        n: report.n,
        accuracy: report.accuracy,
        macro_f1: report.macro_f1,
        mcc: report.mcc,
        loss: report.loss,
        ece: report.ece,
        brier: report.brier,
        commonest,
        commonest_accuracy: support as f64 / report.n.max(1) as f64,
        per_class: (report.per_class.iter())
            .map(|class| ClassFigures {
                precision: class.precision,
                recall: class.recall,
                f1: class.f1,
                support: class.support,
            })
            .collect(),
        confusion: report.confusion.clone(),
        calibration: (report.calibration.iter())
            .map(|bin| ReliabilityBin {
                count: bin.n,
                confidence: bin.confidence,
                accuracy: bin.accuracy,
            })
            .collect(),
    }
}

fn part(part: &PartDescription) -> Part {
    Part {
        name: match part.split {
            Split::Train => "training",
            Split::Valid => "validation",
            Split::Test => "test",
        }
        .to_owned(),
        class_counts: part.class_counts.clone(),
        lengths: part.lengths.clone(),
        n_cut: part.n_cut,
    }
}

pub(super) fn curves(config: &Config, info: &BundleInfo, history: &History) -> Curves {
    let train = history.train.iter().map(|point| TrainStep {
        step: point.step,
        loss: point.loss,
        grad_norm: point.grad_norm,
        learning_rate: point.learning_rate,
    });
    let evaluations = history.evaluations.iter().map(|point| Evaluated {
        step: point.step,
        metrics: point.metrics.clone(),
    });
    Curves {
        train: train.collect(),
        evaluations: evaluations.collect(),
        metric: config.eval.metric.name().to_owned(),
        kept_step: info.step,
        keeps_last: config.eval.keep == Keep::Last,
    }
}

fn mistake(judged: &JudgedText) -> Mistake {
    Mistake {
        text: judged.text.clone(),
        truth: judged.truth,
        predicted: judged.predicted,
        probability: judged.probability,
    }
}

/// The words of an explained text; nothing where the model gives no finite answer without one of them.
fn explained((judged, explanation): &(JudgedText, Explanation)) -> Option<Explained> {
    let occlusion = explanation.words.iter().map(|word| {
        let fall = word.occlusion?;
        Some((word.text.clone(), fall))
    });
    let attention = explanation
        .words
        .iter()
        .map(|word| (word.text.clone(), word.rollout));
    Some(Explained {
        truth: judged.truth,
        predicted: judged.predicted,
        probability: judged.probability,
        truncated: explanation.truncated,
        attention: attention.collect(),
        occlusion: occlusion.collect::<Option<_>>()?,
    })
}

/// What the run took, but for the words on its model.
pub(super) fn cost(n_parameters: usize, history: &History) -> Cost {
    let mut seconds: Vec<f64> = history.train.iter().map(|point| point.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let training: f64 = seconds.iter().sum();
    let units: u64 = history.train.iter().map(|point| point.units).sum();
    let tokens: u64 = history.train.iter().map(|point| point.tokens).sum();
    Cost {
        steps: history.train.last().map_or(0, |point| point.step),
        stopped_early: history.stopped_early,
        n_parameters: n_parameters as u64,
        model: String::new(),
        training_seconds: training,
        evaluation_seconds: history.evaluations.iter().map(|point| point.seconds).sum(),
        step_seconds: seconds.get(seconds.len() / 2).copied().unwrap_or(0.0),
        texts_per_second: units as f64 / training.max(1e-9),
        tokens_per_second: tokens as f64 / training.max(1e-9),
        peak_rss_mib: history.peak_rss_mib,
    }
}

/// The shape of the blocks, in words.
pub(super) fn blocks(info: &BundleInfo) -> String {
    let model = &info.model;
    let blocks = match model.n_layers {
        1 => "1 block".to_owned(),
        n => format!("{n} blocks"),
    };
    format!(
        "{blocks} of {} heads, width {}, feed-forward {}",
        model.n_heads, model.d_model, model.d_ff
    )
}

/// The shape of the model, in words.
fn model(config: &Config, info: &BundleInfo) -> String {
    let model = &info.model;
    let vocabulary = match &model.embedding {
        EmbeddingConfig::Text { vocab_size, .. } => {
            let kind = config.tokenizer.kind.name();
            format!("{vocab_size} tokens ({kind}), ")
        }
        EmbeddingConfig::Series(series) => {
            let stem = series.stem.map_or(0, |stem| stem.layers);
            format!(
                "{stem} convolutions, patches of {} steps, ",
                series.patch_length
            )
        }
        _ => String::new(),
    };
    let pooling = config.model.pooling.name();
    format!("{vocabulary}{}, {pooling} pooling", blocks(info))
}

/// What makes the run again, beside the old one.
fn commands(folder: &Path, compute: &Compute) -> Vec<String> {
    let run = quoted(&folder.join("config.toml").display().to_string());
    let again = quoted(&format!("{}-again", folder.display()));
    let default = BACKENDS.iter().find(|backend| backend.compiled);
    let device = match default {
        Some(backend) if backend.name == compute.name => String::new(),
        _ => format!(" --device {}", compute.name),
    };
    vec![
        format!("regard train {run} --out {again}{device}"),
        format!("regard eval {again}{device}"),
        format!("regard report {again}{device}"),
    ]
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@".contains(c);
    if word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What the run came from.
pub(super) fn origin(
    config: &Config,
    info: &BundleInfo,
    folder: &Path,
    compute: &Compute,
) -> anyhow::Result<Origin> {
    Ok(Origin {
        configuration: config.to_toml()?,
        commands: commands(folder, compute),
        fingerprints: fingerprints(config, info, folder, compute)?,
    })
}

fn fingerprints(
    config: &Config,
    info: &BundleInfo,
    folder: &Path,
    compute: &Compute,
) -> anyhow::Result<Vec<(String, String)>> {
    let path = folder.join("bundle").join("bundle.json");
    let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let bundle: serde_json::Value = serde_json::from_slice(&text)?;
    let said = |value: &serde_json::Value| value.as_str().unwrap_or("unknown").to_owned();
    let system = format!("{} on {}", std::env::consts::ARCH, std::env::consts::OS);
    let pairs = [
        ("Regard", said(&bundle["regard_version"])),
        (
            "System of this report",
            format!("{}, {system}", compute.name),
        ),
        ("Seed", config.seed.to_string()),
        ("Configuration (BLAKE3)", config.fingerprint()?),
        ("Data (BLAKE3)", info.data_fingerprint.replace('+', " + ")),
        (
            "Weights (BLAKE3)",
            said(&bundle["files"]["weights.safetensors"]["blake3"]),
        ),
    ];
    Ok(pairs.map(|(name, value)| (name.to_owned(), value)).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_a_space_or_a_quote_stays_one_word() {
        assert_eq!(quoted("runs/sms-spam"), "runs/sms-spam");
        assert_eq!(quoted("my runs/it's"), r"'my runs/it'\''s'");
    }
}
