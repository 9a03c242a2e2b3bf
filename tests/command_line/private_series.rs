//! Private training on series.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::Sandbox;

/// Many short series in one file: a day's course with a level and a height of its own for each.
fn many_series(more: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let mut rows = String::from("meter,hour,load,price\n");
    for meter in 0..150_u32 {
        let (level, height) = (f64::from(meter % 13), f64::from(meter % 7) + 1.0);
        for hour in 0..60_u32 {
            let load = level + height * f64::from(hour % 24 + meter % 5).sin();
            let time = format!("2024-01-{:02} {:02}:00", 1 + hour / 24, hour % 24);
            writeln!(rows, "{meter},{time},{load:.3},{:.3}", load / 2.0).unwrap();
        }
    }
    sandbox.write("meters.csv", &rows);
    sandbox.write(
        "meters.toml",
        format!(
            "version = 1\ntask = \"series-forecasting\"\n[data]\ntrain = \"meters.csv\"\ntime_column = \"hour\"\nid_column = \"meter\"\ntarget_columns = [\"load\", \"price\"]\nlookback = 8\nhorizon = 2\nstride = 5\n[model]\nd_model = 8\nn_layers = 2\nn_heads = 2\nd_ff = 8\npatch = {{length = 4, stride = 4}}\n[train]\nepochs = 3\nbatch_size = 30\nmicro_batch = 16\ngradient_checkpointing = \"every-block\"\n[eval]\nevery = \"3 epochs\"\n[privacy]\nepsilon = 4\ndelta = 1e-3\ndataset_size = 150\n{more}"
        ),
    );
    sandbox
}

#[test]
fn a_forecaster_protects_whole_series_or_windows_and_says_which() {
    let sandbox = many_series("max_rows_per_unit = 3");
    let train = |more: &[&str]| {
        let all = [&["train", "meters.toml", "--format", "json"], more].concat();
        sandbox.regard(&all).run()
    };
    let done = train(&["--out", "series"]).code(0).json();
    let statement = &done["privacy"];
    assert_eq!(statement["unit"], "series");
    assert_eq!(statement["max_rows_per_unit"], 3);
    assert_eq!(statement["time_step"], Value::Null);
    let spent = ["privacy", "spent", "series"];
    let words = sandbox.regard(&spent).run().code(0).stdout;
    let promise = "private for each series (all its values), add-remove";
    assert!(words.contains(promise), "{words}");
    // Means and deviations of private data are nowhere in the bundle.
    let scaler = String::from_utf8(sandbox.read("series/bundle/scaler.json")).unwrap();
    let scaler: Value = serde_json::from_str(&scaler).unwrap();
    assert_eq!(scaler["mean"], serde_json::json!([0.0, 0.0]));
    assert_eq!(scaler["std"], serde_json::json!([1.0, 1.0]));
    let audit = ["audit", "meters.toml", "--format", "json"];
    let audit = sandbox.regard(&audit).run().code(0).json();
    assert_eq!(audit["passed"], true, "{audit}");

    // 150 series of 7 training windows each; a step stands in two of them.
    let windows = [
        "--set",
        "privacy.unit=window",
        "--set",
        "privacy.dataset_size=1000",
        "--set",
        "privacy.delta=1e-4",
    ];
    let done = train(&[&windows[..], &["--out", "windows"]].concat());
    let statement = &done.code(0).json()["privacy"];
    let step = &statement["time_step"];
    assert_eq!(step["windows_with_a_step"], 2);
    let of_one = statement["epsilon"].as_f64().unwrap();
    assert!((step["epsilon"].as_f64().unwrap() / of_one - 2.0).abs() < 1e-9);
}

#[test]
fn a_private_forecaster_that_looks_at_private_series_is_refused() {
    let sandbox = many_series("");
    for (settings, told) in [
        (&[][..], "`privacy.max_rows_per_unit`"),
        (&["privacy.unit=record"], "a value stands in many windows"),
        (
            &["data.scaler=standard"],
            "means and deviations of private data are private",
        ),
        (
            &["privacy.public=[\"valid\"]"],
            "a later part of the same private series",
        ),
    ] {
        let sets: Vec<&str> = settings.iter().flat_map(|set| ["--set", set]).collect();
        let refused = sandbox.regard(&[&["privacy", "plan", "meters.toml"], &sets[..]].concat());
        let refused = refused.run().code(2);
        assert!(refused.stderr.contains(told), "{refused}");
    }
    let text = String::from_utf8(sandbox.read("meters.toml")).unwrap();
    for (line, told) in [
        (
            "id_column = \"meter\"\n",
            "the column that says which series a row belongs to",
        ),
        (
            "target_columns = [\"load\", \"price\"]\n",
            "which columns hold numbers would be found",
        ),
    ] {
        sandbox.write("other.toml", text.replace(line, ""));
        let refused = sandbox
            .regard(&["privacy", "plan", "other.toml"])
            .run()
            .code(2);
        assert!(refused.stderr.contains(told), "{refused}");
    }
}

