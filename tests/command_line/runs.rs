//! The listing of runs.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::support::{PATIENCE, Sandbox, without_figures};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Makes everything below `path` `hours` old.
fn make_old(path: &Path, hours: u64) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            make_old(&entry.unwrap().path(), hours);
        }
        return;
    }
    let time = SystemTime::now() - Duration::from_secs(hours * 3600 + 60);
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

fn row<'a>(report: &'a Value, run: &str) -> &'a Value {
    let rows = report["rows"].as_array().unwrap();
    let found = rows.iter().find(|row| row["run"] == run);
    found.unwrap_or_else(|| panic!("no {run} in {report}"))
}

#[test]
fn a_folder_of_runs_is_listed_with_whatever_else_is_in_it() {
    let sandbox = Sandbox::new();
    sandbox.train("all/whole", &[]).code(0);
    let whole = sandbox.path("all/whole");
    for (name, hours) in [
        ("whole", 1),
        ("seeds/seed-0", 2),
        ("unfinished", 3),
        ("no_manifest", 4),
        ("other_keys", 5),
        ("short_log", 6),
    ] {
        let path = sandbox.path("all").join(name);
        if name != "whole" {
            copy(&whole, &path);
        }
        match name {
            // Killed before it made its bundle.
            "unfinished" => {
                fs::remove_dir_all(path.join("bundle")).unwrap();
                let log = String::from_utf8(sandbox.read("all/unfinished/events.jsonl")).unwrap();
                let end = log.trim_end().rfind('\n').unwrap() + 1;
                sandbox.write("all/unfinished/events.jsonl", &log[..end]);
            }
            "no_manifest" => {
                for checkpoint in fs::read_dir(path.join("checkpoints")).unwrap() {
                    let manifest = checkpoint.unwrap().path().join("manifest.json");
                    fs::write(manifest, "{}").unwrap();
                }
            }
            "other_keys" => sandbox.write("all/other_keys/config.toml", "version = 1\nx = 2\n"),
            "short_log" => sandbox.write("all/short_log/events.jsonl", "{}\n"),
            _ => {}
        }
        make_old(&path, hours);
    }
    copy(&whole.join("bundle"), &sandbox.path("all/bundle-alone"));
    make_old(&sandbox.path("all/bundle-alone"), 7);
    fs::create_dir(sandbox.path("all/empty")).unwrap();
    sandbox.write("all/notes.txt", "x");
    make_old(&sandbox.path("all/notes.txt"), 8);

    let done = sandbox.regard(&["runs", "all"]).run().code(0);
    insta::assert_snapshot!("runs", without_figures(&done));

    let report = sandbox
        .regard(&["runs", "all", "--format", "json"])
        .run()
        .code(0)
        .json();
    assert_eq!(report["rows"].as_array().unwrap().len(), 9);
    let whole = row(&report, "all/whole");
    assert_eq!(whole["state"], "complete");
    assert_eq!(
        (&whole["step"], &whole["total_steps"]),
        (&json!(30), &json!(30))
    );
    assert_eq!(whole["best"]["metric"], "accuracy");
    assert_eq!(whole["test"], json!({"metric": "accuracy", "value": 1.0}));
    assert_eq!(whole["problem"], Value::Null);
    let weights = sandbox.read("all/whole/bundle/weights.safetensors").len();
    assert!(whole["bytes"].as_u64().unwrap() > weights as u64);
    let unfinished = row(&report, "all/unfinished");
    assert_eq!(
        (&unfinished["step"], &unfinished["test"]),
        (&json!(30), &Value::Null)
    );
}

#[test]
fn a_run_is_running_as_long_as_its_process_lives() {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .training("run", &["train.epochs=100000", "checkpoint.every_steps=2"])
        .spawn();
    let look = || {
        let done = sandbox.regard(&["runs", "run", "--format", "json"]).run();
        row(&done.code(0).json(), "run").clone()
    };
    let begun = Instant::now();
    let running = loop {
        if sandbox.path("run/config.toml").exists() {
            let row = look();
            if row["total_steps"].is_u64() {
                break row;
            }
        }
        assert!(begun.elapsed() < PATIENCE, "no checkpoint yet");
    };
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(running["state"], "running", "{running}");
    let stopped = look();
    assert_eq!(stopped["state"], "stopped", "{stopped}");
    assert_eq!(stopped["total_steps"], 15 * 100_000);
    let [then, now] = [&running, &stopped].map(|row| row["step"].as_u64().unwrap());
    // A save waits for the one before, so a killed run has lost at most the one that was being
    // written and the steps up to the next.
    assert!(2 <= then && then <= now + 2 * 2, "{then} {now}");
    let told = sandbox.regard(&["runs", "run"]).run().code(0).stdout;
    let expected = format!("stopped at step {now} of 1500000");
    assert!(told.contains(&expected), "{told}");
}

#[test]
fn no_folder_yet_is_no_run_and_a_wrong_one_is_an_error() {
    let sandbox = Sandbox::new();
    let done = sandbox.regard(&["runs"]).run().code(0);
    assert_eq!(done.stdout, "no runs in runs\n");
    for (name, found) in [("data.tsv", "a file"), ("missing", "nothing")] {
        let done = sandbox.regard(&["runs", name]).run().code(2);
        assert_eq!(
            done.stderr,
            format!(
                "error: {name}: expected a folder of runs, found {found}\nhint: `regard train` makes runs in runs/ unless --out says otherwise\n"
            )
        );
    }
}
