//! Saving, finding, proving and rotating checkpoints.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::whole;
use super::layer::{DurableFile, FileLayer, RealFiles};
use super::manifest::{self, FileEntry, Manifest};
use super::name::{Place, TEMPORARY, is_plain};
use super::{CheckpointError, TrainingState};

/// What one file of a checkpoint is filled with.
pub type Contents<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

/// A checkpoint that was proved whole.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Loaded {
    /// Where the run stands.
    pub state: TrainingState,
    /// The files' bytes, in the order of the names of [`CheckpointStore::open`].
    pub files: Vec<Vec<u8>>,
    /// What was wrong with newer checkpoints, a sentence each.
    pub warnings: Vec<String>,
}

/// A checkpoint that was written and proved whole.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct Saved {
    /// The checkpoint's folder.
    pub path: PathBuf,
    /// Why older checkpoints could not be removed.
    pub warnings: Vec<String>,
}

/// What a look at every byte of a checkpoint found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Examined {
    /// The checkpoint's folder.
    pub path: PathBuf,
    /// The step in its name.
    pub step: u64,
    /// The bytes that were read and are as their hashes say, the manifest's left out.
    pub bytes: u64,
    /// Where the run stood, if it is whole.
    pub state: Option<TrainingState>,
    /// What is wrong with it, if something is.
    pub problem: Option<String>,
}

/// The checkpoints of one run.
///
/// Only the holder of the run's lock may save. Loading changes nothing on the disk.
#[derive(Clone, Debug)]
pub struct CheckpointStore<L = RealFiles> {
    folder: PathBuf,
    files: &'static [&'static str],
    layer: L,
}

/// A checkpoint's folder whose manifest is sound.
struct Candidate {
    path: PathBuf,
    manifest: Manifest,
}

impl CheckpointStore<RealFiles> {
    /// The checkpoints in `folder`, each with exactly the files of these names.
    ///
    /// # Panics
    ///
    /// If a name is not plain: letters, digits, points, dashes and underscores, no leading point.
    #[must_use]
    pub fn open(folder: &Path, files: &'static [&'static str]) -> Self {
        Self::with_layer(folder, files, RealFiles)
    }
}

