//! What is said of the inside of a model is what a naive computation finds there.

mod common;

use std::collections::BTreeMap;

use burn::tensor::Device;
use common::{TEXTS, drawn_weights, info, tokenizer};
use regard_bundle::{
    BundleInfo, Explanation, NotFinite, TextClassifier, pooled, record, rollout, text_input,
};
use regard_data::Tokenizer;
use regard_model::weights::{self, TensorFile};
use regard_model::{HeadConfig, Pooling, Transformer};
use regard_ops::Key;

/// A text of words that the tokenizer knows.
const KNOWN: &str = "win a prize of 1000 now";
const HEADS: usize = 2;
const D: usize = 8;

fn model(info: &BundleInfo, weights: TensorFile) -> Transformer {
    let model = info.model.init(Key::new(0), &Device::flex()).unwrap();
    weights::apply(model, weights, "the test's weights").unwrap()
}

fn classifier_of(info: &BundleInfo, weights: TensorFile) -> TextClassifier {
    let model = model(info, weights);
    TextClassifier::new(tokenizer(), info.labels.clone(), model, Device::flex())
}

fn classifier() -> TextClassifier {
    let info = info(&tokenizer());
    classifier_of(&info, drawn_weights(&info))
}

fn ids(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    tokenizer.encode(text).unwrap().ids
}

/// Softmax of the scores of the first layer, number by number, in `f64`.
fn naive_first_layer(weights: &TensorFile, ids: &[u32]) -> Vec<f64> {
    let value = |name: &str, at: usize| f64::from(weights.get(name).unwrap().values[at]);
    let normed: Vec<Vec<f64>> = (0..ids.len())
        .map(|t| {
            let x: Vec<f64> = (0..D)
                .map(|i| {
                    value("embed.token.weight", ids[t] as usize * D + i)
                        + value("embed.position.weight", t * D + i)
                })
                .collect();
            let mean = x.iter().sum::<f64>() / D as f64;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / D as f64;
            (0..D)
                .map(|i| {
                    (x[i] - mean) / (variance + 1e-5).sqrt() * value("blocks.0.norm1.weight", i)
                        + value("blocks.0.norm1.bias", i)
                })
                .collect()
        })
        .collect();
    let projected = |t: usize, row: usize| {
        let sum: f64 = (0..D)
            .map(|i| normed[t][i] * value("blocks.0.attention.qkv.weight", row * D + i))
            .sum();
        sum + value("blocks.0.attention.qkv.bias", row)
    };
    let d_head = D / HEADS;
    let mut maps = Vec::new();
    for head in 0..HEADS {
        for q in 0..ids.len() {
            let powers: Vec<f64> = (0..ids.len())
                .map(|k| {
                    let score: f64 = (head * d_head..(head + 1) * d_head)
                        .map(|i| projected(q, i) * projected(k, D + i))
                        .sum();
                    (score / (d_head as f64).sqrt()).exp()
                })
                .collect();
            let sum: f64 = powers.iter().sum();
            maps.extend(powers.iter().map(|power| power / sum));
        }
    }
    maps
}

#[test]
fn recorded_maps_are_those_of_a_naive_computation() {
    let info = info(&tokenizer());
    let weights = drawn_weights(&info);
    let tokenizer = tokenizer();
    let ids = ids(&tokenizer, KNOWN);
    let expected = naive_first_layer(&weights, &ids);
    let input = text_input(&[&ids], tokenizer.pad_id(), &Device::flex());
    let recording = record(&model(&info, weights), &input);
    assert!(recording.not_finite.is_empty());
    let [layers] = &recording.attention[..] else {
        panic!("one row");
    };
    let numbers: Vec<usize> = layers.iter().map(|maps| maps.layer()).collect();
    assert_eq!(numbers, [0, 1]);
    let found: Vec<f32> = (0..HEADS)
        .flat_map(|h| layers[0].head(h).to_vec())
        .collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert!((f64::from(*found) - expected).abs() < 1e-5);
    }
    for maps in layers {
        for row in (0..HEADS).flat_map(|h| maps.head(h).chunks(ids.len())) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
    assert_ne!(layers[0].head(0), layers[1].head(0));
}

#[test]
fn filling_is_left_out_of_the_maps() {
    let info = info(&tokenizer());
    let model = model(&info, drawn_weights(&info));
    let tokenizer = tokenizer();
    let rows: Vec<Vec<u32>> = TEXTS.iter().map(|text| ids(&tokenizer, text)).collect();
    let rows: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
    let together = record(
        &model,
        &text_input(&rows, tokenizer.pad_id(), &Device::flex()),
    );
    for (row, found) in rows.iter().zip(&together.attention) {
        let alone = record(
            &model,
            &text_input(&[row], tokenizer.pad_id(), &Device::flex()),
        );
        for (found, alone) in found.iter().zip(&alone.attention[0]) {
            assert_eq!(found.len(), row.len());
            for head in 0..HEADS {
                for (a, b) in found.head(head).iter().zip(alone.head(head)) {
                    assert!((a - b).abs() < 1e-5);
                }
            }
        }
    }
}

