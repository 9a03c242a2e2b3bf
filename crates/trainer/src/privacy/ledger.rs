//! What of a budget is spent: written down before it is.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::mechanism::Mechanism;
use super::parent::Parent;
use crate::checkpoint::{FileLayer, RealFiles};
use crate::error::TrainError;
use crate::files::at;

/// The version of the lines' layout.
const SCHEMA: u32 = 1;
/// More than any run writes.
const MAX_BYTES: u64 = 1 << 30;

/// What the steps of a ledger are: its first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerHeader {
    /// The probability with which a step draws a unit.
    pub sample_rate: f64,
    /// The standard deviation of the noise over the bound on a unit's contribution.
    pub noise_multiplier: f64,
    /// Which two datasets are compared.
    pub adjacency: String,
    /// What a unit is.
    pub unit: String,
    /// The hash of the data.
    pub data_fingerprint: String,
    /// The private models that the run started from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<Parent>,
}

impl LedgerHeader {
    /// Of a mechanism on some data.
    #[must_use]
    pub fn new(
        mechanism: &Mechanism,
        unit: String,
        data_fingerprint: String,
        parents: Vec<Parent>,
    ) -> Self {
        Self {
            sample_rate: mechanism.sample_rate,
            noise_multiplier: mechanism.noise_multiplier,
            adjacency: mechanism.adjacency.to_string(),
            unit,
            data_fingerprint,
            parents,
        }
    }

    /// What of `self`, as it stands in a ledger, is not so in `now`. The noise may be larger than it
    /// would have to be.
    fn differences(&self, now: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |what: &str, before: &str, now: &str| {
            if before != now {
                found.push(format!("{what} was {before} and is {now}"));
            }
        };
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-12 * a.abs().max(b.abs());
        if !near(self.sample_rate, now.sample_rate) {
            compare(
                "the sample rate",
                &self.sample_rate.to_string(),
                &now.sample_rate.to_string(),
            );
        }
        if self.noise_multiplier < now.noise_multiplier * (1.0 - 1e-12) {
            let (before, now) = (self.noise_multiplier, now.noise_multiplier);
            compare(
                "the noise multiplier",
                &before.to_string(),
                &format!("{now} for the steps asked for now"),
            );
        }
        compare("the adjacency", &self.adjacency, &now.adjacency);
        compare("the unit", &self.unit, &now.unit);
        if self.parents != now.parents {
            found.push("it began with another model".to_owned());
        }
        if self.data_fingerprint != now.data_fingerprint {
            found.push("the data is not what it was".to_owned());
        }
        found
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line {
    Begin {
        schema: u32,
        #[serde(flatten)]
        header: LedgerHeader,
    },
    Reserve {
        schema: u32,
        /// Steps that may be made from now on.
        steps: u64,
        /// Steps in all so far, these among them.
        spent: u64,
    },
}

/// What a checkpoint remembers of the ledger, so that a shorter or other one is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerState {
    /// Its length in bytes.
    pub bytes: u64,
    /// The hash of these bytes.
    pub blake3: String,
    /// The steps that it counts.
    pub spent: u64,
}

/// `ledger.jsonl`: the steps of a private run.
///
/// # Guarantee
///
/// No step is made that the disk does not know of: [`Ledger::reserve`] returns when its line is
/// synced. After a crash the steps of the last reservation count as made, whether they were or not;
/// the ledger may count too many, never too few.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: File,
    header: LedgerHeader,
    spent: u64,
    bytes: u64,
    hasher: blake3::Hasher,
}

