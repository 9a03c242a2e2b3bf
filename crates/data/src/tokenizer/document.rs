//! The `tokenizer.json` of Hugging Face as we write it: any program that reads that format reads ours.

use serde_json::{Value, json};

use super::TokenizerKind;
use super::vocabulary::Vocabulary;

/// The special tokens; their places are their ids.
pub(super) const SPECIAL_TOKENS: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// Pieces that byte pairs never cross. No look-around and no back-reference: such a pattern runs in linear time on any
/// text, where GPT-2's own can exhaust the engine's limit for backtracking.
const PIECES: &str = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}[\p{L}\p{M}]*| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+";

/// Words, as `TokenizerKind::Words` describes them.
const WORDS: &str = r"[\p{L}\p{M}]+|\p{N}+|[^\s\p{L}\p{M}\p{N}]";

/// A whole tokenizer as JSON.
pub(super) fn document(
    kind: TokenizerKind,
    lowercase: bool,
    max_length: usize,
    vocabulary: &Vocabulary,
) -> Value {
    json!({
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": max_length, "strategy": "LongestFirst", "stride": 0},
        "padding": null,
        "added_tokens": added_tokens(),
        "normalizer": normalizer(kind, lowercase),
        "pre_tokenizer": pre_tokenizer(kind),
        "post_processor": class_token_first(SPECIAL_TOKENS[2], 2, SPECIAL_TOKENS[3], 3),
        "decoder": decoder(kind),
        "model": model(kind, vocabulary),
    })
}

/// A post-processor that puts the class token before a text, and the separator between two.
pub(super) fn class_token_first(
    class: &str,
    class_id: u32,
    separator: &str,
    separator_id: u32,
) -> Value {
    let special = |name: &str| json!({"SpecialToken": {"id": name, "type_id": 0}});
    let entry = |name: &str, id: u32| json!({"id": name, "ids": [id], "tokens": [name]});
    json!({
        "type": "TemplateProcessing",
        "single": [special(class), {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [
            special(class),
            {"Sequence": {"id": "A", "type_id": 0}},
            special(separator),
            {"Sequence": {"id": "B", "type_id": 1}},
        ],
        "special_tokens": {class: entry(class, class_id), separator: entry(separator, separator_id)},
    })
}

fn added_tokens() -> Value {
    let token = |(id, content): (usize, &&str)| {
        json!({
            "id": id,
            "content": content,
            "single_word": false,
            "lstrip": false,
            "rstrip": false,
            "normalized": false,
            "special": true,
        })
    };
    SPECIAL_TOKENS.iter().enumerate().map(token).collect()
}

fn normalizer(kind: TokenizerKind, lowercase: bool) -> Value {
    let mut steps = Vec::new();
    if lowercase {
        steps.push(json!({"type": "Lowercase"}));
    }
    if kind == TokenizerKind::Bpe {
        // The first word then looks like every other.
        steps.push(json!({"type": "Prepend", "prepend": " "}));
    }
    if steps.is_empty() {
        Value::Null
    } else {
        json!({"type": "Sequence", "normalizers": steps})
    }
}

fn pre_tokenizer(kind: TokenizerKind) -> Value {
    let split = |pattern: &str, behavior: &str, invert: bool| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": invert});
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false});
    match kind {
        TokenizerKind::Bytes => bytes,
        TokenizerKind::Characters => Value::Null,
        TokenizerKind::Words => split(WORDS, "Removed", true),
        TokenizerKind::Bpe => {
            json!({"type": "Sequence", "pretokenizers": [split(PIECES, "Isolated", false), bytes]})
        }
    }
}

fn decoder(kind: TokenizerKind) -> Value {
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false});
    match kind {
        TokenizerKind::Bytes => bytes,
        // Takes away the space that the normalizer put in front.
        TokenizerKind::Bpe => {
            json!({"type": "Sequence", "decoders": [bytes, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]})
        }
        TokenizerKind::Characters => json!({"type": "Fuse"}),
        TokenizerKind::Words => Value::Null,
    }
}

fn model(kind: TokenizerKind, vocabulary: &Vocabulary) -> Value {
    let tokens: serde_json::Map<String, Value> = vocabulary
        .tokens
        .iter()
        .enumerate()
        .map(|(id, token)| (token.clone(), Value::from(id)))
        .collect();
    if kind == TokenizerKind::Words {
        return json!({"type": "WordLevel", "vocab": tokens, "unk_token": SPECIAL_TOKENS[1]});
    }
    json!({
        "type": "BPE",
        "dropout": null,
        "unk_token": SPECIAL_TOKENS[1],
        "continuing_subword_prefix": null,
        "end_of_word_suffix": null,
        "fuse_unk": false,
        "byte_fallback": false,
        "ignore_merges": false,
        "vocab": tokens,
        "merges": vocabulary.merges,
    })
}
