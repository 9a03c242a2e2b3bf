//! A configuration with the place that each of its values came from.

use std::path::Path;

use toml::{Table, Value};

use super::error::{ConfigError, Origin};
use super::keys::{KEYS, Key, OPTIONAL_SECTIONS};
use super::raw::read_file;
use super::resolve::{Resolved, resolve_text};
use super::resolved::value_of;
use super::types::Config;

/// A key of a configuration, its value, and where that was written.
#[derive(Clone, Debug)]
pub struct Setting {
    key: &'static Key,
    value: Option<Value>,
    origin: Origin,
}

impl Setting {
    /// The key.
    #[must_use]
    pub const fn key(&self) -> &'static Key {
        self.key
    }

    /// The value as the resolved file has it; none where the key stays unset.
    #[must_use]
    pub fn value(&self) -> Option<String> {
        self.value.as_ref().map(ToString::to_string)
    }

    /// The value for programs; null where there is none.
    #[must_use]
    pub fn json_value(&self) -> serde_json::Value {
        serde_json::json!(self.value)
    }

    /// Where the value was written: [`Origin::Nowhere`] for a default.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// [`super::load`] with every key of the table and where its value was written.
///
/// # Errors
///
/// As [`super::load`].
pub fn explain<S: AsRef<str>>(
    path: &Path,
    overrides: &[S],
) -> Result<(Config, Vec<Setting>), ConfigError> {
    let Resolved {
        config,
        mut origins,
        ..
    } = resolve_text(&read_file(path)?, path, overrides)?;
    let table = Table::try_from(&config)?;
    // A section that means something by being there is not shown where it is not.
    let is_there = |key: &&Key| {
        key.is_of(config.task)
            && (!OPTIONAL_SECTIONS.contains(&key.section) || table.contains_key(key.section))
    };
    let settings = KEYS.iter().filter(is_there).map(|key| Setting {
        key,
        value: value_of(&table, key).cloned(),
        origin: origins.remove(&key.path()).unwrap_or(Origin::Nowhere),
    });
    let settings = settings.collect();
    Ok((config, settings))
}
