//! The same bytes whatever the number of threads.

use std::fmt::Write as _;

use crate::support::{Regard, Sandbox};

/// A word of its own for each number, of letters alone: digits would be words by themselves.
fn word(mut number: usize) -> String {
    let mut word = String::new();
    for _ in 0..4 {
        word.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
    }
    word
}

fn on_threads(sandbox: &Sandbox, threads: &str, out: &str, settings: &[&str]) {
    let mut arguments = vec![
        "train",
        "config.toml",
        "--out",
        out,
        "--threads",
        threads,
        "-q",
    ];
    for setting in settings {
        arguments.extend(["--set", setting]);
    }
    let run: Regard = sandbox.regard(&arguments);
    run.run().code(0);
}

#[test]
fn a_model_with_a_table_of_5_million_numbers_is_the_same_on_one_thread_and_on_two() {
    let sandbox = Sandbox::new();
    let mut table = "label\ttext\n".to_owned();
    for row in 0..2_100 {
        let words: Vec<String> = (20 * row..20 * row + 20).map(word).collect();
        let _ = writeln!(table, "{}\t{}", row % 2, words.join(" "));
    }
    sandbox.write("data.tsv", table);
    let settings = [
        "tokenizer.vocab_size=40000",
        "tokenizer.max_length=24",
        "model.d_model=128",
        "model.n_heads=4",
        "data.valid=0.01",
        "data.test=0.01",
        "train.max_steps=3",
        "train.word_dropout=0.1",
    ];
    for threads in ["1", "2"] {
        on_threads(&sandbox, threads, threads, &settings);
    }
    let weights = sandbox.read("1/bundle/weights.safetensors");
    // One table has 40,000 · 128 numbers of four bytes.
    assert!(weights.len() > 4 * 40_000 * 128, "{}", weights.len());
    assert!(weights == sandbox.read("2/bundle/weights.safetensors"));
    let moments = "checkpoints/step-0000000003/moments.safetensors";
    let moments = |run: &str| sandbox.read(&format!("{run}/{moments}"));
    assert!(moments("1") == moments("2"));
    assert_eq!(sandbox.events("1"), sandbox.events("2"));
}

#[test]
fn a_small_model_is_the_same_on_any_number_of_threads() {
    let sandbox = Sandbox::new();
    let settings = [
        "train.max_steps=10",
        "train.shards=6",
        "train.micro_batch=5",
        "model.dropout=0.2",
    ];
    for threads in ["1", "2", "7"] {
        on_threads(&sandbox, threads, threads, &settings);
        assert!(
            sandbox.bundle("1") == sandbox.bundle(threads),
            "{threads} threads"
        );
        assert_eq!(
            sandbox.events("1"),
            sandbox.events(threads),
            "{threads} threads"
        );
    }
}
