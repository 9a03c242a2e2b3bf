//! Memory: what a checkpoint and a bundle take while they are loaded, also those that lie.

use std::fs::{self, File};

use crate::support::{Regard, Sandbox};

/// A model whose weights dwarf the program, on little data.
const SETTINGS: [&str; 6] = [
    "model.d_model=512",
    "model.n_heads=8",
    "model.d_ff=2048",
    "tokenizer.max_length=8",
    "train.shards=1",
    "train.batch_size=4",
];

const MIB: f64 = (1 << 20) as f64;

/// Blocks of 3.2 million parameters each: `REGARD_TORTURE_BLOCKS`, or two.
fn blocks() -> String {
    let set = std::env::var("REGARD_TORTURE_BLOCKS");
    format!("model.n_layers={}", set.as_deref().unwrap_or("2"))
}

/// The most memory of a command, in bytes.
#[track_caller]
fn peak(run: Regard, code: i32) -> f64 {
    let (done, peak) = run.run_watched();
    assert_eq!(done.code, code, "{done}");
    peak as f64 * 1024.0
}

#[test]
fn loading_never_takes_twice_the_size() {
    let sandbox = Sandbox::new();
    let blocks = blocks();
    let training = |steps| sandbox.training("run", &[&SETTINGS[..], &[&blocks, steps]].concat());
    training("train.max_steps=1").run().code(0);
    let small = ["train.max_steps=1"];
    sandbox.train("small", &small).code(0);
    let program = peak(
        sandbox.regard(&["predict", "small", "--text", "a fine day"]),
        0,
    );
    let weights = sandbox.path("run/bundle/weights.safetensors");
    let bundle = fs::metadata(&weights).unwrap().len() as f64;
    let predict = || sandbox.regard(&["predict", "run", "--text", "a fine day"]);
    let predicted = peak(predict(), 0) - program;
    println!(
        "loading a bundle of {:.1} MiB: {:.1} MiB",
        bundle / MIB,
        predicted / MIB
    );
    // A checkpoint has the weights and two moments; a run that is complete reads both.
    let complete = peak(training("train.max_steps=1"), 0) - program;
    println!(
        "reading a checkpoint of {:.1} MiB and a bundle: {:.1} MiB",
        3.0 * bundle / MIB,
        complete / MIB
    );
    let resumed = peak(training("train.max_steps=2"), 0) - program;
    println!(
        "going on from it, with the step and its save: {:.1} MiB",
        resumed / MIB
    );
    let slack = 25.0 * MIB;
    // Tensor by tensor, and what is read is the model: a copy or two at the most.
    assert!(predicted < 1.5 * bundle + slack, "{predicted} for {bundle}");
    assert!(complete < 5.0 * bundle + slack, "{complete} for {bundle}");

    // A file that is not what it was takes no more than one that is.
    let bytes = fs::read(&weights).unwrap();
    for length in [1 << 30, bundle as u64 / 2] {
        let file = File::options().write(true).open(&weights).unwrap();
        file.set_len(length).unwrap();
        let refused = peak(predict(), 4) - program;
        assert!(refused < 2.0 * bundle + slack, "{length}: {refused}");
    }
    let mut lying = bytes;
    lying[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    fs::write(&weights, lying).unwrap();
    let refused = peak(predict(), 4) - program;
    assert!(
        refused < 2.0 * bundle + slack,
        "a header of any length: {refused}"
    );
}
