//! Whole configurations, right and wrong.

use std::path::Path;

use proptest::prelude::*;

use super::*;

const SMALLEST: &str = "version = 1\ntask = \"text-classification\"\n[data]\ntrain = \"t.tsv\"\n";

fn read(text: &str) -> Result<Config, ConfigError> {
    parse::<&str>(text, Path::new("c.toml"), &[])
}

fn read_set(overrides: &[&str]) -> Result<Config, ConfigError> {
    parse(SMALLEST, Path::new("c.toml"), overrides)
}

/// The message for `SMALLEST` with `lines` behind it.
fn message(lines: &str) -> String {
    read(&format!("{SMALLEST}{lines}"))
        .expect_err("the lines are wrong")
        .to_string()
}

#[test]
fn the_smallest_configuration_is_filled_with_defaults() {
    let config = read(SMALLEST).unwrap();
    assert_eq!(config.data.train, Path::new("t.tsv"));
    assert_eq!(config.data.valid, Some(Source::Share(0.1)));
    assert_eq!(config.data.text_column, Column::Name("text".to_owned()));
    assert_eq!(config.train.betas, [0.9, 0.999]);
    assert_eq!(config.train.warmup, Period::Percent(5.0));
    assert_eq!(config.train.clip_norm(), Some(1.0));
    assert_eq!(config.eval.every, Period::Epochs(1.0));
    assert_eq!(config.eval.mode(), Mode::Max);
    assert_eq!(config.model.n_kv_heads, None);
    assert_eq!(config.model.attention.mechanism, Mechanism::Full);
}

/// A value of each kind that differs from every default.
fn other_value(key: &ConfigKey) -> String {
    match key.kind() {
        Kind::Integer { .. } if key.name() == "dataset_size" => "5000".to_owned(),
        Kind::Integer { min, max } if min == max => min.to_string(),
        Kind::Integer { min, .. } => (min + 1).to_string(),
        Kind::Float(_) if key.name() == "delta" => "0.0005".to_owned(),
        Kind::Float(_) => "0.5".to_owned(),
        Kind::PrivacyUnit => "\"user:name\"".to_owned(),
        Kind::AnyOf { names } => format!("[{:?}]", names[0]),
        Kind::Bool => "false".to_owned(),
        Kind::Name | Kind::Path | Kind::PathOrShare => "\"other\"".to_owned(),
        Kind::OneOf { names, .. } => format!("{:?}", names.last().unwrap()),
        Kind::Texts { .. } => "[\"ham\", \"spam\"]".to_owned(),
        Kind::Floats { len, .. } => format!("[{}]", vec!["0.5"; *len].join(", ")),
        Kind::ClassWeights => "[0.5, 2.0]".to_owned(),
        Kind::GradientCheckpointing => "{ memory = \"1536 MiB\" }".to_owned(),
        Kind::Columns => "[\"a\", 3]".to_owned(),
        Kind::Quantiles => "[0.25, 0.5]".to_owned(),
        Kind::Extent => "77".to_owned(),
        Kind::Column if key.name() == "text_column" => "7".to_owned(),
        Kind::Column => "8".to_owned(),
        Kind::Period { .. } => "\"0.5 epochs\"".to_owned(),
    }
}

