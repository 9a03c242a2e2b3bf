//! The page of attention maps: what a model attends to, head by head, and what its answers hang on.
//!
//! The page draws and answers the mouse, the finger and the keyboard with a script of its own.
//! Without it, it still shows the answer, the words that matter, the figures of every head and the
//! maps' averages.

mod encode;
mod explorer;
mod image;
mod words;

use std::ops::Range;

use maud::{Markup, html};

use crate::number::{count, percent};
use crate::{Page, Section};

const STYLE: &str = include_str!("attention.css");
const SCRIPT: &str = include_str!("attention.js");

/// What the page is made of.
#[derive(Clone, Debug)]
pub struct AttentionPage<'a> {
    /// What was looked into: the run.
    pub name: String,
    /// The model in a sentence or two.
    pub description: String,
    /// The texts.
    pub texts: Vec<InspectedText<'a>>,
}

/// A text and what a classifier makes of it.
#[derive(Clone, Debug)]
pub struct InspectedText<'a> {
    /// The text.
    pub text: &'a str,
    /// Whether its end was cut off.
    pub truncated: bool,
    /// What the model read.
    pub tokens: Vec<PlacedToken<'a>>,
    /// Class by class the name and the probability; empty if the answer is not finite.
    pub probabilities: Vec<(&'a str, f64)>,
    /// The words.
    pub words: Vec<WeighedWord<'a>>,
    /// The attention of each layer.
    pub layers: Vec<LayerMaps<'a>>,
    /// What is not finite, in the order of the model, a sentence each.
    pub not_finite: Vec<String>,
}

/// A token and the bytes of the text that it stands for.
#[derive(Clone, Debug)]
pub struct PlacedToken<'a> {
    /// Its text, or its name if it stands for none.
    pub text: &'a str,
    /// Its place; empty if it stands for no text.
    pub place: Range<usize>,
    /// Its rollout.
    pub rollout: f64,
}

/// A word and what it does.
#[derive(Clone, Debug)]
pub struct WeighedWord<'a> {
    /// Its text.
    pub text: &'a str,
    /// Its tokens.
    pub tokens: Range<usize>,
    /// The share of it that reaches the answer by attention.
    pub rollout: f64,
    /// How much the probability of the answer falls without it.
    pub occlusion: Option<f64>,
}

/// The maps of a layer.
#[derive(Clone, Debug)]
pub struct LayerMaps<'a> {
    /// The layer, counted from 0.
    pub layer: usize,
    /// Its heads.
    pub heads: Vec<HeadMap<'a>>,
}

/// The map of a head with its figures.
#[derive(Clone, Debug)]
pub struct HeadMap<'a> {
    /// `[len, len]`, queries before keys.
    pub weights: &'a [f32],
    /// In nats.
    pub entropy: f64,
    /// From 0 to 1.
    pub normalized_entropy: f64,
    /// In tokens.
    pub distance: f64,
    /// The weight of the class token.
    pub class_weight: f64,
}

impl AttentionPage<'_> {
    /// The HTML of the page: one file that needs nothing else.
    #[must_use]
    pub fn render(&self) -> String {
        let mut page = Page::new(&self.name)
            .with_kicker("Attention maps")
            .with_lead(html! { p.lead { (self.description) } })
            .with_style(STYLE)
            .with_script(SCRIPT);
        // What the maps of one text may take of the page.
        let bytes = encode::MOST_BYTES / self.texts.len().max(1);
        for (index, text) in self.texts.iter().enumerate() {
            let id = format!("text-{index}");
            let body = text.body(&id, bytes);
            page = page.with_section(Section::new(id, excerpt(text.text), body));
        }
        page.with_section(Section::new("reading", "How to read this", reading()))
            .render()
    }
}

impl InspectedText<'_> {
    fn body(&self, id: &str, bytes: usize) -> Markup {
        html! {
            @if !self.not_finite.is_empty() { (self.broken()) }
            (self.answer())
            @if !self.words.is_empty() { (words::section(self, id)) }
            @if self.layers.is_empty() {
                p.note { "The model's attention mechanism gives no weights to show." }
            } @else {
                (explorer::section(self, id, bytes))
            }
        }
    }

    fn predicted(&self) -> Option<(&str, f64)> {
        let best = self.probabilities.iter().copied();
        best.reduce(|best, other| if other.1 > best.1 { other } else { best })
    }

    fn broken(&self) -> Markup {
        html! {
            div.broken {
                p { strong { "The model's numbers break." } " The first line is where it begins; the others as a rule follow from it." }
                ol { @for line in &self.not_finite { li { code { (line) } } } }
            }
        }
    }

    fn answer(&self) -> Markup {
        const MOST: usize = 6;
        let mut classes = self.probabilities.clone();
        classes.sort_by(|a, b| b.1.total_cmp(&a.1));
        let others = classes.len().saturating_sub(MOST);
        html! {
            @match self.predicted() {
                Some((label, probability)) => p.lead {
                    "The model says " strong { (label) } " with probability " (percent(probability)) "."
                },
                None => p.lead.bad { "The model gives no answer: its output is not finite." },
            }
            dl.classes {
                @for (label, probability) in classes.iter().take(MOST) {
                    div {
                        dt { (label) }
                        dd {
                            span.bar { span style={ "width:" (format!("{:.2}", 100.0 * probability)) "%" } {} }
                            (percent(*probability))
                        }
                    }
                }
            }
            @if others > 0 { p.note { "and " (count(others as u64)) " less probable classes" } }
        }
    }
}

/// The beginning of a text, in quotation marks.
fn excerpt(text: &str) -> String {
    const WIDEST: usize = 56;
    if text.trim().is_empty() {
        return "An empty text".to_owned();
    }
    let mut beginning: String = text.chars().take(WIDEST).collect();
    if beginning.len() < text.len() {
        beginning.push('…');
    }
    format!("“{}”", beginning.trim())
}

fn reading() -> Markup {
    html! {
        dl.facts {
            dt { "Attention map" }
            dd { "How a token (the query) spreads its look over all tokens (the keys) in one head; the weights of a query sum to 1." }
            dt { "Entropy" }
            dd { "How widely a head looks: 0 for one token, ln of the number of tokens for all alike. Mean over the queries; “of the most” is the share of that logarithm." }
            dt { "Distance" }
            dd { "How far away a head looks, in tokens: the mean of the distances, weighted by attention." }
            dt { "Occlusion" }
            dd { "How much the probability of the answer falls when the word is hidden ([UNK] in its place). It asks the model itself: trust it first." }
            dt { "Rollout" }
            dd { "How much of each word reaches the answer if attention and the residual connections were all that moves information (Abnar and Zuidema 2020, arXiv 2005.00928). A word that is seen need not be one that decides." }
        }
        p.note { "Layers and heads are counted from 0, as the names of the weights count them. Attention shows where a model looks, not why it answers (Jain and Wallace 2019, arXiv 1902.10186)." }
    }
}

#[cfg(test)]
mod tests;
