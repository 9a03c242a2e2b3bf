//! What a private run says of its data in files that others get.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Entropy;
use crate::config::Config;
use crate::error::TrainError;
use crate::files::{at, write_whole};

/// The file of the key, in the folder of a private run. It is no part of the bundle.
const FILE: &str = "fingerprint.key";

/// Makes the key of a run that begins, unless it has one.
///
/// # Errors
///
/// If the system gives no random bytes, or the file cannot be written.
pub(super) fn make_key(folder: &Path, entropy: &mut Entropy) -> Result<(), TrainError> {
    let path = path(folder);
    match path.exists() {
        true => Ok(()),
        false => write_whole(&path, &entropy.seed()),
    }
}

/// The fingerprint of a run's data as its bundle and its ledger have it: the plain one, or that under the key of a private run.
///
/// The plain hash of private data would tell whoever has all of it but one unit whether that unit was there.
///
/// # Errors
///
/// If the key cannot be read.
pub(crate) fn shown_fingerprint(
    config: &Config,
    folder: &Path,
    plain: &str,
) -> Result<String, TrainError> {
    if config.privacy.is_none() {
        return Ok(plain.to_owned());
    }
    let path = path(folder);
    let key = match std::fs::read(&path) {
        Ok(key) => key,
        // A run of a version that had none.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(plain.to_owned()),
        Err(error) => return Err(at(&path)(error)),
    };
    let key: [u8; 32] = key.try_into().map_err(|key: Vec<u8>| TrainError::Ledger {
        path: path.clone(),
        problem: format!("it has {} bytes and not 32", key.len()),
    })?;
    Ok(blake3::keyed_hash(&key, plain.as_bytes())
        .to_hex()
        .to_string())
}

/// Whether the data of a run is what its bundle was trained on.
///
/// # Errors
///
/// [`TrainError::OtherData`], or if the key of a private run cannot be read.
pub(crate) fn require_same_data(
    config: &Config,
    folder: &Path,
    plain: &str,
    shown: &str,
) -> Result<(), TrainError> {
    match shown_fingerprint(config, folder, plain)? == shown {
        true => Ok(()),
        false => Err(TrainError::OtherData {
            folder: folder.to_owned(),
        }),
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}