impl Ledger {
    /// Opens the ledger of a run, or begins it. `header` is what the run is about to do; `saved` is
    /// what the run's checkpoint remembers, if there is one.
    ///
    /// # Errors
    ///
    /// [`TrainError::Ledger`] if the ledger is damaged, is not that of the checkpoint, or counts steps
    /// of another kind.
    pub fn open(
        path: &Path,
        header: &LedgerHeader,
        saved: Option<&LedgerState>,
    ) -> Result<Self, TrainError> {
        let wrong = |problem: String| TrainError::Ledger {
            path: path.to_owned(),
            problem,
        };
        if saved.is_some() && !path.exists() {
            return Err(wrong("it is gone".to_owned()));
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(at(path))?;
        let mut text = Vec::new();
        (&mut file)
            .take(MAX_BYTES)
            .read_to_end(&mut text)
            .map_err(at(path))?;
        // A line without its end was being written when the process died; nothing was done on it.
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        text.truncate(whole);
        if let Some(saved) = saved {
            let known = usize::try_from(saved.bytes)
                .ok()
                .and_then(|n| text.get(..n));
            let hash = known.map(|known| blake3::hash(known).to_hex().to_string());
            if hash.as_deref() != Some(&saved.blake3) {
                return Err(wrong(
                    "it is shorter than the checkpoint remembers, or was changed".to_owned(),
                ));
            }
        }
        file.set_len(whole as u64).map_err(at(path))?;
        file.seek(SeekFrom::End(0)).map_err(at(path))?;
        let read = read(&text).map_err(wrong)?;
        let mut ledger = Self {
            path: path.to_owned(),
            file,
            header: header.clone(),
            spent: 0,
            bytes: whole as u64,
            hasher: blake3::Hasher::new(),
        };
        ledger.hasher.update(&text);
        match read {
            Some((begun, spent)) => {
                let differences = begun.differences(header);
                if !differences.is_empty() {
                    let what = differences.join("; ");
                    return Err(wrong(format!("it counts other steps: {what}")));
                }
                (ledger.header, ledger.spent) = (begun, spent);
            }
            None => {
                ledger.write(&Line::Begin {
                    schema: SCHEMA,
                    header: header.clone(),
                })?;
                let folder = path.parent().unwrap_or(Path::new("."));
                RealFiles.sync_folder(folder).map_err(at(folder))?;
            }
        }
        Ok(ledger)
    }

    /// Reads a ledger that nobody writes to any more.
    ///
    /// # Errors
    ///
    /// [`TrainError::Ledger`] if it cannot be understood.
    pub fn read(path: &Path) -> Result<(LedgerHeader, u64), TrainError> {
        let text = std::fs::read(path).map_err(at(path))?;
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let wrong = |problem: String| TrainError::Ledger {
            path: path.to_owned(),
            problem,
        };
        let found = read(&text[..whole]).map_err(wrong)?;
        found.ok_or_else(|| wrong("it has no first line".to_owned()))
    }

    /// What the steps are: that of the first line, which may have more noise than is needed now.
    #[must_use]
    pub fn header(&self) -> &LedgerHeader {
        &self.header
    }

    /// The steps that are made or may have been made.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.spent
    }

    /// Writes down that so many more steps may be made, and waits until the disk has it.
    ///
    /// # Errors
    ///
    /// If it cannot be written: the steps must then not be made.
    pub fn reserve(&mut self, steps: u64) -> Result<(), TrainError> {
        let spent = self.spent + steps;
        self.write(&Line::Reserve {
            schema: SCHEMA,
            steps,
            spent,
        })?;
        self.spent = spent;
        Ok(())
    }

    /// What a checkpoint remembers.
    #[must_use]
    pub fn state(&self) -> LedgerState {
        LedgerState {
            bytes: self.bytes,
            blake3: self.hasher.finalize().to_hex().to_string(),
            spent: self.spent,
        }
    }

    fn write(&mut self, line: &Line) -> Result<(), TrainError> {
        let mut bytes = serde_json::to_vec(line).expect("plain values under string keys are JSON");
        bytes.push(b'\n');
        let written = self
            .file
            .write_all(&bytes)
            .and_then(|()| self.file.sync_all());
        written.map_err(at(&self.path))?;
        self.bytes += bytes.len() as u64;
        self.hasher.update(&bytes);
        Ok(())
    }
}

