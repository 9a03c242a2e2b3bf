//! Settings of the command line over those of the file.

use std::path::Path;

use super::*;

#[test]
fn arguments_go_over_the_file_and_take_bare_text() {
    let config = read_set(&[
        "train.epochs=3",
        "train.epochs = 4",
        "train.schedule=linear",
        "name=7",
        "data.text_column=2",
        "data.label_column=is spam",
        "data.valid=../v 1.tsv",
        "data.labels=[\"ham\", \"spam\"]",
        "train.warmup=1 epoch",
        "train.learning_rate=1e-3",
        "data.header=true",
    ])
    .unwrap();
    assert_eq!(config.train.epochs, 4);
    assert_eq!(config.train.schedule, ScheduleKind::Linear);
    assert_eq!(config.name.as_deref(), Some("7"));
    assert_eq!(config.data.text_column, Column::Number(2));
    assert_eq!(config.data.label_column, Column::Name("is spam".to_owned()));
    assert_eq!(config.data.valid, Some(Source::Path("../v 1.tsv".into())));
    assert_eq!(config.data.labels.unwrap(), ["ham", "spam"]);
    assert_eq!(config.train.warmup, Period::Epochs(1.0));
    assert_eq!(config.train.learning_rate, 1e-3);
}

#[test]
fn an_argument_mends_what_the_file_has_wrong() {
    let text = format!("{SMALLEST}[train]\nepochs = \"many\"\n");
    assert!(read(&text).is_err());
    assert!(parse(&text, Path::new("c.toml"), &["train.epochs=2"]).is_ok());
}

#[test]
fn wrong_arguments_are_named() {
    let message = read_set(&[
        "train.epoch=3",
        "train.epochs",
        "train.epochs=0",
        "train.shards=a\nb=1",
    ])
    .unwrap_err()
    .to_string();
    assert_eq!(
        message,
        "\
4 problems with the configuration c.toml
  --set train.epoch=3: `train.epoch`: expected a key of [train], found an unknown one
    hint: did you mean `train.epochs`?
  --set train.epochs: expected section.key=value, found no `=`
    hint: for instance: --set train.epochs=3
  --set train.epochs=0: `train.epochs`: expected an integer from 1 to 1000000000, found 0
  --set train.shards=a b=1: `train.shards`: expected an integer from 1 to 1024, found \"a\\nb=1\""
    );
}

#[test]
fn names_that_would_leave_the_folder_of_runs_are_refused() {
    for name in ["../up", "a/b", "..", ".hidden", "C:x", "a\\b", ""] {
        let message = read_set(&[&format!("name={name}")])
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("`name`: expected a name without /"),
            "{message}"
        );
    }
}

#[test]
fn a_section_is_set_key_by_key() {
    for argument in ["data={}", "data=x", "model.attention={}"] {
        let message = read_set(&[argument]).unwrap_err().to_string();
        assert!(
            message.contains("expected a single key, found a whole section"),
            "{message}"
        );
    }
    let message = read_set(&["data={}"]).unwrap_err().to_string();
    assert!(
        message.ends_with("hint: set its keys one by one, for instance --set data.train=…"),
        "{message}"
    );
}
