//! Data that is small, strange or both, and trains all the same.

use serde_json::Value;

use crate::support::Sandbox;

/// Trains on these rows; gives the report.
fn trained(rows: &[(String, String)], settings: &[&str]) -> (Sandbox, Value) {
    let sandbox = Sandbox::new();
    let lines = rows
        .iter()
        .map(|(label, text)| format!("{label}\t{text}\n"));
    sandbox.write(
        "data.tsv",
        "label\ttext\n".to_owned() + &lines.collect::<String>(),
    );
    let mut arguments = vec!["train", "config.toml", "--out", "run", "--format", "json"];
    for setting in settings {
        arguments.extend(["--set", setting]);
    }
    let report = sandbox.regard(&arguments).run().code(0).json();
    (sandbox, report)
}

fn rows(n: usize, row: impl Fn(usize) -> (&'static str, String)) -> Vec<(String, String)> {
    let rows = (0..n).map(row);
    rows.map(|(label, text)| (label.to_owned(), text)).collect()
}

const ALL_KINDS: [&str; 4] = [
    "tokenizer.kind=\"words\"",
    "tokenizer.kind=\"bpe\"",
    "tokenizer.kind=\"bytes\"",
    "tokenizer.kind=\"characters\"",
];

#[test]
fn three_labels_get_three_probabilities() {
    let data = rows(90, |i| {
        (
            ["a", "b", "c"][i % 3],
            format!("w {}", ["x", "y", "z"][i % 3]),
        )
    });
    let (sandbox, report) = trained(&data, &["train.epochs=6"]);
    assert_eq!(report["test"]["metrics"]["accuracy"], 1.0);
    let done = sandbox
        .regard(&["predict", "run", "--text", "w y", "--format", "csv"])
        .run()
        .code(0);
    assert!(
        done.stdout.starts_with("row,label,p_a,p_b,p_c\n1,b,"),
        "{done}"
    );
}

#[test]
fn labels_are_texts_even_if_they_are_numbers_or_pictures() {
    let data = rows(60, |i| {
        (["0", "1"][i % 2], format!("w{}", ["x", "y"][i % 2]))
    });
    let (_, report) = trained(&data, &["train.epochs=6"]);
    assert_eq!(report["test"]["labels"], serde_json::json!(["0", "1"]));
    let data = rows(60, |i| {
        (
            ["Ünï 😀", "日本, \"語\""][i % 2],
            format!("{} 👩‍👩‍👧", ["猫", "ñ"][i % 2]),
        )
    });
    for kind in ALL_KINDS {
        let (sandbox, _) = trained(&data, &[kind, "train.max_steps=2"]);
        let done = sandbox
            .regard(&["predict", "run", "--text", "猫", "--format", "csv"])
            .run()
            .code(0);
        let header = "row,label,p_Ünï 😀,\"p_日本, \"\"語\"\"\"\n";
        assert!(done.stdout.starts_with(header), "{done}");
        let done = sandbox.regard(&["eval", "run"]).run().code(0);
        assert!(done.stdout.contains("Ünï 😀"), "{done}");
    }
}

#[test]
fn texts_may_be_very_long_or_one_word_or_nothing() {
    let long = rows(20, |i| {
        (
            ["a", "b"][i % 2],
            format!("{} ", ["x", "y"][i % 2]).repeat(20_000),
        )
    });
    let short = rows(40, |i| (["a", "b"][i % 2], ["x", "y"][i % 2].to_owned()));
    let none = rows(40, |i| (["a", "b"][i % 2], ["x", ""][i % 2].to_owned()));
    for kind in ALL_KINDS {
        for data in [&long, &short, &none] {
            let (_, report) = trained(data, &[kind, "train.max_steps=2"]);
            assert_eq!(report["steps"], 2);
        }
    }
}

#[test]
fn four_rows_are_enough() {
    let data = rows(4, |i| (["a", "b"][i % 2], ["x", "y"][i % 2].to_owned()));
    let (_, report) = trained(&data, &[]);
    assert_eq!(report["steps"], 2);
    assert_eq!(report["test"]["n"], 1);
    // More shards, threads and units of a batch than there are texts.
    let settings = [
        "train.shards=64",
        "train.batch_size=500",
        "train.micro_batch=100",
    ];
    trained(&data, &settings);
}

#[test]
fn a_label_that_validation_lacks_is_no_obstacle() {
    let mut data = rows(60, |i| (["a", "b"][i % 2], ["x", "y"][i % 2].to_owned()));
    data.push(("rare".to_owned(), "z".to_owned()));
    let (_, report) = trained(&data, &[]);
    assert_eq!(
        report["test"]["labels"],
        serde_json::json!(["a", "b", "rare"])
    );
}

#[test]
fn every_choice_of_the_model_trains() {
    let data = rows(40, |i| {
        (["a", "b"][i % 2], format!("w {} v", ["x", "y"][i % 2]))
    });
    for settings in [
        &[
            "model.norm_position=\"post\"",
            "model.activation=\"relu\"",
            "model.pooling=\"first\"",
        ][..],
        &[
            "model.position=\"sinusoidal\"",
            "model.pooling=\"max\"",
            "model.attention_dropout=0.3",
        ],
        &[
            "model.position=\"none\"",
            "model.n_kv_heads=1",
            "model.dropout=0",
        ],
        &[
            "train.schedule=\"linear\"",
            "train.warmup=\"50%\"",
            "train.max_grad_norm=0",
        ],
        &[
            "eval.metric=\"loss\"",
            "eval.every=1",
            "train.label_smoothing=0.3",
            "train.word_dropout=0.5",
        ],
        &[
            "eval.metric=\"macro_f1\"",
            "eval.every=1000",
            "train.betas=[0.0, 0.5]",
        ],
    ] {
        trained(&data, settings);
    }
}

#[test]
fn files_without_a_header_and_json_lines_train_too() {
    let sandbox = Sandbox::new();
    let table: String = (0..40)
        .map(|i| format!("{},\"w, {}\"\n", i % 2, i % 2))
        .collect();
    sandbox.write("bare.csv", table);
    let lines: String = (0..40)
        .map(|i| format!("{{\"y\":{},\"x\":\"w {}\"}}\n", i % 2, i % 2))
        .collect();
    sandbox.write("objects.jsonl", lines);
    let bare = [
        "data.train=\"bare.csv\"",
        "data.header=false",
        "data.text_column=1",
        "data.label_column=0",
    ];
    sandbox.train("bare", &bare).code(0);
    let done = sandbox
        .regard(&["predict", "bare", "-", "--input-format", "csv"])
        .input("x,w 1\nx,w 0\n")
        .run()
        .code(0);
    assert_eq!(done.stdout.lines().count(), 3, "{done}");
    let objects = [
        "data.train=\"objects.jsonl\"",
        "data.text_column=\"x\"",
        "data.label_column=\"y\"",
    ];
    sandbox.train("objects", &objects).code(0);
}
