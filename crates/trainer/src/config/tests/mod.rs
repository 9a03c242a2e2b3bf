//! Whole configurations, right and wrong.

mod arguments;
mod files;
mod keys;
mod messages;
mod privacy;
mod series;

use std::path::Path;

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
