//! Time, memory, and how to make the run again.

use maud::{Markup, html};

use super::{Cost, Origin};
use crate::number::{bytes, count, duration};

/// `units` are what is trained on, and `tokens` what they are made of, both in the plural.
pub(crate) fn section(cost: &Cost, units: &str, tokens: &str) -> Markup {
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
                (count(cost.texts_per_second.round() as u64)) " " (units) " or "
                (count(cost.tokens_per_second.round() as u64)) " " (tokens) " a second"
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

pub(crate) fn again(origin: &Origin) -> Markup {
    html! {
        p {
            "With the same program, data and kind of processor the CPU gives the same weights to the last bit. "
            "Run these where the paths of the configuration lead to the data:"
        }
        pre { (origin.commands.join("\n")) }
        dl.facts {
            @for (name, value) in &origin.fingerprints { dt { (name) } dd { code { (value) } } }
        }
        details {
            summary { "Configuration, with every default" }
            pre { (origin.configuration) }
        }
    }
}
