//! What is wrong, and how it is said.

use std::path::Path;

use super::*;

#[test]
fn all_problems_are_reported_at_once_in_the_order_of_the_file() {
    let error = read(
        "version = 2
task = \"text-clasification\"
epochs = 3
[data]
trian = \"t.tsv\"
valid = \"0.1\"
[model]
d_model = 130
dropout = nan
[trian]
epochs = 3
[train]
learning_rate = 1e308
warmup = \"5\"
batch_size = 16.0
",
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "\
12 problems with the configuration c.toml
  c.toml:1: `version`: expected the integer 1, found 2
  c.toml:2: `task`: expected \"text-classification\", \"series-forecasting\", \"series-classification\" or \"series-anomaly\", found \"text-clasification\"
    hint: did you mean \"text-classification\"?
  c.toml:3: `epochs`: expected a known key or section, found an unknown one
    hint: did you mean `train.epochs`?
  c.toml:5: `data.trian`: expected a key of [data], found an unknown one
    hint: did you mean `data.train`?
  c.toml:6: `data.valid`: expected a path, or a share in (0, 1), found \"0.1\"
    hint: write a share without quotation marks
  c.toml:8: `model.d_model`: expected a multiple of `model.n_heads` (4), found 130
    hint: 128 and 132 are the nearest
  c.toml:9: `model.dropout`: expected a number in [0, 1), found NaN
  c.toml:10: `trian`: expected a known key or section, found an unknown one
    hint: did you mean [train]?
  c.toml:13: `train.learning_rate`: expected a number in (0, 100], found 1e308
  c.toml:14: `train.warmup`: expected an integer (steps), \"5%\" or \"1 epoch\", found \"5\"
    hint: write steps without quotation marks
  c.toml:15: `train.batch_size`: expected an integer from 1 to 1048576, found 16.0
    hint: write 16 without a point or exponent
  c.toml: `data.train`: expected a path, found nothing
    hint: write `train = \"data/train.tsv\"` in [data]"
    );
}

#[test]
fn each_wrong_value_has_its_message() {
    for (lines, expected) in [
        (
            "header = 1",
            "`data.header`: expected true or false, found 1",
        ),
        (
            "text_column = -1",
            "`data.text_column`: expected a column's name, or its number from 0, found -1",
        ),
        (
            "valid = 1.0",
            "`data.valid`: expected a path, or a share in (0, 1), found 1.0",
        ),
        (
            "test = \"\"",
            "`data.test`: expected a path, or a share in (0, 1), found \"\"",
        ),
        (
            "labels = [\"a\", \"a\"]",
            "found [\"a\", \"a\"]\n    hint: \"a\" stands twice",
        ),
        (
            "labels = [\"a\", 1]",
            "found [\"a\", 1]\n    hint: 1 is no such text",
        ),
        (
            "labels = [\"a\"]",
            "expected a list of at least 2 different, non-empty texts, found [\"a\"]",
        ),
        (
            "format = \"xlsx\"",
            "`data.format`: expected \"csv\", \"tsv\", \"jsonl\" or \"folder\", found \"xlsx\"",
        ),
        (
            "[model]\nd_model = 0",
            "`model.d_model`: expected an integer from 1 to 65536, found 0",
        ),
        (
            "[model]\nd_model = 99999999999999999999",
            "`model.d_model`: expected a value that fits in 64 bits",
        ),
        ("[model]\nd_model = [[1]]", "found a list of 1"),
        (
            "[model]\nn_heads = {a = 1}",
            "`model.n_heads`: expected an integer from 1 to 1024, found a table",
        ),
        (
            "[model]\ndropout = 1",
            "`model.dropout`: expected a number in [0, 1), found 1",
        ),
        (
            "[model]\ndropout = inf",
            "`model.dropout`: expected a number in [0, 1), found inf",
        ),
        ("[model]\ndropout = 2026-01-01", "found the date 2026-01-01"),
        (
            "[model.attention]\nmechanism = \"window\"",
            "`model.attention.mechanism`: expected \"full\", found \"window\"",
        ),
        (
            "[train]\nbetas = [0.9]",
            "`train.betas`: expected a list of 2 numbers in [0, 0.9999999], found [0.9]",
        ),
        (
            "[train]\nbetas = [0.9, 1.0]",
            "found [0.9, 1.0]\n    hint: 1.0 is not",
        ),
        (
            "[train]\nwarmup = \"1 week\"",
            "expected an integer (steps), \"5%\" or \"1 epoch\", found \"1 week\"",
        ),
        (
            "[eval]\nevery = 0",
            "`eval.every`: expected an integer (steps), \"5%\" or \"1 epoch\", more than none, found 0",
        ),
        ("[eval]\nevery = \"0%\"", "found \"0%\""),
        (
            "[train]\nxylophone = 1",
            "`train.xylophone`: expected a key of [train], found an unknown one\n    hint: `regard config schema` lists every key",
        ),
        (
            "[zebra]\na = 1",
            "`zebra`: expected a known key or section, found an unknown one",
        ),
        (
            "[[train]]",
            "`train`: expected a section [train], found a value of type array",
        ),
        (
            "[train]\nepochs = ",
            "c.toml:6: expected valid TOML, found this:",
        ),
        (
            "[train]\nepochs = 1\nepochs = 2",
            "c.toml:7: expected valid TOML, found this: duplicate key",
        ),
    ] {
        let message = message(lines);
        assert!(
            message.contains(expected),
            "{lines}\ngave\n{message}\nwithout\n{expected}"
        );
        assert!(
            message.starts_with("1 problem with"),
            "{lines}\ngave\n{message}"
        );
    }
}