/// The first line and the steps of whole lines; none if there are none.
fn read(text: &[u8]) -> Result<Option<(LedgerHeader, u64)>, String> {
    let mut found: Option<(LedgerHeader, u64)> = None;
    let lines = text.split(|byte| *byte == b'\n');
    for (number, line) in lines.filter(|line| !line.is_empty()).enumerate() {
        let number = number + 1;
        let line: Line = serde_json::from_slice(line)
            .map_err(|error| format!("line {number} cannot be read: {error}"))?;
        let schema = match &line {
            Line::Begin { schema, .. } | Line::Reserve { schema, .. } => *schema,
        };
        if schema != SCHEMA {
            return Err(format!(
                "line {number} has schema {schema}, and this build reads {SCHEMA}"
            ));
        }
        match (line, &mut found) {
            (Line::Begin { header, .. }, None) => found = Some((header, 0)),
            (Line::Reserve { steps, spent, .. }, Some((_, sum)))
                if sum.checked_add(steps) == Some(spent) =>
            {
                *sum = spent;
            }
            _ => {
                return Err(format!(
                    "line {number} does not follow from those before it"
                ));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use regard_accounting::Adjacency;

    use super::*;
    use crate::config::ClippingStyle;
    use crate::privacy::Clipping;

    fn header(noise_multiplier: f64) -> LedgerHeader {
        let mechanism = Mechanism {
            sample_rate: 0.1,
            noise_multiplier,
            clipping: Clipping::new(ClippingStyle::Flat, 1.0),
            divisor: 10.0,
            adjacency: Adjacency::AddRemove,
        };
        LedgerHeader::new(
            &mechanism,
            "record".to_owned(),
            "abc".to_owned(),
            Vec::new(),
        )
    }

    #[test]
    fn what_was_reserved_counts_after_a_crash_at_any_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let mut ledger = Ledger::open(&path, &header(1.0), None).unwrap();
        let mut lengths = vec![(ledger.state().bytes, 0)];
        for steps in [3, 4, 5] {
            ledger.reserve(steps).unwrap();
            lengths.push((ledger.state().bytes, ledger.spent()));
        }
        drop(ledger);
        let text = std::fs::read(&path).unwrap();
        for cut in 0..=text.len() {
            std::fs::write(&path, &text[..cut]).unwrap();
            let ledger = Ledger::open(&path, &header(1.0), None).unwrap();
            let returned = lengths.iter().rev().find(|(bytes, _)| *bytes <= cut as u64);
            assert_eq!(
                ledger.spent(),
                returned.map_or(0, |(_, spent)| *spent),
                "{cut}"
            );
        }
    }

    #[test]
    fn a_ledger_that_is_not_the_checkpoints_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let mut ledger = Ledger::open(&path, &header(1.0), None).unwrap();
        ledger.reserve(3).unwrap();
        let saved = ledger.state();
        ledger.reserve(2).unwrap();
        drop(ledger);
        let open = |header: &LedgerHeader| Ledger::open(&path, header, Some(&saved));
        assert_eq!(
            open(&header(1.0)).unwrap().spent(),
            5,
            "what came after it counts"
        );
        assert_eq!(open(&header(0.5)).unwrap().header().noise_multiplier, 1.0);
        let message = |header: &LedgerHeader| open(header).unwrap_err().to_string();
        assert!(message(&header(1.1)).contains("the noise multiplier was 1 and is 1.1"));
        let mut other = header(1.0);
        other.adjacency = "replace-one".to_owned();
        other.data_fingerprint = "abd".to_owned();
        let found = message(&other);
        assert!(
            found.contains("the adjacency was add-remove and is replace-one; the data"),
            "{found}"
        );

        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"steps\":3", "\"steps\":1")).unwrap();
        assert!(message(&header(1.0)).contains("was changed"));
        std::fs::write(&path, text.lines().next().unwrap()).unwrap();
        assert!(message(&header(1.0)).contains("shorter than the checkpoint remembers"));
        std::fs::remove_file(&path).unwrap();
        assert!(message(&header(1.0)).contains("it is gone"));
        assert!(!path.exists(), "a refusal makes no new one");
    }

    #[test]
    fn lines_that_do_not_add_up_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let mut ledger = Ledger::open(&path, &header(1.0), None).unwrap();
        ledger.reserve(3).unwrap();
        drop(ledger);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"spent\":3", "\"spent\":2")).unwrap();
        let error = Ledger::read(&path).unwrap_err().to_string();
        assert!(error.contains("line 2 does not follow"), "{error}");
    }
}
