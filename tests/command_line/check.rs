//! The data doctor, and the dry run.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Done, Sandbox, texts};

/// Every file under a folder, with its length.
fn listing(folder: &Path) -> Vec<(String, u64)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            if metadata.is_dir() {
                folders.push(entry.path());
            }
            files.push((entry.path().display().to_string(), metadata.len()));
        }
    }
    files.sort();
    files
}

fn check(sandbox: &Sandbox, settings: &[&str], format: &str) -> Done {
    let mut arguments = vec!["check", "config.toml", "--threads", "2", "--format", format];
    for setting in settings {
        arguments.extend(["--set", setting]);
    }
    sandbox.regard(&arguments).run()
}

/// The report with its measurements taken out.
fn without_measurements(done: &Done) -> String {
    let mut lines = Vec::new();
    for line in done.to_string().lines() {
        let place = ["  memory  ", "  time    "]
            .iter()
            .find(|start| line.starts_with(**start));
        lines.push(place.map_or_else(|| line.to_owned(), |start| format!("{start}…")));
    }
    lines.join("\n")
}

/// `level file:line message`, one for each problem of a report.
fn problems(report: &Value) -> Vec<String> {
    let problems = report["problems"].as_array().unwrap().iter();
    problems
        .map(|problem| {
            let text = |name: &str| match &problem[name] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            format!(
                "{} {}:{} {}",
                text("level"),
                text("file"),
                text("line"),
                text("message")
            )
        })
        .collect()
}

/// 200 different texts.
fn different() -> String {
    let rows = texts(200).into_iter().enumerate();
    let rows = rows.map(|(i, (label, text))| format!("{label}\t{text} n{i}\n"));
    "label\ttext\n".to_owned() + &rows.collect::<String>()
}

#[test]
fn clean_data_is_ready_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    sandbox.write("data.tsv", different());
    let before = listing(&sandbox.path(""));
    let done = check(
        &sandbox,
        &["tokenizer.kind=\"bytes\"", "tokenizer.max_length=64"],
        "human",
    )
    .code(0);
    insta::assert_snapshot!("check_ready", without_measurements(&done));
    let report = check(
        &sandbox,
        &["tokenizer.kind=\"bytes\"", "tokenizer.max_length=64"],
        "json",
    )
    .code(0)
    .json();
    assert_eq!(listing(&sandbox.path("")), before);

    let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "schema", "ready", "unit", "rows", "splits", "problems", "model"
        ]
    );
    assert_eq!(report["schema"], 1);
    assert_eq!(report["ready"], true);
    assert_eq!(report["rows"], 200);
    assert_eq!(report["problems"], json!([]));
    assert_eq!(report["splits"]["train"]["rows"], 120);
    assert_eq!(
        report["splits"]["test"]["labels"],
        json!({"bad": 20, "good": 20})
    );
    assert_eq!(report["splits"]["valid"]["cut_share"], 0.0);
    let model = &report["model"];
    // 261 tokens and 64 positions of 16 numbers, a block, the last norm and the head.
    let block = 4 * 16 * 17 + 2 * 16 * 16 + 32 + 4 * 16;
    assert_eq!(
        model["parameters"],
        (261 + 64) * 16 + block + 2 * 16 + 2 * 17
    );
    assert_eq!(model["parameters_by_part"]["blocks"], block);
    assert_eq!(model["steps"], 30);
    for figure in [
        "memory_mib",
        "seconds_per_epoch",
        "seconds_per_step",
        "seconds",
    ] {
        assert!(model[figure].as_f64().unwrap() > 0.0, "{figure}: {model}");
    }
}

#[test]
fn every_problem_of_settings_and_files_is_told_at_once() {
    let sandbox = Sandbox::new();
    sandbox.write("data.tsv", different() + "bad\t\n\tno label\nbad\t&amp;\n");
    sandbox.write("valid.tsv", "label\ttext\nbad\ta\nugly\tb\n");
    sandbox.write("test.tsv", b"label\ttext\nbad\ta\ngood\tb\xff\n");
    let files = ["data.valid=\"valid.tsv\"", "data.test=\"test.tsv\""];
    let done = check(&sandbox, &files, "human").code(3);
    insta::assert_snapshot!("check_data", done);
    let settings = [&files[..], &["model.n_heads=3", "train.epochs=0"]].concat();
    let report = check(&sandbox, &settings, "json").code(2).json();
    assert_eq!(report["ready"], false);
    assert_eq!(report["model"], Value::Null);
    let problems = problems(&report);
    for problem in [
        "error null:null --set train.epochs=0: `train.epochs`: expected an integer from 1 to 1000000000, found 0",
        "error config.toml:",
        "error data.tsv:203 1 row without a label in column \"label\"",
        "error valid.tsv:3 1 row with labels that the model would not know: \"ugly\" (1)",
        "error test.tsv:3 byte 7: invalid UTF-8",
        "warning data.tsv:202 1 row with an empty text",
        "note data.tsv:204 1 row with remains of HTML",
    ] {
        assert!(
            problems.iter().any(|told| told.starts_with(problem)),
            "{problem} in {problems:#?}"
        );
    }
    // The most important first.
    assert!(problems.is_sorted_by_key(|problem| {
        ["e", "w", "n"]
            .iter()
            .position(|level| problem.starts_with(level))
    }));
}

