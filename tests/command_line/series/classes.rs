//! Classes of whole series.

use std::fmt::Write as _;

use crate::report::unbalanced;
use crate::support::Sandbox;

#[test]
fn classes_of_unequal_lengths_are_learned() {
    let sandbox = Sandbox::new();
    let mut text = "@classLabel true up down\n@data\n".to_owned();
    for i in 0..40_i32 {
        let slope = if i % 2 == 0 { 1 } else { -1 };
        let values = (0..(6 + i % 5)).map(|t| (slope * t + i % 3).to_string());
        let label = if i % 2 == 0 { "up" } else { "down" };
        let _ = writeln!(text, "{}:{label}", values.collect::<Vec<_>>().join(","));
    }
    sandbox.write("slopes.ts", text);
    sandbox.write(
        "series.toml",
        "version = 1\ntask = \"series-classification\"\n[data]\ntrain = \"slopes.ts\"\nvalid = 0.2\ntest = 0.2\n\
         [model]\nd_model = 8\nn_layers = 1\nn_heads = 2\nd_ff = 16\n[model.stem]\nlayers = 1\nkernel = 3\n\
         [train]\nepochs = 30\nbatch_size = 8\nlearning_rate = 5e-3\njitter = 0.05\n",
    );
    let train = ["train", "series.toml", "--out", "run", "--format", "json"];
    let report = sandbox.regard(&train).run().code(0).json();
    assert_eq!(report["test"]["metrics"]["accuracy"], 1.0, "{report}");
    let html = String::from_utf8(sandbox.read("run/report.html")).unwrap();
    assert_eq!(unbalanced(&html), Vec::<String>::new());
    for part in ["1-NN", "Confusion matrix", "Lengths of the training series"] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains(" texts"), "series are no texts");
    // A test part is no duty.
    let text = String::from_utf8(sandbox.read("series.toml")).unwrap();
    sandbox.write("series.toml", text.replace("test = 0.2\n", ""));
    let untested = [
        "train",
        "series.toml",
        "--out",
        "untested",
        "--format",
        "json",
    ];
    let untested = sandbox.regard(&untested).run().code(0).json();
    assert_eq!(untested["test"], serde_json::Value::Null, "{untested}");
    let predict = ["predict", "run", "slopes.ts"];
    let told = sandbox.regard(&predict).run().code(0);
    let first: Vec<&str> = told.stdout.lines().take(3).collect();
    assert_eq!(first[0], "row,label,p_down,p_up");
    assert!(
        first[1].starts_with("1,up,") && first[2].starts_with("2,down,"),
        "{first:?}"
    );
}

#[test]
fn a_check_counts_the_series_of_each_class() {
    let sandbox = Sandbox::new();
    let mut text = "@classLabel true up down rare\n@data\n".to_owned();
    for (series, label) in ["up", "down"]
        .iter()
        .cycle()
        .take(20)
        .chain(&["rare"])
        .enumerate()
    {
        writeln!(text, "{},{},{}:{label}", series, series % 3, series % 5).unwrap();
    }
    sandbox.write("walks.ts", text);
    sandbox.write(
        "walks.toml",
        "version = 1\ntask = \"series-classification\"\n[data]\ntrain = \"walks.ts\"\nvalid = 0.2\n[model]\nd_model = 8\nn_heads = 2\n",
    );
    let check = sandbox.regard(&["check", "walks.toml"]).run().code(0);
    for told in [
        "data      series\n",
        "3 labels",
        "warning  walks.ts: the label \"rare\" has 1 series to train on",
    ] {
        assert!(check.stdout.contains(told), "{told}: {check}");
    }
    assert!(!check.stdout.contains("0 labels"), "{check}");
}
