//! Finding the runs in a folder, and whatever else is there.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::summary::{RunSummary, is_run, summarize};
use crate::error::TrainError;

/// How deep a run may lie: `bench seeds` puts the runs of its seeds into a folder of their own.
const DEPTH: usize = 2;

/// One folder, or a file that stands among the runs.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub what: Place,
    /// The length of all files in it, in bytes.
    pub bytes: u64,
    /// When a file in it was last written; none where there is no file.
    pub last_written: Option<SystemTime>,
}

/// What a folder is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Place {
    /// A run.
    Run(Box<RunSummary>),
    /// A trained model by itself.
    Bundle,
    /// Something else, and why it cannot be looked into, if it cannot.
    Foreign(Option<String>),
}

/// Everything in `folder`, the last written first; or `folder` itself, if it is a run.
///
/// What is damaged, foreign or forbidden is listed as that and hides nothing else.
///
/// # Errors
///
/// If `folder` itself cannot be listed.
pub fn list(folder: &Path) -> Result<Vec<Listed>, TrainError> {
    let mut all = Vec::new();
    if is_run(folder) {
        all.push(look(folder));
    } else {
        let failed = |source| TrainError::Io {
            path: folder.to_owned(),
            source,
        };
        for entry in fs::read_dir(folder).map_err(failed)? {
            descend(&entry.map_err(failed)?.path(), DEPTH, &mut all);
        }
    }
    all.sort_by(|a, b| {
        let time = b.last_written.cmp(&a.last_written);
        time.then_with(|| a.path.cmp(&b.path))
    });
    Ok(all)
}

/// The run at `path`, or the runs below it, or `path` as something foreign.
fn descend(path: &Path, depth: usize, all: &mut Vec<Listed>) {
    let before = all.len();
    if depth > 1
        && !is_run(path)
        && let Ok(entries) = fs::read_dir(path)
    {
        for entry in entries.flatten() {
            if is_run(&entry.path()) {
                all.push(look(&entry.path()));
            }
        }
    }
    if all.len() == before {
        all.push(look(path));
    }
}

fn look(path: &Path) -> Listed {
    let mut size = Size::default();
    let problem = size.add(path).err().map(|error| error.to_string());
    let what = if is_run(path) {
        Place::Run(Box::new(summarize(path)))
    } else if path.join("bundle.json").is_file() {
        Place::Bundle
    } else {
        Place::Foreign(problem)
    };
    Listed {
        path: path.to_owned(),
        what,
        bytes: size.bytes,
        last_written: size.last_written,
    }
}

#[derive(Default)]
struct Size {
    bytes: u64,
    last_written: Option<SystemTime>,
}

impl Size {
    /// Adds what can be looked at, and gives the first error. Links are not followed: what they
    /// lead to is not the run's, and may lead round in a circle.
    fn add(&mut self, path: &Path) -> std::io::Result<()> {
        let metadata = fs::symlink_metadata(path)?;
        if !metadata.is_dir() {
            self.bytes += metadata.len();
            self.last_written = self.last_written.max(Some(metadata.modified()?));
            return Ok(());
        }
        let mut first = Ok(());
        for entry in fs::read_dir(path)? {
            let added = entry.and_then(|entry| self.add(&entry.path()));
            first = first.and(added);
        }
        first
    }
}
