//! Token ids by row.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use memmap2::Mmap;

use super::header::{HEADER_BYTES, Header};

/// The token ids of many texts, with access by row at constant cost: in memory, or memory-mapped.
///
/// Which of the two it is changes nothing that it gives.
pub struct TokenRows {
    bytes: Bytes,
    /// Where the ids begin and the ends of the rows, in bytes.
    ids_at: usize,
    ends_at: usize,
    /// Bytes of an id.
    width: usize,
    rows: usize,
    n_ids: usize,
    n_truncated: usize,
}

enum Bytes {
    Memory(Vec<u8>),
    Mapped(Mmap),
}

impl TokenRows {
    /// Of ids and, behind them, the ends of the rows.
    pub(super) fn in_memory(header: Header, bytes: Vec<u8>) -> Self {
        let ends_at = header.ids as usize * header.width;
        Self::new(header, Bytes::Memory(bytes), 0, ends_at)
    }

    fn new(header: Header, bytes: Bytes, ids_at: usize, ends_at: usize) -> Self {
        // Numbers of things that are in memory or mapped fit.
        Self {
            bytes,
            ids_at,
            ends_at,
            width: header.width,
            rows: header.rows as usize,
            n_ids: header.ids as usize,
            n_truncated: header.truncated as usize,
        }
    }

    /// Maps a file that was made from `key` and whose ids are below `vocab_size`; none if there is no such file, or
    /// anything about it is not as it should be: it is then made again.
    pub(super) fn open(path: &Path, key: &[u8; 32], vocab_size: usize) -> Option<Self> {
        let mut file = File::open(path).ok()?;
        let file_bytes = file.metadata().ok()?.len();
        let mut bytes = [0; HEADER_BYTES];
        file.read_exact(&mut bytes).ok()?;
        let header = Header::of(&bytes, file_bytes)?;
        if header.key != *key {
            return None;
        }
        if !is_whole(&mut file, &header, &bytes, vocab_size).ok()? {
            return None;
        }
        let map = map(&file).ok()?;
        if map.len() as u64 != file_bytes {
            return None;
        }
        let ends_at = usize::try_from(header.ends_at()?).ok()?;
        let rows = Self::new(header, Bytes::Mapped(map), HEADER_BYTES, ends_at);
        rows.follow_each_other().then_some(rows)
    }

    fn follow_each_other(&self) -> bool {
        let ends = (0..self.rows).map(|row| self.end(row));
        let mut before = 0;
        for end in ends {
            if end <= before {
                return false;
            }
            before = end;
        }
        before == self.n_ids
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The ids of all rows together.
    #[must_use]
    pub fn n_tokens(&self) -> usize {
        self.n_ids
    }

    /// The rows whose text was cut off.
    #[must_use]
    pub fn n_truncated(&self) -> usize {
        self.n_truncated
    }

    /// Whether the ids are mapped from a file.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        matches!(self.bytes, Bytes::Mapped(_))
    }

    /// The number of ids of a row.
    ///
    /// # Panics
    /// If `row` is not below `len`.
    #[must_use]
    pub fn length(&self, row: usize) -> usize {
        self.end(row) - self.begin(row)
    }

    /// The ids of a row.
    ///
    /// # Panics
    /// If `row` is not below `len`.
    #[must_use]
    pub fn row(&self, row: usize) -> Vec<u32> {
        self.ids(row).collect()
    }

    fn ids(&self, row: usize) -> impl Iterator<Item = u32> + '_ {
        let at = |id: usize| self.ids_at + id * self.width;
        self.bytes()[at(self.begin(row))..at(self.end(row))]
            .chunks_exact(self.width)
            .map(id_of)
    }

    fn begin(&self, row: usize) -> usize {
        row.checked_sub(1).map_or(0, |before| self.end(before))
    }

    fn end(&self, row: usize) -> usize {
        let mut end = [0; 8];
        end.copy_from_slice(&self.bytes()[self.ends_at..][8 * row..8 * row + 8]);
        u64::from_le_bytes(end) as usize
    }

    fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Memory(bytes) => bytes,
            Bytes::Mapped(map) => map,
        }
    }
}

impl fmt::Debug for TokenRows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenRows")
            .field("rows", &self.rows)
            .field("tokens", &self.n_ids)
            .field("mapped", &self.is_mapped())
            .finish_non_exhaustive()
    }
}

/// Whether the file has its hash and every id is in the vocabulary: a file may be whole and yet not ours, and an id beyond
/// the embedding's table would be a panic in the middle of a run.
///
/// Read and not mapped: mapped pages that were touched once count as memory of the process.
fn is_whole(
    file: &mut File,
    header: &Header,
    bytes: &[u8; HEADER_BYTES],
    vocab_size: usize,
) -> io::Result<bool> {
    let mut content = blake3::Hasher::new();
    let mut ids_left = header.ids;
    // A multiple of every width, so that no id is cut.
    let mut chunk = vec![0; 1 << 18];
    loop {
        let count = fill(file, &mut chunk)?;
        if count == 0 {
            return Ok(Header::has_hash(bytes, &content.finalize()));
        }
        content.update(&chunk[..count]);
        let ids_here = (count / header.width).min(usize::try_from(ids_left).unwrap_or(usize::MAX));
        ids_left -= ids_here as u64;
        let ids = chunk[..ids_here * header.width].chunks_exact(header.width);
        if ids.map(id_of).any(|id| id as usize >= vocab_size) {
            return Ok(false);
        }
    }
}

/// Reads until `chunk` is full or the file ends.
fn fill(file: &mut File, chunk: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < chunk.len() {
        match file.read(&mut chunk[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// An id of two or four bytes.
fn id_of(bytes: &[u8]) -> u32 {
    let mut id = [0; 4];
    id[..bytes.len()].copy_from_slice(bytes);
    u32::from_le_bytes(id)
}

#[expect(
    unsafe_code,
    reason = "a file can be mapped in no other way, and reading it instead would hold it in memory"
)]
pub(crate) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the bytes must not change and the file not shrink while the map lives. The file stands in a folder that
    // this process holds: a run's, under its lock, or a temporary one of the process's own, which other users cannot
    // enter. It was renamed into place when it was whole; this crate never writes to it again, and removes its name only
    // after the map, or over a map that keeps the content alive.
    unsafe { Mmap::map(file) }
}