#[test]
fn each_contradiction_has_its_message() {
    for (overrides, expected) in [
        (
            &["data.header=false", "data.label_column=0"][..],
            "--set data.header=false: `data.text_column`: expected a column's number, since `data.header` is false, found the name \"text\"",
        ),
        (
            &["data.text_column=1", "data.label_column=1"],
            "`data.label_column`: expected another column than `data.text_column`, found 1 for both",
        ),
        (
            &["data.valid=t.tsv"],
            "`data.valid`: expected another file than `data.train`, found \"t.tsv\" for both",
        ),
        (
            &["data.test=t.tsv"],
            "`data.test`: expected another file than `data.train`",
        ),
        (
            &["data.test=v.tsv", "data.valid=v.tsv"],
            "`data.test`: expected another file than `data.valid`",
        ),
        (
            &["data.valid=0.5", "data.test=0.5"],
            "`data.valid`: expected a share that with `data.test` leaves some data to train on, found 0.5 + 0.5",
        ),
        (
            &["model.d_model=3"],
            "expected a multiple of `model.n_heads` (4), found 3\n    hint: 4 is one",
        ),
        (
            &["model.n_kv_heads=3"],
            "`model.n_kv_heads`: expected a divisor of `model.n_heads` (4), found 3",
        ),
        (
            &[
                "model.d_model=3",
                "model.n_heads=3",
                "model.position=sinusoidal",
            ],
            "expected an even number, since `model.position` is \"sinusoidal\", found 3",
        ),
        (
            &["tokenizer.kind=bytes", "tokenizer.file=t.json"],
            "`tokenizer.file`: expected no file, since `tokenizer.kind` is \"bytes\"",
        ),
        (
            &["train.micro_batch=33"],
            "`train.micro_batch`: expected at most `train.batch_size` (32), found 33",
        ),
        (
            &["train.warmup=9", "train.max_steps=8"],
            "`train.warmup`: expected at most `train.max_steps` (8), found 9",
        ),
        (
            &["train.warmup=11 epochs"],
            "`train.warmup`: expected at most `train.epochs` (10), found 11 epochs",
        ),
        (
            &["eval.mode=min"],
            "`eval.mode`: expected \"max\", since `eval.metric` is \"accuracy\", found \"min\"",
        ),
        (
            &["eval.keep=last", "train.early_stopping=3"],
            "`eval.keep`: expected \"best\" beside `train.early_stopping`, found \"last\"",
        ),
    ] {
        let message = read_set(overrides).unwrap_err().to_string();
        assert!(message.contains(expected), "{overrides:?}\ngave\n{message}");
        assert!(
            message.starts_with("1 problem with"),
            "{overrides:?}\ngave\n{message}"
        );
    }
}

