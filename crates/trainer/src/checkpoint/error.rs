//! Checkpoints that cannot be saved or trusted.

use std::path::{Path, PathBuf};

/// Why a checkpoint cannot be saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The disk is about to be full; nothing was written.
    #[error(
        "cannot save a checkpoint in {}: the disk has {free} bytes free, expected {needed}, twice what it takes; \
         make room, or lower checkpoint.keep",
        folder.display()
    )]
    NoSpace {
        /// The folder of checkpoints.
        folder: PathBuf,
        /// What should be free.
        needed: u64,
        /// What is free.
        free: u64,
    },
    /// Something in the folder is not as its manifest or this build says.
    #[error("the checkpoint {} cannot be trusted: {problem}", path.display())]
    Invalid {
        /// The checkpoint's folder.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// There are checkpoints, and not one is whole.
    #[error(
        "no checkpoint in {} can be trusted:{}\nbegin another run with --out, or remove the folder",
        folder.display(),
        listed(problems)
    )]
    NoneValid {
        /// The folder of checkpoints.
        folder: PathBuf,
        /// What is wrong with each, the newest first.
        problems: Vec<CheckpointError>,
    },
    /// There is no checkpoint of that step.
    #[error("there is no checkpoint of step {step} in {}", folder.display())]
    Missing {
        /// The folder of checkpoints.
        folder: PathBuf,
        /// The step.
        step: u64,
    },
}

impl CheckpointError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn invalid(path: &Path, problem: impl Into<String>) -> Self {
        Self::Invalid {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }
}

fn listed(problems: &[CheckpointError]) -> String {
    problems
        .iter()
        .map(|p| format!("\n  {}", whole(p)))
        .collect()
}

/// An error with its cause, on one line.
pub(super) fn whole(error: &CheckpointError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
