//! Data that does not fit into memory trains as if it did.

use std::time::Instant;

use crate::support::{PATIENCE, Sandbox};

/// Nothing of the data may stay in memory.
const IN_FILES: &str = "data.memory_mib=0";

#[test]
fn token_ids_in_a_file_train_the_model_that_token_ids_in_memory_train() {
    let sandbox = Sandbox::new();
    let settings = ["train.word_dropout=0.1", "model.dropout=0.1"];
    sandbox.train("memory", &settings).code(0);
    let in_files = [&settings[..], &[IN_FILES]].concat();
    sandbox.train("files", &in_files).code(0);
    assert!(sandbox.bundle("memory") == sandbox.bundle("files"));
    assert_eq!(sandbox.events("memory"), sandbox.events("files"));
    assert!(!sandbox.path("files/cache").exists(), "the files stay");
    // The key may change when a run goes on.
    let more = [&settings[..], &["train.epochs=3"]].concat();
    sandbox.train("files", &more).code(0);
}

#[test]
fn a_killed_run_finds_its_token_ids_again_and_believes_no_damaged_ones() {
    let sandbox = Sandbox::new();
    let settings = ["train.epochs=4", "checkpoint.every_steps=1", IN_FILES];
    sandbox.train("whole", &settings).code(0);
    let files = ["train", "valid", "test"].map(|part| format!("killed/cache/{part}.tokens"));
    for damage in [false, true] {
        let mut child = sandbox.training("killed", &settings).spawn();
        let begun = Instant::now();
        let saved = sandbox.path(&format!("killed/checkpoints/step-{:010}", 2));
        while !saved.exists() && child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < PATIENCE, "no checkpoint");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let before = files.each_ref().map(|file| sandbox.read(file));
        if damage {
            for (file, bytes) in files.iter().zip(&before) {
                let mut bytes = bytes.clone();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                sandbox.write(file, bytes);
            }
        }
        sandbox.train("killed", &settings).code(0);
        assert!(
            sandbox.bundle("killed") == sandbox.bundle("whole"),
            "damaged: {damage}"
        );
        assert_eq!(sandbox.events("killed"), sandbox.events("whole"));
        assert!(!sandbox.path("killed/cache").exists());
        std::fs::remove_dir_all(sandbox.path("killed")).unwrap();
    }
}
