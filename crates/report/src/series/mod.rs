//! The report on a run of series: forecasts over the truth, where they err, and scores of anomalies over time.

mod attention;
mod forecasts;
mod scores;

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::number::figure;
use crate::page::{Page, Section};
use crate::table::{Column, Table};
use crate::training::{Cost, Curves, Origin, cost, curves};

/// Everything that the report on a run of series says, as plain data.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct SeriesReport {
    /// The run's name.
    pub name: String,
    /// What the model does, in a sentence.
    pub what: String,
    /// Whether the model is better than everything that is reached without one, and that in a sentence.
    pub verdict: Option<(bool, String)>,
    /// The figures at the top: name, value and a note.
    pub tiles: Vec<[String; 3]>,
    /// Forecasts of some windows; none if values of the data may not appear.
    pub fans: Vec<Fan>,
    /// What the model attends to in the window that was forecast worst; none as above, or if it gives no weights.
    pub attention: Option<Attention>,
    /// The mean squared error of scaled values at each step of the horizon.
    pub mse_by_step: Vec<f64>,
    /// The same of each channel.
    pub mse_by_channel: Vec<(String, f64)>,
    /// Scores over time; none if the model finds no anomalies, or values of the data may not appear.
    pub courses: Vec<Course>,
    /// The names of the figures by which the model is held against what is reached without it.
    pub compared: Vec<String>,
    /// Who reaches what, the model first.
    pub rivals: Vec<Rival>,
    /// Sentences on the parts of the data.
    pub data: Vec<String>,
    /// The course of the training.
    pub curves: Curves,
    /// What it took.
    pub cost: Cost,
    /// What a private run promises, sentence by sentence; none if it promises nothing.
    pub promise: Vec<String>,
    /// Warnings of the run.
    pub warnings: Vec<String>,
    /// How to make it again.
    pub origin: Origin,
}

/// A model, or what is reached without one.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Rival {
    /// Its name.
    pub name: String,
    /// What it was fitted or set to.
    pub detail: String,
    /// A figure for each of [`SeriesReport::compared`].
    pub figures: Vec<f64>,
}

/// A forecast of one channel of one window, in the data's units.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Fan {
    /// Which window it is: best, median or worst.
    pub rank: String,
    /// The channel.
    pub channel: String,
    /// When the first told step is, or which row.
    pub begins: String,
    /// The mean squared error of scaled values over the window.
    pub mse: f64,
    /// The last steps seen, NaN where one is missing.
    pub past: Vec<f64>,
    /// What came.
    pub truth: Vec<f64>,
    /// What was told: the point, or the quantile in the middle.
    pub told: Vec<f64>,
    /// Pairs of quantiles around it, the widest first: a name, the lower and the upper ends.
    pub bands: Vec<(String, Vec<f64>, Vec<f64>)>,
}

/// Attention over the patches of one channel of a window.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Attention {
    /// The channel.
    pub channel: String,
    /// When the first told step is, or which row.
    pub begins: String,
    /// The first step of each patch and the one behind its last, counted from the first told step: below 0.
    pub patches: Vec<(i64, i64)>,
    /// The name of each head, and the weight that each patch gets from it.
    pub heads: Vec<(String, Vec<f64>)>,
    /// The share of each patch that reaches the forecast by attention.
    pub reach: Vec<f64>,
}

/// The scores of one series over time.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Course {
    /// The name of the series; empty if there is one.
    pub series: String,
    /// The name of the channel that is shown.
    pub channel: String,
    /// When the first row is, or which row.
    pub begins: String,
    /// When the last row is.
    pub ends: String,
    /// The rows of the channel that were judged, in the data's units, NaN where one is missing.
    pub values: Vec<f64>,
    /// The score of each.
    pub scores: Vec<f64>,
    /// Labelled stretches, from the first row to one behind the last.
    pub labelled: Vec<(usize, usize)>,
    /// The score above which a step is called unusual.
    pub threshold: f64,
}

impl SeriesReport {
    /// The report as one HTML file.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut page = Page::new(&self.name)
            .with_kicker("Training report")
            .with_style(include_str!("../training.css"))
            .with_lead(self.lead());
        if !self.rivals.is_empty() {
            page = page.with_section(Section::new("beside", "Beside no model", self.beside()));
        }
        if !self.courses.is_empty() {
            let body = scores::section(&self.courses);
            page = page.with_section(Section::new("scores", "Scores over time", body));
        }
        if !self.fans.is_empty() {
            let body = forecasts::fans(&self.fans);
            page = page.with_section(Section::new("forecasts", "Forecasts over the truth", body));
        }
        if let Some(attention) = &self.attention {
            let body = attention::section(attention);
            page = page.with_section(Section::new("attention", "What it attends to", body));
        }
        if !self.promise.is_empty() {
            let body = html! { @for sentence in &self.promise { p { (sentence) } } };
            page = page.with_section(Section::new("promise", "What is promised", body));
        }
        page.with_section(Section::new("errors", "Where it errs", forecasts::errors(self)))
            .with_section(Section::new(
                "course",
                "Course of training",
                curves::section(&self.curves, &curves::FORECASTS),
            ))
            .with_section(Section::new("data", "Data", self.parts()))
            .with_section(Section::new(
                "cost",
                "Time and memory",
                cost::section(&self.cost, "windows", "patches"),
            ))
            .with_section(Section::new("again", "How to make it again", cost::again(&self.origin)))
            .with_footer(html! {
                "Made by Regard from the run's own files. This page is one file and asks for nothing from outside."
            })
            .render()
    }

    fn lead(&self) -> Markup {
        html! {
            p.lead {
                @if let Some((is_beaten, sentence)) = &self.verdict {
                    @if *is_beaten { (sentence) } @else { strong.bad { (sentence) } }
                    " "
                }
                (self.what)
            }
            dl.figures {
                @for [name, value, note] in &self.tiles {
                    div { dt { (name) } dd { (value) small { (note) } } }
                }
            }
            @for warning in &self.warnings {
                p.warning { strong { "Warning: " } (warning) }
            }
        }
    }

    fn beside(&self) -> Markup {
        let mut columns = vec![Column::text("by")];
        columns.extend(self.compared.iter().map(Column::number));
        columns.push(Column::text("fitted or set to"));
        let table = Table::new("On the same data", columns);
        let table = self.rivals.iter().fold(table, |table, rival| {
            let mut row = vec![rival.name.clone()];
            row.extend(rival.figures.iter().map(|value| figure(*value)));
            row.push(rival.detail.clone());
            table.with_row(row)
        });
        html! { (table) }
    }

    fn parts(&self) -> Markup {
        html! { ul { @for line in &self.data { li { (line) } } } }
    }
}
