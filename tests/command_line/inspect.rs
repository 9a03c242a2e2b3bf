//! Looking inside a model: for a person, for a program, as a page.

use std::fs;

use serde_json::Value;

use crate::support::{Done, Sandbox, without_figures};

fn inspect(arguments: &[&str]) -> Done {
    let arguments = [&["inspect", "run"], arguments].concat();
    Sandbox::trained().regard(&arguments).run()
}

/// The same on another machine: numbers become 0, or stay what they are if they are whole.
fn without_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if !number.is_u64() => *value = 0.into(),
        Value::Array(values) => values.iter_mut().for_each(without_numbers),
        Value::Object(fields) => fields.values_mut().for_each(without_numbers),
        _ => {}
    }
}

#[test]
fn a_person_reads_words_and_figures_of_heads() {
    let done = inspect(&[
        "--text",
        "a lovely day",
        "--text",
        "grim\nand \u{1b}[31mpoor\u{7}",
    ])
    .code(0);
    insta::assert_snapshot!("inspect", in_order(&without_figures(&done)));
}

/// The words of a table come by their figures, which are not the same everywhere.
fn in_order(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    for run in
        lines.chunk_by_mut(|a, b| a.contains("#.####  #.####") == b.contains("#.####  #.####"))
    {
        if run[0].contains("#.####") {
            run.sort_unstable();
        }
    }
    lines.join("\n")
}

#[test]
fn a_program_reads_maps_with_their_tokens() {
    let mut value = inspect(&["--text", "a lovely day", "--format", "json"])
        .code(0)
        .json();
    let n = value["tokens"].as_array().unwrap().len();
    for layer in value["layers"].as_array().unwrap() {
        for head in layer["heads"].as_array().unwrap() {
            let rows = head["weights"].as_array().unwrap();
            assert_eq!(rows.len(), n);
            for row in rows {
                let row: Vec<f64> = row.as_array().unwrap().iter().map(number).collect();
                assert_eq!(row.len(), n);
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{row:?}");
            }
        }
    }
    let predicted = Sandbox::trained()
        .regard(&[
            "predict",
            "run",
            "--text",
            "a lovely day",
            "--format",
            "json",
        ])
        .run()
        .code(0)
        .json();
    let probability = number(&value["prediction"]["probabilities"]["good"]);
    assert!((probability - number(&predicted["probabilities"]["good"])).abs() < 1e-6);
    without_numbers(&mut value);
    insta::assert_snapshot!(
        "inspect_json",
        serde_json::to_string_pretty(&value).unwrap()
    );
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn odd_texts_have_their_answers() {
    let long = "lovely ".repeat(50);
    let done = inspect(&["--text", &long]).code(0);
    let cut = "  tokens  12; the text is longer than that, and its end was cut off\n";
    assert!(done.stdout.contains(cut), "{done}");
    let texts = ["", "xyzzy qwerty", &long, "<script>alert(1)</script>"];
    let arguments: Vec<&str> = texts.iter().flat_map(|text| ["--text", text]).collect();
    let rows = inspect(&[&arguments[..], &["--format", "json"]].concat())
        .code(0)
        .json_lines();
    assert_eq!(rows.len(), 4);
    let lengths = rows
        .iter()
        .map(|row| row["tokens"].as_array().unwrap().len());
    assert_eq!(lengths.take(3).collect::<Vec<_>>(), [1, 3, 12]);
    let truncated: Vec<bool> = rows
        .iter()
        .map(|row| row["truncated"].as_bool().unwrap())
        .collect();
    assert_eq!(truncated, [false, false, true, false]);
    assert_eq!(rows[1]["words"][1]["text"], "qwerty");
    assert_eq!(rows[1]["occlusion"], serde_json::json!([0.0, 0.0, 0.0]));
}

#[test]
fn a_page_stands_alone_and_no_text_becomes_part_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("maps.html");
    let path = file.to_str().unwrap();
    let text = "<script>alert(1)</script> & \"lovely\"";
    let done = inspect(&["--text", text, "--text", "", "--html", path]).code(0);
    assert!(
        done.stderr.ends_with(&format!("attention maps: {path}\n")),
        "{done}"
    );
    let html = fs::read_to_string(&file).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>"));
    assert!(!html.contains("<script>alert") && !html.contains("http"));
    assert!(html.contains("&lt;script&gt;"));
    let nowhere = folder.path().join("none/maps.html");
    let done = inspect(&["--text", "a", "--html", nowhere.to_str().unwrap()]).code(5);
    assert!(done.stderr.starts_with("error: cannot write "), "{done}");
}

#[test]
fn what_is_no_finished_run_is_refused_as_predict_refuses_it() {
    let sandbox = Sandbox::trained();
    let unfinished = tempfile::tempdir().unwrap();
    fs::create_dir(unfinished.path().join("checkpoints")).unwrap();
    let empty = tempfile::tempdir().unwrap();
    for run in [
        unfinished.path().to_str().unwrap(),
        empty.path().to_str().unwrap(),
        "data.tsv",
        "missing",
    ] {
        let [inspected, predicted] = ["inspect", "predict"]
            .map(|command| sandbox.regard(&[command, run, "--text", "a"]).run());
        assert_eq!(inspected.code(4).stderr, predicted.code(4).stderr);
    }
    inspect(&[]).code(2);
}
