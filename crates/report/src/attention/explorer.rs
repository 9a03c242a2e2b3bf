//! The maps: what the script draws from, and what is there without it.

use maud::{Markup, PreEscaped, html};
use serde::Serialize;

use super::encode::{base64, quantized, shown_tokens};
use super::{HeadMap, InspectedText, image};
use crate::number::count;

/// More tokens than this are not named beside a picture.
const MOST_NAMED: usize = 48;

/// What the script reads.
#[derive(Serialize)]
struct Data<'a> {
    tokens: Vec<ShownToken<'a>>,
    /// Where the reader's eye begins: the token of the word that matters most.
    start: usize,
    layers: Vec<Layer>,
}

#[derive(Serialize)]
struct ShownToken<'a> {
    text: &'a str,
    /// Whether a space stands before it.
    space: bool,
    special: bool,
}

#[derive(Serialize)]
struct Layer {
    layer: usize,
    heads: Vec<Head>,
}

#[derive(Serialize)]
struct Head {
    /// A byte for each query and key, in base64.
    weights: String,
    /// What 255 stands for; `null` where a weight is not finite.
    most: Option<f32>,
}

pub(super) fn section(text: &InspectedText<'_>, id: &str, bytes: usize) -> Markup {
    let len = text.tokens.len();
    let n_maps = text.layers.iter().map(|layer| layer.heads.len()).sum();
    let weights: Vec<f64> = text.tokens.iter().map(|token| token.rollout).collect();
    let shown = shown_tokens(&weights, n_maps, bytes);
    html! {
        h3 { "Where each token looks" }
        @if shown.len() < len {
            p.note {
                "Shown are " (count(shown.len() as u64)) " of " (count(len as u64))
                " tokens: the class token and the stretch that reaches the answer most. What the others get is left out."
            }
        }
        div.maps data-maps {
            script type="application/json" { (PreEscaped(json(text, &shown))) }
            noscript { (averages(text, &shown)) }
            div.explorer hidden { (controls(text, id)) (views()) }
            h3 { "Every head" }
            p.note { "Layers down, heads across. Entropy as a share of the most, then the distance in tokens." }
            (overview(text))
        }
    }
}

/// The data of a page's script; no text in it can end the element that holds it.
fn json(text: &InspectedText<'_>, shown: &[usize]) -> String {
    let len = text.tokens.len();
    let data = Data {
        tokens: shown
            .iter()
            .map(|index| {
                let token = &text.tokens[*index];
                let before = text.text.get(..token.place.start).unwrap_or("");
                ShownToken {
                    text: token.text,
                    space: before.ends_with(char::is_whitespace)
                        || token.text.starts_with(char::is_whitespace),
                    special: token.place.is_empty(),
                }
            })
            .collect(),
        start: start(text, shown),
        layers: text
            .layers
            .iter()
            .map(|layer| Layer {
                layer: layer.layer,
                heads: layer
                    .heads
                    .iter()
                    .map(|head| {
                        let (bytes, most) = quantized(head.weights, len, shown);
                        Head {
                            weights: base64(&bytes),
                            most,
                        }
                    })
                    .collect(),
            })
            .collect(),
    };
    let json = serde_json::to_string(&data).expect("numbers and texts under names of ours");
    json.replace('<', "\\u003c")
}

/// The place among the shown tokens of the word that matters most.
fn start(text: &InspectedText<'_>, shown: &[usize]) -> usize {
    let weight = |index: usize| {
        let (word, token) = (&text.words[index], &text.words[index].tokens.start);
        let place = shown.iter().position(|shown| shown == token)?;
        Some((word.occlusion.unwrap_or(word.rollout).abs(), place))
    };
    let best = (0..text.words.len()).filter_map(weight);
    best.reduce(|best, other| if other.0 > best.0 { other } else { best })
        .map_or(0, |(_, place)| place)
}

/// The mean of maps, each `[len, len]`.
fn mean<'a>(maps: impl Iterator<Item = &'a HeadMap<'a>>, len: usize) -> Vec<f32> {
    let mut sum = vec![0.0; len * len];
    let mut n = 0.0;
    for map in maps {
        sum.iter_mut()
            .zip(map.weights)
            .for_each(|(sum, weight)| *sum += weight);
        n += 1.0;
    }
    sum.iter_mut().for_each(|sum| *sum /= n);
    sum
}

