//! Explanations as a page for a browser.

use std::path::Path;

use regard_bundle::{AttentionMaps, BundleInfo, Explanation};
use regard_model::{EmbeddingConfig, HeadConfig, Pooling, TransformerConfig};
use regard_report::attention::{
    AttentionPage, HeadMap, InspectedText, LayerMaps, PlacedToken, WeighedWord,
};

/// The HTML of the page.
pub fn render(run: &Path, info: &BundleInfo, texts: &[(&str, Explanation)]) -> String {
    AttentionPage {
        name: run.display().to_string(),
        description: description(&info.model),
        texts: texts
            .iter()
            .map(|(text, explanation)| inspected(text, &info.labels, explanation))
            .collect(),
    }
    .render()
}

fn description(model: &TransformerConfig) -> String {
    let mut parts = vec![format!(
        "A transformer of {} and {}, {} wide",
        number(model.n_layers, "layer"),
        number(model.n_heads, "head"),
        number(model.d_model, "feature")
    )];
    if let EmbeddingConfig::Text { max_length, .. } = model.embedding {
        parts.push(format!("reading {} at most", number(max_length, "token")));
    }
    if let HeadConfig::Classification { pooling, .. } = model.head {
        parts.push(
            match pooling {
                Pooling::First => "answering from the class token",
                Pooling::Mean => "answering from the mean of the tokens",
                Pooling::Max => "answering from the greatest value of each feature over the tokens",
            }
            .to_owned(),
        );
    }
    parts.join(", ") + "."
}

fn number(n: usize, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {what}{plural}")
}

fn inspected<'a>(
    text: &'a str,
    labels: &'a [String],
    explanation: &'a Explanation,
) -> InspectedText<'a> {
    let tokens = explanation.tokens.iter().zip(&explanation.rollout);
    let prediction = explanation.prediction.iter();
    InspectedText {
        text,
        truncated: explanation.truncated,
        tokens: tokens
            .map(|(token, rollout)| PlacedToken {
                text: &token.text,
                place: token.start..token.end,
                rollout: *rollout,
            })
            .collect(),
        probabilities: prediction
            .flat_map(|prediction| labels.iter().zip(&prediction.probabilities))
            .map(|(label, probability)| (label.as_str(), *probability))
            .collect(),
        words: explanation
            .words
            .iter()
            .map(|word| WeighedWord {
                text: &word.text,
                tokens: word.tokens.clone(),
                rollout: word.rollout,
                occlusion: word.occlusion,
            })
            .collect(),
        layers: explanation.layers.iter().map(layer).collect(),
        not_finite: explanation
            .not_finite
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}

fn layer(maps: &AttentionMaps) -> LayerMaps<'_> {
    let head = |head| {
        let figures = maps.figures(head);
        HeadMap {
            weights: maps.head(head),
            entropy: figures.entropy,
            normalized_entropy: figures.normalized_entropy,
            distance: figures.distance,
            class_weight: figures.class_weight,
        }
    };
    LayerMaps {
        layer: maps.layer(),
        heads: (0..maps.n_heads()).map(head).collect(),
    }
}
