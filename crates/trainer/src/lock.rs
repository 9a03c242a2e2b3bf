//! One process a run folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The name of the lock's file inside a run folder.
const FILE_NAME: &str = "run.lock";
/// The most that is read of a lock's file: its text is short, whoever wrote it.
const MAX_BYTES: u64 = 4096;
/// How often a held lock is tried again, and how long after: [`RunLock::is_held`] touches the lock
/// for a moment, and a run must not fail because somebody looked.
const TRIES: u32 = 5;
const WAIT: Duration = Duration::from_millis(10);

/// Who holds a run folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The run.
    pub run: String,
    /// The process.
    pub pid: u32,
    /// The machine.
    pub host: String,
}

/// Why a run folder cannot be held.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process has it.
    #[error(
        "the run folder {} is in use by {}; wait for it to end, or use another folder with --out",
        folder.display(),
        holder.as_ref().map_or("another process".to_owned(), |holder| format!(
            "process {} on {} (run {})", holder.pid, holder.host, holder.run
        ))
    )]
    Held {
        /// The run folder.
        folder: PathBuf,
        /// Who has it, where that can be read.
        holder: Option<Holder>,
    },
    /// The file system refused.
    #[error("cannot lock the run folder {}", folder.display())]
    Io {
        /// The run folder.
        folder: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// Holds a run folder until it is dropped or the process ends.
///
/// The lock is the operating system's, on an open file: it ends with the process, however that ends,
/// so a stale one cannot exist. The file stays; its text only says who has, or had, the folder.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the folder for `run`, or says at once who has it.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] if another process has it; [`LockError::Io`].
    pub fn acquire(folder: &Path, run: &str) -> Result<Self, LockError> {
        let failed = |source| LockError::Io {
            folder: folder.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(FILE_NAME))
            .map_err(failed)?;
        let mut locked = file.try_lock();
        for _ in 1..TRIES {
            if matches!(locked, Err(TryLockError::WouldBlock)) {
                std::thread::sleep(WAIT);
                locked = file.try_lock();
            }
        }
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    folder: folder.to_owned(),
                    holder: read_holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let holder = Holder {
            run: run.to_owned(),
            pid: std::process::id(),
            host: host(),
        };
        let text = serde_json::to_vec(&holder).map_err(|error| failed(error.into()))?;
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        file.write_all(&text).map_err(failed)?;
        Ok(Self { _file: file })
    }

    /// Whether a process has the folder; nothing is written.
    ///
    /// # Errors
    ///
    /// [`LockError::Io`].
    pub fn is_held(folder: &Path) -> Result<bool, LockError> {
        let failed = |source| LockError::Io {
            folder: folder.to_owned(),
            source,
        };
        let file = match File::open(folder.join(FILE_NAME)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(error)),
        };
        // Shared, so that two who look do not take each other for a run.
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// The holder may be writing at this moment, or the system forbid reading: then nobody is named.
fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The machine's name; the standard library has none.
fn host() -> String {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok())
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "an unnamed machine".to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_second_holder_is_told_who_has_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let lock = RunLock::acquire(folder.path(), "first").unwrap();
        let message = RunLock::acquire(folder.path(), "second")
            .unwrap_err()
            .to_string();
        let expected = format!("is in use by process {} on ", std::process::id());
        assert!(message.contains(&expected), "{message}");
        assert!(message.contains("(run first); wait for it"), "{message}");
        drop(lock);
        RunLock::acquire(folder.path(), "second").unwrap();
    }

    #[test]
    fn whoever_looks_sees_a_holder_and_does_not_become_one() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!RunLock::is_held(folder.path()).unwrap());
        assert!(!folder.path().join(FILE_NAME).exists());
        let lock = RunLock::acquire(folder.path(), "first").unwrap();
        assert!(RunLock::is_held(folder.path()).unwrap());
        drop(lock);
        assert!(!RunLock::is_held(folder.path()).unwrap());
        RunLock::acquire(folder.path(), "second").unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let message = RunLock::acquire(&missing, "run").unwrap_err().to_string();
        assert!(
            message.starts_with("cannot lock the run folder"),
            "{message}"
        );
    }

    /// The other process of the test below: holds the folder that the variable names, for ever.
    #[test]
    #[ignore = "only the test below runs it, in a process of its own"]
    fn hold_the_folder_of_the_environment() {
        let folder = std::env::var_os("REGARD_LOCK_TEST").unwrap();
        let _lock = RunLock::acquire(Path::new(&folder), "killed").unwrap();
        println!("\nheld");
        loop {
            std::thread::park();
        }
    }

    #[test]
    fn the_lock_of_a_killed_process_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--ignored",
                "--nocapture",
                "hold_the_folder_of_the_environment",
            ])
            .env("REGARD_LOCK_TEST", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let held = lines.map_while(Result::ok).any(|line| line == "held");
        let while_alive = RunLock::acquire(folder.path(), "second");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(held);
        assert!(
            while_alive
                .unwrap_err()
                .to_string()
                .contains("(run killed)")
        );
        RunLock::acquire(folder.path(), "second").unwrap();
    }
}
