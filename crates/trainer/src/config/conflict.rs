//! Settings that are right by themselves and wrong together.

use std::path::Path;

use regard_model::gradient_checkpointing::GradientCheckpointing;

use super::names::{Keep, MetricName, Position, Task, Trainable};
use super::types::Config;
use super::values::{Column, Period, Source};

/// 256 bytes and five special tokens.
const SMALLEST_BPE: usize = 261;
/// A training step of more needs over 32 GB for weights, gradients and moments alone.
const MOST_PARAMETERS: f64 = 2e9;

/// Keys whose values contradict each other; the first is named, and the first one written is shown.
pub(super) struct Conflict {
    pub keys: &'static [&'static str],
    pub expected: String,
    pub found: String,
    pub hint: Option<String>,
}

/// Every contradiction in a configuration.
pub(super) fn conflicts(config: &Config) -> Vec<Conflict> {
    let mut found = Vec::new();
    match config.task {
        Task::TextClassification => data(config, &mut found),
        Task::SeriesForecasting | Task::SeriesAnomaly => {
            own_files(config, &mut found);
            super::split::conflicts(config, &mut found);
            series(config, &mut found);
        }
        Task::SeriesClassification => {
            parts(config, &mut found);
            series(config, &mut found);
            let data = &config.data;
            if data.target_columns.is_some() && data.id_column.is_none() {
                found.push(Conflict {
                    keys: &["data.target_columns", "data.id_column"],
                    expected: "none, since `data.id_column` is not set".to_owned(),
                    found: "a list of columns".to_owned(),
                    hint: Some(
                        "without ids a row is a whole series, and its columns are its steps"
                            .to_owned(),
                    ),
                });
            }
        }
    }
    metric(config, &mut found);
    model(config, &mut found);
    train(config, &mut found);
    frozen(config, &mut found);
    super::privacy::conflicts(config, &mut found);
    found
}

fn data(config: &Config, conflicts: &mut Vec<Conflict>) {
    let data = &config.data;
    if let (Some(_), Some(file)) = (&config.train.init_from, &config.tokenizer.file) {
        conflicts.push(Conflict {
            keys: &["tokenizer.file", "train.init_from"],
            expected: "nothing beside `train.init_from`, whose tokenizer is used".to_owned(),
            found: file.display().to_string(),
            hint: Some("other tokens would have the weights of these".to_owned()),
        });
    }
    let columns: [(&'static [&'static str], &Column); 2] = [
        (&["data.text_column", "data.header"], &data.text_column),
        (&["data.label_column", "data.header"], &data.label_column),
    ];
    for (keys, column) in columns {
        if let (Column::Name(_), false) = (column, data.header) {
            conflicts.push(Conflict {
                keys,
                expected: "a column's number, since `data.header` is false".to_owned(),
                found: format!("the name {column}"),
                hint: Some("columns are numbered from 0".to_owned()),
            });
        }
    }
    if data.text_column == data.label_column {
        conflicts.push(Conflict {
            keys: &["data.label_column", "data.text_column"],
            expected: "another column than `data.text_column`".to_owned(),
            found: format!("{} for both", data.label_column),
            hint: None,
        });
    }
    parts(config, conflicts);
}

/// Parts of the data in files of their own, or as shares.
fn parts(config: &Config, conflicts: &mut Vec<Conflict>) {
    own_files(config, conflicts);
    if let (Some(Source::Share(valid)), Some(Source::Share(test))) =
        (&config.data.valid, &config.data.test)
        && valid + test >= 1.0
    {
        conflicts.push(Conflict {
            keys: &["data.valid", "data.test"],
            expected: "a share that with `data.test` leaves some data to train on".to_owned(),
            found: format!("{valid} + {test}"),
            hint: None,
        });
    }
}

/// Whether parts in files of their own are different files.
fn own_files(config: &Config, conflicts: &mut Vec<Conflict>) {
    let data = &config.data;
    let own_file: [(&'static [&'static str], Option<&Source>); 2] = [
        (&["data.valid", "data.train"], data.valid.as_ref()),
        (&["data.test", "data.train"], data.test.as_ref()),
    ];
    for (keys, source) in own_file {
        if let Some(Source::Path(path)) = source
            && *path == data.train
        {
            conflicts.push(Conflict {
                keys,
                expected: "another file than `data.train`".to_owned(),
                found: format!("{path:?} for both"),
                hint: Some(match config.task.has_windows() {
                    true => "leave the key out: [data.split] holds out a part of it".to_owned(),
                    false => "a share, such as 0.1, holds out a part of it".to_owned(),
                }),
            });
        }
    }
    if let (Some(Source::Path(valid)), Some(Source::Path(test))) = (&data.valid, &data.test)
        && valid == test
    {
        conflicts.push(Conflict {
            keys: &["data.test", "data.valid"],
            expected: "another file than `data.valid`".to_owned(),
            found: format!("{test:?} for both"),
            hint: Some(
                "the model is chosen on `data.valid`, so it cannot be judged there".to_owned(),
            ),
        });
    }
}

