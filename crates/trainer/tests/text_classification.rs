//! The task of classifying text: what it reads, what it changes at random, what outputs are worth.

use std::collections::BTreeSet;
use std::path::Path;

use burn::tensor::{Device, Tensor};
use regard_bundle::Workers;
use regard_model::{Input, Transformer};
use regard_ops::{Context, Key};
use regard_trainer::config::{self, Config};
use regard_trainer::evaluate;
use regard_trainer::task::{self, Split, Targets, Task};
use tempfile::TempDir;

/// 60 texts, each with a word of its own and no two of one length in bytes.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let rows = (0..60).map(|i| {
        let own = format!(
            "{}{}",
            char::from(b'a' + i % 26),
            "z".repeat(usize::from(i))
        );
        format!(
            "{}\t{own} of few words\n",
            ["no", "yes", "maybe"][usize::from(i % 3)]
        )
    });
    let table = "label\ttext\n".to_owned() + &rows.collect::<String>();
    std::fs::write(folder.path().join("data.tsv"), table).unwrap();
    folder
}

fn config(folder: &Path, settings: &[&str]) -> Config {
    let text = format!(
        "version = 1\ntask = \"text-classification\"\n[data]\ntrain = {:?}\nvalid = 0.2\ntest = 0.2\n\
         [tokenizer]\nkind = \"bytes\"\nmax_length = 100\n\
         [model]\nd_model = 8\nn_layers = 1\nn_heads = 2\nd_ff = 8\n",
        folder.join("data.tsv").to_str().unwrap()
    );
    config::parse(&text, Path::new("test.toml"), settings).unwrap()
}

fn load(settings: &[&str]) -> Box<dyn Task> {
    let folder = folder();
    task::load(&config(folder.path(), settings)).unwrap()
}

/// What turns texts into ids.
fn tokenizer(task: &dyn Task) -> &regard_data::Tokenizer {
    match task.companion() {
        regard_bundle::Companion::Tokenizer(tokenizer) => tokenizer,
        other => panic!("a task of text has a tokenizer, found {other:?}"),
    }
}

/// The ids of units, row by row, without filling.
fn ids(task: &dyn Task, split: Split, units: &[usize], key: Option<Key>) -> Vec<Vec<u32>> {
    let batch = task.batch(split, units, key, &Device::flex());
    let Input::Text(input) = batch.input else {
        panic!("another kind of input");
    };
    let [_, len] = input.ids.dims();
    let all: Vec<i32> = input.ids.into_data().try_into_vec_as().unwrap();
    let lengths = task.lengths(split);
    let rows = all.chunks(len).zip(units).map(|(row, unit)| {
        let length = lengths[*unit] as usize;
        let filling = row[length..]
            .iter()
            .all(|id| *id as u32 == tokenizer(&*task).pad_id());
        assert!(filling, "unit {unit}");
        row[..length].iter().map(|id| *id as u32).collect()
    });
    rows.collect()
}

fn all(task: &dyn Task, split: Split) -> Vec<Vec<u32>> {
    let units: Vec<usize> = (0..task.n_units(split)).collect();
    ids(task, split, &units, None)
}

#[test]
fn each_text_stands_in_one_part_and_labels_are_spread_evenly() {
    let task = load(&[]);
    let sizes = [Split::Train, Split::Valid, Split::Test].map(|split| task.n_units(split));
    assert_eq!(sizes, [36, 12, 12]);
    let mut seen = BTreeSet::new();
    for split in [Split::Train, Split::Valid, Split::Test] {
        for row in all(&*task, split) {
            assert!(seen.insert(row), "a text stands twice");
        }
        let units: Vec<usize> = (0..task.n_units(split)).collect();
        let batch = task.batch(split, &units, None, &Device::flex());
        let Targets::Classes(classes) = batch.targets else {
            panic!("other targets");
        };
        let counts = [0, 1, 2].map(|class| classes.iter().filter(|c| **c == class).count());
        assert_eq!(counts, [units.len() / 3; 3]);
        assert_eq!(batch.unit_of_row, units);
        let tokens: u32 = task.lengths(split).iter().sum();
        assert_eq!(batch.n_tokens, tokens as usize);
    }
    assert_eq!(seen.len(), 60);
}

