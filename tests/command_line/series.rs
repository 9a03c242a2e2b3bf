//! Models of series from a table to forecasts, classes and scores.

use std::fmt::Write as _;

use crate::report::unbalanced;
use crate::support::{Sandbox, without_figures};

/// 400 hours of two channels that repeat themselves every 12 hours; the second one has a jump in its last part.
fn table(sandbox: &Sandbox) {
    let mut text = "time,load,heat\n".to_owned();
    for t in 0..400_u32 {
        let (day, hour) = (1 + t / 24, t % 24);
        let wave = (f64::from(t) * std::f64::consts::TAU / 12.0).sin();
        let jump = if (300..310).contains(&t) { 8.0 } else { 0.0 };
        let _ = writeln!(
            text,
            "2024-01-{day:02}T{hour:02}:00,{:.4},{:.4}",
            10.0 + wave,
            50.0 - 3.0 * wave + jump
        );
    }
    sandbox.write("table.csv", text);
}

fn config(sandbox: &Sandbox, task: &str, more: &str) {
    let text = format!(
        "version = 1\ntask = \"{task}\"\n[data]\ntrain = \"table.csv\"\ntime_column = \"time\"\nlookback = 24\nhorizon = 6\n\
         [data.split]\ntrain = 0.5\nvalid = 0.2\ntest = 0.3\n\
         [model]\nd_model = 8\nn_layers = 1\nn_heads = 2\nd_ff = 16\ndropout = 0.0\n\
         [model.patch]\nlength = 6\nstride = 3\n\
         [train]\nepochs = 3\nlearning_rate = 5e-3\n{more}"
    );
    sandbox.write("series.toml", text);
}

#[test]
fn a_table_is_forecast_judged_and_continued() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    config(&sandbox, "series-forecasting", "");
    let train = ["train", "series.toml", "--out", "run"];
    let done = sandbox.regard(&train).run().code(0);
    insta::assert_snapshot!("series_train", without_figures(&done));
    let again = sandbox.regard(&train).run().code(0);
    assert!(
        again.stdout.starts_with("already complete"),
        "{}",
        again.stdout
    );

    let eval = ["eval", "run", "--format", "json"];
    let report = sandbox.regard(&eval).run().code(0).json();
    assert_eq!(report["task"], "series-forecasting");
    // 120 rows to tell, six at a time, every window.
    assert_eq!(report["n"], 115);
    assert_eq!(
        (&report["lookback"], &report["horizon"]),
        (&24.into(), &6.into())
    );
    let end = sandbox.events("run").pop().expect("an end");
    for name in ["mse", "mae", "mse_original", "mae_original"] {
        assert_eq!(report["metrics"][name], end[name], "{name}");
    }
    let mse = |n: usize| report["mse_by_channel"][n].as_f64().expect("a number");
    assert!(mse(0) < 0.3, "a wave is learned: {}", mse(0));

    let told = sandbox
        .regard(&["predict", "run", "table.csv"])
        .run()
        .code(0);
    let lines: Vec<&str> = told.stdout.lines().collect();
    assert_eq!(lines[0], "step,time,load,heat");
    assert_eq!(lines.len(), 7);
    assert!(lines[1].starts_with("1,2024-01-17 16:00"), "{}", lines[1]);
    let load: f64 = lines[1].split(',').nth(2).unwrap().parse().unwrap();
    assert!((load - 10.0).abs() < 2.0, "in the data's units: {load}");
}

