//! A bundle that nobody trained: drawn weights, a tokenizer of a few texts.
#![allow(dead_code, reason = "each test program uses its part")]

use std::path::Path;

use burn::tensor::Device;
use regard_bundle::{Bundle, BundleInfo, Companion, Schema, TextSchema};
use regard_data::{Tokenizer, TokenizerConfig, TokenizerKind};
use regard_model::weights::{self, TensorFile};
use regard_model::{HeadConfig, TransformerConfig};
use regard_ops::Key;

/// Texts of many lengths; the last is longer than the model reads.
pub const TEXTS: [&str; 7] = [
    "",
    "free",
    "call now",
    "are we still on for lunch today?",
    "Ünï 日本 👩‍👩‍👧",
    "win a prize of 1000 now",
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen",
];

pub fn tokenizer() -> Tokenizer {
    let config = TokenizerConfig {
        kind: TokenizerKind::Words,
        max_length: 12,
        ..TokenizerConfig::default()
    };
    Tokenizer::train(&config, TEXTS).unwrap()
}

pub fn info(tokenizer: &Tokenizer) -> BundleInfo {
    let head = HeadConfig::classification(3);
    let mut model = TransformerConfig::text(tokenizer.vocab_size(), tokenizer.max_length(), head)
        .with_d_model(8)
        .with_heads(2)
        .with_layers(2);
    model.d_ff = 12;
    BundleInfo {
        data_fingerprint: "none".to_owned(),
        task: "text-classification".to_owned(),
        model,
        schema: Schema::Text(TextSchema {
            text_column: "text".into(),
            label_column: "label".into(),
            header: true,
            format: None,
        }),
        labels: ["ham", "spam", "other"].map(str::to_owned).to_vec(),
        step: 7,
    }
}

/// Weights of unlike probabilities: a drawn model says nearly the same of every text.
pub fn drawn_weights(info: &BundleInfo) -> TensorFile {
    let model = info.model.init(Key::new(3), &Device::flex()).unwrap();
    let drawn = weights::collect(&model);
    let names: Vec<String> = drawn.names().map(str::to_owned).collect();
    let mut file = TensorFile::default();
    for name in names {
        let mut tensor = drawn.get(&name).unwrap().clone();
        if name.starts_with("embed") || name.starts_with("head") {
            tensor.values.iter_mut().for_each(|value| *value *= 5.0);
        }
        file.insert(name, tensor);
    }
    file
}

/// Writes the bundle to `folder`.
pub fn save(folder: &Path) {
    let tokenizer = tokenizer();
    let info = info(&tokenizer);
    Bundle::save(
        folder,
        &info,
        Companion::Tokenizer(&tokenizer),
        &drawn_weights(&info),
    )
    .unwrap();
}
