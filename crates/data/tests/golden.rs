//! The files that this crate writes are what Python's `tokenizers` reads, and both give the same ids.
//!
//! `golden/python_tokenizers.py` says how the files there were made.

use std::collections::HashMap;
use std::path::PathBuf;

use regard_data::{Tokenizer, TokenizerConfig, TokenizerKind};
use serde::Deserialize;

#[derive(Deserialize)]
struct Texts {
    train: Vec<String>,
    encode: Vec<String>,
}

fn golden(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "golden", name]
        .iter()
        .collect()
}

fn texts() -> Texts {
    serde_json::from_slice(&std::fs::read(golden("texts.json")).unwrap()).unwrap()
}

fn trained(texts: &Texts) -> impl Iterator<Item = (TokenizerKind, Tokenizer)> {
    let settings = [
        (TokenizerKind::Bytes, false),
        (TokenizerKind::Characters, true),
        (TokenizerKind::Words, true),
        (TokenizerKind::Bpe, false),
    ];
    settings.into_iter().map(|(kind, lowercase)| {
        let config = TokenizerConfig {
            kind,
            vocab_size: 320,
            max_length: 24,
            lowercase,
            min_frequency: 1,
            file: None,
        };
        (
            kind,
            Tokenizer::train(&config, texts.train.iter().map(String::as_str)).unwrap(),
        )
    })
}

#[test]
fn python_gives_the_same_ids() {
    let texts = texts();
    let ids: HashMap<String, Vec<Vec<u32>>> =
        serde_json::from_slice(&std::fs::read(golden("ids.json")).unwrap()).unwrap();
    for (kind, tokenizer) in trained(&texts) {
        for (text, expected) in texts.encode.iter().zip(&ids[&kind.to_string()]) {
            assert_eq!(
                &tokenizer.encode(text).unwrap().ids,
                expected,
                "{kind}: {text:?}"
            );
        }
    }
}

#[test]
fn the_same_texts_give_the_same_file_on_every_machine() {
    for (kind, tokenizer) in trained(&texts()) {
        let path = golden(&format!("{kind}.json"));
        let json = tokenizer.to_json().unwrap();
        if std::env::var_os("REGARD_WRITE_GOLDEN").is_some() {
            std::fs::write(&path, &json).unwrap();
        }
        assert!(std::fs::read(&path).unwrap() == json, "{kind}");
    }
}
