//! Where files of token ids stand.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{TokenRows, TokenRowsWriter};
use crate::DataError;

/// A place for the token ids that are too many for memory. Nothing is written before there are such.
#[derive(Debug)]
pub struct TokenCache {
    place: Place,
    memory_bytes: u64,
}

#[derive(Debug)]
enum Place {
    /// A folder of the caller's, which stays.
    Folder(PathBuf),
    /// A folder of ours once it is made; it goes with the cache.
    Temporary(Mutex<Option<PathBuf>>),
}

impl TokenCache {
    /// Files in `folder`, which is made when it is needed and stays until somebody removes it, so that a later process
    /// finds them there. Up to `memory_bytes` of ids of each part stay in memory.
    #[must_use]
    pub fn in_folder(folder: &Path, memory_bytes: u64) -> Self {
        Self {
            place: Place::Folder(folder.to_owned()),
            memory_bytes,
        }
    }

    /// Files in a folder of their own among the system's temporary ones, which is removed when the cache is dropped.
    #[must_use]
    pub fn temporary(memory_bytes: u64) -> Self {
        Self {
            place: Place::Temporary(Mutex::new(None)),
            memory_bytes,
        }
    }

    /// The rows of the part `name` that were written before from the same data by the same tokenizer; none if there are
    /// none, or what stands there is damaged.
    #[must_use]
    pub fn open(&self, name: &str, key: &[u8; 32], vocab_size: usize) -> Option<TokenRows> {
        match &self.place {
            Place::Folder(folder) => TokenRows::open(&file_of(folder, name), key, vocab_size),
            Place::Temporary(_) => None,
        }
    }

    /// Begins to write the rows of the part `name`, a word of ours.
    #[must_use]
    pub fn write(&self, name: &str, key: [u8; 32], vocab_size: usize) -> TokenRowsWriter<'_> {
        TokenRowsWriter::new(self, name, key, vocab_size)
    }

    /// The key of a part's ids, out of everything that they depend on.
    #[must_use]
    pub fn key(made_from: &[&str]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("Regard token cache key, version 1");
        for part in made_from {
            // Its length before each, so that no two lists hash the same bytes.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// The folder, made if it is not there.
    pub(super) fn make(&self) -> Result<PathBuf, DataError> {
        let failed = |path: &Path, source| DataError::TokenCache {
            action: "make",
            path: path.to_owned(),
            source,
        };
        match &self.place {
            Place::Folder(folder) => {
                fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
                Ok(folder.clone())
            }
            Place::Temporary(made) => {
                let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(folder) = &*made {
                    return Ok(folder.clone());
                }
                let parent = std::env::temp_dir();
                let folder = make_private(&parent).map_err(|source| failed(&parent, source))?;
                *made = Some(folder.clone());
                Ok(folder)
            }
        }
    }
}

impl Drop for TokenCache {
    fn drop(&mut self) {
        if let Place::Temporary(made) = &self.place
            && let Some(folder) = &*made.lock().unwrap_or_else(PoisonError::into_inner)
        {
            // What cannot be removed is left to the system, which sweeps its temporary files.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// The file of a part.
pub(super) fn file_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.tokens"))
}

/// Makes a folder that nobody else can enter, under a name that nobody took before.
pub(crate) fn make_private(parent: &Path) -> io::Result<PathBuf> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = parent.join(format!("regard-{}-{number}", std::process::id()));
        match builder.create(&folder) {
            // Of an earlier process of this number, or planted there.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return result.map(|()| folder),
        }
    }
}
