//! The one place where bytes of unknown origin come in: everything above it sees valid UTF-8 in lines of bounded length.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::DataError;

const BUFFER_BYTES: usize = 64 * 1024;

/// Caps that a hostile file runs into before it fills the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Longest line, and longest CSV row, in bytes.
    pub line_bytes: usize,
    /// Most columns of a row.
    pub columns: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_bytes: 16 * 1024 * 1024,
            columns: 65_536,
        }
    }
}

/// A stream that hands out checked bytes only: no byte order mark, no NUL, whole UTF-8 characters, no line beyond the cap.
///
/// What comes before a fault is handed out before the fault is reported, so that it is blamed on the right row.
pub(super) struct Input {
    reader: Box<dyn Read + Send>,
    path: PathBuf,
    limits: Limits,
    buffer: Vec<u8>,
    /// `start..checked` is what may be handed out, `checked..filled` the beginning of a character that is still to come.
    start: usize,
    checked: usize,
    filled: usize,
    fault: Option<DataError>,
    begun: bool,
    /// Place of `checked`, for faults.
    checked_line: u64,
    checked_byte: u64,
    /// Line of `start`, for rows.
    line: u64,
}

impl Input {
    pub(super) fn open(path: &Path, limits: Limits) -> Result<Self, DataError> {
        let open = |source| DataError::Open {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(open)?;
        if file.metadata().map_err(open)?.is_dir() {
            return Err(DataError::Folder {
                path: path.to_owned(),
            });
        }
        Ok(Self::new(Box::new(file), path.to_owned(), limits))
    }

    pub(super) fn new(reader: Box<dyn Read + Send>, path: PathBuf, limits: Limits) -> Self {
        Self {
            reader,
            path,
            limits,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            checked: 0,
            filled: 0,
            fault: None,
            begun: false,
            checked_line: 1,
            checked_byte: 0,
            line: 1,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// The line of the next byte, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The next checked bytes; none at the end of the file.
    pub(super) fn fill(&mut self) -> Result<&[u8], DataError> {
        while self.start == self.checked {
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            if !self.begun {
                self.skip_byte_order_mark()?;
                self.begun = true;
            } else if !self.read_more()? {
                break;
            }
            self.check();
        }
        Ok(&self.buffer[self.start..self.checked])
    }

    /// Marks the first `count` of the bytes that `fill` returned as used.
    pub(super) fn consume(&mut self, count: usize) {
        let used = &self.buffer[self.start..self.start + count];
        self.line += count_line_feeds(used);
        self.start += count;
    }

    /// Appends the next line without its end (`\n` or `\r\n`); false at the end of the file.
    pub(super) fn read_line(&mut self, line: &mut String) -> Result<bool, DataError> {
        let mut begun = false;
        loop {
            let bytes = self.fill()?;
            if bytes.is_empty() {
                return Ok(begun);
            }
            begun = true;
            let line_feed = bytes.iter().position(|byte| *byte == b'\n');
            let end = line_feed.unwrap_or(bytes.len());
            line.push_str(checked_str(&bytes[..end]));
            self.consume(end + usize::from(line_feed.is_some()));
            if line_feed.is_some() {
                if line.ends_with('\r') {
                    line.pop();
                }
                return Ok(true);
            }
        }
    }

    fn skip_byte_order_mark(&mut self) -> Result<(), DataError> {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        while self.filled < MARK.len() && self.read_more()? {}
        match &self.buffer[..self.filled] {
            bytes if bytes.starts_with(MARK) => {
                self.start = MARK.len();
                self.checked = MARK.len();
            }
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => {
                return Err(DataError::Utf16 {
                    path: self.path.clone(),
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads behind what is there; false at the end of the file. An unfinished character at the end becomes a fault.
    fn read_more(&mut self) -> Result<bool, DataError> {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.checked -= self.start;
        self.start = 0;
        let count = loop {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Ok(count) => break count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(DataError::Read {
                        path: self.path.clone(),
                        line: self.checked_line,
                        source,
                    });
                }
            }
        };
        self.filled += count;
        if count == 0 && self.begun && self.checked < self.filled {
            self.filled = self.checked;
            return Err(self.invalid_utf8(0));
        }
        Ok(count > 0)
    }

    /// Checks what was read, up to the first fault.
    fn check(&mut self) {
        let fresh = &self.buffer[self.checked..self.filled];
        let (mut good, mut fault) = match std::str::from_utf8(fresh) {
            Ok(text) => (text.len(), None),
            Err(error) => {
                let end = error.valid_up_to();
                (end, error.error_len().map(|_| self.invalid_utf8(end)))
            }
        };
        if let Some(end) = fresh[..good].iter().position(|byte| *byte == 0) {
            let (line, byte) = self.place(end);
            good = end;
            fault = Some(DataError::NulByte {
                path: self.path.clone(),
                line,
                byte,
            });
        }
        if let Some(end) = self.end_of_cap(&fresh[..good]) {
            let (line, _) = self.place(end);
            good = end;
            fault = Some(DataError::LineTooLong {
                path: self.path.clone(),
                line,
                limit_bytes: self.limits.line_bytes,
            });
        }
        (self.checked_line, self.checked_byte) = self.place(good);
        self.checked_byte -= 1;
        self.checked += good;
        self.fault = fault;
        if self.fault.is_some() {
            // Nothing behind a fault is ever looked at.
            self.filled = self.checked;
        }
    }

    /// Where in `fresh` a line grows beyond the cap, if one does.
    fn end_of_cap(&self, fresh: &[u8]) -> Option<usize> {
        let cap = self.limits.line_bytes;
        let mut before = usize::try_from(self.checked_byte).unwrap_or(usize::MAX);
        let mut start = 0;
        for line in fresh.split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            if before.saturating_add(text.len()) > cap {
                // Back to the beginning of a character: what is handed out stays valid UTF-8.
                let mut end = start + cap.saturating_sub(before);
                while end > start && fresh[end] & 0xC0 == 0x80 {
                    end -= 1;
                }
                return Some(end);
            }
            before = 0;
            start += line.len();
        }
        None
    }

    /// Line and byte, both from 1, of the byte `offset` behind the checked ones.
    fn place(&self, offset: usize) -> (u64, u64) {
        let fresh = &self.buffer[self.checked..self.checked + offset];
        let lines = count_line_feeds(fresh);
        let byte = match fresh.iter().rposition(|byte| *byte == b'\n') {
            Some(line_feed) => (offset - line_feed) as u64,
            None => self.checked_byte + offset as u64 + 1,
        };
        (self.checked_line + lines, byte)
    }

    fn invalid_utf8(&self, offset: usize) -> DataError {
        let (line, byte) = self.place(offset);
        DataError::InvalidUtf8 {
            path: self.path.clone(),
            line,
            byte,
        }
    }
}

pub(super) fn count_line_feeds(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

/// Text of bytes that went through `Input`, cut at ASCII characters or where `fill` ended.
pub(super) fn checked_str(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes)
        .expect("Input hands out whole UTF-8 characters and cuts are made at ASCII bytes")
}
