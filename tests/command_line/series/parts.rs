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

#[test]
fn a_part_with_the_rows_of_another_is_refused() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    rows_of_table(&sandbox, "train.csv", 0..300);
    rows_of_table(&sandbox, "copy.csv", 0..300);
    let refused = |data: &str, told: &str| {
        config_of_files(&sandbox, "series-forecasting", ["train.csv", data], "");
        for command in ["check", "train"] {
            let done = sandbox.regard(&[command, "series.toml"]).run().code(3);
            let all = format!("{}{}", done.stdout, done.stderr);
            assert!(all.contains(told), "{told}: {done}");
        }
    };
    let told = "holds the same rows as another part";
    refused("test = \"copy.csv\"\n", told);
    refused("test = \"./train.csv\"\n", told);
    // Rows of which nothing is known.
    let rows = (0..60).map(|hour| format!("2024-02-{:02}T{:02}:00,,\n", 1 + hour / 24, hour % 24));
    let empty = format!("time,load,heat\n{}", rows.collect::<String>());
    sandbox.write("empty.csv", empty);
    refused("test = \"empty.csv\"\n", "empty.csv: ");
    assert!(!sandbox.path("runs/series/bundle").exists());
}

#[test]
fn columns_of_another_file_are_found_by_their_names() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    rows_of_table(&sandbox, "train.csv", 0..300);
    rows_of_table(&sandbox, "test.csv", 276..400);
    let mse = |out: &str| {
        let data = ["train.csv", "test = \"test.csv\"\n"];
        config_of_files(&sandbox, "series-forecasting", data, "");
        let train = ["train", "series.toml", "--out", out, "--format", "json"];
        sandbox.regard(&train).run().code(0).json()["test"]["metrics"]["mse"].clone()
    };
    let plain = mse("plain");
    let text = String::from_utf8(sandbox.read("test.csv")).unwrap();
    let swapped: String = (text.lines())
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            format!("{},{},{},{}\n", fields[2], fields[0], fields[1], fields[1])
        })
        .collect();
    let swapped = swapped.replacen("heat,time,load,load", "heat,time,load,more", 1);
    sandbox.write("test.csv", swapped);
    assert_eq!(mse("swapped"), plain);
}

#[test]
fn a_table_without_names_is_trained_on_and_continued() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    let text = String::from_utf8(sandbox.read("table.csv")).unwrap();
    let (_, rows) = text.split_once('\n').unwrap();
    sandbox.write("table.csv", rows);
    config(&sandbox, "series-forecasting", "");
    let text = String::from_utf8(sandbox.read("series.toml")).unwrap();
    let text = text.replace("time_column = \"time\"", "time_column = 0\nheader = false");
    sandbox.write("series.toml", text);
    let train = ["train", "series.toml", "--out", "run"];
    sandbox.regard(&train).run().code(0);
    let predict = ["predict", "run", "table.csv"];
    let told = sandbox.regard(&predict).run().code(0);
    assert_eq!(told.stdout.lines().count(), 7, "{told}");
    let eval = ["eval", "run", "--data", "table.csv"];
    sandbox.regard(&eval).run().code(0);
}

#[test]
fn series_that_are_too_short_are_counted_and_left_out() {
    let sandbox = Sandbox::new();
    let mut rows = "id,time,x\n".to_owned();
    for (id, n) in [("long", 200), ("short", 8), ("other", 200)] {
        for hour in 0..n {
            let (day, of_day) = (1 + hour / 24, hour % 24);
            writeln!(rows, "{id},2024-01-{day:02}T{of_day:02}:00,{}", hour % 7).unwrap();
        }
    }
    sandbox.write("many.csv", rows);
    let data = [
        "many.csv",
        "id_column = \"id\"\n[data.split]\ntrain = 0.7\nvalid = 0.1\ntest = 0.2\n",
    ];
    config_of_files(&sandbox, "series-forecasting", data, "");
    let train = ["train", "series.toml", "--out", "run"];
    let done = sandbox.regard(&train).run().code(0);
    for told in [
        "windows (1 of the series are too short for one)",
        "series: 1 of 3 are too short for all parts, and are for training alone",
    ] {
        assert!(done.stderr.contains(told), "{done}");
    }
    let predict = ["predict", "run", "many.csv"];
    let done = sandbox.regard(&predict).run().code(0);
    assert_eq!(done.stdout.lines().count(), 13, "{done}");
    let told = "warning: 1 of 3 series have less than the 24 rows that the model looks back on";
    assert!(done.stderr.contains(told), "{done}");
}
