//! Searching for settings.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Done, PATIENCE, Regard, Sandbox};

const RANGES: &str = "
[tune.ranges]
train.learning_rate = {min = 1e-4, max = 1e-1, scale = \"log\"}
\"model.d_model\" = {min = 8, max = 24}

[tune.ranges.model]
dropout = [0.0, 0.2, 0.4]
";

/// A sandbox whose configuration has ranges and is trained for 480 steps.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let config = String::from_utf8(sandbox.read("config.toml")).unwrap();
    let config = config.replace("epochs = 2", "epochs = 30");
    sandbox.write("config.toml", format!("{config}{RANGES}"));
    sandbox
}

fn tuning(sandbox: &Sandbox, out: &str, more: &[&str]) -> Regard {
    let always = [
        "tune",
        "config.toml",
        "--out",
        out,
        "--threads",
        "2",
        "--set",
        "eval.every=\"50%\"",
    ];
    sandbox.regard(&[&always[..], more].concat())
}

fn tune(sandbox: &Sandbox, out: &str, more: &[&str]) -> Done {
    tuning(sandbox, out, more).run()
}

/// A report without what differs from search to search.
fn comparable(mut report: Value) -> Value {
    for key in ["search", "seconds", "report", "already_complete"] {
        report.as_object_mut().unwrap().remove(key).unwrap();
    }
    let best = report["best"].as_object_mut().unwrap();
    best.remove("configuration").unwrap();
    for trial in report["trials"].as_array_mut().unwrap() {
        for result in trial["results"].as_array_mut().unwrap() {
            result.as_object_mut().unwrap().remove("seconds").unwrap();
        }
    }
    report
}

/// The length of the logs of all trials.
fn logged(sandbox: &Sandbox, out: &str) -> u64 {
    let folders = |path: PathBuf| std::fs::read_dir(path).into_iter().flatten().flatten();
    let trials = folders(sandbox.path(out).join("trials"));
    let runs = trials.flat_map(|trial| folders(trial.path()));
    let logs = runs.map(|run| std::fs::metadata(run.path().join("events.jsonl")));
    logs.map(|log| log.map_or(0, |log| log.len())).sum()
}

#[test]
fn a_search_that_was_killed_finds_what_it_would_have_found() {
    let sandbox = sandbox();
    let budget = ["--budget", "450steps", "--format", "json"];
    let whole = tune(&sandbox, "whole", &budget).code(0).json();
    assert_eq!(
        whole["rungs"],
        serde_json::json!([{"trials": 3, "steps": 75}, {"trials": 1, "steps": 225}])
    );
    assert_eq!(whole["trials"][0]["settings"], serde_json::json!({}));
    let set = whole["trials"][1]["settings"].as_object().unwrap();
    let keys: Vec<&String> = set.keys().collect();
    assert_eq!(
        keys,
        ["model.d_model", "model.dropout", "train.learning_rate"]
    );

    // Each process makes some forty steps: behind the checkpoint in the middle of a run.
    let mut kills = 0;
    for _ in 0..6 {
        let mut child = tuning(&sandbox, "killed", &budget).spawn();
        let (begun, before) = (Instant::now(), logged(&sandbox, "killed"));
        while logged(&sandbox, "killed") < before + 9000 && child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < PATIENCE, "nothing goes on");
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = child.kill();
        kills += usize::from(child.wait().unwrap().code().is_none());
    }
    assert!(kills >= 3, "{kills} kills");
    let killed = tune(&sandbox, "killed", &budget).code(0).json();
    assert_eq!(comparable(killed), comparable(whole));
    let best = |out: &str| sandbox.read(&format!("{out}/best.toml"));
    assert_eq!(best("killed"), best("whole"));

    // The configuration that was found runs, and says which keys were searched.
    let text = String::from_utf8(best("whole")).unwrap();
    assert!(
        text.starts_with("# Found by `regard tune`: trial "),
        "{text}"
    );
    let run = [
        "train",
        "whole/best.toml",
        "--set",
        "train.max_steps=1",
        "--threads",
        "2",
    ];
    sandbox.regard(&run).run().code(0);
    assert!(sandbox.path("runs/config-tuned/bundle").is_dir());

    // What nobody needs is gone, what tells of the trials is there.
    for (trial, rung) in [(0, 0), (1, 0), (2, 0)] {
        let run = sandbox.path(&format!("killed/trials/{trial:03}/rung-{rung}"));
        assert!(run.join("events.jsonl").is_file() && run.join("config.toml").is_file());
        assert!(!run.join("checkpoints").exists() && !run.join("bundle").exists());
    }
    assert!(!sandbox.path("killed/measure").exists());
    let page = String::from_utf8(sandbox.read("killed/report.html")).unwrap();
    assert!(page.contains("after 225 steps") && !page.contains("http"));

    // Once more, for a person: nothing is trained.
    let again = tune(&sandbox, "whole", &["--budget", "450steps"]).code(0);
    assert!(
        again.stdout.starts_with("already complete: trial "),
        "{again}"
    );
    for part in [
        "of 3 is the best, validation accuracy ",
        "\ntrial  steps  accuracy  settings\n",
        "The best of many looks better on the data that chose it than it is",
        "\nconfiguration: whole/best.toml\nreport: whole/report.html\nnext: regard train whole/best.toml\n",
    ] {
        assert!(again.stdout.contains(part), "{again}");
    }
    assert!(!again.stderr.contains("run 1 of"), "{again}");

    // What a search was begun with is fixed.
    let other = [
        "--budget",
        "500steps",
        "--seed",
        "5",
        "--set",
        "model.d_ff=8",
        "--set",
        "tune.ranges.model.dropout=[0.1, 0.2]",
    ];
    let refused = tune(&sandbox, "whole", &other).code(2);
    assert!(
        refused.stderr.contains(
            "error: the search in whole was begun with another configuration (model.d_ff) and other \
             ranges (model.dropout) and the budget 450steps and the seed 0; say the same to continue \
             it, or begin another one with --out"
        ),
        "{refused}"
    );
    let state = sandbox.read("whole/tune.json");
    sandbox.write("whole/tune.json", &state[..state.len() / 2]);
    let refused = tune(&sandbox, "whole", &["--budget", "450steps"]).code(4);
    assert!(
        refused
            .stderr
            .contains("error: whole/tune.json is no search that this version can continue: "),
        "{refused}"
    );
}

