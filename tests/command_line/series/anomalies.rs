//! Scores of anomalies.

use super::{config, config_of_files, rows_of_table, table};
use crate::support::Sandbox;

#[test]
fn a_jump_scores_above_what_is_usual() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    sandbox.write(
        "windows.csv",
        "start,end\n2024-01-13T12:00,2024-01-13T21:00\n",
    );
    config(
        &sandbox,
        "series-anomaly",
        "[anomaly]\nwindows = \"windows.csv\"\n",
    );
    let train = ["train", "series.toml", "--out", "run", "--format", "json"];
    let report = sandbox.regard(&train).run().code(0).json();
    let test = &report["test"];
    assert_eq!(test["n"], 120);
    assert_eq!(test["n_anomalous"], 10);
    let figure = |name: &str| test["metrics"][name].as_f64().unwrap();
    assert!(figure("roc_auc") > 0.9, "{test}");
    assert_eq!(figure("event_recall"), 1.0);
    // Of another file there are scores too, which no labels judge.
    let eval = ["eval", "run", "--data", "table.csv", "--format", "json"];
    let of_file = sandbox.regard(&eval).run().code(0).json();
    assert_eq!(of_file["n"], 376, "{of_file}");
    assert!(of_file["n_alarms"].as_u64() >= Some(10), "{of_file}");
    let told = sandbox
        .regard(&["predict", "run", "table.csv"])
        .run()
        .code(0);
    let lines: Vec<&str> = told.stdout.lines().collect();
    // A row for each row, the first ones without a score.
    assert_eq!(lines.len(), 401);
    assert_eq!(lines[1], "1,2024-01-01 00:00:00,,");
    assert!(lines[301].ends_with(",true"), "{}", lines[301]);
}

#[test]
fn anomalies_are_judged_in_a_file_of_their_own() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    rows_of_table(&sandbox, "train.csv", 0..280);
    rows_of_table(&sandbox, "test.csv", 256..400);
    sandbox.write(
        "windows.csv",
        "start,end\n2024-01-13T12:00,2024-01-13T21:00\n",
    );
    config_of_files(
        &sandbox,
        "series-anomaly",
        [
            "train.csv",
            "test = \"test.csv\"\n[data.split]\nvalid = 0.25\n",
        ],
        "[anomaly]\nwindows = \"windows.csv\"\n",
    );
    let train = ["train", "series.toml", "--out", "run", "--format", "json"];
    let test = &sandbox.regard(&train).run().code(0).json()["test"];
    // Nothing tells the first rows that are seen.
    assert_eq!(test["n"], 120);
    assert_eq!(test["n_anomalous"], 10);
    assert!(test["metrics"]["roc_auc"].as_f64().unwrap() > 0.9, "{test}");
    let baselines = ["eval", "run", "--baselines"];
    let shown = sandbox.regard(&baselines).run().code(0);
    assert!(shown.stdout.contains("level"), "{shown}");
    assert!(!shown.stdout.contains("NaN"), "{shown}");
    sandbox.regard(&["report", "run"]).run().code(0);
}

#[test]
fn labelled_windows_beside_the_test_part_are_refused() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    sandbox.write(
        "windows.csv",
        "start,end\n2031-01-13T12:00,2031-01-13T21:00\n",
    );
    let windows = "[anomaly]\nwindows = \"windows.csv\"\n";
    config(&sandbox, "series-anomaly", windows);
    let refused = sandbox.regard(&["train", "series.toml"]).run().code(3);
    let told = "windows.csv: no row of the test part lies in any of its 1 windows";
    assert!(refused.stderr.contains(told), "{refused}");
}