/// 300 walks of 9 to 14 steps that go up or down, each with its label, and the configuration of a private classifier.
fn walks() -> Sandbox {
    let sandbox = Sandbox::new();
    let mut table = "walk,label,height,noise\n".to_owned();
    for walk in 0..300_usize {
        let (label, slope) = [("down", -0.5), ("up", 0.5)][walk % 2];
        for step in 0..9 + walk % 6 {
            let height = slope * step as f64 + (walk % 7) as f64 / 7.0;
            let noise = ((walk * 31 + step * 17) % 13) as f64 / 13.0;
            table.push_str(&format!("{walk},{label},{height:.3},{noise:.3}\n"));
        }
    }
    sandbox.write("walks.csv", table);
    sandbox.write(
        "walks.toml",
        "version = 1\ntask = \"series-classification\"\nname = \"walks\"\n\n\
         [data]\ntrain = \"walks.csv\"\ntest = 0.2\nid_column = \"walk\"\nlabels = [\"down\", \"up\"]\n\
         target_columns = [\"height\", \"noise\"]\nmax_steps = 12\n\n\
         [model]\nd_model = 8\nn_heads = 2\nn_layers = 1\nd_ff = 16\n\n\
         [train]\nbatch_size = 100\nmax_steps = 40\nlearning_rate = 0.02\n\n\
         [privacy]\nepsilon = 8\ndelta = 1e-3\ndataset_size = 200\n",
    );
    sandbox
}

#[test]
fn whole_series_are_classified_privately() {
    let sandbox = walks();
    let train = ["train", "walks.toml", "--out", "run", "--format", "json"];
    let done = sandbox.regard(&train).run().code(0).json();
    assert_eq!(done["privacy"]["unit"], "series");
    let accuracy = done["test"]["metrics"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.8, "it learns: {done}");
    // Neither the scale, nor the longest series, nor whether values are missing is found in the data.
    let scaler: Value = serde_json::from_slice(&sandbox.read("run/bundle/scaler.json")).unwrap();
    assert_eq!(scaler["mean"], serde_json::json!([0.0, 0.0]));
    let info: Value = serde_json::from_slice(&sandbox.read("run/bundle/bundle.json")).unwrap();
    let embedding = &info["model"]["embedding"];
    assert_eq!(embedding["max_steps"], 12, "{info}");
    assert_eq!(embedding["missing"], true, "{info}");
    let audit = ["audit", "walks.toml", "--format", "json"];
    let audit = sandbox.regard(&audit).run().code(0).json();
    assert_eq!(audit["passed"], true, "{audit}");
    // Longer series are cut off, as in training.
    let predict = ["predict", "run", "walks.csv", "--format", "jsonl"];
    let rows = sandbox.regard(&predict).run().code(0).json_lines();
    assert_eq!(rows.len(), 300);
}

#[test]
fn a_private_classifier_that_looks_at_private_series_is_refused() {
    let sandbox = walks();
    let text = String::from_utf8(sandbox.read("walks.toml")).unwrap();
    for (line, instead, told) in [
        (
            "max_steps = 12\n\n",
            "\n",
            "`data.max_steps`: expected the most steps",
        ),
        (
            "labels = [\"down\", \"up\"]\n",
            "",
            "`data.labels`: expected the labels",
        ),
        (
            "target_columns = [\"height\", \"noise\"]\n",
            "",
            "which columns hold numbers would be found",
        ),
        (
            "max_steps = 12\n",
            "max_steps = 12\nscaler = \"standard\"\n",
            "means and deviations of private data are private",
        ),
        (
            "[privacy]\n",
            "[privacy]\nunit = \"window\"\n",
            "a series with its label is a record",
        ),
    ] {
        assert!(text.contains(line), "{line}");
        sandbox.write("other.toml", text.replace(line, instead));
        let plan = ["privacy", "plan", "other.toml"];
        let refused = sandbox.regard(&plan).run().code(2);
        assert!(refused.stderr.contains(told), "{told}: {refused}");
    }
}

/// Those of [`many_series`] as data for anomalies, with public ones to find the threshold on.
fn watched_series() -> Sandbox {
    let sandbox = many_series("max_rows_per_unit = 3\npublic = [\"valid\"]");
    let rows = String::from_utf8(sandbox.read("meters.csv")).unwrap();
    let (header, rows) = rows.split_once('\n').unwrap();
    let public: Vec<String> = (rows.lines().take(10 * 60))
        .map(|row| format!("public {row}\n"))
        .collect();
    sandbox.write("public.csv", format!("{header}\n{}", public.concat()));
    let text = String::from_utf8(sandbox.read("meters.toml")).unwrap();
    let text = text
        .replace("series-forecasting", "series-anomaly")
        .replace("stride = 5\n", "stride = 5\nvalid = \"public.csv\"\n")
        .replace(
            "[eval]\n",
            "[data.split]\ntrain = 0.8\ntest = 0.2\n[eval]\n",
        );
    sandbox.write("watch.toml", text);
    sandbox
}

