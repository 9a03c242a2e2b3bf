//! The report on a training run: how good, by what way, at what cost, and how to make it again.

pub(crate) mod cost;
pub(crate) mod curves;
mod data;
mod examples;
mod headline;
mod quality;

use std::collections::BTreeMap;

use maud::html;
use serde::{Deserialize, Serialize};

use crate::chart::ReliabilityBin;
use crate::number::count;
use crate::page::{Page, Section};

/// Everything that the report on a run says, as plain data.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct TrainingReport {
    /// The run's name.
    pub name: String,
    /// Whether series are classified, and not texts.
    pub is_series: bool,
    /// Whether the model is better than what is reached without one, and that in a sentence; none if nobody looked.
    pub verdict: Option<(bool, String)>,
    /// The names of the classes.
    pub labels: Vec<String>,
    /// How good the model is.
    pub quality: Quality,
    /// The parts of the data.
    pub parts: Vec<Part>,
    /// The largest number of tokens of a text; what exceeds it was cut off.
    pub max_length: usize,
    /// The course of the training.
    pub curves: Curves,
    /// The surest mistakes, the surest first; `None` if texts of the data may not appear.
    pub mistakes: Option<Vec<Mistake>>,
    /// Some texts with what each word does; none if texts of the data may not appear.
    pub explained: Vec<Explained>,
    /// What it took.
    pub cost: Cost,
    /// What a private run promises, sentence by sentence; none if it promises nothing.
    pub promise: Vec<String>,
    /// Warnings of the run.
    pub warnings: Vec<String>,
    /// How to make it again.
    pub origin: Origin,
}

/// What a run came from.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Origin {
    /// The resolved configuration, in TOML.
    pub configuration: String,
    /// Commands that make it again, in their order.
    pub commands: Vec<String>,
    /// Versions, seeds and fingerprints, by name.
    pub fingerprints: Vec<(String, String)>,
}

/// How good the model is on data that it did not learn from.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Quality {
    /// Whether the data was for the test, so that nothing was chosen by it; else it is the validation data.
    pub is_test: bool,
    /// The number of texts.
    pub n: u64,
    /// The share of texts with the right label.
    pub accuracy: f64,
    /// The mean of the classes' F1.
    pub macro_f1: f64,
    /// The Matthews correlation.
    pub mcc: f64,
    /// The mean log loss, in nats.
    pub loss: f64,
    /// The expected calibration error.
    pub ece: f64,
    /// The Brier score.
    pub brier: f64,
    /// The class that is the commonest in training.
    pub commonest: usize,
    /// The accuracy of always guessing it.
    pub commonest_accuracy: f64,
    /// The figures of each class.
    pub per_class: Vec<ClassFigures>,
    /// How many texts of each class (row) were given each class (column).
    pub confusion: Vec<Vec<u64>>,
    /// Predictions by their confidence, in bins of equal width over [0, 1].
    pub calibration: Vec<ReliabilityBin>,
}

/// The figures of one class.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct ClassFigures {
    /// The share of the texts given this class that are of it.
    pub precision: f64,
    /// The share of the texts of this class that are given it.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
    /// The number of texts of this class.
    pub support: u64,
}

/// A part of the data.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Part {
    /// Its name: training, validation or test.
    pub name: String,
    /// The number of texts of each class.
    pub class_counts: Vec<u64>,
    /// The number of tokens of some texts, spread evenly over the part.
    pub lengths: Vec<u32>,
    /// How many of these were cut off.
    pub n_cut: u64,
}

/// The course of the training.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Curves {
    /// The steps in their order.
    pub train: Vec<TrainStep>,
    /// The evaluations on the validation data.
    pub evaluations: Vec<Evaluated>,
    /// The figure by which models are compared.
    pub metric: String,
    /// The step of the model that was kept.
    pub kept_step: u64,
    /// Whether it was kept for being the last one, not the best.
    pub keeps_last: bool,
}

/// One step.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct TrainStep {
    /// Steps made so far.
    pub step: u64,
    /// The loss before the update.
    pub loss: f64,
    /// The norm of the gradient before clipping.
    pub grad_norm: f64,
    /// The learning rate.
    pub learning_rate: f64,
}