#[test]
fn occlusion_is_the_loop_over_the_tokens() {
    let classifier = classifier();
    let tokenizer = tokenizer();
    let ids = ids(&tokenizer, KNOWN);
    let Explanation {
        tokens,
        prediction,
        occlusion,
        words,
        ..
    } = classifier.explain(KNOWN).unwrap();
    let prediction = prediction.unwrap();
    assert_eq!(
        classifier.predict(&[KNOWN]).unwrap()[0].class,
        prediction.class
    );
    let probability = |ids: &[u32]| {
        let input = text_input(&[ids], 0, &Device::flex());
        let mut context = regard_ops::Context::evaluation();
        let logits = classifier.model().forward(&input, &mut context);
        let logits: Vec<f64> = logits.into_data().iter::<f64>().collect();
        let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
        logits[prediction.class].exp() / sum
    };
    let whole = probability(&ids);
    assert!((whole - prediction.probability()).abs() < 1e-5);
    let occlusion = occlusion.unwrap();
    assert_eq!(occlusion.len(), ids.len());
    assert_eq!(occlusion[0], 0.0, "the class token is not hidden");
    for t in 1..ids.len() {
        let mut hidden = ids.clone();
        hidden[t] = tokenizer.unknown_id();
        let expected = whole - probability(&hidden);
        assert!((occlusion[t] - expected).abs() < 1e-5, "token {t}");
    }
    assert!(occlusion.iter().any(|fall| fall.abs() > 0.01));
    let shown: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    assert_eq!(shown, ["[CLS]", "win", "a", "prize", "of", "1000", "now"]);
    assert_eq!(words.len(), 6);
    assert_eq!(words[2].text, "prize");
    assert_eq!(words[2].occlusion, Some(occlusion[3]));
}

#[test]
fn a_rollout_starts_where_the_model_pools() {
    for pooling in Pooling::EXAMPLES {
        let mut info = info(&tokenizer());
        info.model.head = HeadConfig::Classification {
            n_classes: 3,
            pooling: *pooling,
        };
        let explanation = classifier_of(&info, drawn_weights(&info))
            .explain(KNOWN)
            .unwrap();
        let start = pooled(*pooling, explanation.tokens.len());
        assert_eq!(explanation.rollout, rollout(&explanation.layers, start));
    }
}

/// What is found when one value of a weight is replaced.
fn broken(name: &str, at: usize, value: f32, n_kv_heads: usize) -> Vec<NotFinite> {
    let mut info = info(&tokenizer());
    info.model.n_kv_heads = n_kv_heads;
    let mut weights = drawn_weights(&info);
    let mut tensor = weights.get(name).unwrap().clone();
    tensor.values[at] = value;
    weights.insert(name.to_owned(), tensor);
    let explanation = classifier_of(&info, weights).explain(KNOWN).unwrap();
    assert_eq!(explanation.prediction, None);
    assert_eq!(explanation.occlusion, None);
    assert!(
        explanation
            .words
            .iter()
            .all(|word| word.occlusion.is_none())
    );
    explanation.not_finite
}

#[test]
fn a_planted_nan_is_named_by_layer_head_and_position() {
    // A key of the second head: rows of the packed weight are queries, keys, values.
    let row = D + D / HEADS;
    let found = broken("blocks.1.attention.qkv.weight", row * D, f32::NAN, HEADS);
    assert_eq!(
        found[0],
        NotFinite {
            operation: "blocks.1.attention.qkv".to_owned(),
            layer: Some(1),
            heads: vec![1],
            row: 0,
            token: Some(0),
            n_nan: 7,
            n_infinite: 0,
            n_values: 7 * 3 * D,
        }
    );
    assert_eq!(
        found[0].to_string(),
        "blocks.1.attention.qkv: 7 of 168 values are NaN, the first in row 0 at token 0, in head 1"
    );
    let names: Vec<(&str, &[usize])> = found
        .iter()
        .map(|found| (found.operation.as_str(), &found.heads[..]))
        .collect();
    assert_eq!(
        names[1..4],
        [
            ("blocks.1.attention.weights", &[1][..]),
            ("blocks.1.attention.mixed", &[1]),
            ("blocks.1.attention.out", &[]),
        ]
    );
    let last = found.last().unwrap();
    assert_eq!(last.operation, "head.linear");
    assert_eq!((last.layer, last.token), (None, None));
}

#[test]
fn a_bad_number_of_one_token_is_named_at_that_token() {
    let tokenizer = tokenizer();
    let prize = ids(&tokenizer, KNOWN)[3] as usize;
    let found = broken("embed.token.weight", prize * D, f32::INFINITY, HEADS);
    let first = &found[0];
    assert_eq!(first.operation, "embed.token");
    assert_eq!((first.layer, first.row, first.token), (None, 0, Some(3)));
    assert_eq!((first.n_nan, first.n_infinite), (0, 1));
    assert_eq!(
        first.to_string(),
        "embed.token: 1 of 56 values are infinite, the first in row 0 at token 3"
    );
}

#[test]
fn a_shared_value_head_names_all_heads_that_share_it() {
    let found = broken("blocks.0.attention.kv.bias", 0, f32::NAN, 1);
    assert_eq!(found[0].operation, "blocks.0.attention.kv");
    assert_eq!(found[0].heads, [0, 1]);
}

#[test]
fn odd_texts_are_explained_too() {
    let classifier = classifier();
    let of: BTreeMap<&str, Explanation> = ["", "xyzzy qwerty", TEXTS[6], TEXTS[4]]
        .into_iter()
        .map(|text| (text, classifier.explain(text).unwrap()))
        .collect();
    let empty = &of[""];
    assert_eq!(empty.tokens.len(), 1);
    assert_eq!(
        (&empty.rollout[..], &empty.words[..]),
        (&[1.0][..], &[][..])
    );
    // What the model takes for unknown already is not changed by hiding it.
    let unknown = &of["xyzzy qwerty"];
    assert_eq!(unknown.occlusion.as_deref(), Some(&[0.0, 0.0, 0.0][..]));
    assert_eq!(unknown.words[1].text, "qwerty");
    let long = &of[TEXTS[6]];
    assert!(long.truncated && long.tokens.len() == 12);
    for (text, explanation) in &of {
        assert!((explanation.rollout.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        for word in &explanation.words {
            assert!(text.contains(&word.text), "{:?} in {text:?}", word.text);
        }
    }
}
