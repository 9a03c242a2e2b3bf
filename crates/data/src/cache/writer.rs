//! Writing token ids, row by row, in bounded memory.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::TokenRows;
use super::folder::{TokenCache, file_of};
use super::header::{HEADER_BYTES, Header};
use crate::DataError;

/// A row of ids is a few hundred bytes: written one by one they would each be a call of the system.
const BUFFER_BYTES: usize = 1 << 18;

/// Takes rows of token ids one at a time. It holds them in memory up to the cache's limit, and writes them to a file from
/// there on, holding 8 bytes a row.
pub struct TokenRowsWriter<'a> {
    cache: &'a TokenCache,
    name: String,
    header: Header,
    /// The ids that were not written to a file yet.
    ids: Vec<u8>,
    ends: Vec<u8>,
    spill: Option<Spill>,
}

/// The file under way.
struct Spill {
    /// Its name until it is whole.
    part: PathBuf,
    path: PathBuf,
    file: BufWriter<File>,
    content: blake3::Hasher,
}

impl<'a> TokenRowsWriter<'a> {
    pub(super) fn new(cache: &'a TokenCache, name: &str, key: [u8; 32], vocab_size: usize) -> Self {
        Self {
            cache,
            name: name.to_owned(),
            header: Header {
                width: if vocab_size <= 1 << 16 { 2 } else { 4 },
                rows: 0,
                ids: 0,
                truncated: 0,
                key,
            },
            ids: Vec::new(),
            ends: Vec::new(),
            spill: None,
        }
    }

    /// Adds the ids of one text, and whether it was cut off.
    ///
    /// # Errors
    /// [`DataError::TokenCache`] if the file cannot be written.
    pub fn push(&mut self, ids: &[u32], truncated: bool) -> Result<(), DataError> {
        for id in ids {
            self.ids
                .extend_from_slice(&id.to_le_bytes()[..self.header.width]);
        }
        self.header.ids += ids.len() as u64;
        self.header.rows += 1;
        self.header.truncated += u64::from(truncated);
        self.ends.extend_from_slice(&self.header.ids.to_le_bytes());
        if self.spill.is_none() && self.ids.len() as u64 > self.cache.memory_bytes() {
            self.spill = Some(self.begin_file()?);
        }
        if let Some(spill) = &mut self.spill {
            spill.write(&self.ids)?;
            self.ids.clear();
            // The first time there were as many as may stay in memory; now there is one row at a time.
            self.ids.shrink_to(BUFFER_BYTES);
        }
        Ok(())
    }

    /// The rows, in memory or mapped.
    ///
    /// # Errors
    /// [`DataError::TokenCache`] if the file cannot be finished or mapped.
    pub fn finish(mut self) -> Result<TokenRows, DataError> {
        let Some(mut spill) = self.spill.take() else {
            self.ids.append(&mut self.ends);
            self.ids.shrink_to_fit();
            return Ok(TokenRows::in_memory(self.header, self.ids));
        };
        let written = self.header.ids as usize * self.header.width;
        spill.write(&vec![0; written.next_multiple_of(8) - written])?;
        spill.write(&self.ends)?;
        drop(self.ends);
        spill.finish(&self.header)
    }

    fn begin_file(&self) -> Result<Spill, DataError> {
        let folder = self.cache.make()?;
        let part = folder.join(format!("{}.part", self.name));
        let file = File::create(&part).map_err(failed("write", &part))?;
        let mut spill = Spill {
            path: file_of(&folder, &self.name),
            part,
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            content: blake3::Hasher::new(),
        };
        // The place of the header, which is known when everything is.
        spill
            .file
            .write_all(&[0; HEADER_BYTES])
            .map_err(failed("write", &spill.part))?;
        Ok(spill)
    }
}

impl Spill {
    fn write(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        self.content.update(bytes);
        self.file
            .write_all(bytes)
            .map_err(failed("write", &self.part))
    }

    fn finish(mut self, header: &Header) -> Result<TokenRows, DataError> {
        let bytes = header.to_bytes(&self.content.finalize());
        // Not synced: a file that a crash left torn is found by its hash and made again.
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.write_all(&bytes))
            .and_then(|()| self.file.flush())
            .map_err(failed("write", &self.part))?;
        drop(self.file);
        fs::rename(&self.part, &self.path).map_err(failed("rename", &self.part))?;
        // Read back and checked: training rests on what stands there, not on what was meant to.
        TokenRows::open(&self.path, &header.key, usize::MAX).ok_or_else(|| {
            let damaged = io::Error::new(
                io::ErrorKind::InvalidData,
                "what stands there is not what was written",
            );
            failed("read back", &self.path)(damaged)
        })
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DataError {
    let path = path.to_owned();
    move |source| DataError::TokenCache {
        action,
        path,
        source,
    }
}
