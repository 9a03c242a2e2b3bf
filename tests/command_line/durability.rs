//! A run that is killed and started again is the run that was not.

use std::path::Path;
use std::process::Child;
use std::time::Instant;

use crate::support::{PATIENCE, Sandbox};

/// Everything random or remembered is on.
const SETTINGS: [&str; 13] = [
    "train.epochs=2",
    "train.batch_size=12",
    "train.micro_batch=5",
    "train.shards=3",
    "train.label_smoothing=0.1",
    "train.word_dropout=0.2",
    "train.mixup=0.5",
    "train.class_weights=balanced",
    "train.layer_decay=0.8",
    "train.ema=0.9",
    "model.dropout=0.2",
    "model.attention_dropout=0.1",
    "checkpoint.every_steps=1",
];

fn settings(more: &[&'static str]) -> Vec<&'static str> {
    [&SETTINGS, more].concat()
}

/// Starts the run again and again; `kill` waits for the moment to kill it, and gives `false` to let
/// it be. Gives the number of kills.
fn train_under_kills(
    sandbox: &Sandbox,
    settings: &[&str],
    most: usize,
    mut kill: impl FnMut(&mut Child) -> bool,
) -> usize {
    let mut kills = 0;
    loop {
        let mut child = sandbox.training("killed", settings).spawn();
        if kills < most && kill(&mut child) {
            child.kill().unwrap();
        }
        let status = child.wait().unwrap();
        if let Some(code) = status.code() {
            assert_eq!(code, 0);
            return kills;
        }
        kills += 1;
    }
}

/// Looks until `seen`, or the program has ended.
fn wait_until(child: &mut Child, mut seen: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if seen() {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
    }
    panic!("neither an end nor the moment in all this time");
}

fn log_length(sandbox: &Sandbox) -> u64 {
    let log = std::fs::metadata(sandbox.path("killed/events.jsonl"));
    log.map_or(0, |log| log.len())
}

fn holds(folder: &Path, prefix: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    names
        .into_iter()
        .any(|name| name.to_string_lossy().starts_with(prefix))
}

#[track_caller]
fn assert_same_run(sandbox: &Sandbox) {
    assert_eq!(sandbox.events("killed"), sandbox.events("whole"));
    assert!(sandbox.bundle("killed") == sandbox.bundle("whole"));
    let config = |run: &str| sandbox.read(&format!("{run}/config.toml"));
    assert_eq!(config("killed"), config("whole"));
    let strays = [
        ("killed", "config.toml."),
        ("killed", "bundle."),
        ("killed/checkpoints", "."),
    ];
    for (folder, prefix) in strays {
        assert!(!holds(&sandbox.path(folder), prefix), "{folder}/{prefix}");
    }
}

#[test]
fn a_run_killed_at_any_moment_continues_to_the_same_bytes() {
    let sandbox = Sandbox::new();
    let settings = settings(&["eval.every=3", "train.early_stopping=40"]);
    sandbox.train("whole", &settings).code(0);
    // Lengths of the log at which the run is killed: in the middle of steps, evaluations and saves.
    let mut target = 0;
    let kills = train_under_kills(&sandbox, &settings, 6, |child| {
        let begun = log_length(&sandbox);
        target += 7;
        wait_until(child, || log_length(&sandbox) > begun + 200 * (target % 5))
    });
    assert!(kills >= 4, "{kills} kills");
    assert_same_run(&sandbox);
}

#[test]
fn a_run_killed_while_it_saves_continues_to_the_same_bytes() {
    let sandbox = Sandbox::new();
    let settings = settings(&["eval.every=1", "eval.metric=\"loss\"", "train.max_steps=8"]);
    sandbox.train("whole", &settings).code(0);
    let mut moment = 0;
    let kills = train_under_kills(&sandbox, &settings, 8, |child| {
        moment += 1;
        // A checkpoint being written, one being removed, and at last the bundle.
        let (folder, prefix) = match moment {
            1 | 3 | 5 => ("killed/checkpoints", ".tmp-step-"),
            2 | 4 | 6 => ("killed/checkpoints", ".tmp-remove-"),
            _ => ("killed", "bundle."),
        };
        let folder = sandbox.path(folder);
        wait_until(child, || holds(&folder, prefix))
    });
    assert!(kills >= 4, "{kills} moments were met");
    assert_same_run(&sandbox);
}

#[test]
fn a_run_that_stops_early_does_so_at_the_same_step_after_kills() {
    let sandbox = Sandbox::new();
    let settings = settings(&[
        "eval.every=2",
        "train.early_stopping=2",
        "train.learning_rate=1e-30",
    ]);
    let whole = sandbox.train("whole", &settings).code(0);
    assert!(
        whole.stdout.starts_with("done: 6 steps (stopped early)"),
        "{whole}"
    );
    // Behind the first evaluation that was no better, so that patience is used up by both processes.
    let mut step = 3;
    let kills = train_under_kills(&sandbox, &settings, 2, |child| {
        step += 1;
        let saved = sandbox.path(&format!("killed/checkpoints/step-{step:010}"));
        wait_until(child, || saved.exists())
    });
    assert!(kills >= 1, "{kills} kills");
    assert_same_run(&sandbox);
}

#[test]
fn a_run_killed_behind_its_second_end_does_not_keep_the_bundle_of_its_first() {
    let sandbox = Sandbox::new();
    let settings = |epochs| vec!["eval.metric=\"loss\"", epochs];
    sandbox.train("run", &settings("train.epochs=1")).code(0);
    let first = sandbox.bundle("run");
    sandbox.train("run", &settings("train.epochs=2")).code(0);
    let second = sandbox.bundle("run");
    assert!(first != second);
    // As if the kill had come between the last checkpoint and the bundle.
    for (name, content) in ["bundle.json", "weights.safetensors", "tokenizer.json"]
        .iter()
        .zip(&first)
    {
        sandbox.write(&format!("run/bundle/{name}"), content);
    }
    sandbox.train("run", &settings("train.epochs=2")).code(0);
    assert!(sandbox.bundle("run") == second);
}

#[test]
fn a_run_cut_short_before_its_first_evaluation_still_ends_with_a_model() {
    let sandbox = Sandbox::new();
    let settings = |most| {
        vec![
            "checkpoint.every_steps=1",
            "eval.every=1000",
            "train.epochs=100",
            most,
        ]
    };
    let mut child = sandbox
        .training("run", &settings("train.max_steps=1000"))
        .spawn();
    let third = sandbox.path("run/checkpoints/step-0000000003");
    let seen = wait_until(&mut child, || third.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(seen);
    let evaluated = sandbox.events_whole_lines("run");
    assert!(
        evaluated.iter().all(|event| event["kind"] != "eval"),
        "too late"
    );
    let done = sandbox.train("run", &settings("train.max_steps=2")).code(0);
    assert!(done.stdout.starts_with("done: "), "{done}");
    assert!(sandbox.path("run/bundle/bundle.json").is_file());
}