/// What a private configuration needs, but for its budget.
fn private() -> Vec<String> {
    [
        "privacy.delta=1e-5",
        "privacy.dataset_size=1000",
        "data.labels=[\"a\", \"b\"]",
        "tokenizer.kind=bytes",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
fn every_key_of_the_table_reaches_its_field_and_the_resolved_file() {
    for key in KEYS {
        // Only these contradict what the other keys are by default.
        let neighbours: &[&str] = match key.path().as_str() {
            "data.header" => &["data.text_column=0", "data.label_column=1"],
            "eval.mode" => &["eval.metric=loss"],
            "model.n_heads" => &["model.d_model=4"],
            "model.d_model" => &["model.n_heads=2"],
            "tokenizer.file" => &["tokenizer.kind=bpe"],
            "data.lookback" => &["model.patch.length=1", "model.patch.stride=1"],
            // Its second value, 2, is even.
            "model.stem.kernel" => continue,
            "model.patch.length" => &["model.patch.stride=1"],
            "eval.metric" => &["task=series-forecasting", "model.quantiles=[0.5]"],
            "privacy.unit" => &["privacy.max_rows_per_unit=4"],
            "data.calendar" => &["data.time_column=7"],
            "data.split.by" => &["data.id_column=9"],
            _ => &[],
        };
        let task = format!("task={}", key.tasks()[0].name());
        let mut overrides = vec![task];
        overrides.extend(neighbours.iter().map(|&s| s.to_owned()));
        if key.section() == "privacy" {
            overrides.extend(private());
            if key.name() != "noise_multiplier" {
                overrides.push("privacy.epsilon=3".to_owned());
            }
        }
        overrides.push(format!("{}={}", key.path(), other_value(key)));
        let config = parse(SMALLEST, Path::new("c.toml"), &overrides).unwrap();
        let resolved = config.to_toml().unwrap();
        let line = format!("\n{} = {}\n", key.name(), other_value(key));
        assert!(
            format!("\n{resolved}").contains(&line),
            "{line} in {resolved}"
        );
        assert_eq!(read(&resolved).unwrap(), config);
    }
}

#[test]
fn every_name_of_a_choice_is_a_value_of_its_field() {
    for key in KEYS {
        let Kind::OneOf { names, .. } = key.kind() else {
            continue;
        };
        for name in *names {
            let assignment = format!("{}={name}", key.path());
            // A task that has the key and, where it is a metric, the metric; and what else the name asks for.
            let tasks = key.tasks().iter().filter(|task| {
                let has = |metric: &MetricName| metric.name() == *name;
                key.name() != "metric" || task.metrics().iter().any(has)
            });
            let task = tasks.map(|task| task.name()).next().expect("some task");
            let mut settings = vec![format!("task={task}"), assignment.clone()];
            match *name {
                "min" => settings.push("eval.metric=loss".to_owned()),
                "pinball" => settings.push("model.quantiles=[0.5]".to_owned()),
                "id" => settings.push("data.id_column=9".to_owned()),
                _ => {}
            }
            if key.section() == "privacy" {
                settings.extend(private());
                settings.push("privacy.epsilon=3".to_owned());
            }
            let config = parse(SMALLEST, Path::new("c.toml"), &settings);
            assert!(config.is_ok(), "{assignment}: {config:?}");
        }
    }
}

#[test]
fn the_resolved_file_is_in_the_order_of_the_table() {
    let resolved = read_set(&["name=try", "model.n_kv_heads=2"])
        .unwrap()
        .to_toml()
        .unwrap();
    assert_eq!(
        resolved,
        "\
version = 1
task = \"text-classification\"
seed = 0
name = \"try\"

[data]
train = \"t.tsv\"
valid = 0.1
header = true
text_column = \"text\"
label_column = \"label\"
memory_mib = 32

[tokenizer]
kind = \"words\"
vocab_size = 8000
min_frequency = 1
max_length = 128
lowercase = true

[model]
d_model = 128
n_layers = 2
n_heads = 4
n_kv_heads = 2
d_ff = 256
activation = \"gelu\"
norm_position = \"pre\"
position = \"learned\"
pooling = \"mean\"
dropout = 0.1
attention_dropout = 0.0

[model.attention]
mechanism = \"full\"

[train]
epochs = 10
batch_size = 32
shards = 4
optimizer = \"adamw\"
momentum = 0.9
trainable = \"all\"
learning_rate = 0.0005
betas = [0.9, 0.999]
epsilon = 0.00000001
schedule = \"cosine\"
warmup = \"5%\"
weight_decay = 0.01
max_grad_norm = 1.0
label_smoothing = 0.0
word_dropout = 0.0
mixup = 0.0
layer_decay = 1.0
class_weights = \"none\"
ema = 0.0
gradient_checkpointing = \"none\"
on_nan = \"stop\"

[eval]
every = \"1 epoch\"
metric = \"accuracy\"
keep = \"best\"

[checkpoint]
keep = 2

[report]
tensorboard = false
html = true
examples = true
"
    );
}

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
fn a_run_continues_with_new_resumable_keys_and_with_no_others() {
    let saved = read(SMALLEST).unwrap();
    let path = Path::new("runs/a/config.toml");
    let longer = read_set(&[
        "train.epochs=20",
        "checkpoint.keep=5",
        "train.micro_batch=8",
    ])
    .unwrap();
    longer.check_resume(&saved, path).unwrap();
    assert_eq!(longer.fingerprint().unwrap(), saved.fingerprint().unwrap());

    let other = read_set(&["train.epochs=20", "model.d_model=64", "model.n_kv_heads=2"]).unwrap();
    assert_ne!(other.fingerprint().unwrap(), saved.fingerprint().unwrap());
    let error = other.check_resume(&saved, path).unwrap_err();
    assert_eq!(error.problems().len(), 2);
    let message = error.to_string();
    for line in [
        "2 problems with continuing the run of runs/a/config.toml",
        "`model.d_model`: expected 128, as the run began, found 64",
        "`model.n_kv_heads`: expected nothing, as the run began, found 2",
        "hint: this key is fixed once a run has begun: set it back, or begin another run with --out",
    ] {
        assert!(message.contains(line), "{message}");
    }
}

#[test]
fn a_program_cannot_write_a_seed_that_toml_does_not_have() {
    let mut config = read(SMALLEST).unwrap();
    config.seed = u64::MAX;
    assert!(matches!(config.to_toml(), Err(ConfigError::Unwritable(_))));
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    let load = || load::<&str>(&path, &[]).unwrap_err();
    assert!(
        load()
            .to_string()
            .starts_with("cannot read the configuration")
    );
    std::fs::write(&path, b"version = 1\nname = \"\xff\"").unwrap();
    assert!(
        load()
            .to_string()
            .ends_with("is not UTF-8: line 2, byte 20 of the file")
    );
    std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
    assert!(
        load()
            .to_string()
            .ends_with("has more than 1048576 bytes; is it the right file?")
    );
}

#[test]
fn a_file_with_a_byte_order_mark_and_crlf_is_read() {
    let text = format!("\u{feff}{}", SMALLEST.replace('\n', "\r\n"));
    assert_eq!(read(&text).unwrap(), read(SMALLEST).unwrap());
}

#[test]
fn a_data_file_is_one_problem_however_many_lines_it_has() {
    for data in [
        "good\tsome text\nbad\tother text\n".repeat(100),
        "text,label\n\"a, b\",1\n".repeat(100),
        "{\"text\": \"a\", \"label\": \"b\"}\n".repeat(100),
    ] {
        assert_eq!(
            read(&data).unwrap_err().to_string(),
            "1 problem with the configuration c.toml\n  c.toml:1: expected a configuration in TOML, \
             found something else; is it a data file?\n    \
             hint: `regard init FILE` proposes a configuration for a data file"
        );
    }
    // A typing error in a configuration keeps its own message.
    let message = read("version = 1\ntask: text\n").unwrap_err().to_string();
    assert!(
        message.contains("c.toml:2: expected valid TOML"),
        "{message}"
    );
}

#[test]
fn what_is_wrong_elsewhere_leaves_the_data_to_look_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    let data_of = |lines: &str| {
        std::fs::write(&path, format!("{SMALLEST}{lines}")).unwrap();
        load_data_alone::<&str>(&path, &[])
            .unwrap()
            .map(|config| config.data)
    };
    let data = data_of(
        "header = false\ntext_column = 1\nlabel_column = 0\n[train]\nepochs = 0\nepoch = 3\n",
    )
    .unwrap();
    assert_eq!((data.header, data.text_column), (false, Column::Number(1)));
    for doubtful in [
        "heder = false\n",
        "header = 3\n",
        "header = = 3\n",
        "text_column = \"label\"\n",
    ] {
        assert_eq!(data_of(doubtful), None, "{doubtful}");
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

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        let _ = read(&text);
    }

    #[test]
    fn no_value_makes_it_panic(key in 0..KEYS.len(), value in "[-+0-9a-z\"\\[\\]{}.,% ]{0,12}") {
        let _ = read_set(&[&format!("{}={value}", KEYS[key].path())]);
    }

    #[test]
    fn what_is_accepted_is_resolved_to_itself(
        seed in 0..i64::MAX,
        rate in 1e-12..100.0_f64,
        share in 0.001..0.999_f64,
        percent in 0.0..100.0_f64,
        name in "[a-zA-Z0-9 äß\"'=#_-]{1,20}",
    ) {
        prop_assume!(name.trim() == name);
        let config = read_set(&[
            &format!("seed={seed}"),
            &format!("train.learning_rate={rate:?}"),
            &format!("data.valid={share:?}"),
            &format!("train.warmup={percent}%"),
            &format!("name={}", toml::Value::String(name.clone())),
        ]).unwrap();
        prop_assert_eq!(config.seed as i64, seed);
        prop_assert_eq!(config.train.learning_rate, rate);
        prop_assert_eq!(config.name.as_ref(), Some(&name));
        prop_assert_eq!(read(&config.to_toml().unwrap()).unwrap(), config);
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

/// A configuration of series with these lines behind it.
fn series(lines: &str) -> Result<Config, ConfigError> {
    let smallest = "version = 1\ntask = \"series-forecasting\"\n[data]\ntrain = \"t.csv\"\n";
    read(&format!("{smallest}{lines}"))
}

#[test]
fn a_key_that_the_task_does_not_have_is_refused_and_not_written() {
    let message = series("text_column = \"a\"\n[train]\nword_dropout = 0.1\nmixup = 0.2\n")
        .expect_err("keys of texts")
        .to_string();
    for part in [
        "c.toml:5: `data.text_column`: expected no such key, since `task` is \"series-forecasting\", found \"a\"",
        "c.toml:7: `train.word_dropout`: expected no such key",
        "c.toml:8: `train.mixup`: expected no such key",
        "it is a key of text-classification",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    let config = series("[data.split]\ntrain = 8640\nvalid = 0.2\n").unwrap();
    assert_eq!(config.data.split.train, Extent::Rows(8640));
    assert_eq!(config.data.split.valid, Some(Extent::Share(0.2)));
    assert_eq!(config.eval.metric, MetricName::Mse);
    let resolved = config.to_toml().unwrap();
    assert!(
        !resolved.contains("tokenizer") && !resolved.contains("text_column"),
        "{resolved}"
    );
    assert_eq!(read(&resolved).unwrap(), config);
    let text = read(SMALLEST).unwrap().to_toml().unwrap();
    assert!(
        !text.contains("lookback") && !text.contains("anomaly"),
        "{text}"
    );
}

#[test]
fn contradictions_of_series_are_refused() {
    for (lines, expected) in [
        (
            "[model.patch]\nlength = 8\nstride = 9\n",
            "c.toml:7: `model.patch.stride`: expected at most `model.patch.length` (8), found 9",
        ),
        (
            "lookback = 8\n",
            "`model.patch.length`: expected at most `data.lookback` (8), found 16",
        ),
        (
            "[eval]\nmetric = \"pinball\"\n",
            "`eval.metric`: expected a figure of points, since `model.quantiles` is not set",
        ),
        (
            "[eval]\nmetric = \"accuracy\"\n",
            "`eval.metric`: expected one of mse, mae, pinball, loss, since `task` is \"series-forecasting\"",
        ),
        (
            "time_column = \"a\"\ntarget_columns = [\"b\", \"a\"]\n",
            "`data.target_columns`: expected another column than `data.time_column`, found \"a\" for both",
        ),
        (
            "calendar = [\"day\"]\n",
            "c.toml:5: `data.calendar`: expected no cycle, since `data.time_column` is not set, found some",
        ),
        (
            "time_column = \"a\"\ncalendar = [\"hour\"]\n",
            "`data.calendar`: expected a list of \"day\", \"week\", \"year\"",
        ),
        (
            "header = false\ntime_column = \"a\"\n",
            "`data.time_column`: expected a column's number, since `data.header` is false",
        ),
        (
            "[model]\nquantiles = [0.5, 0.1]\n",
            "`model.quantiles`: expected a list of numbers in (0, 1), each above the one before",
        ),
    ] {
        let message = series(lines).expect_err("a contradiction").to_string();
        assert!(message.contains(expected), "{expected} in {message}");
    }
}

#[test]
fn a_part_in_a_file_of_its_own_leaves_its_share_to_training() {
    let parts = |lines: &str| {
        let config = series(lines).unwrap();
        let again = read(&config.to_toml().unwrap()).unwrap();
        assert_eq!(again, config, "{lines}");
        let split = config.data.split;
        (split.train, split.valid, split.test)
    };
    let share = Extent::Share;
    for (lines, expected) in [
        ("", (share(0.7), Some(share(0.1)), Some(share(0.2)))),
        ("test = \"e.csv\"\n", (share(0.9), Some(share(0.1)), None)),
        ("valid = \"v.csv\"\n", (share(0.8), None, Some(share(0.2)))),
        (
            "valid = \"v.csv\"\ntest = \"e.csv\"\n",
            (share(1.0), None, None),
        ),
        (
            "test = \"e.csv\"\n[data.split]\ntrain = 0.5\n",
            (share(0.5), Some(share(0.1)), None),
        ),
        (
            "test = \"e.csv\"\n[data.split]\nvalid = 100\n",
            (share(0.7), Some(Extent::Rows(100)), None),
        ),
    ] {
        assert_eq!(parts(lines), expected, "{lines}");
    }
}

#[test]
fn a_part_that_is_told_twice_is_refused() {
    for (lines, expected) in [
        (
            "test = \"e.csv\"\n[data.split]\ntest = 0.2\n",
            "c.toml:7: `data.split.test`: expected nothing, since `data.test` is \"e.csv\", found 0.2",
        ),
        (
            "valid = \"v.csv\"\n[data.split]\nvalid = 50\n",
            "`data.split.valid`: expected nothing, since `data.valid` is \"v.csv\", found 50",
        ),
        (
            "test = 0.2\n",
            "c.toml:5: `data.test`: expected a file, found the share 0.2",
        ),
        (
            "valid = \"t.csv\"\n",
            "`data.valid`: expected another file than `data.train`",
        ),
        (
            "[data.split]\nby = \"id\"\n",
            "`data.split.by`: expected \"time\", since `data.id_column` is not set, found \"id\"",
        ),
        (
            "id_column = \"meter\"\n[data.split]\nby = \"id\"\ntrain = 20\n",
            "`data.split.train`: expected a share of the series, since `data.split.by` is \"id\", found 20 rows",
        ),
    ] {
        let message = series(lines).expect_err("a contradiction").to_string();
        assert!(message.contains(expected), "{expected} in {message}");
    }
}
