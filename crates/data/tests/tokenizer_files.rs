//! Tokenizer files: ours read back, others' are taken with care, damaged ones are refused.

mod common;

use common::Random;
use regard_data::{
    DataError, Examples, LabelledTexts, Source, TextColumns, Tokenizer, TokenizerConfig,
    TokenizerKind,
};

const KINDS: [TokenizerKind; 4] = [
    TokenizerKind::Bytes,
    TokenizerKind::Characters,
    TokenizerKind::Words,
    TokenizerKind::Bpe,
];

fn sms() -> LabelledTexts {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../datasets/sms-spam/test.tsv"
    );
    LabelledTexts::load(&Source::new(path), &TextColumns::new("text", "label"), None).unwrap()
}

fn all_texts(texts: &LabelledTexts) -> Vec<&str> {
    (0..texts.len()).map(|row| texts.text(row)).collect()
}

fn config(kind: TokenizerKind) -> TokenizerConfig {
    TokenizerConfig {
        kind,
        vocab_size: 1_000,
        max_length: 64,
        ..TokenizerConfig::default()
    }
}

#[test]
fn a_saved_tokenizer_reads_back_as_it_was() {
    let texts = sms();
    for kind in KINDS {
        let tokenizer = Tokenizer::train(
            &TokenizerConfig {
                lowercase: true,
                ..config(kind)
            },
            all_texts(&texts),
        )
        .unwrap();
        let json = tokenizer.to_json().unwrap();
        let read = Tokenizer::from_json(&json, None).unwrap();
        assert_eq!(read.max_length(), 64);
        assert_eq!(read.vocab_size(), tokenizer.vocab_size());
        assert_eq!(read.to_json().unwrap(), json, "{kind}");
        for row in 0..200 {
            assert_eq!(
                read.encode(texts.text(row)).unwrap(),
                tokenizer.encode(texts.text(row)).unwrap(),
                "{kind}"
            );
        }
        assert_eq!(
            Tokenizer::from_json(&json, Some(16))
                .unwrap()
                .encode(texts.text(0))
                .unwrap()
                .ids
                .len(),
            16
        );
    }
}

#[test]
fn a_file_takes_the_place_of_training() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    let trained = Tokenizer::train(&config(TokenizerKind::Words), ["a b c"]).unwrap();
    std::fs::write(&path, trained.to_json().unwrap()).unwrap();
    let config = TokenizerConfig {
        file: Some(path),
        max_length: 3,
        ..TokenizerConfig::default()
    };
    let tokenizer = Tokenizer::from_config(&config, ["never read"]).unwrap();
    assert_eq!(tokenizer.encode("c b a").unwrap().ids, [2, 7, 6]);
}

/// What another program's file may look like: other ids and names, a separator at the end, padding, no truncation.
fn foreign() -> serde_json::Value {
    serde_json::json!({
        "version": "1.0",
        "truncation": null,
        "padding": {
            "strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null,
            "pad_id": 3, "pad_type_id": 0, "pad_token": "<pad>",
        },
        "added_tokens": [],
        "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "<s>", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "</s>", "type_id": 0}},
            ],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {
                "<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]},
                "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]},
            },
        },
        "decoder": null,
        "model": {
            "type": "WordLevel", "unk_token": "<unk>",
            "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "<pad>": 3, "a": 4, "b": 5},
        },
    })
}

fn open(document: &serde_json::Value, max_length: Option<usize>) -> Result<Tokenizer, DataError> {
    Tokenizer::from_json(document.to_string().as_bytes(), max_length)
}

#[test]
fn a_tokenizer_of_another_program_keeps_its_own_ids_and_template() {
    let tokenizer = open(&foreign(), Some(4)).unwrap();
    assert_eq!(
        (
            tokenizer.pad_id(),
            tokenizer.unknown_id(),
            tokenizer.class_id()
        ),
        (3, 0, 1)
    );
    assert_eq!(
        (
            tokenizer.separator_id(),
            tokenizer.mask_id(),
            tokenizer.vocab_size()
        ),
        (Some(2), None, 6)
    );
    assert_eq!(tokenizer.encode("a z").unwrap().ids, [1, 4, 0, 2]);
    assert_eq!(tokenizer.encode("a b a").unwrap().ids, [1, 4, 5, 2]);
    let mut bare = foreign();
    bare["post_processor"] = serde_json::Value::Null;
    assert_eq!(
        open(&bare, Some(4)).unwrap().encode("a z").unwrap().ids,
        [1, 4, 0]
    );
}

