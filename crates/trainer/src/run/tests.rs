//! The loop when something goes wrong: what it does with the step, the log and the checkpoint.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::tensor::{Device, Tensor};
use regard_bundle::Companion;
use regard_bundle::{BundleInfo, Workers};
use regard_model::TransformerConfig;

use super::*;
use crate::config;
use crate::task::{Batch, Targets};

/// A task whose loss is spoilt in some steps.
struct Spoilt {
    task: Box<dyn Task>,
    /// The draws so far: one a step, since there is one shard.
    draws: AtomicU64,
    /// The steps, counted from 1, whose loss is multiplied by NaN.
    steps: fn(u64) -> bool,
}

impl Task for Spoilt {
    fn model(&self) -> TransformerConfig {
        self.task.model()
    }
    fn n_units(&self, split: Split) -> usize {
        self.task.n_units(split)
    }
    fn lengths(&self, split: Split) -> Vec<u32> {
        self.task.lengths(split)
    }
    fn batch(&self, split: Split, units: &[usize], key: Option<Key>, device: &Device) -> Batch {
        if split == Split::Train {
            self.draws.fetch_add(1, Ordering::Relaxed);
        }
        self.task.batch(split, units, key, device)
    }
    fn row_losses(&self, output: Tensor<3>, targets: &Targets) -> Tensor<1> {
        let losses = self.task.row_losses(output, targets);
        match (self.steps)(self.draws.load(Ordering::Relaxed)) {
            true => losses.mul_scalar(f32::NAN),
            false => losses,
        }
    }
    fn evaluate(&self, split: Split, outputs: &[Vec<f32>]) -> Result<Evaluation, TrainError> {
        self.task.evaluate(split, outputs)
    }
    fn data_fingerprint(&self) -> String {
        self.task.data_fingerprint()
    }
    fn bundle_info(&self, step: u64) -> BundleInfo {
        self.task.bundle_info(step)
    }
    fn companion(&self) -> Companion<'_> {
        self.task.companion()
    }
    fn summary(&self) -> Vec<String> {
        self.task.summary()
    }
}

/// Trains on a task that is spoilt; gives the outcome, what was warned of and the log.
fn run(
    settings: &[&str],
    steps: fn(u64) -> bool,
    folder: &Path,
) -> (Result<Outcome, TrainError>, Vec<String>, String) {
    let rows = (0..60).map(|i| format!("{}\tword {i} of few\n", ["no", "yes"][i % 2]));
    let table = "label\ttext\n".to_owned() + &rows.collect::<String>();
    std::fs::write(folder.join("data.tsv"), table).unwrap();
    let text = format!(
        "version = 1\ntask = \"text-classification\"\n[data]\ntrain = {:?}\nvalid = 0.2\n\
         [tokenizer]\nkind = \"bytes\"\nmax_length = 30\n\
         [model]\nd_model = 8\nn_layers = 1\nn_heads = 2\nd_ff = 8\n\
         [train]\nbatch_size = 8\nshards = 1\nepochs = 100\nmax_steps = 12\n\
         [eval]\nevery = 4\n",
        folder.join("data.tsv").to_str().unwrap()
    );
    let config = config::parse(&text, Path::new("test.toml"), settings).unwrap();
    let settings = RunSettings {
        folder: folder.to_owned(),
        device: Device::flex(),
        workers: Workers::new(1),
        requests: Requests::default(),
    };
    let task = Spoilt {
        task: task::load(&config).unwrap(),
        draws: AtomicU64::new(0),
        steps,
    };
    let store = CheckpointStore::open(&folder.join("checkpoints"), checkpoint_files(false));
    let mut warnings = Vec::new();
    let mut tell = |progress: Progress<'_>| {
        if let Progress::Warning(text) = progress {
            warnings.push(text.to_owned());
        }
    };
    let saved = store.load_newest().unwrap();
    let mut run = Run::new(&config, &settings, &task, store, saved, &mut tell).unwrap();
    let outcome = match run.train(&mut tell) {
        Ok(()) => run.finish(&mut tell),
        Err(error) => Err(error),
    };
    drop(run);
    let log = std::fs::read_to_string(folder.join("events.jsonl")).unwrap();
    (outcome, warnings, log)
}

#[test]
fn a_loss_that_is_not_finite_stops_at_exactly_its_step_and_names_the_last_checkpoint() {
    for (bad, last) in [(1, None), (4, None), (5, Some(4)), (11, Some(8))] {
        let folder = tempfile::tempdir().unwrap();
        let spoils: fn(u64) -> bool = match bad {
            1 => |step| step == 1,
            4 => |step| step == 4,
            5 => |step| step == 5,
            _ => |step| step == 11,
        };
        let (outcome, warnings, log) = run(&[], spoils, folder.path());
        let Err(TrainError::Diverged {
            what,
            step,
            last_checkpoint,
            ..
        }) = outcome
        else {
            panic!("{outcome:?}");
        };
        assert_eq!((what, step, last_checkpoint), ("loss", bad, last));
        assert_eq!(warnings, [""; 0]);
        let trained = log.matches("\"kind\":\"train\"").count();
        assert_eq!(trained as u64, bad - 1, "no update was made in step {bad}");
    }
}

#[test]
fn a_step_that_is_skipped_makes_no_update_and_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let skip = &["train.on_nan=skip"];
    let (outcome, warnings, log) = run(skip, |step| step == 3 || step == 9, folder.path());
    assert_eq!(outcome.unwrap().step, 12);
    assert_eq!(
        warnings,
        [
            "the loss became NaN in step 3 (epoch 0, batch 2): no update was made, 1 so far",
            "the loss became NaN in step 9 (epoch 1, batch 2): no update was made, 2 so far",
        ]
    );
    assert_eq!(log.matches("\"kind\":\"train\"").count(), 10);
    let end = log.lines().last().unwrap();
    assert!(end.contains("\"skipped\":2"), "{end}");
    // Its weights are finite, and the count is in the checkpoint.
    let store = CheckpointStore::open(&folder.path().join("checkpoints"), checkpoint_files(false));
    let saved = store.load_newest().unwrap().unwrap();
    assert_eq!(saved.state.skipped.total, 2);
    assert_eq!(saved.state.skipped.in_a_row, 0);
    let weights = weights_of(&saved, "it").unwrap();
    let finite = |name: &str| {
        weights
            .get(name)
            .unwrap()
            .values
            .iter()
            .all(|v| v.is_finite())
    };
    assert!(weights.names().all(finite));
}

#[test]
fn a_hundred_skipped_steps_in_a_row_are_no_accident() {
    let folder = tempfile::tempdir().unwrap();
    let settings = &["train.on_nan=skip", "train.max_steps=200"];
    let (outcome, warnings, _) = run(settings, |step| step > 6, folder.path());
    let Err(TrainError::Diverged { step, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((step, warnings.len()), (107, 100));
}