#[test]
fn quantiles_are_forecast_in_order() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    config(
        &sandbox,
        "series-forecasting",
        "[eval]\nmetric = \"pinball\"\n",
    );
    let quantiles = "model.quantiles=[0.1, 0.5, 0.9]";
    let train = ["train", "series.toml", "--out", "run", "--set", quantiles];
    sandbox.regard(&train).run().code(0);
    let predict = ["predict", "run", "table.csv", "--format", "jsonl"];
    let told = sandbox.regard(&predict).run().code(0);
    for line in told.stdout.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let at = |q: &str| row["quantiles"]["heat"][q].as_f64().unwrap();
        assert!(at("0.1") <= at("0.5") && at("0.5") <= at("0.9"), "{line}");
    }
}

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
fn what_a_model_of_series_cannot_do_is_refused() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    config(&sandbox, "series-forecasting", "word_dropout = 0.1\n");
    let refused = sandbox.regard(&["train", "series.toml"]).run().code(2);
    assert!(
        refused
            .stderr
            .contains("`train.word_dropout`: expected no such key"),
        "{}",
        refused.stderr
    );
    config(&sandbox, "series-forecasting", "");
    sandbox
        .regard(&["train", "series.toml", "--out", "run"])
        .run()
        .code(0);
    sandbox.write("short.csv", "time,load,heat\n2024-01-01T00:00,1,2\n");
    sandbox.write("other.csv", "time,load,cold\n2024-01-01T00:00,1,2\n");
    for (file, message) in [("short.csv", "24"), ("other.csv", "heat")] {
        let refused = sandbox.regard(&["predict", "run", file]).run().code(3);
        assert!(refused.stderr.contains(message), "{}", refused.stderr);
        assert_eq!(refused.stdout, "");
    }
}

#[test]
fn a_skip_begins_as_the_ridge_and_is_held_against_it() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    config(
        &sandbox,
        "series-forecasting",
        "max_steps = 1\n[report]\nexamples = false\n",
    );
    let baselines = |skip: &str| {
        let skip = format!("model.linear_skip={skip}");
        let train = [
            "train",
            "series.toml",
            "--out",
            "run",
            "--set",
            &skip,
            "--set",
            "train.learning_rate=1e-12",
        ];
        let _ = std::fs::remove_dir_all(sandbox.path("run"));
        sandbox.regard(&train).run().code(0);
        let eval = ["eval", "run", "--baselines", "--format", "json"];
        sandbox.regard(&eval).run().code(0).json()
    };
    let of_ridge = |report: &serde_json::Value| {
        let all = report["baselines"].as_array().unwrap().clone();
        let ridge = all.into_iter().find(|baseline| baseline["name"] == "ridge");
        ridge.unwrap()["metrics"]["mse"].as_f64().unwrap()
    };
    let began = baselines("ridge");
    let mse = |report: &serde_json::Value| report["metrics"]["mse"].as_f64().unwrap();
    // Nearly: the ridge of the list has an intercept, which a map of normalised windows cannot have.
    let ridge = of_ridge(&began);
    assert!(mse(&began) < 1.1 * ridge + 0.01, "{} {ridge}", mse(&began));
    let zero = baselines("zero");
    assert!(mse(&zero) > 2.0 * ridge, "{} {ridge}", mse(&zero));
    assert_eq!(zero["beats_baselines"], false);
    let told = sandbox
        .regard(&["eval", "run", "--baselines"])
        .run()
        .code(0);
    assert!(
        told.stdout.starts_with("the model does not beat "),
        "{}",
        told.stdout
    );
    for name in [
        "the model",
        "repeat-last",
        "seasonal-naive",
        "ridge",
        "lookback 24",
    ] {
        assert!(told.stdout.contains(name), "{name}: {}", told.stdout);
    }
    let other = ["eval", "run", "--baselines", "--data", "table.csv"];
    sandbox.regard(&other).run().code(2);
    config(
        &sandbox,
        "series-forecasting",
        "[privacy]\nepsilon = 3.0\ndelta = 1e-5\ndataset_size = 100\n",
    );
    let private = ["train", "series.toml", "--set", "model.linear_skip=ridge"];
    let refused = sandbox.regard(&private).run().code(2);
    assert!(
        refused.stderr.contains("`model.linear_skip`"),
        "{}",
        refused.stderr
    );
}

