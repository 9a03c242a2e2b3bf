//! Tokenizers: the same texts give the same bytes, nothing panics, nothing is lost.

mod common;

use common::Random;
use regard_data::{
    Examples, LabelledTexts, Source, TextColumns, Tokenizer, TokenizerConfig, TokenizerKind,
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

fn random_text(random: &mut Random) -> String {
    const ODD: [char; 16] = [
        ' ', ' ', '\t', '\n', '\r', '\u{85}', '\u{A0}', '\'', '\u{300}', '\u{200D}', '🙂', '漢',
        'İ', 'ß', '\0', '\u{FFFD}',
    ];
    (0..random.below(12))
        .map(|_| match random.below(6) {
            0 => char::from_u32(random.below(0x0011_0000) as u32).unwrap_or('x'),
            1 | 2 => ODD[random.below(ODD.len())],
            _ => char::from(b' ' + random.below(95) as u8),
        })
        .collect()
}

#[test]
fn the_same_texts_in_any_order_give_the_same_file() {
    let texts = sms();
    let mut texts = all_texts(&texts);
    // Overlapping pairs and ties, where an implementation could depend on the order of a map.
    texts.extend(["aaaaaaa aaaa aaa", "abcabcabc cabcab", "xyxy yxyx xyyx"]);
    for kind in KINDS {
        let first = Tokenizer::train(&config(kind), texts.iter().copied())
            .unwrap()
            .to_json()
            .unwrap();
        let again = Tokenizer::train(&config(kind), texts.iter().copied())
            .unwrap()
            .to_json()
            .unwrap();
        let reversed = Tokenizer::train(&config(kind), texts.iter().rev().copied())
            .unwrap()
            .to_json()
            .unwrap();
        assert!(first == again && first == reversed, "{kind}");
    }
}

#[test]
fn special_tokens_have_fixed_ids_and_every_text_starts_with_the_class() {
    for kind in KINDS {
        let tokenizer = Tokenizer::train(&config(kind), ["a b", "c d"]).unwrap();
        assert_eq!(
            (
                tokenizer.pad_id(),
                tokenizer.unknown_id(),
                tokenizer.class_id()
            ),
            (0, 1, 2),
            "{kind}"
        );
        assert_eq!(
            (tokenizer.separator_id(), tokenizer.mask_id()),
            (Some(3), Some(4)),
            "{kind}"
        );
        let empty = tokenizer.encode("").unwrap();
        assert_eq!((empty.ids, empty.truncated), (vec![2], false), "{kind}");
        let ids = tokenizer.encode("a d").unwrap().ids;
        assert!(
            ids.len() > 1 && ids[0] == 2 && ids[1..].iter().all(|id| *id > 4),
            "{kind}: {ids:?}"
        );
    }
}

#[test]
fn text_that_spells_a_special_token_is_text() {
    for kind in KINDS {
        let tokenizer =
            Tokenizer::train(&config(kind), ["[PAD] [CLS] [MASK] PAD CLS [ ]"]).unwrap();
        let tokenizer = Tokenizer::from_json(&tokenizer.to_json().unwrap(), None).unwrap();
        let ids = tokenizer.encode("[PAD][PAD] [CLS]").unwrap().ids;
        assert!(ids[1..].iter().all(|id| *id > 4), "{kind}: {ids:?}");
    }
}

#[test]
fn what_is_too_long_is_cut_at_its_end_and_said_to_be() {
    for kind in KINDS {
        let tokenizer = Tokenizer::train(
            &TokenizerConfig {
                max_length: 4,
                ..config(kind)
            },
            ["a b c d e f"],
        )
        .unwrap();
        let short = tokenizer.encode("a").unwrap();
        assert!(!short.truncated && short.ids.len() <= 4, "{kind}");
        let long = tokenizer.encode("a b c d e f").unwrap();
        assert!(long.truncated && long.ids.len() == 4, "{kind}: {long:?}");
        assert!(
            long.ids.starts_with(&short.ids),
            "{kind}: {long:?}, {short:?}"
        );
        assert_eq!(
            tokenizer
                .tokens("a b c d e f")
                .unwrap()
                .iter()
                .map(|token| token.id)
                .collect::<Vec<_>>(),
            long.ids
        );
    }
}

#[test]
fn a_text_of_twenty_megabytes_costs_no_more_than_its_beginning() {
    let text = "word ".repeat(4_000_000);
    let texts = ["some word or other"];
    for kind in KINDS {
        let tokenizer = Tokenizer::train(&config(kind), texts).unwrap();
        let encoded = tokenizer.encode(&text).unwrap();
        assert!(encoded.truncated && encoded.ids.len() == 64, "{kind}");
        assert_eq!(
            encoded.ids,
            tokenizer.encode(&text[..1_000]).unwrap().ids,
            "{kind}"
        );
        Tokenizer::train(&config(kind), [text.as_str()]).unwrap();
    }
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kilobytes < 200 * 1024, "peak memory {kilobytes} kB");
    }
}

