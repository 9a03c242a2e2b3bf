//! `regard verify` and `regard prune-checkpoints`.

use crate::support::Sandbox;

fn checkpoints(sandbox: &Sandbox) -> Vec<String> {
    let entries = std::fs::read_dir(sandbox.path("run/checkpoints")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_byte_of_a_run_is_compared_with_its_hash() {
    let sandbox = Sandbox::new();
    let settings = [
        "checkpoint.every_steps=5",
        "checkpoint.keep=9",
        "train.ema=0.9",
    ];
    sandbox.train("run", &settings).code(0);
    let verify = || sandbox.regard(&["verify", "run", "--format", "json"]).run();
    let report = verify().code(0).json();
    assert_eq!(report["whole"], true);
    let rows = report["rows"].as_array().unwrap();
    // Six checkpoints, the log, the bundle.
    assert_eq!(rows.len(), 8, "{report}");
    for (damaged, problem) in [
        (
            format!(
                "run/checkpoints/{}/average.safetensors",
                checkpoints(&sandbox)[1]
            ),
            "average.safetensors is damaged",
        ),
        (
            format!("run/checkpoints/{}/manifest.json", checkpoints(&sandbox)[2]),
            "its manifest is damaged",
        ),
        (
            "run/bundle/weights.safetensors".to_owned(),
            "expected the BLAKE3 hash",
        ),
    ] {
        let whole = sandbox.read(&damaged);
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        sandbox.write(&damaged, &bytes);
        let report = verify().code(4).json();
        assert_eq!(report["whole"], false);
        let bad: Vec<_> = report["rows"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["whole"] == false)
            .collect();
        assert_eq!(bad.len(), 1, "{report}");
        assert!(
            bad[0]["problem"].as_str().unwrap().contains(problem),
            "{report}"
        );
        sandbox.write(&damaged, &whole);
    }
    let log = sandbox.read("run/events.jsonl");
    sandbox.write("run/events.jsonl", &log[..log.len() / 2]);
    let told = sandbox.regard(&["verify", "run"]).run().code(4);
    assert!(told.stdout.contains("1 of 8 parts are damaged"), "{told}");
    let told = sandbox.regard(&["verify", "data.tsv"]).run().code(2);
    assert!(told.stderr.contains("expected a run's folder"), "{told}");
}

#[test]
fn pruning_leaves_the_newest_and_the_best_and_a_run_that_can_be_judged() {
    let sandbox = Sandbox::new();
    let settings = [
        "checkpoint.every_steps=5",
        "checkpoint.keep=9",
        "eval.every=10",
    ];
    let report = sandbox.train("run", &settings).code(0);
    assert_eq!(checkpoints(&sandbox).len(), 6, "{report}");
    let told = sandbox
        .regard(&[
            "prune-checkpoints",
            "run",
            "--keep",
            "1",
            "--format",
            "json",
        ])
        .run()
        .code(0)
        .json();
    let left = checkpoints(&sandbox);
    assert!((1..=2).contains(&left.len()), "{left:?}");
    assert_eq!(left.last().unwrap(), "step-0000000030");
    assert_eq!(told["removed"].as_array().unwrap().len(), 6 - left.len());
    sandbox.regard(&["verify", "run"]).run().code(0);
    let again = sandbox
        .regard(&["prune-checkpoints", "run", "--keep", "1"])
        .run()
        .code(0);
    assert_eq!(again.stdout, "nothing to remove\n");
    let done = sandbox.train("run", &settings).code(0);
    assert!(done.stdout.starts_with("already complete"), "{done}");
}
