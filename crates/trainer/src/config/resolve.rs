//! From what was written to a [`Config`]: every key checked, every default filled in.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use super::conflict::conflicts;
use super::error::{ConfigError, Origin, Problem};
use super::keys::{DefaultValue, KEYS, Key, OPTIONAL_SECTIONS};
use super::kind::describe;
use super::names::Task;
use super::privacy::set_private_defaults;
use super::ranges::{self, SearchRanges};
use super::raw::{Raw, read_file};
use super::split::set_split_defaults;
use super::types::Config;

/// Reads, checks and resolves the configuration at `path`, under `overrides` of the form
/// `section.key=value`.
///
/// Paths in a configuration are relative to the current directory, as on a command line, and stay
/// as they were written.
///
/// # Errors
///
/// [`ConfigError`], which lists every problem at once.
pub fn load<S: AsRef<str>>(path: &Path, overrides: &[S]) -> Result<Config, ConfigError> {
    parse(&read_file(path)?, path, overrides)
}

/// [`load`] for a text that is already in memory; `path` only names it in messages.
///
/// # Errors
///
/// [`ConfigError::Invalid`], which lists every problem at once.
pub fn parse<S: AsRef<str>>(
    text: &str,
    path: &Path,
    overrides: &[S],
) -> Result<Config, ConfigError> {
    resolve_text(text, path, overrides).map(|resolved| resolved.config)
}

/// The settings of the data of a configuration that is wrong elsewhere, everything else at its default; `None` if what is
/// wrong may be about the data.
///
/// # Errors
///
/// If the file cannot be read.
pub(crate) fn load_data_alone<S: AsRef<str>>(
    path: &Path,
    overrides: &[S],
) -> Result<Option<Config>, ConfigError> {
    let mut raw = Raw::read(&read_file(path)?);
    for argument in overrides {
        raw.set(argument.as_ref());
    }
    // A key that is unknown or broken may be one of the data's that was misspelt.
    let is_in_doubt = |problem: &Problem| problem.key.is_empty() || problem.key.starts_with("data");
    if raw.has_gaps || raw.problems.iter().any(is_in_doubt) {
        return Ok(None);
    }
    let needed = |path: &str| path.starts_with("data.") || matches!(path, "version" | "task");
    raw.values.retain(|path, _| needed(path));
    raw.problems.clear();
    raw.sections.clear();
    Ok(resolve(raw).ok().map(|resolved| resolved.config))
}

/// [`load`] with the ranges of `[tune.ranges]`, in which a search looks for better settings.
///
/// # Errors
///
/// [`ConfigError`], which lists every problem at once.
pub fn load_search<S: AsRef<str>>(
    path: &Path,
    overrides: &[S],
) -> Result<(Config, SearchRanges), ConfigError> {
    parse_search(&read_file(path)?, path, overrides)
}

/// [`load_search`] for a text that is already in memory; `path` only names it in messages.
///
/// # Errors
///
/// [`ConfigError::Invalid`], which lists every problem at once.
pub fn parse_search<S: AsRef<str>>(
    text: &str,
    path: &Path,
    overrides: &[S],
) -> Result<(Config, SearchRanges), ConfigError> {
    resolve_text(text, path, overrides).map(|resolved| (resolved.config, resolved.ranges))
}

/// What a text says.
pub(super) struct Resolved {
    pub config: Config,
    pub ranges: SearchRanges,
    /// Where the value of each key was written, by path.
    pub origins: BTreeMap<String, Origin>,
}

/// [`parse`] with all that the text says.
pub(super) fn resolve_text<S: AsRef<str>>(
    text: &str,
    path: &Path,
    overrides: &[S],
) -> Result<Resolved, ConfigError> {
    let mut raw = Raw::read(text);
    for argument in overrides {
        raw.set(argument.as_ref());
    }
    resolve(raw).map_err(|mut problems| {
        problems.sort_by_key(|problem| match problem.origin {
            Origin::Line(line) => line,
            Origin::Argument(_) | Origin::Nowhere => usize::MAX,
        });
        ConfigError::Invalid {
            path: path.to_owned(),
            problems,
        }
    })
}

