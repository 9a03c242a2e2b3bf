//! Writing an event file.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use prost::Message;

use super::message::{Event, SessionLog, Summary, Value, What};
use super::record::frame;
use crate::log::LogError;

/// The version of the format in which the start of a session drops steps that are done again.
const VERSION: &str = "brain.Event:2";
/// What a file's name begins with; the seconds since 1970 follow, so that the order of names is the
/// order of time.
const PREFIX: &str = "events.out.tfevents.";

/// The event file of this process.
#[derive(Debug)]
pub struct TensorBoard {
    folder: PathBuf,
    first_step: u64,
    /// Made by the first scalars: a process that has nothing to say leaves no file.
    file: Option<(PathBuf, File)>,
}

impl TensorBoard {
    /// For a process whose first step is `first_step`, counted from 1, in a folder that is made if
    /// it is not there.
    #[must_use]
    pub fn new(folder: &Path, first_step: u64) -> Self {
        Self {
            folder: folder.to_owned(),
            first_step,
            file: None,
        }
    }

    /// Writes scalars by tag, such as `train/loss`, after `step` steps. TensorBoard keeps 32 bits of
    /// each.
    ///
    /// # Errors
    ///
    /// [`LogError::Io`]. A part of a record may then be the end of the file; TensorBoard stops there
    /// and goes on with the next file.
    pub fn scalars(&mut self, step: u64, scalars: &[(String, f64)]) -> Result<(), LogError> {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        // A clock before 1970 is one that was never set.
        self.scalars_at(time.unwrap_or_default(), step, scalars)
    }

    /// [`TensorBoard::scalars`] at a time since 1970: the same times give the same bytes.
    fn scalars_at(
        &mut self,
        time: Duration,
        step: u64,
        scalars: &[(String, f64)],
    ) -> Result<(), LogError> {
        let value = scalars.iter().map(|(tag, value)| Value {
            tag: tag.clone(),
            simple_value: Some(*value as f32),
        });
        let summary = Summary {
            value: value.collect(),
        };
        let (path, file) = match &mut self.file {
            Some(open) => open,
            none => none.insert(begin(&self.folder, self.first_step, time)?),
        };
        file.write_all(&record(time, step, What::Summary(summary)))
            .map_err(failed("write", path))
    }

    /// Waits until everything written is on the disk. A checkpoint is saved after this: steps that
    /// are not done again must not be missing.
    ///
    /// # Errors
    ///
    /// [`LogError::Io`].
    pub fn sync(&self) -> Result<(), LogError> {
        match &self.file {
            Some((path, file)) => file.sync_all().map_err(failed("sync", path)),
            None => Ok(()),
        }
    }
}

/// A new file, behind all others, with its version and the start of the session.
fn begin(folder: &Path, first_step: u64, time: Duration) -> Result<(PathBuf, File), LogError> {
    fs::create_dir_all(folder).map_err(failed("create the folder of", folder))?;
    let mut newest = None;
    for entry in fs::read_dir(folder).map_err(failed("list the folder of", folder))? {
        let name = entry
            .map_err(failed("list the folder of", folder))?
            .file_name();
        newest = newest.max(name.to_str().and_then(seconds_of));
    }
    // TensorBoard reads the files in the order of their names: a second process in the same second,
    // or a clock that went back, must not come before what it continues.
    let seconds = match newest {
        Some(newest) => time.as_secs().max(newest.saturating_add(1)),
        None => time.as_secs(),
    };
    let path = folder.join(format!("{PREFIX}{seconds:010}.regard"));
    let mut options = OpenOptions::new();
    // `create_new` follows no link that somebody planted.
    let file = options.write(true).create_new(true).open(&path);
    let mut file = file.map_err(failed("create", &path))?;
    let version = record(time, 0, What::FileVersion(VERSION.to_owned()));
    let start = record(time, first_step, What::SessionLog(SessionLog::START));
    file.write_all(&[version, start].concat())
        .map_err(failed("write", &path))?;
    Ok((path, file))
}

/// The seconds in a file's name.
fn seconds_of(name: &str) -> Option<u64> {
    let (seconds, _) = name.strip_prefix(PREFIX)?.split_once('.')?;
    seconds.parse().ok()
}

