//! Parts of the data: files of their own, whole series.

use std::fmt::Write as _;

use super::{config, config_of_files, rows_of_table, table};
use crate::support::Sandbox;

#[test]
fn parts_in_files_of_their_own_are_those_of_one_file() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    rows_of_table(&sandbox, "train.csv", 0..200);
    // A window of the next part may look back over the border of a part; a file brings its own rows for that.
    rows_of_table(&sandbox, "valid.csv", 176..280);
    rows_of_table(&sandbox, "test.csv", 256..400);
    config(&sandbox, "series-forecasting", "");
    let train = |out: &str| {
        let train = ["train", "series.toml", "--out", out, "--format", "json"];
        sandbox.regard(&train).run().code(0).json()
    };
    let whole = train("whole");
    config_of_files(
        &sandbox,
        "series-forecasting",
        ["train.csv", "valid = \"valid.csv\"\ntest = \"test.csv\"\n"],
        "",
    );
    let parts = train("parts");
    assert_eq!(parts["test"], whole["test"]);
    assert_eq!(parts["test"]["n"], 115);
    assert!(
        sandbox.read("parts/bundle/weights.safetensors")
            == sandbox.read("whole/bundle/weights.safetensors")
    );
    let resolved = String::from_utf8(sandbox.read("parts/config.toml")).unwrap();
    assert!(
        resolved.contains("\n[data.split]\nby = \"time\"\ntrain = 1.0\n\n"),
        "{resolved}"
    );
    let eval = ["eval", "parts", "--format", "json"];
    let report = sandbox.regard(&eval).run().code(0).json();
    let of_file = ["eval", "parts", "--data", "test.csv", "--format", "json"];
    let of_file = sandbox.regard(&of_file).run().code(0).json();
    for figure in ["mse", "mae"] {
        assert_eq!(report["metrics"][figure], of_file["metrics"][figure]);
    }
    let ready = sandbox.regard(&["check", "series.toml"]).run().code(0);
    assert!(ready.stdout.contains("test"), "{ready}");

    // The data has changed since.
    rows_of_table(&sandbox, "test.csv", 256..390);
    let refused = sandbox.regard(&eval).run();
    assert_ne!(refused.code, 0, "{refused}");
    assert!(
        refused.stderr.contains("is not the data that the run"),
        "{refused}"
    );
    // Other columns, which are named.
    sandbox.write(
        "test.csv",
        "time,load,cold\n2024-01-01T00:00,1,2\n2024-01-01T00:15,1,3\n",
    );
    let refused = sandbox.regard(&["check", "series.toml"]).run();
    assert_ne!(refused.code, 0, "{refused}");
    let words: Vec<&str> = refused.stdout.split_whitespace().collect();
    let words = words.join(" ");
    for part in [
        "test.csv: the columns \"heat\" are missing and the columns \"cold\" are new",
        "a row every 15 minutes, those of the training file a row every hour",
        "2 rows with 0 before them are too few",
        // That "load" is 1 in both rows is no fault: its scale is that of the training rows.
        "mend the 2 errors",
    ] {
        assert!(words.contains(part), "{part} in {refused}");
    }
}

#[test]
fn whole_series_are_drawn_for_each_part() {
    let sandbox = Sandbox::new();
    let mut text = "meter,hour,load\n".to_owned();
    for meter in 0..10_u32 {
        for hour in 0..40_u32 {
            let load = f64::from(meter) + f64::from(hour % 12 + meter).sin();
            let _ = writeln!(text, "m{meter},{hour},{load:.3}");
        }
    }
    sandbox.write("meters.csv", text);
    config_of_files(
        &sandbox,
        "series-forecasting",
        [
            "meters.csv",
            "id_column = \"meter\"\n[data.split]\nby = \"id\"\n",
        ],
        "",
    );
    let train = |out: &str, seed: &str| {
        let train = [
            "train",
            "series.toml",
            "--out",
            out,
            "--format",
            "json",
            "--set",
            "data.time_column=hour",
            "--set",
            seed,
        ];
        sandbox.regard(&train).run().code(0).json()
    };
    let (first, again, other) = (
        train("a", "seed=1"),
        train("b", "seed=1"),
        train("c", "seed=2"),
    );
    // Two series of 40 rows: every window of them.
    assert_eq!(first["test"]["n"], 2 * (40 - 24 - 6 + 1));
    assert_eq!(first["test"], again["test"]);
    assert_ne!(first["test"]["metrics"], other["test"]["metrics"]);
    let seeds = [
        "bench",
        "seeds",
        "series.toml",
        "--seeds",
        "1..2",
        "--set",
        "data.time_column=hour",
        "--format",
        "json",
    ];
    let spread = sandbox.regard(&seeds).run().code(0).json();
    assert_eq!(spread["rows"][0]["mse"], first["test"]["metrics"]["mse"]);
}
