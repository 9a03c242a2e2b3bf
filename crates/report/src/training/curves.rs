//! Loss, metrics and learning rate over the steps.

use maud::{Markup, html};

use super::{Curves, Evaluated};
use crate::chart::{Axis, LineChart, Series};
use crate::number::{count, figure};

/// The running mean of the training loss looks back about this share of the steps.
const LOOK_BACK: f64 = 0.02;

/// What the curves of a run are called.
pub(crate) struct Words {
    loss: &'static str,
    note: &'static str,
    /// Figures that share an axis, by their names in the log, and that axis.
    figures: &'static [(&'static str, &'static str)],
    axis: &'static str,
}

/// Of runs that classify.
pub(crate) const CLASSES: Words = Words {
    loss: "log loss (nats)",
    note: "The training loss is taken with dropout and label smoothing, the validation loss without.",
    figures: &[
        ("accuracy", "accuracy"),
        ("macro_f1", "macro F1"),
        ("mcc", "Matthews correlation"),
    ],
    axis: "share, or correlation",
};

/// Of runs that forecast.
pub(crate) const FORECASTS: Words = Words {
    loss: "loss (scaled)",
    note: "The training loss is taken with dropout, the validation loss without.",
    figures: &[
        ("mse", "MSE (scaled)"),
        ("mae", "MAE (scaled)"),
        ("pinball", "pinball loss (scaled)"),
    ],
    axis: "error (scaled)",
};

pub(crate) fn section(curves: &Curves, words: &Words) -> Markup {
    html! {
        p {
            "The model of step " (count(curves.kept_step)) " was kept: "
            @if curves.keeps_last { "the last one." }
            @else { "the best by " (named(&curves.metric, words)) " on the validation data." }
        }
        div.charts {
            (loss(curves, words))
            (metrics(curves, words))
            (learning_rate(curves))
            (gradients(curves))
        }
    }
}

/// A figure's name for people.
fn named<'a>(metric: &'a str, words: &Words) -> &'a str {
    let known = words.figures.iter().find(|(name, _)| *name == metric);
    known.map_or(metric, |(_, words)| words)
}

fn steps(curves: &Curves) -> Axis {
    let last = curves.train.last().map_or(0, |step| step.step);
    Axis::tight("step", [0.0, last as f64])
}

fn of_evaluations(curves: &Curves, name: &str) -> Vec<(f64, f64)> {
    let point = |evaluated: &Evaluated| {
        let value = evaluated.metrics.get(name).copied()?;
        Some((evaluated.step as f64, value))
    };
    curves.evaluations.iter().filter_map(point).collect()
}

fn loss(curves: &Curves, words: &Words) -> Markup {
    let train = curves.train.iter();
    let raw: Vec<(f64, f64)> = train.map(|step| (step.step as f64, step.loss)).collect();
    let mean = running_mean(&raw);
    let valid = of_evaluations(curves, "loss");
    // The first losses of a run may stand far above all that follows.
    let values = mean.iter().chain(&valid).map(|point| point.1).chain([0.0]);
    LineChart::new("Loss", steps(curves), Axis::rounded(words.loss, values))
        .with_series(Series::new("training, running mean", mean))
        .with_series(Series::new("validation", valid).with_dots())
        .with_note(words.note)
        .figure()
}

/// The exponential mean over [`LOOK_BACK`] of the points, the first ones without the pull of a zero.
fn running_mean(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let decay = (-1.0 / (LOOK_BACK * points.len() as f64).max(1e-9)).exp();
    let (mut sum, mut weight) = (0.0, 0.0);
    let finite = points.iter().filter(|point| point.1.is_finite());
    finite
        .map(|(x, y)| {
            sum = decay * sum + y;
            weight = decay * weight + 1.0;
            (*x, sum / weight)
        })
        .collect()
}

fn metrics(curves: &Curves, words: &Words) -> Markup {
    let mut series: Vec<(&str, Vec<(f64, f64)>)> = (words.figures)
        .iter()
        .map(|(name, words)| (*words, of_evaluations(curves, name)))
        .collect();
    series.retain(|(_, points)| !points.is_empty());
    let values: Vec<f64> = (series.iter().flat_map(|(_, points)| points))
        .map(|point| point.1)
        .collect();
    let mut chart = LineChart::new(
        "Validation",
        steps(curves),
        Axis::rounded(words.axis, values),
    );
    for (words, points) in series {
        chart = chart.with_series(Series::new(words, points).with_dots());
    }
    let accuracy = of_evaluations(curves, "accuracy");
    if let Some((step, value)) = accuracy
        .iter()
        .copied()
        .reduce(|a, b| if b.1 > a.1 { b } else { a })
    {
        chart = chart.with_note(format!(
            "The highest accuracy is {} at step {}.",
            figure(value),
            count(step as u64)
        ));
    }
    chart.figure()
}

fn learning_rate(curves: &Curves) -> Markup {
    let train = curves.train.iter();
    let points: Vec<(f64, f64)> = train
        .map(|step| (step.step as f64, step.learning_rate))
        .collect();
    let y = Axis::rounded(
        "learning rate",
        points.iter().map(|point| point.1).chain([0.0]),
    );
    LineChart::new("Learning rate", steps(curves), y)
        .with_series(Series::new("", points))
        .figure()
}

fn gradients(curves: &Curves) -> Markup {
    let train = curves.train.iter();
    let points: Vec<(f64, f64)> = train
        .map(|step| (step.step as f64, step.grad_norm))
        .collect();
    let mean = running_mean(&points);
    let y = Axis::rounded("norm", points.iter().map(|point| point.1).chain([0.0]));
    LineChart::new("Norm of the gradient, before clipping", steps(curves), y)
        .with_series(Series::new("each step", points).faint())
        .with_series(Series::new("running mean", mean))
        .figure()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_mean_begins_with_the_first_value_and_ends_near_the_last() {
        let points: Vec<(f64, f64)> = (0..1000)
            .map(|x| (f64::from(x), f64::from(x / 500)))
            .collect();
        let mean = running_mean(&points);
        assert_eq!(mean[0].1, 0.0);
        assert!((mean[999].1 - 1.0).abs() < 1e-6, "{}", mean[999].1);
        assert!(mean[510].1 > 0.3 && mean[510].1 < 0.5, "{}", mean[510].1);
        assert!(running_mean(&[]).is_empty());
    }
}