fn series(config: &Config, conflicts: &mut Vec<Conflict>) {
    let (data, patch) = (&config.data, &config.model.patch);
    let targets = data.target_columns.iter().flatten();
    let columns = (data.time_column.iter().map(|c| ("data.time_column", c)))
        .chain(data.id_column.iter().map(|c| ("data.id_column", c)))
        .chain(targets.map(|c| ("data.target_columns", c)));
    let mut named: Vec<(&'static str, &Column)> = Vec::new();
    for (key, column) in columns {
        if let (Column::Name(_), false) = (column, data.header) {
            conflicts.push(Conflict {
                keys: match key {
                    "data.time_column" => &["data.time_column", "data.header"],
                    "data.id_column" => &["data.id_column", "data.header"],
                    _ => &["data.target_columns", "data.header"],
                },
                expected: "a column's number, since `data.header` is false".to_owned(),
                found: format!("the name {column}"),
                hint: Some("columns are numbered from 0".to_owned()),
            });
        }
        if let Some((other, _)) = named.iter().find(|(_, seen)| *seen == column) {
            conflicts.push(Conflict {
                keys: match key {
                    "data.id_column" => &["data.id_column", "data.time_column"],
                    _ => &["data.target_columns", "data.time_column", "data.id_column"],
                },
                expected: format!("another column than `{other}`"),
                found: format!("{column} for both"),
                hint: None,
            });
        }
        named.push((key, column));
    }
    if !data.calendar.is_empty() && data.time_column.is_none() {
        conflicts.push(Conflict {
            keys: &["data.calendar", "data.time_column"],
            expected: "no cycle, since `data.time_column` is not set".to_owned(),
            found: "some".to_owned(),
            hint: Some("name the column of times, from which the calendar follows".to_owned()),
        });
    }
    if patch.stride > patch.length {
        conflicts.push(Conflict {
            keys: &["model.patch.stride", "model.patch.length"],
            expected: format!("at most `model.patch.length` ({})", patch.length),
            found: patch.stride.to_string(),
            hint: Some("the steps between would be in no patch".to_owned()),
        });
    }
    let kernel = config.model.stem.kernel;
    if kernel.is_multiple_of(2) {
        conflicts.push(Conflict {
            keys: &["model.stem.kernel"],
            expected: "an odd number".to_owned(),
            found: kernel.to_string(),
            hint: Some("a step has as many neighbours before it as behind it".to_owned()),
        });
    }
    if patch.length > data.lookback && config.task != Task::SeriesClassification {
        conflicts.push(Conflict {
            keys: &["model.patch.length", "data.lookback"],
            expected: format!("at most `data.lookback` ({})", data.lookback),
            found: patch.length.to_string(),
            hint: None,
        });
    }
}

/// Whether the task has the figure that models are chosen by.
fn metric(config: &Config, conflicts: &mut Vec<Conflict>) {
    let (task, metric) = (config.task, config.eval.metric);
    let names: Vec<&str> = task.metrics().iter().map(|metric| metric.name()).collect();
    if !task.metrics().contains(&metric) {
        conflicts.push(Conflict {
            keys: &["eval.metric", "task"],
            expected: format!(
                "one of {}, since `task` is \"{}\"",
                names.join(", "),
                task.name()
            ),
            found: format!("\"{}\"", metric.name()),
            hint: None,
        });
    } else if metric == MetricName::Pinball && config.model.quantiles.is_none() {
        conflicts.push(Conflict {
            keys: &["eval.metric", "model.quantiles"],
            expected: "a figure of points, since `model.quantiles` is not set".to_owned(),
            found: "\"pinball\"".to_owned(),
            hint: Some("set model.quantiles, such as [0.1, 0.5, 0.9]".to_owned()),
        });
    }
}

fn model(config: &Config, conflicts: &mut Vec<Conflict>) {
    let model = &config.model;
    if !model.d_model.is_multiple_of(model.n_heads) {
        let below = model.d_model / model.n_heads * model.n_heads;
        let above = below + model.n_heads;
        conflicts.push(Conflict {
            keys: &["model.d_model", "model.n_heads"],
            expected: format!("a multiple of `model.n_heads` ({})", model.n_heads),
            found: model.d_model.to_string(),
            hint: Some(match below {
                0 => format!("{above} is one"),
                _ => format!("{below} and {above} are the nearest"),
            }),
        });
    }
    if let Some(n_kv_heads) = model.n_kv_heads
        && !model.n_heads.is_multiple_of(n_kv_heads)
    {
        conflicts.push(Conflict {
            keys: &["model.n_kv_heads", "model.n_heads"],
            expected: format!("a divisor of `model.n_heads` ({})", model.n_heads),
            found: n_kv_heads.to_string(),
            hint: Some("each key and value head serves a group of query heads".to_owned()),
        });
    }
    if model.position == Position::Sinusoidal && !model.d_model.is_multiple_of(2) {
        conflicts.push(Conflict {
            keys: &["model.d_model", "model.position"],
            expected: "an even number, since `model.position` is \"sinusoidal\"".to_owned(),
            found: model.d_model.to_string(),
            hint: Some("sines and cosines come in pairs".to_owned()),
        });
    }
    let tokenizer = &config.tokenizer;
    if tokenizer.kind == super::TokenizerKind::Bpe
        && tokenizer.file.is_none()
        && tokenizer.vocab_size < SMALLEST_BPE
    {
        conflicts.push(Conflict {
            keys: &["tokenizer.vocab_size", "tokenizer.kind"],
            expected: format!("at least {SMALLEST_BPE}, since `tokenizer.kind` is \"bpe\""),
            found: tokenizer.vocab_size.to_string(),
            hint: Some("each byte and each special token is one of them".to_owned()),
        });
    }
    // The tables of tokens and positions, and the matrices of the blocks; in f64, or a hostile
    // configuration overflows it.
    let [d, d_ff, layers] = [model.d_model, model.d_ff, model.n_layers].map(|n| n as f64);
    let tables = match config.task {
        Task::TextClassification => (tokenizer.vocab_size + tokenizer.max_length) as f64 * d,
        Task::SeriesClassification => 0.0,
        Task::SeriesForecasting | Task::SeriesAnomaly => {
            // The flattened head.
            let data = &config.data;
            let positions = (data.lookback / config.model.patch.stride) as f64;
            let outputs = config.model.quantiles.as_ref().map_or(1, Vec::len);
            positions * d * (1 + outputs * data.horizon) as f64
        }
    };
    let parameters = tables + layers * (4.0 * d * d + 2.0 * d * d_ff);
    if parameters > MOST_PARAMETERS {
        conflicts.push(Conflict {
            keys: &[
                "model.d_model",
                "model.n_layers",
                "model.d_ff",
                "tokenizer.vocab_size",
            ],
            expected: format!("sizes that make at most {MOST_PARAMETERS:e} parameters"),
            found: format!("sizes that make {parameters:.1e}"),
            hint: Some("a model for some thousand texts has a million or less".to_owned()),
        });
    }
    if let Some(file) = &config.tokenizer.file
        && config.tokenizer.kind == super::TokenizerKind::Bytes
    {
        conflicts.push(Conflict {
            keys: &["tokenizer.file", "tokenizer.kind"],
            expected: "no file, since `tokenizer.kind` is \"bytes\"".to_owned(),
            found: format!("{:?}", Path::new(file)),
            hint: Some("a byte tokenizer has nothing to load".to_owned()),
        });
    }
}

fn train(config: &Config, conflicts: &mut Vec<Conflict>) {
    let train = &config.train;
    if let Some(micro_batch) = train.micro_batch
        && micro_batch > train.batch_size
    {
        conflicts.push(Conflict {
            keys: &["train.micro_batch", "train.batch_size"],
            expected: format!("at most `train.batch_size` ({})", train.batch_size),
            found: micro_batch.to_string(),
            hint: None,
        });
    }
    let all: Option<(&'static [&'static str], String)> = match (train.warmup, train.max_steps) {
        (Period::Steps(warmup), Some(max_steps)) if warmup > max_steps => Some((
            &["train.warmup", "train.max_steps"],
            format!("at most `train.max_steps` ({max_steps})"),
        )),
        (Period::Epochs(warmup), _) if warmup > train.epochs as f64 => Some((
            &["train.warmup", "train.epochs"],
            format!("at most `train.epochs` ({})", train.epochs),
        )),
        _ => None,
    };
    if let Some((keys, expected)) = all {
        conflicts.push(Conflict {
            keys,
            expected,
            found: train.warmup.to_string(),
            hint: Some("the learning rate would never reach its height".to_owned()),
        });
    }
    if let Some(mode) = config.eval.mode
        && mode != config.eval.metric.mode()
    {
        let metric = config.eval.metric;
        conflicts.push(Conflict {
            keys: &["eval.mode", "eval.metric"],
            expected: format!(
                "\"{}\", since `eval.metric` is \"{}\"",
                metric.mode().name(),
                metric.name()
            ),
            found: format!("\"{}\"", mode.name()),
            hint: Some("leave the key out: the metric knows its direction".to_owned()),
        });
    }
    if let (Keep::Last, Some(patience), None) =
        (config.eval.keep, train.early_stopping, &config.privacy)
    {
        conflicts.push(Conflict {
            keys: &["eval.keep", "train.early_stopping"],
            expected: "\"best\" beside `train.early_stopping`".to_owned(),
            found: "\"last\"".to_owned(),
            hint: Some(format!(
                "the last model would be the one that was no better than another for {patience} \
                 evaluations; leave one of the two keys out"
            )),
        });
    }
}

fn frozen(config: &Config, conflicts: &mut Vec<Conflict>) {
    let train = &config.train;
    if train.trainable != Trainable::All
        && train.gradient_checkpointing != GradientCheckpointing::None
    {
        conflicts.push(Conflict {
            keys: &["train.gradient_checkpointing", "train.trainable"],
            expected: "\"none\", since `train.trainable` is not \"all\"".to_owned(),
            found: "another".to_owned(),
            hint: Some(
                "what is frozen keeps little for the backward pass; a smaller \
                 `train.micro_batch` bounds the rest"
                    .to_owned(),
            ),
        });
    }
}
