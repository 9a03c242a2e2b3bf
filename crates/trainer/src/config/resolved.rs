//! The resolved file, and what of it is fixed once a run has begun.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use toml::{Table, Value};

use super::error::{ConfigError, Origin, Problem};
use super::keys::{KEYS, Key};
use super::kind::describe;
use super::types::Config;

impl Config {
    /// The resolved configuration: every key with its value, in the order of the table of keys.
    ///
    /// [`super::parse`] reads it back to an equal [`Config`].
    ///
    /// # Errors
    ///
    /// [`ConfigError::Unwritable`] for a value that no file can have led to, such as a seed of 2^63.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        self.render(|_| true)
    }

    /// A hash of everything that is fixed once a run has begun, in hexadecimal.
    ///
    /// # Errors
    ///
    /// As [`Config::to_toml`].
    pub fn fingerprint(&self) -> Result<String, ConfigError> {
        let fixed = self.render(|key| !key.resumable)?;
        Ok(blake3::hash(fixed.as_bytes()).to_hex().to_string())
    }

    /// A hash of every setting, in hexadecimal.
    ///
    /// # Errors
    ///
    /// As [`Config::to_toml`].
    pub fn whole_hash(&self) -> Result<String, ConfigError> {
        let whole = self.render(|_| true)?;
        Ok(blake3::hash(whole.as_bytes()).to_hex().to_string())
    }

    /// Refuses to continue a run whose own configuration is `saved`, read from `path`, under this
    /// one, if a key differs that is fixed once the run has begun.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Resume`], which names every such key with both values; or as
    /// [`Config::to_toml`].
    pub fn check_resume(&self, saved: &Self, path: &Path) -> Result<(), ConfigError> {
        let (now, before) = (Table::try_from(self)?, Table::try_from(saved)?);
        let show = |value: Option<&Value>| value.map_or("nothing".to_owned(), describe);
        let problems: Vec<Problem> = KEYS
            .iter()
            .filter(|key| !key.resumable)
            .map(|key| (key, value_of(&before, key), value_of(&now, key)))
            .filter(|(_, before, now)| before != now)
            .map(|(key, before, now)| Problem {
                origin: Origin::Nowhere,
                key: key.path(),
                expected: format!("{}, as the run began", show(before)),
                found: show(now),
                hint: Some(
                    "this key is fixed once a run has begun: set it back, or begin another run \
                     with --out"
                        .to_owned(),
                ),
            })
            .collect();
        if problems.is_empty() {
            return Ok(());
        }
        Err(ConfigError::Resume {
            path: path.to_owned(),
            problems,
        })
    }

    /// This configuration with some keys set otherwise, by path; checked as a file is.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which lists every value that its key does not take and every contradiction.
    pub fn with_values(&self, values: &BTreeMap<String, Value>) -> Result<Self, ConfigError> {
        let settings: Vec<String> = values
            .iter()
            .map(|(path, value)| format!("{path}={value}"))
            .collect();
        super::parse(&self.to_toml()?, Path::new("with other values"), &settings)
    }

    /// The value of a key, by path; none where it is not set.
    ///
    /// # Errors
    ///
    /// As [`Config::to_toml`].
    pub fn value(&self, path: &str) -> Result<Option<Value>, ConfigError> {
        let table = Table::try_from(self)?;
        let key = KEYS.iter().find(|key| key.path() == path);
        Ok(key.and_then(|key| value_of(&table, key)).cloned())
    }

    /// The paths of the keys that have other values in `other`.
    ///
    /// # Errors
    ///
    /// As [`Config::to_toml`].
    pub fn differing_keys(&self, other: &Self) -> Result<Vec<String>, ConfigError> {
        let (a, b) = (Table::try_from(self)?, Table::try_from(other)?);
        let differ = KEYS
            .iter()
            .filter(|key| value_of(&a, key) != value_of(&b, key));
        Ok(differ.map(Key::path).collect())
    }

    fn render(&self, wanted: impl Fn(&Key) -> bool) -> Result<String, ConfigError> {
        let table = Table::try_from(self)?;
        let mut text = String::new();
        let mut section = "";
        let of_task = |key: &&Key| key.is_of(self.task);
        for key in KEYS.iter().filter(of_task).filter(|key| wanted(key)) {
            let Some(value) = value_of(&table, key) else {
                continue;
            };
            if key.section != section {
                section = key.section;
                let _ = write!(text, "\n[{section}]\n");
            }
            let _ = writeln!(text, "{} = {value}", key.name);
        }
        Ok(text)
    }
}

pub(super) fn value_of<'a>(table: &'a Table, key: &Key) -> Option<&'a Value> {
    let mut table = table;
    for name in key.section.split('.').filter(|name| !name.is_empty()) {
        table = table.get(name)?.as_table()?;
    }
    table.get(key.name)
}
