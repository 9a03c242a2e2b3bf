//! An explanation for programs.

use regard_bundle::{AttentionMaps, Explanation, NotFinite, TextToken, Word};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// One text and what the model makes of it. A number that is not finite is `null`.
#[derive(Serialize)]
pub struct Inspection<'a> {
    schema: u32,
    text: &'a str,
    truncated: bool,
    tokens: Vec<Token<'a>>,
    prediction: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction_reason: Option<&'static str>,
    layers: Vec<Layer<'a>>,
    rollout: &'a [f64],
    occlusion: Option<&'a [f64]>,
    words: Vec<Value>,
    not_finite: Vec<Value>,
}

#[derive(Serialize)]
struct Token<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    id: u32,
}

#[derive(Serialize)]
struct Layer<'a> {
    layer: usize,
    heads: Vec<Head<'a>>,
}

#[derive(Serialize)]
struct Head<'a> {
    head: usize,
    entropy: f64,
    normalized_entropy: f64,
    distance: f64,
    class_weight: f64,
    /// A row a query.
    weights: Vec<&'a [f32]>,
}

impl<'a> Inspection<'a> {
    /// The JSON of an explanation.
    pub fn new(text: &'a str, labels: &[String], explanation: &'a Explanation) -> Self {
        let prediction = explanation.prediction.as_ref().map(|prediction| {
            let probabilities: Map<String, Value> = labels
                .iter()
                .zip(&prediction.probabilities)
                .map(|(label, probability)| (label.clone(), json!(probability)))
                .collect();
            json!({"label": labels[prediction.class], "probabilities": probabilities})
        });
        Self {
            schema: crate::commands::SCHEMA,
            text,
            truncated: explanation.truncated,
            tokens: explanation.tokens.iter().map(Token::new).collect(),
            prediction_reason: prediction
                .is_none()
                .then_some("an answer is not finite; see not_finite"),
            prediction,
            layers: explanation.layers.iter().map(Layer::new).collect(),
            rollout: &explanation.rollout,
            occlusion: explanation.occlusion.as_deref(),
            words: explanation.words.iter().map(word).collect(),
            not_finite: explanation.not_finite.iter().map(not_finite).collect(),
        }
    }
}

impl<'a> Token<'a> {
    fn new(token: &'a TextToken) -> Self {
        Self {
            text: &token.text,
            start: token.start,
            end: token.end,
            id: token.id,
        }
    }
}

impl<'a> Layer<'a> {
    fn new(maps: &'a AttentionMaps) -> Self {
        let head = |head| {
            let figures = maps.figures(head);
            Head {
                head,
                entropy: figures.entropy,
                normalized_entropy: figures.normalized_entropy,
                distance: figures.distance,
                class_weight: figures.class_weight,
                weights: maps.head(head).chunks(maps.len()).collect(),
            }
        };
        Self {
            layer: maps.layer(),
            heads: (0..maps.n_heads()).map(head).collect(),
        }
    }
}

fn word(word: &Word) -> Value {
    json!({
        "text": word.text,
        "tokens": [word.tokens.start, word.tokens.end],
        "rollout": word.rollout,
        "occlusion": word.occlusion,
    })
}

fn not_finite(found: &NotFinite) -> Value {
    json!({
        "operation": found.operation,
        "layer": found.layer,
        "heads": found.heads,
        "row": found.row,
        "token": found.token,
        "n_nan": found.n_nan,
        "n_infinite": found.n_infinite,
        "n_values": found.n_values,
    })
}
