//! Predictions: one row out for each row in, whatever the format.

use std::fmt::Write as _;

use crate::support::{Done, Sandbox, texts, without_figures};

const TEXTS: [&str; 4] = [
    "a lovely day",
    "",
    "it was \"grim\", very grim",
    "Ünï 日本 👩‍👩‍👧",
];

fn predict(arguments: &[&str]) -> Done {
    let arguments = [&["predict", "run"], arguments].concat();
    Sandbox::trained().regard(&arguments).run()
}

fn predict_from(input: impl Into<Vec<u8>>, arguments: &[&str]) -> Done {
    let arguments = [&["predict", "run", "-"], arguments].concat();
    Sandbox::trained().regard(&arguments).input(input).run()
}

/// The probabilities of the texts, from the JSON of `--text`.
fn expected(texts: &[&str]) -> Vec<serde_json::Value> {
    let arguments: Vec<&str> = texts.iter().flat_map(|text| ["--text", text]).collect();
    let done = predict(&[&arguments[..], &["--format", "json"]].concat()).code(0);
    done.json_lines()
}

#[test]
fn texts_of_the_command_line_are_answered_for_a_person() {
    let done = predict(&[
        "--text",
        "a lovely day",
        "--text",
        "grim\nand \u{1b}[31mpoor\u{7}",
    ])
    .code(0);
    insta::assert_snapshot!("predict_text", without_figures(&done));
    let long = "lovely ".repeat(100);
    let done = predict(&["--text", &long]).code(0);
    assert!(done.stdout.ends_with(" love…\n"), "{done}");
}

#[test]
fn a_table_gives_a_table_with_the_ids_of_its_rows() {
    let sandbox = Sandbox::trained();
    let expected = expected(&TEXTS);
    for (name, separator, text) in [
        (
            "ids.csv",
            ',',
            "id,other,text\n\"7,\"\"x\",o,a lovely day\n8,o,\n9,o,\"it was \"\"grim\"\", very grim\"\nÜ,o,Ünï 日本 👩‍👩‍👧\n",
        ),
        (
            "ids.tsv",
            '\t',
            "text\tid\na lovely day\t7,\"x\n\t8\nit was \"grim\", very grim\t9\nÜnï 日本 👩‍👩‍👧\tÜ\n",
        ),
    ] {
        sandbox.write(name, text);
        let done = predict(&[name]).code(0);
        let mut lines = done.stdout.lines();
        let header = ["id", "label", "p_bad", "p_good"].join(&separator.to_string());
        assert_eq!(lines.next(), Some(header.as_str()));
        let ids = if separator == ',' {
            "\"7,\"\"x\""
        } else {
            "7,\"x"
        };
        let rows: Vec<&str> = lines.collect();
        assert_eq!(rows.len(), 4, "{done}");
        for ((row, id), expected) in rows.iter().zip([ids, "8", "9", "Ü"]).zip(&expected) {
            let rest = row.strip_prefix(id).unwrap_or_else(|| panic!("{done}"));
            let cells: Vec<&str> = rest.split(separator).skip(1).collect();
            assert_eq!(cells[0], expected["label"], "{done}");
            for (cell, label) in cells[1..].iter().zip(["bad", "good"]) {
                let probability: f64 = cell.parse().unwrap();
                let expected = expected["probabilities"][label].as_f64().unwrap();
                assert!((probability - expected).abs() < 1e-6, "{done}");
            }
        }
    }
}

#[test]
fn json_lines_give_json_lines_and_ids_keep_their_type() {
    Sandbox::trained().write(
        "ids.jsonl",
        "{\"id\":7,\"text\":\"a lovely day\"}\n{\"text\":\"\",\"id\":\"x\"}\n{\"id\":null,\"text\":\"grim\"}\n{\"text\":\"grim\"}\n",
    );
    let rows = predict(&["ids.jsonl"]).code(0).json_lines();
    let ids: Vec<String> = rows.iter().map(|row| row["id"].to_string()).collect();
    assert_eq!(ids, ["7", "\"x\"", "null", "null"]);
    for row in rows {
        let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["id", "label", "probabilities"]);
        let probabilities = row["probabilities"].as_object().unwrap();
        let labels: Vec<&String> = probabilities.keys().collect();
        assert_eq!(labels, ["bad", "good"]);
        let sum: f64 = probabilities.values().map(|p| p.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }
}

