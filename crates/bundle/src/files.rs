//! The files of a bundle: hashed, checked, and put in place as a whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::BundleError;

/// Nothing of a bundle is larger; a file that says so is not read.
const LARGEST_FILE_BYTES: u64 = 64 << 30;

/// What `bundle.json` says of another file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    bytes: u64,
    blake3: String,
}

impl FileRecord {
    pub(crate) fn of(content: &[u8]) -> Self {
        Self {
            bytes: content.len() as u64,
            blake3: blake3::hash(content).to_hex().to_string(),
        }
    }
}

/// What a description begins with that has its own hash in it; the hash and [`SEAL_END`] follow.
const SEAL: &str = "{\n  \"blake3\": \"";
const SEAL_END: &str = "\",\n";
const HASH_DIGITS: usize = 64;

/// Puts the hash of everything behind it into the first line of a description, an object of some fields.
pub(crate) fn seal(described: &str) -> String {
    let rest = described
        .strip_prefix("{\n")
        .expect("a description is an object of several fields, one a line");
    let hash = blake3::hash(rest.as_bytes()).to_hex();
    format!("{SEAL}{hash}{SEAL_END}{rest}")
}

/// The hash that a description has in its first line, and the hash of what follows; none if it has no such line.
pub(crate) fn seal_of(described: &[u8]) -> Option<(String, String)> {
    let (hash, rest) = described
        .strip_prefix(SEAL.as_bytes())?
        .split_at_checked(HASH_DIGITS)?;
    let rest = rest.strip_prefix(SEAL_END.as_bytes())?;
    let found = blake3::hash(rest).to_hex().to_string();
    Some((String::from_utf8_lossy(hash).into_owned(), found))
}

/// Reads the file `name` of `folder` and checks it against its record.
pub(crate) fn read_checked(
    folder: &Path,
    name: &str,
    records: &BTreeMap<String, FileRecord>,
) -> Result<Vec<u8>, BundleError> {
    stream_checked(folder, name, records, |file, length| {
        let mut content = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        let read = file.read_to_end(&mut content);
        read.map_err(at(&folder.join(name)))?;
        Ok(content)
    })
}

/// Lets `read` read the file `name` of `folder`, of whose length it is told, and checks it against its record. What `read`
/// says of a damaged file is not told: the damage is.
pub(crate) fn stream_checked<T>(
    folder: &Path,
    name: &str,
    records: &BTreeMap<String, FileRecord>,
    read: impl FnOnce(&mut dyn Read, u64) -> Result<T, BundleError>,
) -> Result<T, BundleError> {
    let path = folder.join(name);
    let Some(record) = records.get(name) else {
        return Err(BundleError::Format {
            path: folder.join("bundle.json"),
            reason: format!("it names no file {name}"),
        });
    };
    // The size first: a file that grew is not read into memory.
    let file = File::open(&path).map_err(at(&path))?;
    let found = file.metadata().map_err(at(&path))?.len();
    if found != record.bytes || found > LARGEST_FILE_BYTES {
        return Err(BundleError::Damaged {
            path,
            expected: format!("{} bytes", record.bytes),
            found: format!("{found}"),
        });
    }
    let mut file = Hashed {
        file: file.take(found),
        hasher: blake3::Hasher::new(),
        has_failed: false,
    };
    let content = read(&mut file, found);
    if file.has_failed {
        return content;
    }
    std::io::copy(&mut file, &mut std::io::sink()).map_err(at(&path))?;
    let hash = file.hasher.finalize().to_hex().to_string();
    if hash != record.blake3 {
        return Err(BundleError::Damaged {
            path,
            expected: format!("the BLAKE3 hash {}", record.blake3),
            found: hash,
        });
    }
    content
}

/// A reader that hashes what is read, and remembers whether the disk failed.
struct Hashed<R> {
    file: R,
    hasher: blake3::Hasher,
    has_failed: bool,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(buffer);
        let interrupted = |error: &std::io::Error| error.kind() == std::io::ErrorKind::Interrupted;
        self.has_failed |= n.as_ref().is_err_and(|error| !interrupted(error));
        let n = n?;
        self.hasher.update(&buffer[..n]);
        Ok(n)
    }
}

/// Reads a file, but no more than `most` bytes of it.
pub(crate) fn read_up_to(path: &Path, most: u64) -> Result<Vec<u8>, BundleError> {
    let read = |file: File| {
        // Its size at once: a buffer that grows takes up to three times as much.
        let bytes = file.metadata()?.len().min(most);
        let mut content = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
        file.take(most).read_to_end(&mut content)?;
        Ok(content)
    };
    File::open(path).and_then(read).map_err(at(path))
}

/// Puts a folder with these files at `target`: complete, or not at all. A folder that stands there
/// is replaced.
pub(crate) fn publish(target: &Path, files: &[(&str, Vec<u8>)]) -> Result<(), BundleError> {
    let (scratch, old) = (beside(target, "part"), beside(target, "old"));
    for stray in [&scratch, &old] {
        if stray.exists() {
            fs::remove_dir_all(stray).map_err(at(stray))?;
        }
    }
    fs::create_dir_all(&scratch).map_err(at(&scratch))?;
    for (name, content) in files {
        let path = scratch.join(name);
        // Each file is synced before the folder gets its name, or a power loss could leave a folder
        // of empty files under it.
        File::create(&path)
            .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
            .map_err(at(&path))?;
    }
    sync_folder(&scratch)?;
    if target.exists() {
        fs::rename(target, &old).map_err(at(target))?;
    }
    fs::rename(&scratch, target).map_err(at(target))?;
    if let Some(parent) = target.parent() {
        sync_folder(parent)?;
    }
    if old.exists() {
        fs::remove_dir_all(&old).map_err(at(&old))?;
    }
    Ok(())
}

fn beside(target: &Path, suffix: &str) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn sync_folder(folder: &Path) -> Result<(), BundleError> {
    // Windows opens no folder as a file, and its renames need no sync of the parent.
    if cfg!(windows) {
        return Ok(());
    }
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    File::open(folder)
        .and_then(|handle| handle.sync_all())
        .map_err(at(folder))
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> BundleError + use<> {
    let path = path.to_owned();
    move |source| BundleError::Io { path, source }
}
