//! The file operations of a checkpoint store, so that tests can make each of them fail.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// A file being written.
pub trait DurableFile: Write {
    /// Waits until what was written is on the disk.
    ///
    /// # Errors
    ///
    /// Whatever the file system says; nothing is then known about the file.
    fn sync(&mut self) -> io::Result<()>;
}

impl DurableFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// What a store asks of a file system.
#[expect(
    clippy::missing_errors_doc,
    reason = "each method gives whatever the file system says"
)]
pub trait FileLayer {
    /// Creates a folder, and those above it that are missing.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Creates a file that does not exist yet.
    fn create_file(&self, path: &Path) -> io::Result<Box<dyn DurableFile + '_>>;
    /// Waits until a folder's names are on the disk.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
    /// Gives a folder another name; there must be nothing of that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a folder with the files in it.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;
    /// The names in a folder; none where there is no folder.
    fn names(&self, path: &Path) -> io::Result<Vec<String>>;
    /// The bytes that are free for this user where `path` lies; none where the system does not tell.
    fn free_bytes(&self, path: &Path) -> io::Result<Option<u64>>;
    /// Reads a plain file of at most `max_bytes` bytes.
    fn read(&self, path: &Path, max_bytes: u64) -> io::Result<Vec<u8>>;
}

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFiles;

impl FileLayer for RealFiles {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn create_file(&self, path: &Path) -> io::Result<Box<dyn DurableFile + '_>> {
        // `create_new` follows no link that somebody planted.
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Box::new(file))
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        // Windows opens no folder as a file, and its renames need no sync of the parent.
        if cfg!(windows) {
            return Ok(());
        }
        File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            // A name that is no Unicode is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    #[cfg(unix)]
    fn free_bytes(&self, path: &Path) -> io::Result<Option<u64>> {
        let disk = rustix::fs::statvfs(path)?;
        Ok(Some(disk.f_bavail.saturating_mul(disk.f_frsize)))
    }

    #[cfg(not(unix))]
    fn free_bytes(&self, _: &Path) -> io::Result<Option<u64>> {
        Ok(None)
    }

    fn read(&self, path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
        let metadata = fs::symlink_metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "not a plain file",
            ));
        }
        if metadata.len() > max_bytes {
            let problem = format!("has {} bytes, expected at most {max_bytes}", metadata.len());
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        // Its size at once: a buffer that grows takes up to three times as much.
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
        File::open(path)?.take(max_bytes).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
