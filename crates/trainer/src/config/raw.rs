//! From text to values with their places: the configuration as it was written.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::Value;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::error::{ConfigError, Origin, Problem};
use super::keys::{self, KEYS};
use super::kind::describe;
use super::nearest::nearest;
use super::ranges::WrittenRanges;

/// The section of a search, which no run depends on, and the one table in it.
const TUNE: &str = "tune";
const RANGES: &str = "tune.ranges";
/// The longest configuration that is read: far above any real one, far below what hurts.
const MAX_BYTES: u64 = 1 << 20;
/// The number of problems after which a file is no longer looked at.
const MAX_PROBLEMS: usize = 1000;

/// The values of a configuration by key path, with their places, before any is checked.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub values: BTreeMap<String, (Value, Origin)>,
    /// `[tune.ranges]`, by the path of the key that each is for.
    pub ranges: WrittenRanges,
    pub problems: Vec<Problem>,
    /// The sections that stand in the file, with keys or without.
    pub sections: BTreeSet<String>,
    /// Whether a part of the file is no TOML, so that what seems to be missing may stand there.
    pub has_gaps: bool,
}

/// The text of the file, under a cap that also stops devices without an end.
pub(super) fn read_file(path: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ConfigError::TooLong {
            path: path.to_owned(),
            max_bytes: MAX_BYTES,
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        ConfigError::NotUtf8 {
            path: path.to_owned(),
            line: Lines::new(error.as_bytes()).number(offset),
            offset,
        }
    })
}

/// The offsets of line ends: a search for each of a thousand problems, not a scan.
struct Lines(Vec<usize>);

impl Lines {
    fn new(bytes: &[u8]) -> Self {
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        Self(ends.map(|(offset, _)| offset).collect())
    }

    /// The 1-based number of the line that holds the byte at `offset`.
    fn number(&self, offset: usize) -> usize {
        1 + self.0.partition_point(|end| *end < offset)
    }
}

impl Raw {
    /// Reads TOML; what cannot be understood becomes a problem and the rest goes on.
    pub fn read(text: &str) -> Self {
        let mut raw = Self::default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = Lines::new(text.as_bytes());
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors.into_iter().take(MAX_PROBLEMS) {
            let line = error.span().map(|span| lines.number(span.start));
            raw.problems.push(Problem {
                origin: line.map_or(Origin::Nowhere, Origin::Line),
                key: String::new(),
                expected: "valid TOML".to_owned(),
                found: format!("this: {}", error.message()),
                hint: None,
            });
        }
        raw.has_gaps = !raw.problems.is_empty();
        if raw.has_gaps && !names_a_key(table.get_ref()) {
            // Fifty complaints about the lines of a table would say less.
            let first = raw.problems.swap_remove(0);
            raw.problems = vec![Problem {
                expected: "a configuration in TOML".to_owned(),
                found: "something else; is it a data file?".to_owned(),
                hint: Some(
                    "`regard init FILE` proposes a configuration for a data file".to_owned(),
                ),
                ..first
            }];
            return raw;
        }
        // What the parser put in place of a broken line is no value of the user's.
        let broken: Vec<Origin> = raw.problems.iter().map(|p| p.origin.clone()).collect();
        raw.read_section("", table.into_inner(), &lines, &broken);
        raw
    }

    fn read_section(
        &mut self,
        section: &str,
        table: DeTable<'_>,
        lines: &Lines,
        broken: &[Origin],
    ) {
        for (name, value) in table {
            if self.problems.len() >= MAX_PROBLEMS {
                return;
            }
            let span = name.span();
            let origin = Origin::Line(lines.number(span.start));
            let path = keys::join(section, name.get_ref());
            if path == TUNE || path == RANGES {
                self.read_tune(&path, origin, value, lines, broken);
                continue;
            }
            let is_section = is_section(&path);
            if is_section && value.get_ref().is_table() {
                if let DeValue::Table(inner) = value.into_inner() {
                    self.sections.insert(path.clone());
                    self.read_section(&path, inner, lines, broken);
                }
                continue;
            }
            if broken.contains(&origin) {
                continue;
            }
            if is_section {
                let type_name = value.get_ref().type_str();
                self.problems.push(not_a_section(path, origin, type_name));
            } else if keys::find(&path).is_none() {
                self.problems.push(unknown(section, name.get_ref(), origin));
            } else {
                match Value::deserialize(ValueDeserializer::from(value)) {
                    Ok(value) => {
                        self.values.insert(path, (value, origin));
                    }
                    Err(error) => self.problems.push(Problem {
                        origin,
                        key: path,
                        expected: "a value that fits in 64 bits".to_owned(),
                        found: format!("this: {}", error.message()),
                        hint: None,
                    }),
                }
            }
        }
    }

