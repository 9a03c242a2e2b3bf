//! What the model learned from and was judged by.

use maud::{Markup, html};

use super::{Part, TrainingReport};
use crate::chart::{Axis, Bar, BarChart};
use crate::number::{count, percent};
use crate::table::{Column, Table};

/// Classes that have a column of their own.
const MOST_COLUMNS: usize = 6;
/// Rows of the table of classes.
const MOST_ROWS: usize = 20;
/// Bars of the histogram, about.
const BARS: u32 = 30;

pub(super) fn section(report: &TrainingReport) -> Markup {
    html! {
        (parts(report))
        div.charts {
            @if report.labels.len() > MOST_COLUMNS { div { (classes(report)) } }
            (lengths(report))
        }
    }
}

fn parts(report: &TrainingReport) -> Markup {
    let with_classes = report.labels.len() <= MOST_COLUMNS;
    let mut columns = vec![Column::text("part"), Column::number(report.units())];
    if with_classes {
        columns.extend(report.labels.iter().map(Column::number));
    }
    columns.extend(["median length", "longest 5 %", "cut off"].map(Column::number));
    let table =
        report
            .parts
            .iter()
            .fold(Table::new("Parts of the data", columns), |table, part| {
                let all: u64 = part.class_counts.iter().sum();
                let mut row = vec![part.name.clone(), count(all)];
                if with_classes {
                    let share = |n: &u64| {
                        format!("{} ({})", count(*n), percent(*n as f64 / all.max(1) as f64))
                    };
                    row.extend(part.class_counts.iter().map(share));
                }
                let mut sorted = part.lengths.clone();
                sorted.sort_unstable();
                row.push(quantile(&sorted, 0.5));
                row.push(format!("≥ {}", quantile(&sorted, 0.95)));
                row.push(percent(part.n_cut as f64 / sorted.len().max(1) as f64));
                table.with_row(row)
            });
    let sampled = report
        .parts
        .iter()
        .any(|part| (part.lengths.len() as u64) < part.class_counts.iter().sum::<u64>());
    html! {
        (table)
        p.note {
            @if report.is_series { "Lengths are in steps." }
            @else {
                "Lengths are in tokens, the class token among them; what exceeds " (report.max_length) " is cut off."
            }
            @if sampled { " They are those of " (report.units()) " spread evenly over a part, at most 5,000." }
        }
    }
}

fn quantile(sorted: &[u32], share: f64) -> String {
    let place = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted
        .get(place)
        .map_or(crate::number::MISSING.to_owned(), |n| count(u64::from(*n)))
}

/// Many classes, the commonest in training first.
fn classes(report: &TrainingReport) -> Markup {
    let Some(train) = report.parts.first() else {
        return html! {};
    };
    let mut order: Vec<usize> = (0..report.labels.len()).collect();
    let of = |part: &Part, class: usize| part.class_counts.get(class).copied().unwrap_or(0);
    order.sort_by_key(|class| std::cmp::Reverse(of(train, *class)));
    let names = report.parts.iter().map(|part| Column::number(&part.name));
    let columns: Vec<Column> = std::iter::once(Column::text("class"))
        .chain(names)
        .collect();
    let table = order.iter().take(MOST_ROWS).fold(
        Table::new(format!("Each class, in {}", report.units()), columns),
        |table, class| {
            let counts = report.parts.iter().map(|part| count(of(part, *class)));
            table.with_row(std::iter::once(report.label(*class).to_owned()).chain(counts))
        },
    );
    let rest = order.len().saturating_sub(MOST_ROWS);
    html! {
        (table)
        @if rest > 0 {
            @let least = order.last().map_or(0, |class| of(train, *class));
            p.note {
                "And " (count(rest as u64)) " classes more; the rarest has " (count(least))
                " " (report.units()) " in training."
            }
        }
    }
}

fn lengths(report: &TrainingReport) -> Markup {
    let Some(train) = report.parts.first().filter(|part| !part.lengths.is_empty()) else {
        return html! {};
    };
    let longest = train.lengths.iter().copied().max().unwrap_or(1);
    let width = (longest / BARS).max(1);
    let mut counts = vec![0_u64; (longest / width + 1) as usize];
    for length in &train.lengths {
        counts[(length / width) as usize] += 1;
    }
    let bars: Vec<Bar> = (counts.iter().enumerate())
        .map(|(bin, n)| {
            let from = f64::from(bin as u32 * width);
            Bar::new(from, from + f64::from(width), *n as f64)
        })
        .collect();
    let end = f64::from(counts.len() as u32 * width);
    let y = Axis::rounded(
        report.units(),
        bars.iter().map(|bar| bar.value).chain([0.0]),
    );
    BarChart::new(
        format!("Lengths of the training {}", report.units()),
        Axis::tight(report.tokens(), [0.0, end]),
        y,
        bars,
    )
    .figure()
}
