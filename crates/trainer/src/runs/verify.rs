//! Whether everything of a run is on disk as it was written.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use regard_bundle::Bundle;

use super::summary::one_line;
use crate::checkpoint::CheckpointStore;
use crate::config::{self, Config};
use crate::error::TrainError;
use crate::lock::RunLock;
use crate::run::checkpoint_files;

/// A part of a run that was looked at.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Verified {
    /// The file or folder.
    pub path: PathBuf,
    /// The bytes that are as their hashes say.
    pub bytes: u64,
    /// What is wrong with it, if something is.
    pub problem: Option<String>,
}

/// Reads every byte of a run's checkpoints and of its bundle and compares it with its hash; the log has no
/// hash, and is compared with the length that the newest checkpoint remembers. Changes nothing, needs no lock.
///
/// # Errors
///
/// If the run's configuration cannot be read or its checkpoints cannot be listed. What is damaged is told in
/// its place.
pub fn verify(folder: &Path, device: &Device) -> Result<Vec<Verified>, TrainError> {
    let config = config::load::<&str>(&folder.join("config.toml"), &[])?;
    let examined = checkpoints(folder, &config).examine()?;
    let newest = examined.iter().rev().find_map(|one| one.state.clone());
    let mut parts: Vec<Verified> = examined
        .into_iter()
        .map(|one| Verified {
            path: one.path,
            bytes: one.bytes,
            problem: one.problem,
        })
        .collect();
    if let Some(newest) = newest {
        let path = folder.join("events.jsonl");
        let expected = newest.log_offset;
        let problem = match std::fs::metadata(&path) {
            Err(error) => Some(format!("cannot read it: {error}")),
            Ok(found) if found.len() < expected => Some(format!(
                "it has {} bytes, expected at least {expected}, which the checkpoint of step {} remembers",
                found.len(),
                newest.step
            )),
            Ok(_) => None,
        };
        parts.push(Verified {
            path,
            bytes: 0,
            problem,
        });
    }
    let bundle = folder.join("bundle");
    if bundle.exists() {
        let loaded = Bundle::load(&bundle, device);
        parts.push(Verified {
            bytes: match &loaded {
                Ok(_) => bytes_of(&bundle)?,
                Err(_) => 0,
            },
            problem: loaded.err().map(|error| one_line(&error)),
            path: bundle,
        });
    }
    Ok(parts)
}

/// Removes the checkpoints of a run but for the newest that is whole, the `keep` newest (the configuration's
/// `checkpoint.keep` when absent) and the best one's; gives what was removed.
///
/// # Errors
///
/// If the run is under way, or no checkpoint is whole.
pub fn prune(folder: &Path, keep: Option<usize>) -> Result<Vec<PathBuf>, TrainError> {
    let config = config::load::<&str>(&folder.join("config.toml"), &[])?;
    let _lock = RunLock::acquire(folder, &folder.display().to_string())?;
    let store = checkpoints(folder, &config);
    store.sweep()?;
    Ok(store.prune(keep.unwrap_or(config.checkpoint.keep))?)
}

fn checkpoints(folder: &Path, config: &Config) -> CheckpointStore {
    let files = checkpoint_files(config.train.ema().is_some());
    CheckpointStore::open(&folder.join("checkpoints"), files)
}

fn bytes_of(folder: &Path) -> Result<u64, TrainError> {
    let failed = crate::files::at(folder);
    let lengths = std::fs::read_dir(folder).and_then(|entries| {
        entries
            .map(|entry| Ok(entry?.metadata()?.len()))
            .sum::<std::io::Result<u64>>()
    });
    lengths.map_err(failed)
}
