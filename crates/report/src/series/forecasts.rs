//! Forecasts of single windows, and the error by step and channel.

use maud::{Markup, html};

use super::{Fan, SeriesReport};
use crate::chart::{Axis, BandPoint, Colour, LineChart, Series};
use crate::number::figure;
use crate::table::{Column, Table};

pub(super) fn fans(fans: &[Fan]) -> Markup {
    html! {
        p {
            "Of all windows the one that was forecast best, the one in the middle and the one that was forecast worst, "
            "by the squared error of scaled values over all channels. The dashed line is what came."
        }
        div.charts { @for fan in fans { (chart(fan)) } }
    }
}

fn chart(fan: &Fan) -> Markup {
    let seen = fan.past.len();
    let steps = |from: usize, values: &[f64]| -> Vec<(f64, f64)> {
        let place =
            |(step, value): (usize, &f64)| (from as f64 + step as f64 - seen as f64, *value);
        values.iter().enumerate().map(place).collect()
    };
    let ends = fan
        .bands
        .iter()
        .flat_map(|(_, low, high)| low.iter().chain(high));
    let values = (fan
        .past
        .iter()
        .chain(&fan.truth)
        .chain(&fan.told)
        .chain(ends))
    .copied();
    let x = [-(seen as f64), fan.truth.len() as f64 - 1.0];
    let mut told = Series::new("told", steps(seen, &fan.told)).with_colour(Colour::Series(1));
    for (name, low, high) in &fan.bands {
        let band = low
            .iter()
            .zip(high)
            .enumerate()
            .map(|(step, (low, high))| BandPoint {
                x: step as f64,
                low: *low,
                high: *high,
            });
        told = told.with_band(name.clone(), band);
    }
    LineChart::new(
        format!("{} window, {}", fan.rank, fan.channel),
        Axis::tight("step, 0 is the first told", x),
        Axis::rounded(fan.channel.clone(), values),
    )
    .with_series(Series::new("seen", steps(0, &fan.past)).with_colour(Colour::Series(0)))
    .with_series(
        Series::new("came", steps(seen, &fan.truth))
            .with_colour(Colour::Series(0))
            .dashed(),
    )
    .with_series(told)
    .with_note(format!(
        "From {} on; MSE of the window {} (scaled).",
        fan.begins,
        figure(fan.mse)
    ))
    .figure()
}

pub(super) fn errors(report: &SeriesReport) -> Markup {
    let steps: Vec<(f64, f64)> = (report.mse_by_step.iter().enumerate())
        .map(|(step, mse)| (step as f64 + 1.0, *mse))
        .collect();
    let y = Axis::rounded(
        "MSE (scaled)",
        report.mse_by_step.iter().copied().chain([0.0]),
    );
    let x = Axis::tight("step of the horizon", [1.0, steps.len().max(2) as f64]);
    let columns = [Column::text("channel"), Column::number("MSE (scaled)")];
    let table = report.mse_by_channel.iter().fold(
        Table::new("Error of each channel", columns),
        |table, (channel, mse)| table.with_row([channel.clone(), figure(*mse)]),
    );
    html! {
        div.charts {
            (LineChart::new("Error by step of the horizon", x, y).with_series(Series::new("", steps)).figure())
            div { (table) }
        }
    }
}