fn record(time: Duration, step: u64, what: What) -> Vec<u8> {
    let event = Event {
        wall_time: time.as_secs_f64(),
        step: i64::try_from(step).unwrap_or(i64::MAX),
        what: Some(what),
    };
    frame(&event.encode_to_vec())
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> LogError + use<> {
    let path = path.to_owned();
    move |source| LogError::Io {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GOLDEN: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/tensorboard"
    );

    /// A run of six steps: killed after the fifth with a checkpoint of the third, and continued.
    fn write(folder: &Path) {
        let loss = |step: u64| 1.0 / step as f64;
        let process = |first_step: u64, last_step: u64, begun: f64| {
            let mut board = TensorBoard::new(folder, first_step);
            for step in first_step..=last_step {
                let time = Duration::from_secs_f64(begun + step as f64 / 4.0);
                let scalars = [
                    ("train/loss".to_owned(), loss(step)),
                    ("train/learning_rate".to_owned(), 0.0),
                ];
                board.scalars_at(time, step, &scalars).unwrap();
                if step % 3 == 0 {
                    let scalars = [("eval/accuracy".to_owned(), 0.5 + begun % 10.0 / 100.0)];
                    board.scalars_at(time, step, &scalars).unwrap();
                }
            }
            board.sync().unwrap();
        };
        process(1, 5, 1_700_000_001.0);
        process(4, 6, 1_700_000_002.0);
    }

    fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
        let names = fs::read_dir(folder).unwrap().map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let bytes = fs::read(folder.join(&name)).unwrap();
            (name, bytes)
        });
        let mut files: Vec<_> = names.filter(|(name, _)| name.starts_with(PREFIX)).collect();
        files.sort();
        files
    }

    #[test]
    #[ignore = "makes the golden files again; tests/golden/README.md says what comes after"]
    fn write_the_golden_files() {
        for (name, _) in files(GOLDEN.as_ref()) {
            fs::remove_file(Path::new(GOLDEN).join(name)).unwrap();
        }
        write(GOLDEN.as_ref());
    }

    #[test]
    fn the_bytes_are_those_that_tensorboard_has_read() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let golden = files(GOLDEN.as_ref());
        let names: Vec<&str> = golden.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "events.out.tfevents.1700000001.regard",
                "events.out.tfevents.1700000003.regard"
            ]
        );
        assert!(files(folder.path()) == golden);
    }

    #[test]
    fn tensorboard_read_every_step_once_and_the_later_process_where_there_were_two() {
        let read = fs::read(Path::new(GOLDEN).join("read.json")).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&read).unwrap();
        let rate: Vec<_> = (1..=6).map(|step| json!([step, 0.0])).collect();
        let loss = |step: u64| f64::from((1.0 / step as f64) as f32);
        let losses: Vec<_> = (1..=6).map(|step| json!([step, loss(step)])).collect();
        let accuracy = |share: f32| f64::from(share);
        assert_eq!(
            read["scalars"],
            json!({
                "eval/accuracy": [[3, accuracy(0.51)], [6, accuracy(0.52)]],
                "train/learning_rate": rate,
                "train/loss": losses,
            })
        );
    }

    #[test]
    fn a_later_file_comes_behind_the_earlier_ones_whatever_the_clock_says() {
        let folder = tempfile::tempdir().unwrap();
        let scalars = [("train/loss".to_owned(), 0.5)];
        for (clock, expected) in [(20, 20), (20, 21), (5, 22), (90, 90)] {
            let mut board = TensorBoard::new(folder.path(), 1);
            board.sync().unwrap();
            let time = Duration::from_secs(clock);
            board.scalars_at(time, 1, &scalars).unwrap();
            let (newest, _) = files(folder.path()).pop().unwrap();
            assert_eq!(newest, format!("events.out.tfevents.{expected:010}.regard"));
        }
        let empty = folder.path().join("empty");
        TensorBoard::new(&empty, 1).sync().unwrap();
        assert!(!empty.exists(), "nothing was said");
    }
}