#[test]
fn a_contradiction_with_a_wrong_key_is_not_guessed_at() {
    // d_model is no multiple of the default n_heads, but nobody asked for the default.
    let message = message("[model]\nd_model = 130\nn_heads = \"ten\"");
    assert!(message.starts_with("1 problem"), "{message}");
}

#[test]
fn choices_of_the_design_are_refused_as_not_there_yet() {
    let error = read(
        "version = 1\ntask = \"series-anomaly\"\n[data]\ntrain = \"a\"\n[anomaly]\nmethod = \"reconstruction\"",
    );
    let message = error.unwrap_err().to_string();
    assert!(
        message.contains("hint: this build does not have \"reconstruction\" yet"),
        "{message}"
    );
}

/// Hostile files of the full size; each must end in an error, and the whole suite's time shows
/// that none is slow.
#[test]
fn bombs_are_refused() {
    let size = 1 << 20;
    for bomb in [
        "[".repeat(size),
        format!("a = {}", "[".repeat(size)),
        format!("a = {}", "{a=".repeat(size / 3)),
        "a.".repeat(size / 2),
        format!("[{}a]", "a.".repeat(size / 2 - 2)),
        "[[a]]\n".repeat(size / 6),
        (0..size / 9).map(|i| format!("k{i} = 1\n")).collect(),
        format!("{}\"", "\"a\" = ".repeat(size / 7)),
        format!("[train]\nepochs = {}", "9".repeat(size)),
        format!("{SMALLEST}labels = [{}]", "\"a\",".repeat(size / 4)),
        "\n=".repeat(size / 2),
    ] {
        let message = read(&bomb).unwrap_err().to_string();
        assert!(message.len() < 20_000, "{} bytes", message.len());
    }
}

#[test]
fn stages_that_run_again_are_read_in_every_form_and_slips_are_explained() {
    use regard_model::gradient_checkpointing::GradientCheckpointing as Stages;
    let read = |value: &str| {
        let text = format!("{SMALLEST}\n[train]\ngradient_checkpointing = {value}\n");
        parse::<&str>(&text, Path::new("c.toml"), &[])
    };
    for (value, expected) in [
        ("\"none\"", Stages::None),
        ("\"every-block\"", Stages::EveryBlock),
        ("{every = 3}", Stages::Every(3)),
        ("{memory = \"1.5 GiB\"}", Stages::Memory(3 << 29)),
    ] {
        let config = read(value).unwrap();
        assert_eq!(config.train.gradient_checkpointing, expected);
        let again = config.to_toml().unwrap();
        let again = parse::<&str>(&again, Path::new("c.toml"), &[]).unwrap();
        assert_eq!(again, config);
        // It may change when a run is continued.
        let plain = read("\"none\"").unwrap();
        assert_eq!(plain.fingerprint().unwrap(), config.fingerprint().unwrap());
    }
    for (value, expected) in [
        ("\"every-blok\"", "did you mean \"every-block\"?"),
        (
            "{every = 0}",
            "every is 0, expected an integer from 1 to 1024",
        ),
        (
            "{memory = \"2 GB\"}",
            "memory is \"2 GB\", expected an amount such as \"2 GiB\"",
        ),
        ("{evry = 2}", "`evry` is unknown; did you mean `every`?"),
        (
            "{every = 2, memory = \"1 GiB\"}",
            "it has 2 keys, and needs one",
        ),
        ("2", "{memory = \"2 GiB\"}"),
    ] {
        let error = read(value).unwrap_err().to_string();
        assert!(error.contains(expected), "{value}: {error}");
    }
}