#[test]
fn the_page_shows_forecasts_and_scores_and_asks_for_nothing() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    sandbox.write(
        "windows.csv",
        "start,end\n2024-01-13T12:00,2024-01-13T21:00\n",
    );
    let anomaly = "[anomaly]\nwindows = \"windows.csv\"\nsmooth = 4\nsmoothing = \"around\"\n";
    config(&sandbox, "series-anomaly", anomaly);
    sandbox
        .regard(&["train", "series.toml", "--out", "scored"])
        .run()
        .code(0);
    config(
        &sandbox,
        "series-forecasting",
        "[eval]\nmetric = \"pinball\"\n",
    );
    let quantiles = "model.quantiles=[0.1, 0.5, 0.9]";
    let train = ["train", "series.toml", "--out", "told", "--set", quantiles];
    sandbox.regard(&train).run().code(0);
    let page = |run: &str| String::from_utf8(sandbox.read(&format!("{run}/report.html"))).unwrap();
    for run in ["told", "scored"] {
        let html = page(run);
        for part in [
            "<script", "http:", "https:", "url(", "@import", "src=", "NaN",
        ] {
            assert!(!html.contains(part), "{run}: {part}");
        }
        for part in [
            "best window, load",
            "worst window, heat",
            "Error by step",
            "Beside no model",
        ] {
            assert!(html.contains(part), "{run}: {part}");
        }
        assert_eq!(unbalanced(&html), Vec::<String>::new());
    }
    assert!(page("told").contains("0.1 to 0.9"));
    assert!(page("scored").contains("Scores over time") && page("scored").contains("labelled"));
    let beside = sandbox.regard(&["eval", "scored", "--baselines", "--format", "json"]);
    let beside = beside.run().code(0).json();
    let names: Vec<&str> = (beside["baselines"].as_array().unwrap().iter())
        .map(|baseline| baseline["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["level", "season", "season, smoothed"]);
    // Values of the data stay out where the configuration says so.
    let mut hidden = train.to_vec();
    hidden[3] = "hidden";
    hidden.extend(["--set", "report.examples=false"]);
    sandbox.regard(&hidden).run().code(0);
    assert!(!page("hidden").contains("best window"));
}

#[test]
fn a_stopped_run_of_series_goes_on_to_the_same_bytes() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    config(
        &sandbox,
        "series-forecasting",
        "ema = 0.9\n[checkpoint]\nevery_steps = 1\nkeep = 30\n",
    );
    let train = |out: &str, more: &[&str]| {
        let all = [
            &[
                "train",
                "series.toml",
                "--out",
                out,
                "--set",
                "model.dropout=0.3",
                "--set",
                "model.linear_skip=ridge",
            ],
            more,
        ]
        .concat();
        sandbox.regard(&all)
    };
    train("whole", &[]).run().code(0);
    // As a kill leaves it: the newest checkpoint and all that ended with the run are gone.
    train("stopped", &[]).run().code(0);
    let kept =
        |name: &str| std::fs::remove_dir_all(sandbox.path(&format!("stopped/{name}"))).unwrap();
    let newest = std::fs::read_dir(sandbox.path("stopped/checkpoints")).unwrap();
    let newest = newest
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .max()
        .unwrap();
    kept(&format!("checkpoints/{newest}"));
    kept("bundle");
    train("stopped", &[]).run().code(0);
    for file in ["weights.safetensors", "bundle.json"] {
        let read = |run: &str| sandbox.read(&format!("{run}/bundle/{file}"));
        assert!(read("stopped") == read("whole"), "{file}");
    }
    assert_eq!(sandbox.events("stopped"), sandbox.events("whole"));
}

#[test]
fn a_search_finds_settings_for_series() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    config(&sandbox, "series-forecasting", "");
    let tune = [
        "tune",
        "series.toml",
        "--out",
        "search",
        "--budget",
        "60steps",
        "--format",
        "json",
    ];
    let found = sandbox.regard(&tune).run().code(0).json();
    assert!(found["best"]["value"].as_f64().is_some(), "{found}");
    assert_eq!(
        (&found["metric"], &found["mode"]),
        (&"mse".into(), &"min".into())
    );
    let best = ["train", "search/best.toml", "--out", "best"];
    sandbox.regard(&best).run().code(0);
}

