//! Pages that a person can read: training reports and attention maps, each one HTML file.
//!
//! Everything here goes from plain data to text: no model, no file, no clock. A page holds all that it
//! needs (style, pictures, numbers), follows the reader's light or dark theme, and can be read on a phone.
//!
//! ```
//! use regard_report::chart::{Axis, LineChart, Series};
//! use regard_report::{Page, Section};
//!
//! let loss = [(1.0, 0.69), (100.0, 0.31), (200.0, 0.12)];
//! let chart = LineChart::new(
//!     "Loss",
//!     Axis::tight("step", loss.map(|point| point.0)),
//!     Axis::rounded("nats", loss.map(|point| point.1)),
//! )
//! .with_series(Series::new("training", loss));
//! let html = Page::new("A run")
//!     .with_lead(maud::html! { p { "The loss fell." } })
//!     .with_section(Section::new("loss", "Loss", chart.figure()))
//!     .render();
//! assert!(html.starts_with("<!DOCTYPE html>"));
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`page`] | the shell of every page |
//! | [`chart`] | lines with bands, bars, reliability diagrams, heat maps |
//! | [`attention`] | the page of attention maps |
//! | [`table`] | tables that scroll sideways where they are wider than the screen |
//! | [`series`] | the report on a run of series |
//! | [`training`] | the report on a training run |
//! | [`tuning`] | the page of a search for settings |
//! | [`number`] | how numbers are written |

pub mod attention;
pub mod chart;
pub mod number;
pub mod page;
pub mod series;
pub mod table;
pub mod training;
pub mod tuning;

pub use page::{Page, Section};
pub use series::SeriesReport;
pub use table::{Column, Table};
pub use training::TrainingReport;
pub use tuning::TuningReport;

/// What the parts of a page are made of, from the crate `maud`.
pub use maud;
