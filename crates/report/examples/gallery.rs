//! Every chart on one page, to be looked at: `cargo run --example gallery > gallery.html`.

use maud::html;
use regard_report::chart::{
    Axis, BandPoint, Bar, BarChart, Cell, HeatMap, LineChart, ReliabilityBin, ReliabilityDiagram,
    Series,
};
use regard_report::{Column, Page, Section, Table};

fn main() {
    let charts = html! {
        div.charts { (loss()) (lengths()) (reliability()) (confusion()) }
        (forecast())
    };
    let table = Table::new("Classes", [Column::text("class"), Column::number("F1")])
        .with_row(["ham", "0.9943"])
        .with_row(["spam <b>", "0.9627"]);
    let page = Page::new("Gallery")
        .with_kicker("Regard")
        .with_lead(html! { p.lead { "Every chart, in the colours of the page." } })
        .with_section(Section::new("charts", "Charts", charts))
        .with_section(Section::new("table", "Table", html! { (table) }))
        .with_section(Section::new(
            "code",
            "Code",
            html! { pre { "regard train c.toml" } },
        ))
        .with_footer(html! { "Made by an example." });
    println!("{}", page.render());
}

fn loss() -> maud::Markup {
    let steps = (1..=2_000).map(f64::from);
    let raw = steps
        .clone()
        .map(|x| (x, 0.7 * (-x / 500.0).exp() + 0.05 * (x * 1.7).sin().abs()));
    let valid = (1..=10).map(|x| (f64::from(x) * 200.0, 0.5 / f64::from(x) + 0.08));
    LineChart::new(
        "Loss",
        Axis::tight("step", steps),
        Axis::rounded("loss (nats)", [0.0, 0.75]),
    )
    .with_series(Series::new("training", raw))
    .with_series(Series::new("validation", valid).with_dots())
    .figure()
}

fn lengths() -> maud::Markup {
    let bars: Vec<Bar> = (0..30)
        .map(|bin| {
            let x = f64::from(bin);
            Bar::new(
                4.0 * x,
                4.0 * x + 4.0,
                (900.0 * x * (-x / 5.0).exp()).round(),
            )
        })
        .collect();
    let y = Axis::rounded("texts", bars.iter().map(|bar| bar.value).chain([0.0]));
    BarChart::new("Lengths", Axis::tight("tokens", [0.0, 120.0]), y, bars).figure()
}

fn reliability() -> maud::Markup {
    let bins = (0..15).map(|bin| {
        let confidence = (f64::from(bin) + 0.5) / 15.0;
        ReliabilityBin {
            count: if bin < 7 { 0 } else { 10 + 3_u64.pow(bin - 7) },
            confidence,
            accuracy: confidence * confidence,
        }
    });
    ReliabilityDiagram::new("Calibration", bins).figure()
}

fn confusion() -> maud::Markup {
    let names: Vec<String> = ["World", "Sports", "Business", "Science"]
        .map(String::from)
        .into();
    let counts = [
        [1720, 30, 90, 60],
        [22, 1860, 9, 9],
        [80, 12, 1650, 158],
        [70, 20, 140, 1670],
    ];
    let cells = counts
        .iter()
        .map(|row| {
            let cell = |n: &u32| Cell {
                depth: f64::from(*n) / 1_900.0,
                text: n.to_string(),
                ..Cell::default()
            };
            row.iter().map(cell).collect()
        })
        .collect();
    HeatMap::new("Confusion matrix", names.clone(), names, cells)
        .with_axes("true class", "predicted class")
        .figure()
}

fn forecast() -> maud::Markup {
    let wave = |x: f64| 20.0 + 6.0 * (x / 6.0).sin();
    let past = (0..96).map(|x| (f64::from(x), wave(f64::from(x))));
    let future = (95..144).map(|x| (f64::from(x), wave(f64::from(x) - 0.5)));
    let band = |width: f64| {
        (95..144).map(move |x| {
            let spread = width * (f64::from(x - 95) / 8.0).sqrt();
            let x = f64::from(x);
            BandPoint {
                x,
                low: wave(x) - spread,
                high: wave(x) + spread,
            }
        })
    };
    LineChart::new(
        "Forecast",
        Axis::tight("hour", [0.0, 143.0]),
        Axis::rounded("oil temperature (°C)", [8.0, 32.0]),
    )
    .wide()
    .with_series(Series::new("measured", past).with_colour(regard_report::chart::Colour::Ink))
    .with_series(
        Series::new("forecast", future)
            .with_colour(regard_report::chart::Colour::Series(0))
            .with_band("90 %", band(2.0))
            .with_band("50 %", band(0.8)),
    )
    .figure()
}