#[test]
fn an_unusable_tokenizer_says_what_is_wrong_with_it() {
    let message = |change: &dyn Fn(&mut serde_json::Value), max_length| {
        let mut document = foreign();
        change(&mut document);
        open(&document, max_length).unwrap_err().to_string()
    };
    assert_eq!(
        message(&|_| {}, None),
        "tokenizer.json is no usable tokenizer: it has no maximum length (\"truncation\"); set tokenizer.max_length"
    );
    assert_eq!(
        message(
            &|document| drop(
                document["model"]["vocab"]
                    .as_object_mut()
                    .unwrap()
                    .remove("<pad>")
            ),
            Some(8)
        ),
        "tokenizer.json is no usable tokenizer: it has no token [PAD] (or <pad>)"
    );
    assert_eq!(
        message(
            &|document| document["model"]["vocab"]["a"] = 4_000_000_000_u32.into(),
            Some(8)
        ),
        "tokenizer.json is no usable tokenizer: its largest id is 4000000000, with 6 tokens in the vocabulary"
    );
    assert_eq!(
        message(&|_| {}, Some(1)),
        "tokenizer.max_length is 1; it must be at least 2: [CLS] and one token of text"
    );
    let random_merges = serde_json::json!({
        "type": "BPE", "dropout": 0.1, "unk_token": "<unk>", "merges": [],
        "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "<pad>": 3},
    });
    assert_eq!(
        message(
            &|document| document["model"] = random_merges.clone(),
            Some(8)
        ),
        "tokenizer.json is no usable tokenizer: it drops merges at random; set \"dropout\" of its model to null"
    );
    assert_eq!(
        message(
            &|document| document["post_processor"]["special_tokens"]["</s>"]["ids"][0] = 6.into(),
            Some(8)
        ),
        "tokenizer.json is no usable tokenizer: it adds the id 6, beyond its vocabulary of 6"
    );
    let error = Tokenizer::from_json(b"{\"version\": 1", None)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("tokenizer.json is no usable tokenizer: invalid type: integer `1`"),
        "{error}"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.json");
    assert_eq!(
        Tokenizer::open(&path, None).unwrap_err().to_string(),
        format!("cannot open {}", path.display())
    );
    assert!(matches!(
        Tokenizer::open(folder.path(), None),
        Err(DataError::Folder { .. })
    ));
}

#[test]
fn a_tokenizer_that_fails_on_a_text_keeps_the_text_to_itself() {
    let mut document = foreign();
    document["model"]["unk_token"] = "nowhere".into();
    let tokenizer = open(&document, Some(8)).unwrap();
    assert_eq!(tokenizer.encode("a b").unwrap().ids, [1, 4, 5, 2]);
    let error = tokenizer.encode("a secret").unwrap_err().to_string();
    assert!(
        error.starts_with("the tokenizer failed on a text of 8 characters: "),
        "{error}"
    );
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn a_regular_expression_that_backtracks_without_end_neither_panics_nor_hangs() {
    let mut document = foreign();
    document["pre_tokenizer"] = serde_json::json!({
        "type": "Split", "pattern": {"Regex": "(?=(a+))(\\1*)*(?!.)b"}, "behavior": "Isolated", "invert": false,
    });
    let tokenizer = open(&document, Some(8)).unwrap();
    // The engine gives up, and the text stays one piece.
    assert_eq!(tokenizer.encode(&"a".repeat(5_000)).unwrap().ids, [1, 0, 2]);
}

#[test]
fn damaged_files_never_panic() {
    let tokenizer =
        Tokenizer::train(&config(TokenizerKind::Bpe), ["the cat", "the the the"]).unwrap();
    let json = tokenizer.to_json().unwrap();
    let mut random = Random(5);
    for _ in 0..300 {
        let mut damaged = json.clone();
        let place = random.below(damaged.len());
        damaged[place] = random.next() as u8;
        if let Ok(read) = Tokenizer::from_json(&damaged, None) {
            // A usable tokenizer, or an error: both are fine.
            let _ = read
                .encode("the cat [PAD] \u{1F642}")
                .map(|encoded| assert!(!encoded.ids.is_empty()));
        }
    }
}