#[test]
fn settings_that_do_not_fit_the_data_are_remarked() {
    let sandbox = Sandbox::new();
    let report = check(
        &sandbox,
        &["train.warmup=500", "tokenizer.max_length=3"],
        "json",
    )
    .code(0)
    .json();
    let problems = problems(&report);
    let warmup = "warning null:null train.warmup is 500 steps, the run has 30: the learning rate never reaches its height";
    assert!(problems.iter().any(|told| told == warmup), "{problems:#?}");
    assert!(
        problems
            .iter()
            .any(|told| told.contains(" % of the train texts are cut at 3 tokens")),
        "{problems:#?}"
    );
    let done = sandbox.train("run", &["train.warmup=500"]).code(0);
    assert!(
        done.stderr
            .contains("warning: train.warmup is 500 steps, the run has 30"),
        "{done}"
    );
}

#[test]
fn a_configuration_that_is_not_there_or_no_toml_is_a_usage_error() {
    let sandbox = Sandbox::new();
    let done = sandbox.regard(&["check", "missing.toml"]).run().code(2);
    assert!(
        done.stderr
            .starts_with("error: cannot read the configuration missing.toml"),
        "{done}"
    );
    let done = sandbox.regard(&["check", "data.tsv"]).run().code(2);
    insta::assert_snapshot!("check_no_configuration", done);
}

#[test]
fn a_dry_run_trains_nothing_and_writes_nothing() {
    let sandbox = Sandbox::new();
    let before = listing(&sandbox.path(""));
    let arguments = ["train", "config.toml", "--dry-run", "--threads", "2"];
    let done = sandbox.regard(&arguments).run().code(0);
    insta::assert_snapshot!("dry_run", without_measurements(&done));
    let report = sandbox
        .regard(&[&arguments[..], &["--format", "json", "--out", "run"]].concat())
        .run()
        .code(0)
        .json();
    assert_eq!(report["schema"], 1);
    assert_eq!(report["model"]["steps"], 30);
    assert!(report["model"]["seconds_per_epoch"].as_f64().unwrap() > 0.0);
    assert_eq!(listing(&sandbox.path("")), before);
}

/// Shapes of files that people have: rows, labels, a header, a format.
#[test]
fn what_init_proposes_passes_the_check() {
    let sandbox = Sandbox::new();
    let words = [
        "river", "stone", "cloud", "paper", "engine", "garden", "mirror",
    ];
    let chinese = ["河流", "石头", "云彩", "纸张", "引擎", "花园", "镜子"];
    for (rows, labels, header, format, wordless) in [
        (40, 2, true, "csv", false),
        (200, 3, false, "tsv", false),
        (500, 50, true, "jsonl", false),
        (300, 4, false, "csv", true),
        (5_000, 7, true, "tsv", true),
    ] {
        let mut content = match (header, format) {
            (true, "csv") => "id,category,comment\n".to_owned(),
            (true, "tsv") => "id\tcategory\tcomment\n".to_owned(),
            _ => String::new(),
        };
        for i in 0..rows {
            let vocabulary = if wordless { &chinese } else { &words };
            let separator = if wordless { "" } else { " " };
            let text: Vec<&str> = (0..8)
                .map(|k| vocabulary[(i * (k + 3) + i / 7) % 7])
                .collect();
            let (text, label) = (text.join(separator), format!("c{}", i % labels));
            content += &match format {
                "csv" => format!("{i},{label},\"{text}, {i}\"\n"),
                "tsv" => format!("{i}\t{label}\t{text} {i}\n"),
                _ => format!("{{\"category\": \"{label}\", \"comment\": \"{text} {i}\"}}\n"),
            };
        }
        let file = format!("shape.{format}");
        sandbox.write(&file, content);
        let proposed = sandbox.regard(&["init", &file]).run().code(0).stdout;
        sandbox.write("proposed.toml", proposed);
        let done = sandbox
            .regard(&[
                "check",
                "proposed.toml",
                "--threads",
                "2",
                "--format",
                "json",
            ])
            .run();
        assert_eq!(done.code, 0, "{file}, {rows} rows, {labels} labels: {done}");
        assert_eq!(done.json()["rows"], rows);
    }
}