fn resolve(raw: Raw) -> Result<Resolved, Vec<Problem>> {
    let Raw {
        mut values,
        ranges,
        mut problems,
        sections,
        has_gaps,
    } = raw;
    let mut resolved = Table::new();
    let mut origins = BTreeMap::new();
    let mut doubtful: Vec<String> = problems.iter().map(|p| p.key.clone()).collect();
    let ranges = ranges::check(ranges, &mut problems);
    let absent: Vec<&str> = OPTIONAL_SECTIONS
        .iter()
        .copied()
        .filter(|section| {
            let inside = |path: &String| path.rsplit_once('.').is_some_and(|(s, _)| s == *section);
            !sections.contains(*section) && !values.keys().any(inside)
        })
        .collect();
    let task = task_of(&values);
    for key in KEYS.iter().filter(|key| !absent.contains(&key.section)) {
        let path = key.path();
        let written = values.remove(&path);
        let (written, foreign) = match (written, task) {
            (Some((value, origin)), Some(task)) if !key.is_of(task) => {
                problems.push(of_another_task(key, task, &value, origin));
                (None, true)
            }
            (written, task) => (written, task.is_some_and(|task| !key.is_of(task))),
        };
        let in_task = task.unwrap_or(Task::TextClassification);
        let origin = written.as_ref().map_or(Origin::Nowhere, |(_, o)| o.clone());
        let checked = match written {
            Some((value, _)) => key.kind.check(value).map(Some).map_err(|wrong| Problem {
                origin: origin.clone(),
                key: path.clone(),
                expected: wrong.expected,
                found: wrong.found,
                hint: wrong.hint,
            }),
            None if foreign => Ok(stand_in(key, in_task)),
            None => default_of(key, in_task).ok_or_else(|| missing(key)),
        };
        let value = match checked {
            Ok(value) => value,
            Err(problem) => {
                // A section that is none, or a line that is no TOML, may have held the key.
                let may_be_there = has_gaps || doubtful.iter().any(|path| path == key.section);
                if problem.origin != Origin::Nowhere || !may_be_there {
                    problems.push(problem);
                }
                doubtful.push(path.clone());
                stand_in(key, in_task)
            }
        };
        if let Some(value) = value {
            section_of(&mut resolved, key.section).insert(key.name.to_owned(), value);
        }
        origins.insert(path, origin);
    }
    let written = |path: &str| origins.get(path).is_some_and(|o| *o != Origin::Nowhere);
    if resolved.contains_key("privacy") {
        set_private_defaults(&mut resolved, written);
    }
    if task.is_some_and(Task::has_windows) {
        set_split_defaults(&mut resolved, written);
    }
    match Config::deserialize(resolved) {
        Ok(config) => {
            let certain = conflicts(&config)
                .into_iter()
                .filter(|conflict| {
                    let in_doubt = |key: &&str| doubtful.iter().any(|path| path == key);
                    !conflict.keys.iter().any(in_doubt)
                })
                .map(|conflict| {
                    let written = |key: &&str| {
                        origins
                            .get(*key)
                            .filter(|origin| **origin != Origin::Nowhere)
                    };
                    Problem {
                        origin: (conflict.keys.iter().find_map(written).cloned())
                            .unwrap_or(Origin::Nowhere),
                        key: conflict.keys[0].to_owned(),
                        expected: conflict.expected,
                        found: conflict.found,
                        hint: conflict.hint,
                    }
                });
            problems.extend(certain);
            if problems.is_empty() {
                return Ok(Resolved {
                    config,
                    ranges,
                    origins,
                });
            }
        }
        // The table and the structs disagree, which a test of every key rules out; should it
        // happen all the same, the user is told and nothing starts.
        Err(error) => problems.push(Problem {
            origin: Origin::Nowhere,
            key: String::new(),
            expected: "values of the types of this build".to_owned(),
            found: error.message().to_owned(),
            hint: None,
        }),
    }
    Err(problems)
}

