//! Forecasts: points, quantiles, skips, calendars, continued runs and searches.

use std::fmt::Write as _;

use super::{config, table};
use crate::support::{Sandbox, without_figures};

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

#[test]
fn a_model_goes_on_from_one_that_knows_no_gaps_and_the_other_way_round() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    let whole = String::from_utf8(sandbox.read("table.csv")).unwrap();
    config(&sandbox, "series-forecasting", "");
    let train = |out: &str, from: Option<&str>| {
        let from = from.map(|from| format!("train.init_from={from}"));
        let sets: Vec<&str> = from
            .iter()
            .flat_map(|from| ["--set", from.as_str()])
            .collect();
        let all = [&["train", "series.toml", "--out", out], &sets[..]].concat();
        sandbox.regard(&all).run().code(0)
    };
    train("whole", None);
    let mut lines: Vec<&str> = whole.lines().collect();
    lines[50] = "2024-01-03T01:00,,";
    sandbox.write("table.csv", lines.join("\n") + "\n");
    let gaps = train("gaps", Some("whole"));
    assert!(
        gaps.stderr.contains("weights of whole, trained for"),
        "{gaps}"
    );
    sandbox.write("table.csv", &whole);
    train("again", Some("gaps"));
    // Another length of patches is no matter of gaps.
    let longer = [
        "train",
        "series.toml",
        "--out",
        "longer",
        "--set",
        "train.init_from=gaps",
        "--set",
        "model.patch.length=12",
    ];
    let refused = sandbox.regard(&longer).run().code(4);
    assert!(
        refused.stderr.contains("embed.patch.weight: expected"),
        "{refused}"
    );
}
