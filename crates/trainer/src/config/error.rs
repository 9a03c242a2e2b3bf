//! What can be wrong with a configuration.

use std::fmt;
use std::path::{Path, PathBuf};

/// The number of problems that are printed; a hostile file could hold a hundred thousand.
const MAX_PRINTED: usize = 50;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is longer than any configuration.
    #[error("the configuration {} has more than {max_bytes} bytes; is it the right file?", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        max_bytes: u64,
    },
    /// The file is not UTF-8.
    #[error("the configuration {} is not UTF-8: line {line}, byte {offset} of the file", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The 1-based line of the first wrong byte.
        line: usize,
        /// The 0-based place of the first wrong byte.
        offset: usize,
    },
    /// The file can be read and something in it is wrong.
    #[error("{}", Listed(problems, "the configuration", path))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Everything that is wrong, in the order of the file.
        problems: Vec<Problem>,
    },
    /// A configuration made by a program holds a value that TOML does not have.
    #[error("the configuration cannot be written as TOML")]
    Unwritable(#[from] toml::ser::Error),
    /// A run was to be continued under settings that are fixed once it has begun.
    #[error("{}", Listed(problems, "continuing the run of", path))]
    Resume {
        /// The run's own configuration.
        path: PathBuf,
        /// Every fixed key that differs.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    /// Every single problem, where there is a list of them.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid { problems, .. } | Self::Resume { problems, .. } => problems,
            _ => &[],
        }
    }
}

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// On a line of the configuration file, counted from 1.
    Line(usize),
    /// In an argument of `--set`.
    Argument(String),
    /// Nowhere: a default, or a key that is missing.
    Nowhere,
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub origin: Origin,
    /// The key's path, such as `train.epochs`; empty when the file could not be understood.
    pub key: String,
    /// What should stand there.
    pub expected: String,
    /// What stands there.
    pub found: String,
    /// How to mend it.
    pub hint: Option<String>,
}

impl Problem {
    fn write(&self, formatter: &mut fmt::Formatter<'_>, path: &Path) -> fmt::Result {
        match &self.origin {
            Origin::Line(line) => write!(formatter, "{}:{line}: ", path.display())?,
            Origin::Argument(argument) => write!(formatter, "--set {argument}: ")?,
            Origin::Nowhere => write!(formatter, "{}: ", path.display())?,
        }
        if !self.key.is_empty() {
            write!(formatter, "`{}`: ", self.key)?;
        }
        write!(
            formatter,
            "expected {}, found {}",
            self.expected, self.found
        )?;
        if let Some(hint) = &self.hint {
            write!(formatter, "\n    hint: {hint}")?;
        }
        Ok(())
    }
}

struct Listed<'a>(&'a [Problem], &'static str, &'a Path);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(problems, what, path) = self;
        let count = match problems.len() {
            1 => "1 problem".to_owned(),
            n => format!("{n} problems"),
        };
        write!(formatter, "{count} with {what} {}", path.display())?;
        for problem in problems.iter().take(MAX_PRINTED) {
            write!(formatter, "\n  ")?;
            problem.write(formatter, path)?;
        }
        if problems.len() > MAX_PRINTED {
            write!(formatter, "\n  and {} more", problems.len() - MAX_PRINTED)?;
        }
        Ok(())
    }
}
