//! The values of a table: in memory while they are few, else in a file of ours that is mapped.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::DataError;
use crate::cache::{make_private, map};

const VALUE_BYTES: usize = size_of::<f32>();
const BUFFER_BYTES: usize = 1 << 18;

/// A mapped file, and the folder that goes with it.
pub(super) struct Mapped {
    map: Mmap,
    _folder: TemporaryFolder,
}

/// Values by their place. Which of the two it is changes nothing that it gives.
pub(super) enum Store {
    Memory(Vec<f32>),
    Mapped(Mapped),
}

impl Store {
    pub fn len(&self) -> usize {
        match self {
            Self::Memory(values) => values.len(),
            Self::Mapped(Mapped { map, .. }) => map.len() / VALUE_BYTES,
        }
    }

    pub fn is_mapped(&self) -> bool {
        matches!(self, Self::Mapped(_))
    }

    pub fn value(&self, place: usize) -> f32 {
        match self {
            Self::Memory(values) => values[place],
            Self::Mapped(Mapped { map, .. }) => {
                value_of(&map[place * VALUE_BYTES..][..VALUE_BYTES])
            }
        }
    }

    /// Copies the values of a range.
    pub fn copy(&self, places: Range<usize>, into: &mut [f32]) {
        match self {
            Self::Memory(values) => into.copy_from_slice(&values[places]),
            Self::Mapped(Mapped { map, .. }) => {
                let bytes = &map[places.start * VALUE_BYTES..places.end * VALUE_BYTES];
                for (into, bytes) in into.iter_mut().zip(bytes.chunks_exact(VALUE_BYTES)) {
                    *into = value_of(bytes);
                }
            }
        }
    }
}

fn value_of(bytes: &[u8]) -> f32 {
    let mut value = [0; VALUE_BYTES];
    value.copy_from_slice(bytes);
    f32::from_le_bytes(value)
}

/// Takes values one after another and holds them in memory up to a limit.
pub(super) struct StoreWriter {
    limit_bytes: u64,
    values: Vec<f32>,
    spill: Option<(BufWriter<File>, PathBuf, TemporaryFolder)>,
}

impl StoreWriter {
    pub fn new(limit_bytes: u64) -> Self {
        Self {
            limit_bytes,
            values: Vec::new(),
            spill: None,
        }
    }

    pub fn push(&mut self, row: &[f32]) -> Result<(), DataError> {
        if let Some((file, path, _)) = &mut self.spill {
            return write(file, row).map_err(failed("write", path));
        }
        self.values.extend_from_slice(row);
        if (self.values.len() * VALUE_BYTES) as u64 > self.limit_bytes {
            self.begin_file()?;
        }
        Ok(())
    }

    fn begin_file(&mut self) -> Result<(), DataError> {
        let folder = TemporaryFolder::make()?;
        let path = folder.0.join("values");
        let file = File::create(&path).map_err(failed("write", &path))?;
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, file);
        write(&mut file, &self.values).map_err(failed("write", &path))?;
        self.values = Vec::new();
        self.spill = Some((file, path, folder));
        Ok(())
    }

    pub fn finish(self) -> Result<Store, DataError> {
        let Some((file, path, folder)) = self.spill else {
            return Ok(Store::Memory(self.values));
        };
        let written = file.into_inner().map_err(io::IntoInnerError::into_error);
        drop(written.map_err(failed("write", &path))?);
        let file = File::open(&path).map_err(failed("open", &path))?;
        let map = map(&file).map_err(failed("map", &path))?;
        Ok(Store::Mapped(Mapped {
            map,
            _folder: folder,
        }))
    }
}

fn write(file: &mut BufWriter<File>, values: &[f32]) -> io::Result<()> {
    values
        .iter()
        .try_for_each(|value| file.write_all(&value.to_le_bytes()))
}

/// A folder of our own among the system's temporary ones, which nobody else can enter.
pub(super) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn make() -> Result<Self, DataError> {
        let parent = std::env::temp_dir();
        make_private(&parent)
            .map(Self)
            .map_err(failed("make", &parent))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What cannot be removed is left to the system, which sweeps its temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DataError {
    let path = path.to_owned();
    move |source| DataError::SeriesCache {
        action,
        path,
        source,
    }
}