#[test]
fn the_test_data_depend_neither_on_the_validation_share_nor_on_the_seed() {
    let first = all(&*load(&[]), Split::Test);
    for settings in [&["data.valid=0.4"][..], &["seed=7"]] {
        assert_eq!(all(&*load(settings), Split::Test), first);
    }
    assert_ne!(all(&*load(&["data.test=0.3"]), Split::Test), first);
}

#[test]
fn labels_stand_in_the_order_of_the_configuration_or_of_the_alphabet() {
    let labels = |settings: &[&str]| load(settings).bundle_info(3).labels;
    assert_eq!(labels(&[]), ["maybe", "no", "yes"]);
    assert_eq!(
        labels(&["data.labels=[\"yes\",\"no\",\"maybe\"]"]),
        ["yes", "no", "maybe"]
    );
    let class = |settings: &[&str]| {
        let batch = load(settings).batch(Split::Train, &[0], None, &Device::flex());
        let Targets::Classes(classes) = batch.targets else {
            panic!("other targets");
        };
        classes[0]
    };
    assert_eq!(
        class(&[]) + class(&["data.labels=[\"yes\",\"no\",\"maybe\"]"]),
        2
    );
}

#[test]
fn a_share_that_holds_out_nothing_is_told_as_it_was_written() {
    let folder = folder();
    let error = task::load(&config(folder.path(), &["data.valid=0.001"]))
        .err()
        .unwrap();
    let expected = "a share of 0.001 of 60 rows holds out 0;";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[test]
fn word_dropout_replaces_tokens_by_the_unknown_one_in_training_alone() {
    let task = load(&["train.word_dropout=0.3"]);
    let unknown = tokenizer(&*task).unknown_id();
    let units: Vec<usize> = (0..task.n_units(Split::Train)).collect();
    let clean = ids(&*task, Split::Train, &units, None);
    assert!(clean.iter().flatten().all(|id| *id != unknown));
    let (mut dropped, mut tokens) = (0_u32, 0_u32);
    for step in 0..20 {
        let noisy = ids(&*task, Split::Train, &units, Some(Key::new(1).fold(step)));
        for (noisy, clean) in noisy.iter().zip(&clean) {
            assert_eq!(noisy[0], tokenizer(&*task).class_id());
            for (noisy, clean) in noisy.iter().zip(clean).skip(1) {
                assert!(noisy == clean || *noisy == unknown);
                tokens += 1;
                dropped += u32::from(noisy != clean);
            }
        }
    }
    // Five standard errors either way.
    let (rate, n) = (f64::from(dropped) / f64::from(tokens), f64::from(tokens));
    assert!(
        (rate - 0.3).abs() < 5.0 * (0.3_f64 * 0.7 / n).sqrt(),
        "{rate} of {n}"
    );

    let none = load(&["train.word_dropout=0"]);
    assert_eq!(
        ids(&*none, Split::Train, &units, Some(Key::new(1))),
        all(&*none, Split::Train)
    );
}

#[test]
fn word_dropout_of_a_text_does_not_depend_on_its_batch() {
    let task = load(&["train.word_dropout=0.3"]);
    let key = |step| Some(Key::new(1).fold(step));
    let together = ids(&*task, Split::Train, &[3, 9, 4], key(0));
    for (unit, row) in [3, 9, 4].into_iter().zip(&together) {
        assert_eq!(&ids(&*task, Split::Train, &[unit], key(0))[0], row);
    }
    assert_ne!(ids(&*task, Split::Train, &[3, 9, 4], key(1)), together);
}

fn model(task: &dyn Task) -> Transformer {
    task.model().init(Key::new(2), &Device::flex()).unwrap()
}

#[test]
fn an_evaluation_judges_each_unit_by_its_own_output() {
    // More than a batch of units, lengths mixed.
    let task = load(&["data.test=0.7", "data.valid=0.1"]);
    let model = model(&*task);
    let device = Device::flex();
    let n = task.n_units(Split::Test);
    assert!(n > 32);
    let mut expected = 0.0;
    let mut right = 0;
    for unit in 0..n {
        let batch = task.batch(Split::Test, &[unit], None, &device);
        let output = model.forward(&batch.input, &mut Context::evaluation());
        let logits: Vec<f32> = output.into_data().try_into_vec().unwrap();
        let powers: Vec<f64> = logits.iter().map(|logit| f64::from(*logit).exp()).collect();
        let Targets::Classes(classes) = batch.targets else {
            panic!("other targets");
        };
        let class = classes[0] as usize;
        expected -= (powers[class] / powers.iter().sum::<f64>()).ln() / n as f64;
        right += usize::from(powers.iter().all(|power| *power <= powers[class]));
    }
    let found = evaluate(&model, &*task, Split::Test, Workers::new(1), &device).unwrap();
    let (labels, report) = found.classes().expect("the task classifies");
    assert_eq!(report.n, n as u64);
    assert!((report.loss / expected - 1.0).abs() < 1e-6);
    assert_eq!(report.accuracy, right as f64 / n as f64);
    assert_eq!(found.split, Split::Test);
    assert_eq!(labels, ["maybe", "no", "yes"]);
    let many = evaluate(&model, &*task, Split::Test, Workers::new(3), &device).unwrap();
    assert_eq!(many, found);
}

#[test]
fn outputs_that_are_no_numbers_are_an_error_not_a_figure() {
    let task = load(&[]);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut outputs = vec![vec![0.5, 0.0, -0.5]; task.n_units(Split::Valid)];
        task.evaluate(Split::Valid, &outputs).unwrap();
        // All of them: one minus infinity alone is a probability of nothing.
        outputs[5] = vec![bad; 3];
        task.evaluate(Split::Valid, &outputs).unwrap_err();
    }
}

