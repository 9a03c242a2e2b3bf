//! Event files of TensorBoard beside the log.

use std::fs;

use crate::support::Sandbox;

/// The event files of a run, in the order of their names.
fn files(sandbox: &Sandbox, run: &str) -> Vec<Vec<u8>> {
    let folder = sandbox.path(run).join("tensorboard");
    let Ok(entries) = fs::read_dir(&folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = paths.into_iter().map(|path| fs::read(path).unwrap());
    read.collect()
}

/// How often a tag stands in a file.
fn count(file: &[u8], tag: &str) -> usize {
    let windows = file.windows(tag.len());
    windows.filter(|window| *window == tag.as_bytes()).count()
}

#[test]
fn every_process_of_a_run_writes_its_own_steps_and_nothing_else_changes() {
    let sandbox = Sandbox::new();
    sandbox
        .train("run", &["train.epochs=1", "report.tensorboard=true"])
        .code(0);
    // 15 steps an epoch, one evaluation.
    let first = files(&sandbox, "run");
    assert_eq!(first.len(), 1);
    assert_eq!(count(&first[0], "train/loss"), 15);
    assert_eq!(count(&first[0], "train/grad_norm"), 15);
    assert_eq!(count(&first[0], "train/learning_rate"), 15);
    assert_eq!(count(&first[0], "eval/accuracy"), 1);
    assert_eq!(count(&first[0], "eval/macro_f1"), 1);

    sandbox.train("run", &["report.tensorboard=true"]).code(0);
    let both = files(&sandbox, "run");
    assert_eq!(both.len(), 2);
    assert!(both[0] == first[0], "a file is its process's alone");
    assert_eq!(count(&both[1], "train/loss"), 15);
    assert_eq!(count(&both[1], "eval/loss"), 1);

    // A run that is complete says nothing, and has no file of nothing.
    sandbox.train("run", &["report.tensorboard=true"]).code(0);
    assert_eq!(files(&sandbox, "run").len(), 2);

    sandbox.train("plain", &["train.max_steps=4"]).code(0);
    sandbox
        .train("told", &["train.max_steps=4", "report.tensorboard=true"])
        .code(0);
    assert_eq!(files(&sandbox, "plain").len(), 0);
    assert_eq!(sandbox.events("plain"), sandbox.events("told"));
    assert!(sandbox.bundle("plain") == sandbox.bundle("told"));
}
