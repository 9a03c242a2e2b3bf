//! Files that are whole or not there.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::checkpoint::{FileLayer, RealFiles};
use crate::error::TrainError;

/// Writes a file by way of another name, always the same one: a crash leaves the file of before or
/// this one, and crashes leave no more than one stray.
///
/// # Errors
///
/// Whatever the file system says.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let mut scratch = path.as_os_str().to_owned();
    scratch.push(".part");
    let scratch = PathBuf::from(scratch);
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let written = File::create(&scratch)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&scratch, path));
    if written.is_err() {
        // Half a file helps nobody; what went wrong is said either way.
        let _ = std::fs::remove_file(&scratch);
    }
    written
        .and_then(|()| RealFiles.sync_folder(folder))
        .map_err(at(path))
}

/// The error of a file.
pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> TrainError + use<> {
    let path = path.to_owned();
    move |source| TrainError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_whole(&path, b"first, and longer").unwrap();
        write_whole(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = write_whole(&folder.path().join("missing/a.json"), b"").unwrap_err();
        assert!(error.to_string().starts_with("cannot access "), "{error}");
        // A folder cannot be replaced by a file; no half of one stays beside it.
        std::fs::create_dir(folder.path().join("taken")).unwrap();
        assert!(write_whole(&folder.path().join("taken"), b"page").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
