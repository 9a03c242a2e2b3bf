//! What several test files use.
#![allow(dead_code, reason = "each test file uses a part")]

use std::io::Read;

use regard_data::{DataError, Format, Records, Source};

/// A source for bytes that are given to a reader; messages call it `input`.
pub fn source(format: Format) -> Source {
    Source::new("input").with_format(format)
}

/// Line and texts of every row.
pub fn read_all(records: Records) -> Result<Vec<(u64, Vec<String>)>, DataError> {
    let columns = records.columns().len();
    records
        .map(|record| {
            let record = record?;
            let fields = (0..columns).map(|column| Ok(record.text(column)?.into_owned()));
            Ok((record.line(), fields.collect::<Result<_, DataError>>()?))
        })
        .collect()
}

/// Hands out bytes a few at a time, as a slow pipe does.
pub struct Chunks {
    bytes: Vec<u8>,
    place: usize,
    chunk: usize,
}

impl Chunks {
    pub fn new(bytes: &[u8], chunk: usize) -> Self {
        Self {
            bytes: bytes.to_owned(),
            place: 0,
            chunk,
        }
    }
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self
            .chunk
            .min(buffer.len())
            .min(self.bytes.len() - self.place);
        buffer[..count].copy_from_slice(&self.bytes[self.place..self.place + count]);
        self.place += count;
        Ok(count)
    }
}

/// A small generator of random numbers, so that tests are the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// A file of the repository's `datasets`.
pub fn data_set(path: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../datasets")
        .join(path)
}

/// What is loaded from a file of this name and content.
pub fn loaded<T>(name: &str, content: &str, load: impl FnOnce(&Source) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    load(&Source::new(path))
}

/// A message from the file's name on: its folder is another one each time.
pub fn message(error: DataError) -> String {
    let text = error.to_string();
    let start = text.find("a.").expect("the message names the file");
    text[start..].to_owned()
}