/// One evaluation.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Evaluated {
    /// Steps made so far.
    pub step: u64,
    /// The figures by name.
    pub metrics: BTreeMap<String, f64>,
}

/// A text with a wrong label.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Mistake {
    /// The text.
    pub text: String,
    /// Its class.
    pub truth: usize,
    /// The class that the model gives it.
    pub predicted: usize,
    /// The probability of that class.
    pub probability: f64,
}

/// A text and what its words do.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Explained {
    /// The class of the text.
    pub truth: usize,
    /// The class that the model gives it.
    pub predicted: usize,
    /// The probability of that class.
    pub probability: f64,
    /// Whether the end of the text was cut off.
    pub truncated: bool,
    /// Each word with the share of it that reaches the answer by attention.
    pub attention: Vec<(String, f64)>,
    /// Each word with how much the probability falls if the model does not see it.
    pub occlusion: Vec<(String, f64)>,
}

/// What the run took.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Cost {
    /// Steps made.
    pub steps: u64,
    /// Whether the run ended before its last step because the metric no longer improved.
    pub stopped_early: bool,
    /// The trained numbers of the model.
    pub n_parameters: u64,
    /// The shape of the model, in words.
    pub model: String,
    /// The time of all steps.
    pub training_seconds: f64,
    /// The time of all evaluations on validation data.
    pub evaluation_seconds: f64,
    /// The median time of a step.
    pub step_seconds: f64,
    /// Texts trained on in a second of training.
    pub texts_per_second: f64,
    /// Tokens trained on in a second of training.
    pub tokens_per_second: f64,
    /// The most memory that the process took, in MiB; absent where the system does not tell it.
    pub peak_rss_mib: Option<f64>,
}

impl TrainingReport {
    /// The report as one HTML file.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut page = Page::new(&self.name)
            .with_kicker("Training report")
            .with_style(include_str!("../training.css"))
            .with_lead(headline::lead(self))
            .with_section(Section::new(
                "course",
                "Course of training",
                curves::section(&self.curves, &curves::CLASSES),
            ))
            .with_section(Section::new(
                "quality",
                "Where it is right and wrong",
                quality::classes(self),
            ))
            .with_section(Section::new(
                "calibration",
                "Calibration",
                quality::calibration(self),
            ));
        if !self.promise.is_empty() {
            page = page.with_section(Section::new(
                "privacy",
                "What is promised",
                html! { @for sentence in &self.promise { p { (sentence) } } },
            ));
        }
        if let Some(mistakes) = &self.mistakes {
            let body = examples::mistakes(self, mistakes);
            page = page.with_section(Section::new("mistakes", "Surest mistakes", body));
        }
        if !self.explained.is_empty() {
            let body = examples::words(self);
            page = page.with_section(Section::new("words", "Words that matter", body));
        }
        page.with_section(Section::new("data", "Data", data::section(self)))
            .with_section(Section::new("cost", "Time and memory", cost::section(&self.cost, self.units(), self.tokens())))
            .with_section(Section::new("again", "How to make it again", cost::again(&self.origin)))
            .with_footer(html! {
                "Made by Regard from the run's own files. This page is one file and asks for nothing from outside."
            })
            .render()
    }

    /// The name of a class.
    fn label(&self, class: usize) -> &str {
        self.labels.get(class).map_or("?", String::as_str)
    }

    /// What the figures were taken on.
    fn judged_on(&self) -> &'static str {
        if self.quality.is_test {
            "test"
        } else {
            "validation"
        }
    }

    /// A number of texts or series, in words.
    fn texts(&self, n: u64) -> String {
        format!(
            "{} {}",
            count(n),
            if n == 1 { self.unit() } else { self.units() }
        )
    }

    /// What is classified.
    fn unit(&self) -> &'static str {
        if self.is_series { "series" } else { "text" }
    }

    /// What is classified, in the plural.
    fn units(&self) -> &'static str {
        if self.is_series { "series" } else { "texts" }
    }

    /// What lengths are counted in.
    fn tokens(&self) -> &'static str {
        if self.is_series { "steps" } else { "tokens" }
    }
}