    /// Reads `[tune]`, or the table of ranges in it.
    fn read_tune(
        &mut self,
        path: &str,
        origin: Origin,
        value: Spanned<DeValue<'_>>,
        lines: &Lines,
        broken: &[Origin],
    ) {
        let type_name = value.get_ref().type_str();
        let DeValue::Table(table) = value.into_inner() else {
            if !broken.contains(&origin) {
                self.problems
                    .push(not_a_section(path.to_owned(), origin, type_name));
            }
            return;
        };
        if path == RANGES {
            return self.read_ranges("", table, lines, broken);
        }
        for (name, value) in table {
            let origin = Origin::Line(lines.number(name.span().start));
            let path = keys::join(TUNE, name.get_ref());
            if path == RANGES {
                self.read_tune(RANGES, origin, value, lines, broken);
            } else if !broken.contains(&origin) && self.problems.len() < MAX_PROBLEMS {
                let near = nearest(name.get_ref(), ["ranges"]);
                self.problems.push(Problem {
                    origin,
                    key: describe_path(&path),
                    expected: format!("a key of [{TUNE}]"),
                    found: "an unknown one".to_owned(),
                    hint: near
                        .map(|_| format!("did you mean `{RANGES}`?"))
                        .or_else(|| Some(format!("[{RANGES}] is all that it holds"))),
                });
            }
        }
    }

    /// Reads ranges: `"train.learning_rate" = …`, `train.learning_rate = …`, or in a table `train`.
    fn read_ranges(&mut self, section: &str, table: DeTable<'_>, lines: &Lines, broken: &[Origin]) {
        for (name, value) in table {
            if self.problems.len() >= MAX_PROBLEMS {
                return;
            }
            let origin = Origin::Line(lines.number(name.span().start));
            if broken.contains(&origin) {
                continue;
            }
            let path = keys::join(section, name.get_ref());
            if is_section(&path) && value.get_ref().is_table() {
                if let DeValue::Table(inner) = value.into_inner() {
                    self.read_ranges(&path, inner, lines, broken);
                }
                continue;
            }
            if keys::find(&path).is_none() {
                let (section, name) = path.rsplit_once('.').unwrap_or(("", &path));
                self.problems.push(unknown_range(section, name, origin));
                continue;
            }
            let problem = |expected: &str, found: String| Problem {
                origin: origin.clone(),
                key: keys::join(RANGES, &path),
                expected: expected.to_owned(),
                found,
                hint: None,
            };
            match Value::deserialize(ValueDeserializer::from(value)) {
                Ok(_) if self.ranges.contains_key(&path) => {
                    let problem = problem("one range", "two".to_owned());
                    self.problems.push(problem);
                }
                Ok(value) => {
                    self.ranges.insert(path, (value, origin));
                }
                Err(error) => {
                    let found = format!("this: {}", error.message());
                    let problem = problem("a value that fits in 64 bits", found);
                    self.problems.push(problem);
                }
            }
        }
    }

    /// Puts a range over what the file says.
    fn set_range(&mut self, path: &str, text: &str, origin: Origin) {
        if keys::find(path).is_none() {
            let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
            self.problems.push(unknown_range(section, name, origin));
            return;
        }
        let parsed = format!("value = {text}").parse::<toml::Table>().ok();
        let value = parsed
            .filter(|table| table.len() == 1)
            .and_then(|mut table| table.remove("value"))
            // A bare text is no range: that is said where ranges are checked.
            .unwrap_or_else(|| Value::String(text.to_owned()));
        self.ranges.insert(path.to_owned(), (value, origin));
    }