impl<L: FileLayer> CheckpointStore<L> {
    /// [`CheckpointStore::open`] on another file system.
    ///
    /// # Panics
    ///
    /// As [`CheckpointStore::open`].
    #[must_use]
    pub fn with_layer(folder: &Path, files: &'static [&'static str], layer: L) -> Self {
        for file in files {
            assert!(is_plain(file), "{file:?} cannot be a checkpoint's file");
        }
        Self {
            folder: folder.to_owned(),
            files,
            layer,
        }
    }

    /// Removes what a killed save or rotation left. Call it once, with the run's lock held, before
    /// anything is saved.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Io`].
    pub fn sweep(&self) -> Result<(), CheckpointError> {
        let names = self.names()?;
        for name in &names {
            if name.starts_with(TEMPORARY) {
                self.remove(&self.folder.join(name))?;
            }
        }
        if names.is_empty() {
            return Ok(());
        }
        // The process may have been killed between a rename and its sync: what is loaded now must
        // not be gone after the next power loss.
        self.make("sync", &self.folder, |path| self.layer.sync_folder(path))
    }

    /// Refuses to begin a checkpoint of `bytes` bytes on a disk that has not twice that free: what is
    /// written beside it takes room too.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::NoSpace`]; [`CheckpointError::Io`].
    pub fn require_space(&self, bytes: u64) -> Result<(), CheckpointError> {
        self.make("create", &self.folder, |path| {
            self.layer.create_folder(path)
        })?;
        let free = self.make("look at", &self.folder, |path| self.layer.free_bytes(path))?;
        let needed = bytes.saturating_mul(2);
        match free {
            Some(free) if free < needed => Err(CheckpointError::NoSpace {
                folder: self.folder.clone(),
                needed,
                free,
            }),
            _ => Ok(()),
        }
    }

    /// Saves a checkpoint, proves it by reading it back, and only then removes older ones: all but
    /// this one, the `keep` newest and that of `state.best`.
    ///
    /// `contents` fill the files in the order of the names of [`CheckpointStore::open`].
    ///
    /// # Errors
    ///
    /// [`CheckpointError`]; the checkpoints of before are then still there.
    ///
    /// # Panics
    ///
    /// If there are not as many contents as names.
    pub fn save(
        &self,
        state: &TrainingState,
        contents: &[Contents<'_>],
        keep: usize,
    ) -> Result<Saved, CheckpointError> {
        assert_eq!(contents.len(), self.files.len(), "one content a file");
        self.make("create", &self.folder, |path| {
            self.layer.create_folder(path)
        })?;
        let names = self.names()?;
        if let (true, Some(parent)) = (names.is_empty(), self.folder.parent()) {
            // Or a power loss takes the folder of checkpoints with everything in it.
            self.make("sync", parent, |path| self.layer.sync_folder(path))?;
        }
        // Above every copy that is there, not in the first gap that rotation left: an older copy of
        // this step must never pass for a newer one.
        let copy = names
            .iter()
            .filter_map(|name| Place::parse(name))
            .filter(|place| place.step == state.step)
            .map(Place::next_copy)
            .max()
            .unwrap_or(0);
        let place = Place::new(state.step, copy);
        let path = self.folder.join(place.folder_name());
        let name = format!("{TEMPORARY}{}", place.folder_name());
        let temporary = self.folder.join(&name);
        // A failed save of this step, earlier in this process, may have left it.
        if names.contains(&name) {
            self.remove(&temporary)?;
        }
        if let Err(error) = self.write(&temporary, state, contents) {
            // What was written of it is in the way of nothing, but takes room on a full disk. The
            // error that counts is the first one; the next sweep removes what stays now.
            let _ = self.layer.remove_folder(&temporary);
            return Err(error);
        }
        self.make("rename", &temporary, |from| self.layer.rename(from, &path))?;
        self.make("sync", &self.folder, |path| self.layer.sync_folder(path))?;
        self.prove(&self.candidate(place)?, drop)?;
        // The checkpoint is safe whatever becomes of the older ones.
        let rotated = self.rotate(state, place, keep);
        let warnings = rotated.err().iter().map(whole).collect();
        Ok(Saved { path, warnings })
    }

    /// The newest checkpoint that is whole, or none if nothing was ever saved.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::NoneValid`] if there are checkpoints and none is whole;
    /// [`CheckpointError::Io`] if the folder cannot be listed.
    pub fn load_newest(&self) -> Result<Option<Loaded>, CheckpointError> {
        let mut problems = Vec::new();
        for (place, candidate) in self.candidates()? {
            let warnings = fallback_warnings(&problems, place.step);
            match candidate.and_then(|candidate| self.load(&candidate, warnings)) {
                Ok(loaded) => return Ok(Some(loaded)),
                Err(error) => problems.push(error),
            }
        }
        if problems.is_empty() {
            return Ok(None);
        }
        Err(CheckpointError::NoneValid {
            folder: self.folder.clone(),
            problems,
        })
    }

    /// Where the newest checkpoint stands whose manifest is sound, or none if nothing was ever saved.
    ///
    /// Its files are neither read nor looked for: this is for a glance at many runs.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::NoneValid`] if there are checkpoints and no manifest is sound;
    /// [`CheckpointError::Io`] if the folder cannot be listed.
    pub fn newest_state(&self) -> Result<Option<TrainingState>, CheckpointError> {
        let mut problems = Vec::new();
        let mut places = self.places()?;
        // One manifest is read, not all of them.
        while let Some(place) = places.pop() {
            match self.candidate(place) {
                Ok(candidate) => return Ok(Some(candidate.manifest.state)),
                Err(error) => problems.push(error),
            }
        }
        if problems.is_empty() {
            return Ok(None);
        }
        Err(CheckpointError::NoneValid {
            folder: self.folder.clone(),
            problems,
        })
    }

    /// Every checkpoint, the oldest first, each of its bytes read and compared with its hash.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Io`] if the folder cannot be listed; what is wrong with a checkpoint is told
    /// in its place.
    pub fn examine(&self) -> Result<Vec<Examined>, CheckpointError> {
        let examine = |(place, candidate): (Place, Result<Candidate, CheckpointError>)| {
            let mut bytes = 0;
            let checked = candidate.and_then(|candidate| {
                self.prove(&candidate, |file| bytes += file.len() as u64)
                    .map(|()| candidate.manifest.state)
            });
            let problem = checked.as_ref().err().map(whole);
            Examined {
                path: self.folder.join(place.folder_name()),
                step: place.step,
                bytes,
                state: checked.ok(),
                problem,
            }
        };
        let mut all: Vec<Examined> = self.candidates()?.into_iter().map(examine).collect();
        all.reverse();
        Ok(all)
    }

    /// Removes all checkpoints but the newest that is whole, the `keep` newest and the best one's, and
    /// gives what was removed. Call it with the run's lock held.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::NoneValid`] if there are checkpoints and none is whole: then nothing is removed;
    /// [`CheckpointError::Io`].
    pub fn prune(&self, keep: usize) -> Result<Vec<PathBuf>, CheckpointError> {
        let mut problems = Vec::new();
        for (place, candidate) in self.candidates()? {
            let proved = candidate.and_then(|candidate| {
                self.prove(&candidate, drop)
                    .map(|()| candidate.manifest.state)
            });
            match proved {
                Ok(state) => return self.rotate(&state, place, keep),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            return Ok(Vec::new());
        }
        Err(CheckpointError::NoneValid {
            folder: self.folder.clone(),
            problems,
        })
    }

    /// The checkpoint of one step, such as the best one's.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Missing`] or [`CheckpointError::Invalid`].
    pub fn load_step(&self, step: u64) -> Result<Loaded, CheckpointError> {
        let mut error = CheckpointError::Missing {
            folder: self.folder.clone(),
            step,
        };
        for (place, candidate) in self.candidates()? {
            if place.step == step {
                match candidate.and_then(|candidate| self.load(&candidate, Vec::new())) {
                    Ok(loaded) => return Ok(loaded),
                    Err(problem) => error = problem,
                }
            }
        }
        Err(error)
    }

    fn write(
        &self,
        folder: &Path,
        state: &TrainingState,
        contents: &[Contents<'_>],
    ) -> Result<(), CheckpointError> {
        self.make("create", folder, |path| self.layer.create_folder(path))?;
        let mut entries = Vec::new();
        for (name, content) in self.files.iter().zip(contents) {
            let path = folder.join(name);
            let file = self.make("create", &path, |path| self.layer.create_file(path))?;
            let mut file = Hashing::new(file);
            self.make("write", &path, |_| content(&mut file))?;
            entries.push(self.make("sync", &path, |_| file.finish(name))?);
        }
        let path = folder.join(manifest::FILE_NAME);
        self.make("write", &path, |path| {
            let bytes = Manifest::new(entries, state).to_bytes()?;
            let mut file = self.layer.create_file(path)?;
            file.write_all(&bytes)?;
            file.sync()
        })?;
        self.make("sync", folder, |path| self.layer.sync_folder(path))
    }

    /// Removes what nobody needs any more, after the checkpoint of `state` was proved.
    fn rotate(
        &self,
        state: &TrainingState,
        saved: Place,
        keep: usize,
    ) -> Result<Vec<PathBuf>, CheckpointError> {
        let mut removed = Vec::new();
        let mut kept = 0;
        let mut best = state.best.map(|best| best.step);
        for (place, candidate) in self.candidates()? {
            let stays = match candidate {
                // What lies beyond the newest save belongs to a line that a resume has given up.
                Ok(_) if place > saved => false,
                Ok(_) => {
                    // Of several copies of the best step the last one, which comes first, is enough.
                    let is_best = best.take_if(|step| *step == place.step).is_some();
                    kept += 1;
                    is_best || kept <= keep.max(1)
                }
                // It may be whole after all: a file that cannot be read now can be read later.
                Err(CheckpointError::Io { .. }) => true,
                Err(_) => false,
            };
            if !stays {
                // By way of another name, so that a crash in the middle leaves no broken checkpoint.
                let name = place.folder_name();
                let temporary = self.folder.join(format!("{TEMPORARY}remove-{name}"));
                let path = self.folder.join(&name);
                self.make("rename", &path, |from| self.layer.rename(from, &temporary))?;
                self.remove(&temporary)?;
                removed.push(path);
            }
        }
        Ok(removed)
    }

    /// Every checkpoint's folder, the newest first, with its manifest or what is wrong with it.
    #[expect(clippy::type_complexity, reason = "two pairs in a list, used twice")]
    fn candidates(
        &self,
    ) -> Result<Vec<(Place, Result<Candidate, CheckpointError>)>, CheckpointError> {
        let read = |place: Place| (place, self.candidate(place));
        Ok(self.places()?.into_iter().rev().map(read).collect())
    }

    /// The places of all checkpoints' folders, the newest last.
    fn places(&self) -> Result<Vec<Place>, CheckpointError> {
        let names = self.names()?;
        let mut places: Vec<Place> = names.iter().filter_map(|name| Place::parse(name)).collect();
        places.sort_unstable();
        Ok(places)
    }

    fn candidate(&self, place: Place) -> Result<Candidate, CheckpointError> {
        let path = self.folder.join(place.folder_name());
        let file = path.join(manifest::FILE_NAME);
        let bytes = self.make("read", &file, |file| {
            self.layer.read(file, manifest::MAX_BYTES)
        })?;
        let manifest = Manifest::read(&bytes, self.files)
            .map_err(|problem| CheckpointError::invalid(&path, problem))?;
        if manifest.state.step != place.step {
            let problem = format!("its manifest is of step {}", manifest.state.step);
            return Err(CheckpointError::invalid(&path, problem));
        }
        Ok(Candidate { path, manifest })
    }

    /// Reads every file of a checkpoint, compares it with the manifest and hands it on.
    fn prove(
        &self,
        candidate: &Candidate,
        mut hand_on: impl FnMut(Vec<u8>),
    ) -> Result<(), CheckpointError> {
        for name in self.files {
            let entry = candidate
                .manifest
                .files
                .iter()
                .find(|entry| entry.name == *name)
                .expect("a manifest was read that names exactly these files");
            let path = candidate.path.join(name);
            let bytes = self.make("read", &path, |path| self.layer.read(path, entry.length))?;
            let found = bytes.len();
            let problem = if found as u64 != entry.length {
                format!("{name} has {found} bytes, expected {}", entry.length)
            } else if manifest::hash(&bytes) != entry.blake3 {
                format!("{name} is damaged: the hash does not match")
            } else {
                hand_on(bytes);
                continue;
            };
            return Err(CheckpointError::invalid(&candidate.path, problem));
        }
        Ok(())
    }

    fn load(
        &self,
        candidate: &Candidate,
        warnings: Vec<String>,
    ) -> Result<Loaded, CheckpointError> {
        let mut files = Vec::new();
        self.prove(candidate, |bytes| files.push(bytes))?;
        Ok(Loaded {
            state: candidate.manifest.state.clone(),
            files,
            warnings,
        })
    }

    fn names(&self) -> Result<Vec<String>, CheckpointError> {
        self.make("list", &self.folder, |path| self.layer.names(path))
    }

    fn remove(&self, path: &Path) -> Result<(), CheckpointError> {
        self.make("remove", path, |path| self.layer.remove_folder(path))
    }

    /// Does one thing to a file, and says what and to which when it fails.
    fn make<T>(
        &self,
        action: &'static str,
        path: &Path,
        operation: impl FnOnce(&Path) -> io::Result<T>,
    ) -> Result<T, CheckpointError> {
        operation(path).map_err(CheckpointError::io(action, path))
    }
}

fn fallback_warnings(problems: &[CheckpointError], step: u64) -> Vec<String> {
    problems
        .iter()
        .map(|problem| format!("{}; falling back to step {step}", whole(problem)))
        .collect()
}

/// Counts and hashes what goes into a file.
struct Hashing<'a> {
    file: Box<dyn DurableFile + 'a>,
    hasher: blake3::Hasher,
    length: u64,
}

impl<'a> Hashing<'a> {
    fn new(file: Box<dyn DurableFile + 'a>) -> Self {
        Self {
            file,
            hasher: blake3::Hasher::new(),
            length: 0,
        }
    }

    fn finish(mut self, name: &str) -> io::Result<FileEntry> {
        self.file.sync()?;
        Ok(FileEntry {
            name: name.to_owned(),
            length: self.length,
            blake3: self.hasher.finalize().to_hex().to_string(),
        })
    }
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