/// The task that was written, where it is one.
fn task_of(values: &BTreeMap<String, (Value, Origin)>) -> Option<Task> {
    let name = values.get("task")?.0.as_str()?;
    Task::ALL.iter().copied().find(|task| task.name() == name)
}

/// The problem of a key that the task does not have: it would be ignored.
fn of_another_task(key: &Key, task: Task, value: &Value, origin: Origin) -> Problem {
    let tasks: Vec<&str> = key.tasks().iter().map(|task| task.name()).collect();
    Problem {
        origin,
        key: key.path(),
        expected: format!("no such key, since `task` is \"{}\"", task.name()),
        found: describe(value),
        hint: Some(format!("it is a key of {}", tasks.join(", "))),
    }
}

/// The table of a section; the sections above it are made on the way.
fn section_of<'a>(root: &'a mut Table, section: &str) -> &'a mut Table {
    let mut table = root;
    for name in section.split('.').filter(|name| !name.is_empty()) {
        let entry = table
            .entry(name)
            .or_insert_with(|| Value::Table(Table::new()));
        table = entry
            .as_table_mut()
            .expect("no key bears the name of a section, as a test of the table of keys shows");
    }
    table
}

fn literal(text: &str) -> Value {
    let table: Table = format!("value = {text}")
        .parse()
        .expect("every literal in the table of keys is TOML, as a test shows");
    table["value"].clone()
}

/// The value of a key that was not written: `Some(None)` stays unset, `None` is missing.
fn default_of(key: &Key, task: Task) -> Option<Option<Value>> {
    match key.default_in(task) {
        DefaultValue::Required(_) => None,
        DefaultValue::Unset(_) => Some(None),
        DefaultValue::Is(text) => Some(Some(literal(text))),
    }
}

impl Key {
    /// The default as a value, where there is one.
    #[must_use]
    pub fn default_value(&self) -> Option<serde_json::Value> {
        self.default_value_in(Task::TextClassification)
    }

    /// The default of a task as a value, where there is one.
    #[must_use]
    pub fn default_value_in(&self, task: Task) -> Option<serde_json::Value> {
        let value = default_of(self, task).flatten()?;
        Some(serde_json::json!(value))
    }
}

/// What a wrong key is taken for while the rest is checked.
fn stand_in(key: &Key, task: Task) -> Option<Value> {
    match key.default_in(task) {
        DefaultValue::Unset(_) => None,
        DefaultValue::Required(text) | DefaultValue::Is(text) => Some(literal(text)),
    }
}

fn missing(key: &Key) -> Problem {
    let example = match key.default {
        DefaultValue::Required(text) | DefaultValue::Is(text) => text,
        DefaultValue::Unset(_) => "…",
    };
    let place = match key.section {
        "" => "at the top of the file".to_owned(),
        section => format!("in [{section}]"),
    };
    Problem {
        origin: Origin::Nowhere,
        key: key.path(),
        expected: key.kind.to_string(),
        found: "nothing".to_owned(),
        hint: Some(format!("write `{} = {example}` {place}", key.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys;
    use super::*;

    #[test]
    fn every_literal_of_the_table_is_a_value_of_its_key() {
        for key in KEYS {
            if let Some(value) = stand_in(key, Task::TextClassification) {
                assert_eq!(key.kind.check(value.clone()), Ok(value), "{}", key.path());
            }
        }
    }

    #[test]
    fn a_default_is_a_value_of_its_own_type() {
        let default = |path| keys::find(path).and_then(Key::default_value);
        assert_eq!(
            default("train.betas"),
            Some(serde_json::json!([0.9, 0.999]))
        );
        assert_eq!(default("eval.every"), Some(serde_json::json!("1 epoch")));
        assert_eq!(default("data.header"), Some(serde_json::json!(true)));
        assert_eq!(default("data.train"), None);
        assert_eq!(default("model.n_kv_heads"), None);
    }

    #[test]
    fn no_key_stands_twice_or_bears_the_name_of_a_section() {
        let mut paths: Vec<String> = KEYS.iter().map(Key::path).collect();
        paths.extend(keys::sections().into_iter().map(str::to_owned));
        let count = paths.len();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), count);
    }
}