#[test]
fn a_text_whose_end_was_never_looked_at_counts_as_cut() {
    let tokenizer = Tokenizer::train(&config(TokenizerKind::Words), ["word"]).unwrap();
    let text = format!("{}word", " ".repeat(65_536));
    let encoded = tokenizer.encode(&text).unwrap();
    assert_eq!((encoded.ids, encoded.truncated), (vec![2], true));
    let encoded = tokenizer.encode(&text[4..]).unwrap();
    assert_eq!((encoded.ids, encoded.truncated), (vec![2, 5], false));
}

#[test]
fn a_hundred_thousand_random_texts_come_back_from_bytes_and_byte_pairs() {
    let texts = sms();
    let mut random = Random(3);
    for kind in [TokenizerKind::Bytes, TokenizerKind::Bpe] {
        let tokenizer = Tokenizer::train(
            &TokenizerConfig {
                max_length: 4_096,
                ..config(kind)
            },
            all_texts(&texts),
        )
        .unwrap();
        for _ in 0..50_000 {
            let text = random_text(&mut random);
            let encoded = tokenizer.encode(&text).unwrap();
            assert!(
                !encoded.truncated
                    && encoded
                        .ids
                        .iter()
                        .all(|id| (*id as usize) < tokenizer.vocab_size())
            );
            assert_eq!(tokenizer.decode(&encoded.ids).unwrap(), text, "{kind}");
        }
    }
}