#[test]
fn a_trial_that_diverges_is_told_and_the_search_goes_on() {
    let sandbox = sandbox();
    // Each step multiplies the weights by 1 - rate · decay: by thousands, until no float holds them.
    let ranges = ["--set", "tune.ranges.train.weight_decay=[100, 0]"];
    let only = [
        "--set",
        "tune.ranges.train.learning_rate=[40, 50]",
        "--seed",
        "3",
    ];
    let budget = ["--budget", "450steps", "--format", "json"];
    let done = tune(&sandbox, "out", &[&ranges[..], &only, &budget].concat()).code(0);
    let report = done.json();
    let failed = |trial: &&Value| trial["results"][0]["failed"].is_string();
    let trials = report["trials"].as_array().unwrap();
    let n_failed = trials.iter().filter(failed).count();
    assert!((1..trials.len()).contains(&n_failed), "{done}");
    assert!(report["best"]["value"].is_number(), "{done}");
    assert!(done.stderr.contains("failed (the "), "{done}");
    let all = [
        "--set",
        "train.learning_rate=50",
        "--set",
        "train.weight_decay=100",
        "--set",
        "tune.ranges.train.learning_rate=[40, 50]",
        "--set",
        "tune.ranges.train.weight_decay=[99, 100]",
    ];
    let done = tune(&sandbox, "none", &[&all[..], &budget].concat()).code(1);
    assert!(
        done.stderr
            .contains("error: all 3 trials of the search failed; the first one: the "),
        "{done}"
    );
}

#[test]
fn a_budget_of_a_second_still_gives_a_trial_with_ranges_of_its_own_choice() {
    let sandbox = Sandbox::new();
    let done = tune(&sandbox, "out", &["--budget", "1s", "--format", "json"]).code(0);
    let report = done.json();
    assert!(report["planned_seconds"].is_number(), "{done}");
    assert!(!report["trials"].as_array().unwrap().is_empty());
    assert_eq!(report["budget"], "1s");
    for key in ["train.learning_rate", "model.d_model", "train.word_dropout"] {
        assert!(done.stderr.contains(&format!("\n  {key} = ")), "{done}");
    }
}

#[test]
fn what_no_search_can_be_made_of_is_refused_before_anything_is_written() {
    let sandbox = sandbox();
    let config = String::from_utf8(sandbox.read("config.toml")).unwrap();
    sandbox.write(
        "wrong.toml",
        config
            .replace(
                "[tune.ranges]",
                "[privacy]\nepsilon = 3.0\n\n[tune.ranges]\n\"model.dropuot\" = [0.1, 0.2]",
            )
            .replace("min = 8, max = 24", "min = 24, max = 8"),
    );
    let done = sandbox
        .regard(&["tune", "wrong.toml", "--budget", "1m"])
        .run()
        .code(2);
    insta::assert_snapshot!("wrong_ranges", done);
    let impossible = [
        "--budget",
        "450steps",
        "--set",
        "tune.ranges.model.d_model=[9, 11]",
    ];
    let done = tune(&sandbox, "impossible", &impossible).code(2);
    assert!(
        done.stderr
            .contains("error: none of 300 draws from [tune.ranges] makes a configuration"),
        "{done}"
    );
    assert!(!sandbox.path("impossible/tune.json").exists());
    let done = tune(&sandbox, "out", &["--budget", "soon"]).code(2);
    assert!(
        done.stderr
            .contains("expected a time such as 90s, 20m or 1h30m"),
        "{done}"
    );
    assert!(!sandbox.path("out").exists() && !sandbox.path("runs").exists());
    std::fs::create_dir(sandbox.path("run")).unwrap();
    sandbox.write("run/config.toml", "");
    let done = tune(&sandbox, "run", &["--budget", "450steps"]).code(4);
    assert!(
        done.stderr
            .contains("the folder holds a run, and no search"),
        "{done}"
    );
}
