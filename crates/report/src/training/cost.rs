//! Time, memory, and how to make the run again.

use maud::{Markup, html};

use super::TrainingReport;
use crate::number::{bytes, count, duration};

pub(super) fn section(report: &TrainingReport) -> Markup {
    let cost = &report.cost;
    html! {
        dl.facts {
            dt { "Model" } dd { (cost.model) }
            dt { "Trained numbers" } dd { (count(cost.n_parameters)) }
            dt { "Steps" }
            dd {
                (count(cost.steps))
                @if cost.stopped_early { ", stopped early: the validation figure no longer improved" }
            }
            dt { "Training" }
            dd { (duration(cost.training_seconds)) ", of a step " (milliseconds(cost.step_seconds)) " (median)" }
            dt { "Evaluations" } dd { (duration(cost.evaluation_seconds)) }
            dt { "Speed in training" }
            dd {
                (count(cost.texts_per_second.round() as u64)) " texts or "
                (count(cost.tokens_per_second.round() as u64)) " tokens a second"
            }
            dt { "Largest memory" }
            dd {
                @match cost.peak_rss_mib {
                    Some(mib) => { (bytes((mib * f64::from(1 << 20)) as u64)) " (resident, the whole process)" }
                    None => { "not known on this system" }
                }
            }
        }
    }
}

fn milliseconds(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.0} ms", 1e3 * seconds)
    } else {
        duration(seconds)
    }
}

pub(super) fn again(report: &TrainingReport) -> Markup {
    html! {
        p {
            "With the same program, data and kind of processor the CPU gives the same weights to the last bit. "
            "Run these where the paths of the configuration lead to the data:"
        }
        pre { (report.commands.join("\n")) }
        dl.facts {
            @for (name, value) in &report.fingerprints { dt { (name) } dd { code { (value) } } }
        }
        details {
            summary { "Configuration, with every default" }
            pre { (report.configuration) }
        }
    }
}
