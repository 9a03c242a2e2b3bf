//! Every key: its field, its values, its place in the resolved file.

use std::path::Path;

use proptest::prelude::*;

use super::*;

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
fn a_program_cannot_write_a_seed_that_toml_does_not_have() {
    let mut config = read(SMALLEST).unwrap();
    config.seed = u64::MAX;
    assert!(matches!(config.to_toml(), Err(ConfigError::Unwritable(_))));
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
