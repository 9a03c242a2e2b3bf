//! Judging a finished run.

use serde_json::json;

use crate::support::{Sandbox, without_figures};

#[test]
fn a_run_is_judged_on_its_own_test_data() {
    let sandbox = Sandbox::trained();
    let done = sandbox.regard(&["eval", "run"]).run().code(0);
    insta::assert_snapshot!("eval", without_figures(&done));
    let report = sandbox
        .regard(&["eval", "run", "--format", "json"])
        .run()
        .code(0)
        .json();
    let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "schema",
            "task",
            "split",
            "n",
            "metrics",
            "labels",
            "per_class",
            "confusion_matrix"
        ]
    );
    assert_eq!(report["task"], "text-classification");
    assert_eq!(report["split"], "test");
    assert_eq!(report["n"], 40);
    assert_eq!(report["metrics"]["accuracy"], 1.0);
    assert_eq!(report["confusion_matrix"], json!([[20, 0], [0, 20]]));
    // The figures are those that training ended with.
    let end = sandbox.events("run").pop().unwrap();
    for name in ["accuracy", "macro_f1", "loss"] {
        assert_eq!(report["metrics"][name], end[name], "{name}");
    }
}

#[test]
fn any_labelled_file_will_do() {
    let sandbox = Sandbox::trained();
    sandbox.write(
        "some.csv",
        "text,label\nlovely,good\ngrim,bad\n\"fine, fine\",bad\n",
    );
    for run in ["run", "run/bundle"] {
        let report = sandbox
            .regard(&["eval", run, "--data", "some.csv", "--format", "json"])
            .run()
            .code(0)
            .json();
        assert_eq!(report["split"], "some.csv");
        assert_eq!(report["n"], 3);
        assert_eq!(report["confusion_matrix"], json!([[1, 1], [0, 1]]));
    }
}

#[test]
fn data_that_the_model_does_not_know_is_refused() {
    let sandbox = Sandbox::trained();
    sandbox.write("unknown.tsv", "text\tlabel\nfine\tgoood\n");
    sandbox.write("unlabelled.tsv", "text\nfine\n");
    sandbox.write("nothing.tsv", "");
    for (file, message) in [
        (
            "unknown.tsv",
            "error: unknown.tsv line 2: unknown label \"goood\"; the labels are \"bad\", \"good\"; did you mean \"good\"?\n",
        ),
        (
            "unlabelled.tsv",
            "error: unlabelled.tsv has no column \"label\"; its columns are \"text\"\n",
        ),
        (
            "nothing.tsv",
            "error: nothing.tsv is empty; expected rows\n",
        ),
    ] {
        let done = sandbox
            .regard(&["eval", "run", "--data", file])
            .run()
            .code(3);
        assert_eq!(done.stderr, message);
        assert_eq!(done.stdout, "");
    }
}

#[test]
fn without_test_data_it_asks_for_some() {
    let sandbox = Sandbox::new();
    let config = String::from_utf8(sandbox.read("config.toml")).unwrap();
    sandbox.write("config.toml", config.replace("test = 0.2\n", ""));
    let trained = sandbox.train("run", &["train.max_steps=1"]).code(0);
    assert!(!trained.stdout.contains("test data"), "{trained}");
    let done = sandbox.regard(&["eval", "run"]).run().code(2);
    assert_eq!(
        done.stderr,
        "error: the run run has no test data\nhint: give --data FILE, or set data.test before training\n"
    );
    let done = sandbox.regard(&["eval", "run/bundle"]).run().code(2);
    assert_eq!(
        done.stderr,
        "error: run/bundle is a bundle, which knows no test data\nhint: give --data FILE\n"
    );
}