    /// Puts an argument of `--set`, `section.key=value`, over what the file says.
    pub fn set(&mut self, argument: &str) {
        let shown: String = argument.chars().take(80).collect();
        let shown = shown.replace(char::is_control, " ");
        let origin = Origin::Argument(shown);
        let Some((path, text)) = argument.split_once('=') else {
            self.problems.push(Problem {
                origin,
                key: String::new(),
                expected: "section.key=value".to_owned(),
                found: "no `=`".to_owned(),
                hint: Some("for instance: --set train.epochs=3".to_owned()),
            });
            return;
        };
        let path = path.trim();
        if let Some(path) = path.strip_prefix(RANGES).and_then(|p| p.strip_prefix('.')) {
            return self.set_range(path, text.trim(), origin);
        }
        if keys::sections().contains(&path) {
            let first = KEYS.iter().find(|key| key.section == path);
            let first = first.map_or_else(String::new, keys::Key::path);
            self.problems.push(Problem {
                origin,
                key: path.to_owned(),
                expected: "a single key".to_owned(),
                found: "a whole section".to_owned(),
                hint: Some(format!(
                    "set its keys one by one, for instance --set {first}=…"
                )),
            });
            return;
        }
        match keys::find(path) {
            Some(key) => {
                let value = key.kind.read_argument(text.trim());
                self.values.insert(path.to_owned(), (value, origin));
            }
            None => {
                let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
                self.problems.push(unknown(section, name, origin));
            }
        }
    }
}

/// Whether keys, or sections of keys, stand under this path.
fn is_section(path: &str) -> bool {
    keys::sections()
        .iter()
        .any(|known| *known == path || known.starts_with(&format!("{path}.")))
}

fn not_a_section(path: String, origin: Origin, type_name: &str) -> Problem {
    Problem {
        origin,
        expected: format!("a section [{path}]"),
        found: format!("a value of type {type_name}"),
        key: path,
        hint: None,
    }
}

/// The problem of a range for a key that the table does not have.
fn unknown_range(section: &str, name: &str, origin: Origin) -> Problem {
    let problem = unknown(section, name, origin);
    Problem {
        key: keys::join(RANGES, &problem.key),
        ..problem
    }
}

/// Whether at least one line says something that a configuration may say.
fn names_a_key(table: &DeTable<'_>) -> bool {
    table.iter().any(|(name, value)| {
        let name = name.get_ref().as_ref();
        match value.get_ref() {
            DeValue::Table(_) => (keys::sections().iter())
                .chain([TUNE].iter())
                .any(|known| known.split('.').next() == Some(name)),
            _ => keys::find(name).is_some(),
        }
    })
}

/// The problem of a key that the table does not have, with the key that was probably meant.
fn unknown(section: &str, name: &str, origin: Origin) -> Problem {
    let here = KEYS.iter().filter(|key| key.section == section);
    let known_section = section.is_empty() || keys::sections().contains(&section);
    let path = keys::join(section, name);
    let paths: Vec<String> = KEYS.iter().map(keys::Key::path).collect();
    let elsewhere = || {
        KEYS.iter()
            .find(|key| key.name == name)
            .map(keys::Key::path)
    };
    let hint = nearest(name, here.map(|key| key.name))
        .map(|near| keys::join(section, near))
        .or_else(elsewhere)
        .or_else(|| nearest(&path, paths.iter().map(String::as_str)).map(str::to_owned))
        .map(|near| format!("did you mean `{near}`?"))
        .or_else(|| nearest(&path, keys::sections()).map(|near| format!("did you mean [{near}]?")));
    Problem {
        origin,
        key: describe_path(&path),
        expected: match section {
            "" => "a known key or section".to_owned(),
            _ if known_section => format!("a key of [{section}]"),
            _ => "a known section".to_owned(),
        },
        found: "an unknown one".to_owned(),
        hint: hint.or_else(|| Some("`regard config schema` lists every key".to_owned())),
    }
}

/// A path from outside, short and without control characters.
fn describe_path(path: &str) -> String {
    let plain = path.len() <= 60 && !path.contains(char::is_control);
    if plain {
        path.to_owned()
    } else {
        describe(&Value::String(path.to_owned()))
    }
}
