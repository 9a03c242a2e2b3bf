//! Scores of anomalies over time.

use maud::{Markup, html};

use super::Course;
use crate::chart::{Axis, BandPoint, Colour, LineChart, Series};
use crate::number::figure;

pub(super) fn section(courses: &[Course]) -> Markup {
    let is_labelled = courses.iter().any(|course| !course.labelled.is_empty());
    html! {
        p {
            "How far each step is from its forecasts; what lies above the dashed threshold is called unusual."
            @if is_labelled { " Labelled stretches are shaded: the model never saw the labels." }
        }
        @for course in courses { (values(course)) (scores(course)) }
    }
}

fn x(course: &Course) -> Axis {
    let label = format!("row; from {} to {}", course.begins, course.ends);
    Axis::tight(label, [0.0, course.scores.len().max(2) as f64 - 1.0])
}

fn named(what: &str, course: &Course) -> String {
    match course.series.as_str() {
        "" => what.to_owned(),
        series => format!("{what} of {series}"),
    }
}

fn points(values: &[f64]) -> Vec<(f64, f64)> {
    let place = |(row, value): (usize, &f64)| (row as f64, *value);
    values.iter().enumerate().map(place).collect()
}

/// The ends of the values that are numbers.
fn ends(values: &[f64]) -> [f64; 2] {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (f64::INFINITY, f64::NEG_INFINITY);
    let (low, high) = finite.fold((low, high), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low > high { [0.0, 1.0] } else { [low, high] }
}

/// The labelled stretches as areas as high as the chart.
fn shaded(course: &Course, [low, high]: [f64; 2]) -> Series {
    let empty = Series::new("", []).with_colour(Colour::Bad);
    (course.labelled.iter().enumerate()).fold(empty, |series, (number, (from, to))| {
        let name = if number == 0 { "labelled" } else { "" };
        let band = [*from, to.saturating_sub(1)].map(|row| BandPoint {
            x: row as f64,
            low,
            high,
        });
        series.with_band(name, band)
    })
}

fn values(course: &Course) -> Markup {
    let range = ends(&course.values);
    LineChart::new(
        named(&course.channel, course),
        x(course),
        Axis::tight(course.channel.clone(), range),
    )
    .with_series(shaded(course, range))
    .with_series(
        Series::new(course.channel.clone(), points(&course.values)).with_colour(Colour::Series(0)),
    )
    .wide()
    .figure()
}

fn scores(course: &Course) -> Markup {
    let [_, high] = ends(&course.scores);
    let range = [0.0, high.max(course.threshold)];
    let last = course.scores.len().max(2) as f64 - 1.0;
    let threshold = [(0.0, course.threshold), (last, course.threshold)];
    LineChart::new(
        named("Score", course),
        x(course),
        Axis::tight("score", range),
    )
    .with_series(shaded(course, range))
    .with_series(Series::new("score", points(&course.scores)).with_colour(Colour::Series(1)))
    .with_series(
        Series::new("threshold", threshold)
            .with_colour(Colour::Ink)
            .dashed(),
    )
    .with_note(format!("The threshold is {}.", figure(course.threshold)))
    .wide()
    .figure()
}
