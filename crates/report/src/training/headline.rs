//! What the model is and how good, before anything else.

use maud::{Markup, html};

use super::TrainingReport;
use crate::number::{duration, figure, percent};

/// Names of classes that stand in a sentence.
const MOST_NAMED: usize = 6;

pub(super) fn lead(report: &TrainingReport) -> Markup {
    let quality = &report.quality;
    let commonest = report.label(quality.commonest);
    let gain = quality.accuracy - quality.commonest_accuracy;
    html! {
        p.lead {
            @if let Some((is_beaten, sentence)) = &report.verdict {
                @if *is_beaten { (sentence) } @else { strong.bad { (sentence) } }
                " "
            }
            (what(report)) " It is right on "
            strong { (percent(quality.accuracy)) }
            " of " (report.texts(quality.n)) " that it never learned from"
            @if !quality.is_test {
                @if report.curves.keeps_last { " (the validation data)" }
                @else { " (the validation data, by which it was chosen)" }
            }
            ". Always guessing the commonest class, " q { (commonest) } ", would be right on "
            (percent(quality.commonest_accuracy)) "."
            @if gain <= 0.0 {
                " " strong.bad { "That is no worse: the model has learned nothing that helps." }
            }
        }
        dl.figures {
            (tile("Accuracy", &percent(quality.accuracy), &format!("guessing: {}", percent(quality.commonest_accuracy))))
            (tile("Macro F1", &figure(quality.macro_f1), "mean over the classes"))
            (tile("Matthews correlation", &figure(quality.mcc), "0: no better than chance"))
            (tile("Log loss", &figure(quality.loss), &format!("nats a {}", report.unit())))
            (tile("Calibration error", &figure(quality.ece), "15 bins of confidence"))
            (tile("Training time", &duration(report.cost.training_seconds), &steps(report)))
        }
        @for warning in &report.warnings {
            p.warning { strong { "Warning: " } (warning) }
        }
    }
}

/// What the model does, in a sentence.
fn what(report: &TrainingReport) -> String {
    let labels = &report.labels;
    match labels.as_slice() {
        [one, other] => format!(
            "A transformer that tells “{one}” from “{other}” in a {}.",
            report.unit()
        ),
        _ if labels.len() <= MOST_NAMED => {
            let (last, names) = labels
                .split_last()
                .map_or(("", &[][..]), |(l, n)| (l.as_str(), n));
            format!(
                "A transformer that sorts {} into {} and {last}.",
                report.units(),
                names.join(", ")
            )
        }
        _ => format!(
            "A transformer that sorts {} into {} classes.",
            report.units(),
            labels.len()
        ),
    }
}

fn steps(report: &TrainingReport) -> String {
    let steps = crate::number::count(report.cost.steps);
    let early = if report.cost.stopped_early {
        ", stopped early"
    } else {
        ""
    };
    format!("{steps} steps{early}")
}

fn tile(name: &str, value: &str, note: &str) -> Markup {
    html! {
        div { dt { (name) } dd { (value) small { (note) } } }
    }
}