#[test]
fn lines_of_standard_input_are_texts_and_an_empty_one_is_a_text_too() {
    let expected = expected(&TEXTS);
    for ending in ["\n", "\r\n"] {
        for last in [ending, ""] {
            let input = TEXTS.join(ending) + last;
            let rows = predict_from(input, &[]).code(0).json_lines();
            assert_eq!(rows.len(), 4);
            for (i, (row, expected)) in rows.iter().zip(&expected).enumerate() {
                assert_eq!(row["row"], i + 1);
                assert_eq!(row["label"], expected["label"]);
            }
        }
    }
    assert_eq!(predict_from("", &[]).code(0).stdout, "");
    let table = predict_from("text,id\ngrim,4\n", &["--input-format", "csv"]).code(0);
    assert!(
        table.stdout.starts_with("id,label,p_bad,p_good\n4,bad,"),
        "{table}"
    );
}

#[test]
fn any_format_goes_into_any_other() {
    Sandbox::trained().write("plain.csv", "text\nlovely\ngrim\n");
    for (format, first) in [
        ("csv", "row,label,p_bad,p_good\n1,good,"),
        ("tsv", "row\tlabel\tp_bad\tp_good\n1\tgood\t"),
        (
            "jsonl",
            "{\"row\":1,\"label\":\"good\",\"probabilities\":{\"bad\":",
        ),
        ("human", "good  0."),
    ] {
        let done = predict(&["plain.csv", "--format", format]).code(0);
        assert!(done.stdout.starts_with(first), "{done}");
    }
}

#[test]
fn many_rows_come_out_in_order_each_once_whatever_the_number_of_threads() {
    // More than two chunks of rows, and a part of one.
    let mut input = String::new();
    for (_, text) in texts(700) {
        let _ = writeln!(input, "{text}");
    }
    let one = predict_from(input.clone(), &["--threads", "1"]).code(0);
    assert!(predict_from(input, &["--threads", "3"]).code(0).stdout == one.stdout);
    let rows = one.json_lines();
    assert_eq!(rows.len(), 700);
    for (i, (row, (label, text))) in rows.iter().zip(texts(700)).enumerate() {
        assert_eq!(row["row"], i + 1);
        assert_eq!(row["label"], label, "{text}");
    }
}

#[test]
fn a_bundle_alone_is_enough() {
    let sandbox = Sandbox::trained();
    let elsewhere = tempfile::tempdir().unwrap();
    for name in ["bundle.json", "weights.safetensors", "tokenizer.json"] {
        let content = sandbox.read(&format!("run/bundle/{name}"));
        std::fs::write(elsewhere.path().join(name), content).unwrap();
    }
    let bundle = elsewhere.path().to_str().unwrap();
    let done = sandbox
        .regard(&["predict", bundle, "--text", "lovely"])
        .run()
        .code(0);
    assert_eq!(done.stdout, predict(&["--text", "lovely"]).code(0).stdout);
}

#[test]
fn escape_sequences_in_data_stay_as_they_are_in_tables() {
    let done = predict_from("id,text\n\u{1b}[31mred,grim\n", &["--input-format", "csv"]).code(0);
    assert!(done.stdout.contains("\n\u{1b}[31mred,bad,"), "{done:?}");
}

#[test]
fn what_cannot_be_predicted_is_named_with_its_line() {
    let sandbox = Sandbox::trained();
    sandbox.write("no_text.csv", "txet\nx\n");
    sandbox.write("null.jsonl", "{\"text\":\"a\"}\n{\"text\":null}\n");
    sandbox.write("latin.csv", b"text\ncaf\xe9\n");
    sandbox.write("texts.docx", "x");
    for (arguments, message) in [
        (
            &["no_text.csv"][..],
            "no_text.csv has no column \"text\"; its columns are \"txet\"; did you mean \"txet\"?",
        ),
        (
            &["null.jsonl"],
            "null.jsonl line 2: no value for \"text\"; give one or remove the row",
        ),
        (
            &["latin.csv"],
            "latin.csv line 2, byte 4: invalid UTF-8; convert the file",
        ),
        (
            &["texts.docx"],
            "hint: or give --input-format csv, tsv, jsonl or lines",
        ),
        (
            &["missing.csv"],
            "error: cannot open missing.csv\ncaused by: No such file",
        ),
    ] {
        let done = predict(arguments).code(3);
        assert!(done.stderr.contains(message), "{done}");
    }
}
