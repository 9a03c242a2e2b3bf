//! CSV rows: the `csv-core` state machine inside caps, because it accepts anything, however long, and never errs.

use csv_core::{ReadRecordResult, Reader};

use super::input::{Input, checked_str, count_line_feeds};
use super::record::Fields;
use crate::DataError;

pub(super) struct CsvParser {
    core: Reader,
    output: Vec<u8>,
    ends: Vec<usize>,
}

impl CsvParser {
    pub(super) fn new() -> Self {
        Self {
            core: Reader::new(),
            output: vec![0; 1024],
            ends: vec![0; 32],
        }
    }

    /// The next row and the line where it starts; blank lines are no rows.
    pub(super) fn next(&mut self, input: &mut Input) -> Result<Option<(u64, Fields)>, DataError> {
        if !skip_line_ends(input)? {
            return Ok(None);
        }
        let line = input.line();
        let limits = input.limits();
        let (mut written, mut fields) = (0, 0);
        loop {
            let at_end = input.fill()?.is_empty();
            // A line feed ends the last row, unless a quote is open: then it becomes part of the field.
            let bytes: &[u8] = if at_end { b"\n" } else { input.fill()? };
            let (result, read, wrote, ended) =
                self.core
                    .read_record(bytes, &mut self.output[written..], &mut self.ends[fields..]);
            if !at_end {
                input.consume(read);
            }
            written += wrote;
            fields += ended;
            let path = || input.path().to_owned();
            if written > limits.line_bytes {
                return Err(DataError::RowTooLong {
                    path: path(),
                    line,
                    limit_bytes: limits.line_bytes,
                });
            }
            if fields > limits.columns {
                return Err(DataError::TooManyColumns {
                    path: path(),
                    line,
                    limit: limits.columns,
                });
            }
            match result {
                ReadRecordResult::Record => break,
                ReadRecordResult::InputEmpty if at_end => {
                    let closed = fields.checked_sub(1).map_or(0, |last| self.ends[last]);
                    let line = line + count_line_feeds(&self.output[..closed]);
                    return Err(DataError::UnclosedQuote { path: path(), line });
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
                ReadRecordResult::OutputFull => self.output.resize(self.output.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
            }
        }
        let text = checked_str(&self.output[..written]).to_owned();
        Ok(Some((
            line,
            Fields {
                text,
                ends: self.ends[..fields].to_vec(),
            },
        )))
    }
}

/// Goes to the next row; false at the end of the file.
fn skip_line_ends(input: &mut Input) -> Result<bool, DataError> {
    loop {
        let bytes = input.fill()?;
        if bytes.is_empty() {
            return Ok(false);
        }
        let ends = bytes
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let done = ends < bytes.len();
        input.consume(ends);
        if done {
            return Ok(true);
        }
    }
}
