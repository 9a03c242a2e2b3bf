//! Logs that cannot be written, continued or read.

use std::path::PathBuf;

/// Why a log cannot be written, continued or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file system refused.
    #[error("cannot {action} the log {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The log.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A line is no event.
    #[error(
        "the log {} is damaged in line {line}: expected an event as JSON, found {found}",
        path.display()
    )]
    Damaged {
        /// The log.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is there.
        found: String,
    },
    /// The log is not the one that the checkpoint was written beside.
    #[error(
        "the log {} cannot be continued at byte {offset}: {found}; \
         put the log back as it was, or begin another run with --out",
        path.display()
    )]
    OtherLog {
        /// The log.
        path: PathBuf,
        /// Where the checkpoint says that it goes on.
        offset: u64,
        /// What is there.
        found: String,
    },
}