/// What a browser without scripts shows: the mean of each layer and of all.
fn averages(text: &InspectedText<'_>, shown: &[usize]) -> Markup {
    let len = text.tokens.len();
    let picture = |weights: &[f32], name: &str| {
        let (bytes, _) = quantized(weights, len, shown);
        html! { img src=(image::address(&bytes, shown.len())) alt=(name) width="100%"; }
    };
    let all = mean(text.layers.iter().flat_map(|layer| &layer.heads), len);
    html! {
        p.note { "Without scripts: averages over heads. A row is a token that looks, a column a token that is looked at, in the order of the text; the deeper, the more." }
        div.averages {
            figure.all {
                div.named {
                    @if shown.len() <= MOST_NAMED {
                        ol.names { @for index in shown { li { (text.tokens[*index].text) } } }
                    }
                    (picture(&all, "Mean attention of all layers and heads"))
                }
                figcaption { "All layers and heads" }
            }
            @for layer in &text.layers {
                figure {
                    (picture(
                        &mean(layer.heads.iter(), len),
                        &format!("Mean attention of layer {}", layer.layer),
                    ))
                    figcaption { "Layer " (layer.layer) }
                }
            }
        }
    }
}

fn controls(text: &InspectedText<'_>, id: &str) -> Markup {
    let n_heads = text.layers.iter().map(|layer| layer.heads.len()).max();
    let choice = |name: &str, legend: &str, options: Vec<(String, String)>| {
        html! {
            fieldset.choice {
                legend { (legend) }
                @for (index, (value, shown)) in options.iter().enumerate() {
                    label {
                        input type="radio" name={ (id) "-" (name) } data-choice=(name) value=(value) checked[index == 0];
                        span { (shown) }
                    }
                }
            }
        }
    };
    let numbered = |numbers: Vec<usize>| {
        let mean = ("mean".to_owned(), "mean".to_owned());
        let numbers = numbers.iter().map(|n| (n.to_string(), n.to_string()));
        std::iter::once(mean).chain(numbers).collect()
    };
    let layers = text.layers.iter().map(|layer| layer.layer).collect();
    let directions = [("from", "looks at"), ("to", "is looked at by")];
    html! {
        div.controls {
            (choice("layer", "Layer", numbered(layers)))
            (choice("head", "Head", numbered((0..n_heads.unwrap_or(0)).collect())))
            (choice("direction", "The token", directions.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec()))
        }
    }
}

/// Empty places that the script fills.
fn views() -> Markup {
    html! {
        p.said aria-live="polite" {}
        div.views {
            div.looks {
                div.strip-frame {
                    div {
                        svg.arcs aria-hidden="true" {}
                        div.strip role="group" aria-label="Tokens; arrow keys move" {}
                    }
                }
                ol.ranking {}
            }
            figure.matrix {
                div.across tabindex="0" role="region" aria-label="Heat map" { canvas role="img" aria-label="Heat map of the chosen attention" {} }
                figcaption { span.scale {} span.cell {} }
            }
        }
    }
}

/// The figures of every head; the script adds a small map to each.
fn overview(text: &InspectedText<'_>) -> Markup {
    let n_heads = text.layers.iter().map(|layer| layer.heads.len()).max();
    html! {
        div.scroll.fitting tabindex="0" role="region" aria-label="Every head" {
            table.overview {
                thead { tr { th scope="col" { "layer" } @for head in 0..n_heads.unwrap_or(0) { th scope="col" { "head " (head) } } } }
                tbody {
                    @for layer in &text.layers {
                        tr {
                            th scope="row" { (layer.layer) }
                            @for (index, head) in layer.heads.iter().enumerate() { (cell(layer.layer, index, head)) }
                        }
                    }
                }
            }
        }
    }
}

fn cell(layer: usize, index: usize, head: &HeadMap<'_>) -> Markup {
    let name = format!(
        "entropy {:.2} nats, {:.2} of the most; distance {:.1} tokens; attention to the class token {:.2}",
        head.entropy, head.normalized_entropy, head.distance, head.class_weight
    );
    html! {
        td data-layer=(layer) data-head=(index) title=(name) {
            @if head.entropy.is_finite() {
                span.figure { (format!("{:.2}", head.normalized_entropy)) }
                span.figure.muted { (format!("{:.1}", head.distance)) }
            } @else {
                span.figure.bad { "not finite" }
            }
        }
    }
}