#[test]
fn random_texts_never_fail_whatever_the_kind() {
    let texts = sms();
    let mut random = Random(4);
    for kind in KINDS {
        for lowercase in [false, true] {
            let config = TokenizerConfig {
                lowercase,
                max_length: 8,
                ..config(kind)
            };
            let tokenizer = Tokenizer::train(&config, all_texts(&texts)).unwrap();
            for _ in 0..2_000 {
                let text = random_text(&mut random);
                let encoded = tokenizer.encode(&text).unwrap();
                assert!((1..=8).contains(&encoded.ids.len()) && encoded.ids[0] == 2);
                for token in tokenizer.tokens(&text).unwrap() {
                    assert!(
                        text.get(token.start..token.end).is_some(),
                        "{kind}: {token:?} in {text:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn tokens_say_where_in_the_text_they_stand() {
    let tokenizer =
        Tokenizer::train(&config(TokenizerKind::Words), ["Win £1000 now, don't wait"]).unwrap();
    let text = "Don't win £1000 now!";
    let tokens = tokenizer.tokens(text).unwrap();
    let places: Vec<(&str, &str)> = tokens
        .iter()
        .map(|token| (token.piece.as_str(), &text[token.start..token.end]))
        .collect();
    assert_eq!(
        places,
        [
            ("[CLS]", ""),
            ("[UNK]", "Don"),
            ("'", "'"),
            ("t", "t"),
            ("[UNK]", "win"),
            ("£", "£"),
            ("1000", "1000"),
            ("now", "now"),
            ("[UNK]", "!")
        ]
    );
}

#[test]
fn byte_pairs_join_what_is_frequent_and_treat_the_first_word_like_the_others() {
    let tokenizer = Tokenizer::train(
        &config(TokenizerKind::Bpe),
        ["the cat", "a the", "the the the"],
    )
    .unwrap();
    let ids = tokenizer.encode("the the").unwrap().ids;
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[1], ids[2]);
    assert_eq!(tokenizer.piece(ids[1]).unwrap(), "Ġthe");
}

#[test]
fn lower_case_makes_one_of_two_words() {
    for kind in KINDS {
        let tokenizer = Tokenizer::train(
            &TokenizerConfig {
                lowercase: true,
                ..config(kind)
            },
            ["Win WIN win"],
        )
        .unwrap();
        assert_eq!(
            tokenizer.encode("WIN").unwrap().ids,
            tokenizer.encode("win").unwrap().ids,
            "{kind}"
        );
        assert!(!tokenizer.encode("WIN").unwrap().ids.contains(&1), "{kind}");
    }
}

#[test]
fn the_vocabulary_stays_within_its_size_and_keeps_the_most_frequent() {
    let texts = ["b b b a a c"];
    let words = TokenizerConfig {
        vocab_size: 7,
        ..config(TokenizerKind::Words)
    };
    let tokenizer = Tokenizer::train(&words, texts).unwrap();
    assert_eq!(tokenizer.vocab_size(), 7);
    assert_eq!(tokenizer.encode("b a c").unwrap().ids, [2, 5, 6, 1]);
    let sms = sms();
    for kind in KINDS {
        assert!(
            Tokenizer::train(&config(kind), all_texts(&sms))
                .unwrap()
                .vocab_size()
                <= 1_000,
            "{kind}"
        );
    }
    assert_eq!(
        Tokenizer::train(&config(TokenizerKind::Bytes), texts)
            .unwrap()
            .vocab_size(),
        261
    );
    assert_eq!(
        Tokenizer::train(&config(TokenizerKind::Bpe), all_texts(&sms))
            .unwrap()
            .vocab_size(),
        1_000
    );
}

#[test]
fn impossible_settings_are_refused() {
    let train =
        |config: TokenizerConfig| Tokenizer::train(&config, ["a b"]).unwrap_err().to_string();
    assert_eq!(
        train(TokenizerConfig {
            vocab_size: 260,
            ..config(TokenizerKind::Bpe)
        }),
        "tokenizer.vocab_size is 260; a tokenizer of kind bpe needs at least 261"
    );
    assert_eq!(
        train(TokenizerConfig {
            vocab_size: 5,
            ..config(TokenizerKind::Words)
        }),
        "tokenizer.vocab_size is 5; a tokenizer of kind words needs at least 6"
    );
    assert_eq!(
        train(TokenizerConfig {
            max_length: 1,
            ..config(TokenizerKind::Words)
        }),
        "tokenizer.max_length is 1; it must be at least 2: [CLS] and one token of text"
    );
    let nothing = Tokenizer::train(&config(TokenizerKind::Words), ["", " \n"]).unwrap_err();
    assert_eq!(
        nothing.to_string(),
        "the texts hold nothing to learn a vocabulary from; are they all empty?"
    );
}

#[test]
fn what_is_rarer_than_the_least_frequency_is_unknown() {
    let texts = ["the cat sat", "the cat ran", "the dog sat"];
    let train = |min_frequency| {
        let config = TokenizerConfig {
            min_frequency,
            ..config(TokenizerKind::Words)
        };
        Tokenizer::train(&config, texts)
    };
    let twice = train(2).unwrap();
    let ids = twice.encode("the dog sat").unwrap().ids;
    assert_eq!(ids[2], twice.unknown_id());
    assert!(ids[1] != twice.unknown_id() && ids[3] != twice.unknown_id());
    // `the`, `cat` and `sat`, beside five special tokens.
    assert_eq!(twice.vocab_size(), 8);
    let error = train(4).unwrap_err().to_string();
    assert!(
        error.contains("occurs 4 times; set tokenizer.min_frequency lower"),
        "{error}"
    );
}
