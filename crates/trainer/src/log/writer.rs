//! Appending to a log, and cutting it back to where a checkpoint was saved.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Event, EventKind, LogError};

/// A log open for writing.
///
/// Each event is written at once and whole, so that a run that is killed leaves at most one broken
/// line, at the end, which the next start cuts off.
#[derive(Debug)]
pub struct EventLog {
    path: PathBuf,
    file: File,
    offset: u64,
    /// Whether what an earlier process wrote behind the offset is gone.
    is_cut: bool,
}

impl EventLog {
    /// Opens the log at `path` to go on at byte `offset`. What lies behind is cut off by the first
    /// write: it tells of steps that are about to be done again, unless there are none left to do. A
    /// new run goes on at byte 0.
    ///
    /// # Errors
    ///
    /// [`LogError::OtherLog`] if no line ends at `offset`; [`LogError::Io`].
    pub fn open(path: &Path, offset: u64) -> Result<Self, LogError> {
        let failed = |action: &'static str| {
            move |source| LogError::Io {
                action,
                path: path.to_owned(),
                source,
            }
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(offset == 0)
            .truncate(false)
            .open(path)
            .map_err(failed("open"))?;
        let length = file.metadata().map_err(failed("look at"))?.len();
        let other = |found: String| LogError::OtherLog {
            path: path.to_owned(),
            offset,
            found,
        };
        if length < offset {
            return Err(other(format!("it has {length} bytes")));
        }
        if let Some(last) = offset.checked_sub(1) {
            let mut byte = [0];
            file.seek(SeekFrom::Start(last)).map_err(failed("read"))?;
            file.read_exact(&mut byte).map_err(failed("read"))?;
            if byte != *b"\n" {
                return Err(other("no line ends there".to_owned()));
            }
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            offset,
            is_cut: false,
        })
    }

    /// Whether an earlier process wrote, as the last line behind the offset, that the run ended.
    ///
    /// # Errors
    ///
    /// [`LogError::Io`].
    pub fn has_ended(&mut self) -> Result<bool, LogError> {
        let mut behind = Vec::new();
        self.file
            .seek(SeekFrom::Start(self.offset))
            .and_then(|_| self.file.read_to_end(&mut behind))
            .map_err(self.failed("read"))?;
        // A line without its end is one that a killed process left.
        let lines = behind.strip_suffix(b"\n");
        let last = lines.and_then(|lines| lines.rsplit(|byte| *byte == b'\n').next());
        let event = last.and_then(|line| serde_json::from_slice::<Value>(line).ok());
        let end = serde_json::json!(EventKind::End);
        Ok(event.is_some_and(|event| event["kind"] == end))
    }

    /// Writes one event.
    ///
    /// # Errors
    ///
    /// [`LogError::Io`]; the log then ends with the event before.
    pub fn write(&mut self, event: &Event) -> Result<(), LogError> {
        let mut line =
            serde_json::to_vec(event).map_err(|error| self.failed("write")(error.into()))?;
        line.push(b'\n');
        if !self.is_cut {
            self.cut_back()?;
        }
        if let Err(error) = self.file.write_all(&line) {
            // A part of the line may be there; the next one must not follow it on the same line.
            self.cut_back()?;
            return Err(self.failed("write")(error));
        }
        self.offset += line.len() as u64;
        Ok(())
    }

    /// The number of bytes written so far: what a checkpoint remembers.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Waits until everything written is on the disk. A checkpoint that remembers
    /// [`EventLog::offset`] is saved after this, or a power loss leaves it with a log too short.
    ///
    /// # Errors
    ///
    /// [`LogError::Io`].
    pub fn sync(&self) -> Result<(), LogError> {
        self.file.sync_all().map_err(self.failed("sync"))
    }

    fn cut_back(&mut self) -> Result<(), LogError> {
        let cut = self.file.set_len(self.offset);
        cut.and_then(|()| self.file.seek(SeekFrom::Start(self.offset)))
            .map_err(self.failed("cut back"))?;
        self.is_cut = true;
        Ok(())
    }

    fn failed(&self, action: &'static str) -> impl Fn(std::io::Error) -> LogError + use<> {
        let path = self.path.clone();
        move |source| LogError::Io {
            action,
            path: path.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(step: u64) -> Event {
        Event::new(EventKind::Train, step, 0)
    }

    fn steps(path: &Path) -> Vec<u64> {
        std::fs::read_to_string(path)
            .unwrap()
            .lines()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).unwrap()["step"]
                    .as_u64()
                    .unwrap()
            })
            .collect()
    }

    #[test]
    fn a_resumed_log_equals_one_without_a_stop() {
        let folder = tempfile::tempdir().unwrap();
        let (stopped, whole) = (folder.path().join("a"), folder.path().join("b"));
        let mut log = EventLog::open(&stopped, 0).unwrap();
        log.write(&event(1)).unwrap();
        log.write(&event(2)).unwrap();
        let offset = log.offset();
        log.sync().unwrap();
        log.write(&event(3)).unwrap();
        drop(log);
        // Killed in the middle of a line.
        let mut file = OpenOptions::new().append(true).open(&stopped).unwrap();
        file.write_all(b"{\"schema\":1,").unwrap();

        let mut log = EventLog::open(&stopped, offset).unwrap();
        log.write(&event(3)).unwrap();
        let mut log = EventLog::open(&whole, 0).unwrap();
        for step in 1..=3 {
            log.write(&event(step)).unwrap();
        }
        assert_eq!(steps(&stopped), [1, 2, 3]);
        assert_eq!(
            std::fs::read(&stopped).unwrap(),
            std::fs::read(&whole).unwrap()
        );
        assert_eq!(log.offset(), std::fs::metadata(&whole).unwrap().len());
    }

    #[test]
    fn the_end_of_a_run_stays_in_its_log_until_the_run_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut log = EventLog::open(&path, 0).unwrap();
        log.write(&event(1)).unwrap();
        let offset = log.offset();
        assert!(!log.has_ended().unwrap());
        log.write(&Event::new(EventKind::End, 1, 0)).unwrap();
        drop(log);

        let text = std::fs::read_to_string(&path).unwrap();
        let mut log = EventLog::open(&path, offset).unwrap();
        assert!(log.has_ended().unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        std::fs::write(&path, text.trim_end()).unwrap();
        assert!(!log.has_ended().unwrap(), "half a line");
        log.write(&event(2)).unwrap();
        assert_eq!(steps(&path), [1, 2]);
    }

    #[test]
    fn a_log_that_is_not_the_runs_own_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        std::fs::write(&path, "{}\n{}\n").unwrap();
        let message = |offset| EventLog::open(&path, offset).unwrap_err().to_string();
        assert!(message(7).contains("cannot be continued at byte 7: it has 6 bytes; put the log"));
        assert!(message(4).contains("cannot be continued at byte 4: no line ends there; put"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}\n{}\n");
        std::fs::remove_file(&path).unwrap();
        assert!(message(3).starts_with("cannot open the log"));
        assert!(!path.exists());
    }
}
