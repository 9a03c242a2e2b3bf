//! Texts: the surest mistakes, and which words matter.

use maud::{Markup, html};

use super::{Explained, Mistake, TrainingReport};
use crate::number::percent;
use crate::table::{Column, Table};

/// Characters of a text that are shown.
const LONGEST: usize = 300;

pub(super) fn mistakes(report: &TrainingReport, mistakes: &[Mistake]) -> Markup {
    if mistakes.is_empty() {
        return html! {
            p { "There are none: every text of the " (report.judged_on()) " data was given its label." }
        };
    }
    let columns = [
        Column::text("text"),
        Column::text("label"),
        Column::text("given"),
        Column::number("confidence"),
    ];
    let table = mistakes
        .iter()
        .fold(Table::new("Surest mistakes", columns), |table, mistake| {
            table.with_row([
                html! { span.text { (shortened(&mistake.text)) } },
                html! { (report.label(mistake.truth)) },
                html! { (report.label(mistake.predicted)) },
                html! { (percent(mistake.probability)) },
            ])
        });
    html! {
        p {
            "Where the model is wrong and most sure of it, in the " (report.judged_on())
            " data. Some of these may be wrong labels."
        }
        (table)
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONGEST - 1).collect();
    kept + "…"
}

pub(super) fn words(report: &TrainingReport) -> Markup {
    html! {
        p {
            "Two views of the same answers. " strong { "If hidden" } ": how much the probability of the "
            "answer falls when the model does not see a word; blue speaks for the answer, red against it. "
            strong { "Attention" } ": the share of a word that reaches the answer through all layers "
            "(attention rollout); it shows where the model looks, not what it concludes."
        }
        @for explained in &report.explained { (one(report, explained)) }
    }
}

fn one(report: &TrainingReport, explained: &Explained) -> Markup {
    let right = explained.truth == explained.predicted;
    html! {
        div.explained {
            p {
                strong { (report.label(explained.predicted)) } ", " (percent(explained.probability)) " sure; "
                @if right { span.good { "right" } }
                @else { span.bad { "wrong: it is " (report.label(explained.truth)) } }
                @if explained.truncated { span.muted { " (the end of the text was cut off)" } }
            }
            dl {
                dt { "If hidden" } dd.text { (weighted(&explained.occlusion)) }
                dt { "Attention" } dd.text { (weighted(&explained.attention)) }
            }
        }
    }
}

/// Words on grounds as deep as their weights, relative to the largest.
fn weighted(words: &[(String, f64)]) -> Markup {
    let finite = words
        .iter()
        .map(|word| word.1.abs())
        .filter(|weight| weight.is_finite());
    let largest = finite.fold(0.0, f64::max);
    html! {
        @for (word, weight) in words {
            @let depth = if largest > 0.0 && weight.is_finite() { weight.abs() / largest } else { 0.0 };
            @let class = if *weight < 0.0 { "against" } else { "for" };
            @if depth < 0.02 { (word) " " }
            @else {
                span class={ "word " (class) } style={ "--depth:" (format!("{:.2}", 0.6 * depth)) }
                    title=(format!("{weight:+.3}")) { (word) }
                " "
            }
        }
    }
}
