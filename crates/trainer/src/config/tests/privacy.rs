//! What `[privacy]` asks for.

use std::path::Path;

use super::*;

#[test]
fn what_would_break_a_promise_is_refused_with_the_reason() {
    let with = |more: &[&str]| {
        let mut settings = private();
        settings.push("privacy.epsilon=3".to_owned());
        settings.extend(more.iter().map(|s| (*s).to_owned()));
        parse(SMALLEST, Path::new("c.toml"), &settings)
    };
    for (more, expected) in [
        (
            &["train.max_grad_norm=1.0"][..],
            "`train.max_grad_norm`: expected nothing beside [privacy], found 1",
        ),
        (
            &["train.mixup=0.5"],
            "`train.mixup`: expected 0 beside [privacy]",
        ),
        (
            &["train.on_nan=skip"],
            "`train.on_nan`: expected \"stop\" beside [privacy], found \"skip\"",
        ),
        (
            &["train.early_stopping=3"],
            "`train.early_stopping`: expected nothing beside [privacy]",
        ),
        (
            &["eval.keep=best"],
            "`eval.keep`: expected \"last\" beside [privacy]",
        ),
        (
            &["train.class_weights=balanced"],
            "it counts the labels of private data",
        ),
        (
            &["report.examples=true"],
            "`report.examples`: expected false beside [privacy]",
        ),
        (
            &["tokenizer.kind=words"],
            "`tokenizer.kind`: expected \"bytes\", or a `tokenizer.file`",
        ),
        (
            &["privacy.public=[\"valid\"]"],
            "expected a file as `data.valid`",
        ),
        (
            &["privacy.noise_multiplier=1"],
            "expected nothing beside `privacy.epsilon`",
        ),
        (
            &["privacy.delta=0.01"],
            "publishing one unit whole would keep such a promise; 1 / dataset_size^1.1 is usual, here `delta = 5.0e-4`",
        ),
        (
            &["privacy.dataset_size=99", "privacy.delta=1e-3"],
            "noise that hides one of so few units",
        ),
        (
            &["train.batch_size=1001"],
            "`train.batch_size`: expected at most `privacy.dataset_size` (1000), found 1001",
        ),
        (
            &["privacy.sample_rate=0.1", "train.batch_size=32"],
            "`train.batch_size`: expected nothing beside `privacy.sample_rate`",
        ),
        (
            &["privacy.unit=user:name"],
            "`privacy.max_rows_per_unit`: expected a number",
        ),
        (
            &["privacy.unit=window"],
            "expected \"record\", \"document\" or \"user:COLUMN\", since the task is about texts",
        ),
        (&["privacy.public=[\"label\"]"], "did you mean \"labels\"?"),
    ] {
        let message = with(more).unwrap_err().to_string();
        assert!(message.contains(expected), "{more:?}\ngave\n{message}");
        assert!(
            message.starts_with("1 problem"),
            "{more:?}\ngave\n{message}"
        );
    }
    let config = with(&["privacy.sample_rate=0.1"]).unwrap();
    assert_eq!(config.train.batch_size, 100, "the expected batch");
    assert_eq!(config.eval.keep, Keep::Last);
    assert_eq!(config.train.clip_norm(), None);
    assert!(!config.report.examples);
    assert_eq!(read(&config.to_toml().unwrap()).unwrap(), config);
    let public = with(&[
        "privacy.public=[\"valid\", \"vocabulary\"]",
        "data.valid=v.tsv",
        "eval.keep=best",
        "tokenizer.kind=words",
    ]);
    assert!(public.is_ok(), "{public:?}");
}

#[test]
fn a_privacy_section_without_keys_is_one_that_lacks_everything() {
    let message = message("[privacy]");
    for missing in [
        "a budget",
        "`privacy.delta`",
        "`privacy.dataset_size`",
        "the labels",
        "`tokenizer.kind`",
    ] {
        assert!(message.contains(missing), "{missing} in\n{message}");
    }
}