#[test]
fn what_changes_the_data_changes_the_fingerprint() {
    let folder = folder();
    let fingerprint = |settings: &[&str]| {
        let task = task::load(&config(folder.path(), settings)).unwrap();
        task.data_fingerprint()
    };
    let first = fingerprint(&[]);
    assert_eq!(fingerprint(&["seed=3"]), first);
    let path = folder.path().join("data.tsv");
    let table = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, table.replacen("few", "fev", 1)).unwrap();
    assert_ne!(fingerprint(&[]), first);
}

/// The losses of three rows, one of each class, for logits that are all zero: `ln 3` each, weighted.
fn weighted_losses(settings: &[&str]) -> Vec<f32> {
    let task = load(settings);
    let output = Tensor::<3>::zeros([3, 1, 3], &Device::flex());
    let losses = task.row_losses(output, &Targets::Classes(vec![0, 1, 2]));
    losses.into_data().try_into_vec_as().unwrap()
}

#[test]
fn each_class_has_its_weight() {
    let plain = weighted_losses(&[]);
    // 12 of 36 training texts in each class: balanced already.
    assert_eq!(weighted_losses(&["train.class_weights=balanced"]), plain);
    let weighted = weighted_losses(&["train.class_weights=[0.5, 1, 3]"]);
    for (got, weight) in weighted.iter().zip([0.5, 1.0, 3.0]) {
        assert!((got - weight * 3.0_f32.ln()).abs() < 1e-6, "{weighted:?}");
    }
}

#[test]
fn balanced_weights_make_rare_classes_count_as_much_as_common_ones() {
    let folder = TempDir::new().unwrap();
    let row = |i: usize| {
        format!(
            "{}\ttext {i}\n",
            if i.is_multiple_of(4) { "rare" } else { "usual" }
        )
    };
    let table = "label\ttext\n".to_owned() + &(0..80).map(row).collect::<String>();
    std::fs::write(folder.path().join("data.tsv"), table).unwrap();
    let config = config(folder.path(), &["train.class_weights=balanced"]);
    let task = task::load(&config).unwrap();
    let output = Tensor::<3>::zeros([2, 1, 2], &Device::flex());
    let losses = task.row_losses(output, &Targets::Classes(vec![0, 1]));
    let losses: Vec<f32> = losses.into_data().try_into_vec_as().unwrap();
    // 12 of 48 and 36 of 48: weights 2 and 2/3.
    for (got, weight) in losses.iter().zip([2.0, 2.0 / 3.0]) {
        assert!((got - weight * 2.0_f32.ln()).abs() < 1e-6, "{losses:?}");
    }
}

#[test]
fn weights_for_another_number_of_classes_are_refused() {
    let folder = folder();
    let config = config(folder.path(), &["train.class_weights=[1, 2]"]);
    let error = task::load(&config).err().unwrap().to_string();
    assert!(
        error.contains("has 2 numbers, the training data has 3 labels"),
        "{error}"
    );
}