#[test]
fn anomalies_are_learned_privately_and_their_threshold_comes_from_public_data() {
    let sandbox = watched_series();
    let train = ["train", "watch.toml", "--out", "run", "--format", "json"];
    let done = sandbox.regard(&train).run().code(0).json();
    assert_eq!(done["privacy"]["unit"], "series");
    let public = serde_json::json!(["valid"]);
    assert_eq!(done["privacy"]["public"], public, "{done}");
    let audit = ["audit", "watch.toml", "--format", "json"];
    let audit = sandbox.regard(&audit).run().code(0).json();
    assert_eq!(audit["passed"], true, "{audit}");
    // One score in a hundred of the public file lies at or above its threshold, by the default quantile.
    let info: Value = serde_json::from_slice(&sandbox.read("run/bundle/bundle.json")).unwrap();
    let threshold = info["schema"]["scores"]["threshold"].as_f64();
    let threshold = threshold.unwrap_or_else(|| panic!("{info}"));
    let predict = ["predict", "run", "public.csv", "--format", "jsonl"];
    let rows = sandbox.regard(&predict).run().code(0).json_lines();
    let scores: Vec<f64> = (rows.iter())
        .filter_map(|row| row["score"].as_f64())
        .collect();
    let above = scores.iter().filter(|score| **score > threshold).count();
    let share = above as f64 / scores.len() as f64;
    assert!(share > 0.0 && share < 0.02, "{above} of {}", scores.len());
}

#[test]
fn a_private_threshold_that_looks_at_private_scores_is_refused() {
    let sandbox = watched_series();
    let text = String::from_utf8(sandbox.read("watch.toml")).unwrap();
    let own = "expected public validation data to find the threshold on";
    for (line, instead, told) in [
        ("public = [\"valid\"]", "", own),
        (
            "[privacy]\n",
            "[anomaly]\nthreshold_on = \"train\"\n[privacy]\n",
            own,
        ),
        (
            "valid = \"public.csv\"\n",
            "",
            "expected a file as `data.valid`",
        ),
        (
            "max_rows_per_unit = 3\n",
            "",
            "the most windows of a series that a step takes",
        ),
        (
            "id_column = \"meter\"\n",
            "",
            "the column that says which series a row belongs to",
        ),
        (
            "[privacy]\n",
            "[privacy]\nunit = \"record\"\n",
            "a value stands in many windows",
        ),
    ] {
        assert!(text.contains(line), "{line}");
        sandbox.write("other.toml", text.replace(line, instead));
        let plan = ["privacy", "plan", "other.toml"];
        let refused = sandbox.regard(&plan).run().code(2);
        assert!(refused.stderr.contains(told), "{told}: {refused}");
        assert!(refused.stderr.contains("1 problem"), "{refused}");
    }
}

#[test]
fn a_private_forecaster_may_know_the_calendar() {
    let sandbox = many_series("max_rows_per_unit = 3");
    let calendar = ["--set", "data.calendar=[\"day\", \"week\"]"];
    let of = |command: &[&str]| {
        let all = [command, &calendar, &["--format", "json"]].concat();
        sandbox.regard(&all).run().code(0).json()
    };
    let audit = of(&["audit", "meters.toml"]);
    assert_eq!(audit["passed"], true, "{audit}");
    let done = of(&["train", "meters.toml", "--out", "run"]);
    assert!(done["privacy"]["epsilon"].as_f64().unwrap() <= 4.0);
    let info: Value = serde_json::from_slice(&sandbox.read("run/bundle/bundle.json")).unwrap();
    assert_eq!(info["model"]["embedding"]["calendar"], 4, "{info}");
}

#[test]
fn a_series_more_moves_no_window_of_the_others() {
    let sandbox = many_series("max_rows_per_unit = 3");
    let windows = || {
        let check = ["check", "meters.toml", "--format", "json"];
        let check = sandbox.regard(&check).run().code(0).json();
        check["splits"]["train"]["rows"].as_u64().unwrap()
    };
    // Ten hours of one meter are missing: on a grid of the whole table they would be filled in.
    let text = String::from_utf8(sandbox.read("meters.csv")).unwrap();
    let gap = |line: &&str| !line.starts_with("7,2024-01-02 1");
    let mut rows: Vec<&str> = text.lines().filter(gap).collect();
    assert_eq!(rows.len(), text.lines().count() - 10);
    sandbox.write("meters.csv", rows.join("\n") + "\n");
    let before = windows();
    // And another meter tells every seven minutes, so that there is no such grid.
    let odd: Vec<String> = (0..40)
        .map(|row| {
            format!(
                "odd,2024-01-01 {:02}:{:02},{row},{row}",
                row * 7 / 60,
                row * 7 % 60
            )
        })
        .collect();
    rows.extend(odd.iter().map(String::as_str));
    sandbox.write("meters.csv", rows.join("\n") + "\n");
    // Of its 28 training rows every fifth begins a window of ten, and the last possible one.
    assert_eq!(windows() - before, 5);
}