/// Some of the rows of the table in a file of their own.
fn rows_of_table(sandbox: &Sandbox, name: &str, rows: std::ops::Range<usize>) {
    let text = String::from_utf8(sandbox.read("table.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let kept = [&lines[..1], &lines[1..][rows]].concat();
    sandbox.write(name, kept.join("\n") + "\n");
}

/// As [`config`], of another file, with lines on data and no split.
fn config_of_files(sandbox: &Sandbox, task: &str, [file, data]: [&str; 2], more: &str) {
    config(sandbox, task, more);
    let text = String::from_utf8(sandbox.read("series.toml")).unwrap();
    let split = "[data.split]\ntrain = 0.5\nvalid = 0.2\ntest = 0.3\n";
    assert!(text.contains(split));
    let text = text.replace(split, data).replace("table.csv", file);
    sandbox.write("series.toml", text);
}

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

/// The dates of 400 days from Monday, 1 January 2024.
fn dates() -> impl Iterator<Item = String> {
    const MONTHS: [u32; 14] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28];
    let days = (0..14).flat_map(|month| {
        let (year, number) = (2024 + month / 12, 1 + month % 12);
        (1..=MONTHS[month]).map(move |day| format!("{year}-{number:02}-{day:02}"))
    });
    days.take(400)
}

#[test]
fn a_weekend_beyond_the_lookback_is_told_from_the_calendar_alone() {
    let sandbox = Sandbox::new();
    let mut text = "day,load\n".to_owned();
    for (day, date) in dates().enumerate() {
        let weekend = if day % 7 >= 5 { 10.0 } else { 0.0 };
        let noise = ((day * day) as f64).sin();
        let _ = writeln!(text, "{date},{:.3}", weekend + noise);
    }
    sandbox.write("days.csv", &text);
    sandbox.write(
        "days.toml",
        "version = 1\ntask = \"series-forecasting\"\n[data]\ntrain = \"days.csv\"\ntime_column = \"day\"\n\
         lookback = 2\nhorizon = 7\n[model]\ninstance_norm = false\ndropout = 0.0\nn_heads = 2\n\
         patch = {length = 2, stride = 2}\n[train]\nepochs = 40\nlearning_rate = 5e-3\n",
    );
    let train = |out: &str, more: &[&str]| {
        let train = ["train", "days.toml", "--out", out, "--format", "json"];
        let report = sandbox
            .regard(&[&train, more].concat())
            .run()
            .code(0)
            .json();
        report["test"]["metrics"]["mse"].as_f64().expect("a number")
    };
    let without = train("without", &[]);
    let with = train("with", &["--set", "data.calendar=[\"week\"]"]);
    assert!(with < 0.1 && with < 0.25 * without, "{with}, {without}");

    let eval = ["eval", "with", "--data", "days.csv", "--format", "json"];
    let of_file = sandbox.regard(&eval).run().code(0).json();
    assert!(
        of_file["metrics"]["mse"].as_f64().unwrap() < 0.1,
        "{of_file}"
    );
    // The file ends on a Monday; the weekend is the fifth and the sixth day behind it.
    let told = sandbox
        .regard(&["predict", "with", "days.csv"])
        .run()
        .code(0);
    let load = |line: &str| -> f64 { line.split(',').nth(2).unwrap().parse().unwrap() };
    let loads: Vec<f64> = told.stdout.lines().skip(1).map(load).collect();
    assert_eq!(loads.len(), 7);
    for (step, load) in loads.iter().enumerate() {
        assert_eq!(*load > 5.0, step == 4 || step == 5, "{told}");
    }

    // Times that lead nowhere.
    sandbox.write(
        "odd.csv",
        "day,load\n2024-01-01,1\n2024-01-02,1\n2024-01-02 07:13,1\n2024-03-09 01:02,2\n",
    );
    let refused = sandbox.regard(&["predict", "with", "odd.csv"]).run();
    assert!(
        refused
            .stderr
            .contains("needs rows at regular times, and these are irregular rows"),
        "{refused}"
    );
    let set = [
        "check",
        "days.toml",
        "--set",
        "data.train=odd.csv",
        "--set",
        "data.calendar=[\"week\"]",
    ];
    let refused = sandbox.regard(&set).run();
    assert!(
        refused.stdout.contains("needs rows at regular times"),
        "{refused}"
    );
}
