//! A bundle predicts by itself, and what it says of a text depends on that text alone.

mod common;

use std::path::Path;

use burn::tensor::Device;
use common::{TEXTS, info, save, tokenizer};
use regard_bundle::{Bundle, BundleError, Workers};

fn loaded() -> Bundle {
    let folder = tempfile::tempdir().unwrap();
    save(&folder.path().join("bundle"));
    Bundle::load(folder.path(), &Device::flex()).unwrap()
}

#[test]
fn a_bundle_reads_back_as_it_was_from_its_own_folder_and_from_the_one_above() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("bundle");
    assert!(!Bundle::exists(folder.path()));
    save(&target);
    for path in [folder.path(), &target] {
        assert!(Bundle::exists(path));
        let bundle = Bundle::load(path, &Device::flex()).unwrap();
        assert_eq!(bundle.info(), &info(&tokenizer()));
        assert_eq!(
            bundle.text_classifier().unwrap().labels(),
            ["ham", "spam", "other"]
        );
    }
}

#[test]
fn a_text_gets_the_same_probabilities_alone_and_in_a_batch() {
    let classifier = loaded().into_text_classifier().unwrap();
    let together = classifier.predict(&TEXTS).unwrap();
    assert_eq!(together.len(), TEXTS.len());
    let first = &together[0].probabilities;
    for (text, in_batch) in TEXTS.iter().zip(&together) {
        let alone = classifier.predict(&[text]).unwrap().remove(0);
        assert_eq!(alone.truncated, in_batch.truncated, "{text:?}");
        for (a, b) in alone.probabilities.iter().zip(&in_batch.probabilities) {
            assert!((a - b).abs() < 1e-6, "{text:?}: {a} alone, {b} in a batch");
        }
    }
    // Or the comparison above would hold for a model that reads nothing.
    let differs = |p: &[f64]| p.iter().zip(first).any(|(a, b)| (a - b).abs() > 0.01);
    assert!(together[1..].iter().all(|p| differs(&p.probabilities)));
    let truncated: Vec<bool> = together.iter().map(|p| p.truncated).collect();
    assert_eq!(truncated, [false, false, false, false, false, false, true]);
}

#[test]
fn threads_and_the_number_of_texts_change_no_answer_and_no_order() {
    let one = loaded().into_text_classifier().unwrap();
    let many = loaded()
        .into_text_classifier()
        .unwrap()
        .with_workers(Workers::new(3));
    // More than a batch, lengths mixed.
    let texts: Vec<&str> = (0..100).map(|i| TEXTS[(i * 5) % TEXTS.len()]).collect();
    let expected = one.predict(&texts).unwrap();
    assert_eq!(many.predict(&texts).unwrap(), expected);
    for (i, prediction) in expected.iter().enumerate().skip(TEXTS.len()) {
        let twin = &expected[i - TEXTS.len()];
        for (a, b) in prediction.probabilities.iter().zip(&twin.probabilities) {
            assert!((a - b).abs() < 1e-6, "text {i}");
        }
    }
    assert!(one.predict::<&str>(&[]).unwrap().is_empty());
}

#[test]
fn probabilities_sum_to_one_and_the_class_is_the_largest() {
    for prediction in loaded()
        .into_text_classifier()
        .unwrap()
        .predict(&TEXTS)
        .unwrap()
    {
        let sum: f64 = prediction.probabilities.iter().sum();
        assert!((sum - 1.0).abs() < 1e-12);
        let most = prediction.probabilities.iter().copied().fold(0.0, f64::max);
        assert_eq!(prediction.probability(), most);
    }
}

#[test]
fn a_saved_bundle_replaces_the_one_before_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("bundle");
    save(&target);
    // What a killed save left beside it is no obstacle.
    std::fs::create_dir(folder.path().join("bundle.part")).unwrap();
    std::fs::create_dir(folder.path().join("bundle.old")).unwrap();
    std::fs::write(target.join("stray"), "x").unwrap();
    save(&target);
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .chain(std::fs::read_dir(&target).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "bundle",
            "bundle.json",
            "tokenizer.json",
            "weights.safetensors"
        ]
    );
}

#[test]
fn what_is_no_bundle_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let run = folder.path().join("run");
    std::fs::create_dir_all(run.join("checkpoints")).unwrap();
    let message = |path: &Path| match Bundle::load(path, &Device::flex()) {
        Err(error @ BundleError::Missing { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(message(folder.path()).ends_with("found a folder without bundle.json"));
    assert!(message(&file).ends_with("found a file"));
    assert!(message(&folder.path().join("none")).ends_with("found nothing"));
    let unfinished = message(&run);
    assert!(
        unfinished.ends_with(
            "found a run that is not finished (run `regard train` on it again to finish it)"
        ),
        "{unfinished}"
    );
}
