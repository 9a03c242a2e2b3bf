//! Classes, confusions and calibration.

use maud::{Markup, html};

use super::{ClassFigures, TrainingReport};
use crate::chart::{Cell, Colour, HeatMap, ReliabilityDiagram};
use crate::number::{count, figure, percent};
use crate::table::{Column, Table};

/// Classes of which a matrix can still be read.
const MOST_IN_MATRIX: usize = 12;
/// Rows of a table that are still read.
const MOST_ROWS: usize = 20;

pub(super) fn classes(report: &TrainingReport) -> Markup {
    if report.labels.len() <= MOST_IN_MATRIX {
        return html! {
            div.charts { (matrix(report)) div { (per_class(report)) } }
        };
    }
    html! {
        (per_class(report))
        h3 { "Largest confusions" }
        (largest_confusions(report))
    }
}

fn matrix(report: &TrainingReport) -> Markup {
    let quality = &report.quality;
    let cells = quality.confusion.iter().enumerate().map(|(truth, row)| {
        let all: u64 = row.iter().sum();
        let cell = |(predicted, n): (usize, &u64)| {
            let share = if all == 0 {
                0.0
            } else {
                *n as f64 / all as f64
            };
            Cell {
                // The root, so that a few mistakes among many texts are seen.
                depth: share.sqrt(),
                text: count(*n),
                colour: if truth == predicted {
                    Colour::Heat
                } else {
                    Colour::Bad
                },
            }
        };
        row.iter().enumerate().map(cell).collect()
    });
    HeatMap::new(
        "Confusion matrix",
        report.labels.clone(),
        report.labels.clone(),
        cells.collect(),
    )
    .with_axes("true class", "predicted class")
    .with_description(confusion_in_words(report))
    .with_note(format!(
        "{} of the {} data. The deeper the colour, the larger the share of the row; red is wrong.",
        report.texts(quality.n),
        report.judged_on()
    ))
    .figure()
}

fn confusion_in_words(report: &TrainingReport) -> String {
    let mut words = "Confusion matrix.".to_owned();
    for (truth, row) in report.quality.confusion.iter().enumerate() {
        let given: Vec<String> = (row.iter().enumerate().filter(|(_, n)| **n > 0))
            .map(|(predicted, n)| format!("{n} as {}", report.label(predicted)))
            .collect();
        words.push_str(&format!(" {}: {}.", report.label(truth), given.join(", ")));
    }
    words
}

fn per_class(report: &TrainingReport) -> Markup {
    let mut rows: Vec<(usize, &ClassFigures)> =
        report.quality.per_class.iter().enumerate().collect();
    let all = rows.len();
    if all > MOST_ROWS {
        // A class without texts has no figures.
        rows.retain(|(_, class)| class.support > 0);
        rows.sort_by(|a, b| a.1.f1.total_cmp(&b.1.f1));
        rows.truncate(MOST_ROWS);
    }
    let columns = [
        Column::text("class"),
        Column::number("precision"),
        Column::number("recall"),
        Column::number("F1"),
        Column::number(report.units()),
    ];
    let table = rows.iter().fold(
        Table::new("Figures of each class", columns),
        |table, (index, class)| {
            table.with_row([
                report.label(*index).to_owned(),
                figure(class.precision),
                figure(class.recall),
                figure(class.f1),
                count(class.support),
            ])
        },
    );
    html! {
        (table)
        p.note {
            @if rows.len() < all {
                "The " (rows.len()) " classes with the lowest F1 of " (count(all as u64)) ". "
            }
            "Precision: of the " (report.units()) " given a class, the share that is of it. Recall: of the "
            (report.units()) " of a class, the share that is given it. F1: the harmonic mean of both."
        }
    }
}

fn largest_confusions(report: &TrainingReport) -> Markup {
    let confusion = &report.quality.confusion;
    let mut pairs: Vec<(u64, usize, usize)> = Vec::new();
    for (truth, row) in confusion.iter().enumerate() {
        let wrong = row
            .iter()
            .enumerate()
            .filter(|(predicted, n)| *predicted != truth && **n > 0);
        pairs.extend(wrong.map(|(predicted, n)| (*n, truth, predicted)));
    }
    if pairs.is_empty() {
        return html! { p { "None: every " (report.unit()) " was given its class." } };
    }
    pairs.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let shown = pairs.len().min(MOST_ROWS);
    let columns = [
        Column::text("true class"),
        Column::text("given class"),
        Column::number(report.units()),
        Column::number("of the class"),
    ];
    let table = pairs.iter().take(MOST_ROWS).fold(
        Table::new("Largest confusions", columns),
        |table, (n, truth, predicted)| {
            let all: u64 = confusion[*truth].iter().sum();
            table.with_row([
                report.label(*truth).to_owned(),
                report.label(*predicted).to_owned(),
                count(*n),
                percent(*n as f64 / all as f64),
            ])
        },
    );
    html! {
        (table)
        @if shown < pairs.len() {
            p.note { "The " (shown) " largest of " (count(pairs.len() as u64)) " pairs of classes." }
        }
    }
}

pub(super) fn calibration(report: &TrainingReport) -> Markup {
    let quality = &report.quality;
    let confidence = mean_confidence(report);
    let gap = confidence - quality.accuracy;
    let verdict = if gap.abs() < 0.01 {
        "On the whole it is as sure as it is right"
    } else if gap > 0.0 {
        "On the whole it is surer than it is right"
    } else {
        "On the whole it is less sure than it is right"
    };
    let diagram = ReliabilityDiagram::new("Reliability", quality.calibration.iter().copied()).with_note(
        "A bar is the share of right predictions among those of one stretch of confidence; pale bars stand for few.",
    );
    html! {
        div.charts {
            (diagram.figure())
            div {
                p {
                    "Whether a confidence of 90 % is right nine times in ten. " (verdict)
                    ": the mean confidence is " (percent(confidence)) ", the accuracy "
                    (percent(quality.accuracy)) "."
                }
                dl.facts {
                    dt { "Expected calibration error" } dd { (figure(quality.ece)) }
                    dt { "Brier score" } dd { (figure(quality.brier)) }
                    dt { "Log loss" } dd { (figure(quality.loss)) " nats" }
                }
                p.note {
                    "The expected calibration error is the mean distance between confidence and accuracy over "
                    (quality.calibration.len()) " bins of equal width, each with the weight of its predictions. "
                    "The Brier score is the mean squared distance of the probabilities from the truth"
                    @if report.labels.len() == 2 { " (of one of the two)" } @else { ", summed over the classes" }
                    ". Of all three, lower is better."
                }
            }
        }
    }
}

fn mean_confidence(report: &TrainingReport) -> f64 {
    let bins = &report.quality.calibration;
    let sum: f64 = bins
        .iter()
        .map(|bin| bin.confidence * bin.count as f64)
        .sum();
    let n: u64 = bins.iter().map(|bin| bin.count).sum();
    sum / n.max(1) as f64
}
