//! Signals: a run that is asked to stop is saved, and goes on as if nobody had asked.
#![cfg(unix)]

use std::process::Child;
use std::time::{Duration, Instant};

use crate::support::{PATIENCE, Sandbox, texts};

/// Everything random or remembered is on, the model in stages too; evaluations and saves are rare, so
/// that a stop falls between them.
const SETTINGS: [&str; 13] = [
    "train.epochs=40",
    "train.batch_size=12",
    "train.micro_batch=5",
    "train.shards=2",
    "train.mixup=0.5",
    "train.ema=0.9",
    "train.gradient_checkpointing=every-block",
    "model.n_layers=2",
    "model.dropout=0.2",
    "model.attention_dropout=0.1",
    "train.word_dropout=0.1",
    "eval.every=7",
    "checkpoint.every_steps=5",
];

fn send(child: &Child, signal: &str) {
    let sent = std::process::Command::new("kill")
        .args(["-s", signal, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Waits until the run has logged a step beyond `step`; `false` if it ended before.
fn wait_for_step(sandbox: &Sandbox, child: &mut Child, step: u64) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let log = std::fs::read_to_string(sandbox.path("stopped/events.jsonl"));
        let lines = log.unwrap_or_default();
        let last = lines.lines().rev().find_map(|line| {
            let event: serde_json::Value = serde_json::from_str(line).ok()?;
            event["step"].as_u64()
        });
        if last.is_some_and(|last| last > step) {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    panic!("neither a step nor an end in all this time");
}

#[test]
fn a_run_stopped_by_signals_goes_on_to_the_same_bytes() {
    let sandbox = Sandbox::new();
    sandbox.train("whole", &SETTINGS).code(0);
    let mut stops = 0;
    for (after, signal, code) in [(3, "TERM", 143), (60, "INT", 130), (150, "TERM", 143)] {
        let mut child = sandbox.training("stopped", &SETTINGS).spawn();
        if wait_for_step(&sandbox, &mut child, after) {
            send(&child, signal);
            let status = child.wait().unwrap();
            assert_eq!(status.code(), Some(code), "{signal} after step {after}");
            stops += 1;
        }
    }
    assert_eq!(stops, 3, "the run is long enough for all of them");
    let listed = sandbox.regard(&["runs", "stopped", "--format", "json"]);
    let listed = listed.run().code(0).json();
    assert_eq!(listed["rows"][0]["state"], "stopped", "{listed}");
    assert!(
        listed["rows"][0]["total_steps"].as_u64().is_some(),
        "{listed}"
    );
    sandbox.train("stopped", &SETTINGS).code(0);
    assert_eq!(sandbox.events("stopped"), sandbox.events("whole"));
    assert!(sandbox.bundle("stopped") == sandbox.bundle("whole"));
}

#[test]
fn a_stop_says_where_the_run_is_and_how_it_goes_on() {
    let sandbox = Sandbox::new();
    let mut child = sandbox.training("stopped", &SETTINGS).spawn_told();
    assert!(wait_for_step(&sandbox, &mut child, 5));
    send(&child, "TERM");
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(143), "{told}");
    let line = told
        .lines()
        .find(|line| line.starts_with("stopped after step "))
        .unwrap_or_else(|| panic!("{told}"));
    assert!(
        line.ends_with("which is saved in stopped; the same command continues the run"),
        "{line}"
    );
    assert!(!told.contains("error"), "{told}");
}

#[test]
fn a_run_that_is_asked_to_save_does_so_and_goes_on() {
    let sandbox = Sandbox::new();
    let settings = [&SETTINGS[..11], &["eval.every=1000", "train.max_steps=400"]].concat();
    let mut child = sandbox.training("stopped", &settings).spawn();
    assert!(wait_for_step(&sandbox, &mut child, 3));
    send(&child, "USR1");
    let begun = Instant::now();
    let saved = || -> Option<u64> {
        let mut names = std::fs::read_dir(sandbox.path("stopped/checkpoints")).ok()?;
        names.find_map(|name| {
            let name = name.unwrap().file_name().into_string().unwrap();
            name.strip_prefix("step-")?.parse().ok()
        })
    };
    let step = loop {
        if let Some(step) = saved() {
            break step;
        }
        assert!(child.try_wait().unwrap().is_none(), "it goes on");
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(2));
    };
    // A run that stops saves too; this one makes steps behind the saved one.
    assert!(wait_for_step(&sandbox, &mut child, step + 5), "it goes on");
    // What was saved is whole: a kill right after loses nothing of it.
    child.kill().unwrap();
    child.wait().unwrap();
    let done = sandbox.training("stopped", &settings).run().code(0);
    assert!(done.stderr.contains("continuing after step "), "{done}");
}

#[test]
fn the_second_signal_ends_at_once() {
    let sandbox = Sandbox::new();
    // One step takes long: many long texts in a batch, and a model that is not tiny.
    let mut table = "label\ttext\n".to_owned();
    for (label, text) in texts(1000) {
        table.push_str(&format!("{label}\t{}\n", [text.as_str(); 30].join(" ")));
    }
    sandbox.write("data.tsv", table);
    let settings = [
        "train.batch_size=500",
        "tokenizer.max_length=120",
        "model.d_model=128",
        "model.d_ff=512",
        "model.n_layers=6",
        "eval.every=100",
    ];
    let mut child = sandbox.training("stopped", &settings).spawn();
    // The first step is in the log: the second is under way.
    assert!(wait_for_step(&sandbox, &mut child, 0));
    send(&child, "INT");
    std::thread::sleep(Duration::from_millis(50));
    assert!(
        child.try_wait().unwrap().is_none(),
        "the step is finished first"
    );
    send(&child, "INT");
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(!sandbox.path("stopped/checkpoints/step-0000000002").exists());
}
