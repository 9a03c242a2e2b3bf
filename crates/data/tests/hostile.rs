//! Hostile files: refused while they stream, with the line, in bounded memory.

mod common;

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{Chunks, read_all, source};
use regard_data::{DataError, Format, Limits, Records};

/// A first part, then one that repeats for ever.
struct Endless {
    first: &'static [u8],
    repeated: &'static [u8],
    handed_out: Arc<AtomicU64>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let start = self
            .handed_out
            .fetch_add(buffer.len() as u64, Ordering::Relaxed) as usize;
        for (byte, place) in buffer.iter_mut().zip(start..) {
            *byte = match self.first.get(place) {
                Some(first) => *first,
                None => self.repeated[(place - self.first.len()) % self.repeated.len()],
            };
        }
        Ok(buffer.len())
    }
}

/// What reading the endless stream ends with, and how much of it was read.
fn refuse(format: Format, first: &'static str, repeated: &'static str) -> (String, u64) {
    let handed_out = Arc::new(AtomicU64::new(0));
    let reader = Endless {
        first: first.as_bytes(),
        repeated: repeated.as_bytes(),
        handed_out: Arc::clone(&handed_out),
    };
    let error = Records::from_reader(reader, &source(format))
        .and_then(read_all)
        .unwrap_err();
    (error.to_string(), handed_out.load(Ordering::Relaxed))
}

#[test]
fn endless_files_are_refused_in_bounded_memory() {
    const MIB: u64 = 1024 * 1024;
    let too_long =
        "input line 2 is longer than 16777216 bytes; is this a text file with one row a line?";
    let cases = [
        (Format::Csv, "a,b\n", "x", 17 * MIB, too_long),
        (Format::Tsv, "a\tb\n", "é", 17 * MIB, too_long),
        (Format::Lines, "a\n", "漢x", 17 * MIB, too_long),
        (
            Format::JsonLines,
            "{\"a\": 1}\n{\"a\": [",
            "1, ",
            17 * MIB,
            too_long,
        ),
        (
            Format::Csv,
            "a,b\n1,\"",
            "x\n",
            17 * MIB,
            "input line 2: the row that starts here is longer than 16777216 bytes; is a quote missing that closes a field?",
        ),
        (
            Format::Csv,
            "a,b\n1",
            ",",
            MIB,
            "input line 2 has more than 65536 columns; is the format right?",
        ),
        (
            Format::Csv,
            "",
            "a,",
            MIB,
            "input line 1 has more than 65536 columns; is the format right?",
        ),
        // The line must be whole before it is split.
        (
            Format::Tsv,
            "",
            "a\t",
            17 * MIB,
            "input line 1 is longer than 16777216 bytes; is this a text file with one row a line?",
        ),
    ];
    for (format, first, repeated, most, expected) in cases {
        let (message, read) = refuse(format, first, repeated);
        assert_eq!(message, expected, "{format}: {first:?}");
        assert!(
            read <= most,
            "{format}: {read} bytes were read before the refusal"
        );
    }
    assert_peak_memory_below_200_mb();
}

/// Also covers what the other tests of this file took: they share the process.
fn assert_peak_memory_below_200_mb() {
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kilobytes < 200 * 1024, "peak memory {kilobytes} kB");
    }
}

#[test]
fn too_many_columns_are_refused_in_every_format() {
    let limits = Limits {
        columns: 3,
        ..Limits::default()
    };
    let read = |format, text: &str| {
        let source = source(format).with_limits(limits);
        Records::from_reader(Chunks::new(text.as_bytes(), 5), &source).and_then(read_all)
    };
    assert!(read(Format::Csv, "a,b,c\n1,2,3\n").is_ok());
    assert!(read(Format::Tsv, "a\tb\tc\n1\t2\t3\n").is_ok());
    assert!(read(Format::JsonLines, "{\"a\":1,\"b\":2,\"c\":3}\n").is_ok());
    let message = "input line 2 has more than 3 columns; is the format right?";
    assert_eq!(
        read(Format::Csv, "a,b,c\n1,2,3,4\n")
            .unwrap_err()
            .to_string(),
        message
    );
    assert_eq!(
        read(Format::Tsv, "a\tb\tc\n1\t2\t3\t4\n")
            .unwrap_err()
            .to_string(),
        message
    );
    assert_eq!(
        read(
            Format::JsonLines,
            "{\"a\":1}\n{\"a\":1,\"b\":2,\"c\":3,\"d\":4}\n"
        )
        .unwrap_err()
        .to_string(),
        "input line 2: no valid JSON object: more than 3 keys at byte 25"
    );
}

#[test]
fn a_line_of_exactly_the_cap_passes_and_one_byte_more_does_not() {
    let limits = Limits {
        line_bytes: 8,
        ..Limits::default()
    };
    for format in [Format::Csv, Format::Tsv, Format::Lines] {
        for chunk in [1, 3, 100] {
            let read = |text: &str| {
                let source = source(format).with_limits(limits).with_header(false);
                Records::from_reader(Chunks::new(text.as_bytes(), chunk), &source)
                    .and_then(read_all)
            };
            assert_eq!(read("123456é").unwrap().len(), 1);
            assert_eq!(read("12345678\n12345678\n").unwrap().len(), 2);
            // The ninth byte is the second half of a character.
            assert!(matches!(
                read("1234567é"),
                Err(DataError::LineTooLong { line: 1, .. })
            ));
            let error = read("12345678\n123456é89\n").unwrap_err();
            assert_eq!(
                error.to_string(),
                "input line 2 is longer than 8 bytes; is this a text file with one row a line?"
            );
        }
    }
}

#[test]
fn faults_are_placed_exactly_whatever_the_chunks() {
    let cases: [(&[u8], &str); 6] = [
        (b"a\nbc\xFFd\n", "input line 2, byte 3: invalid UTF-8"),
        (b"a\n\xE6\xBC", "input line 2, byte 1: invalid UTF-8"),
        (
            b"\xEF\xBB\xBFa\xC3\x28",
            "input line 1, byte 2: invalid UTF-8",
        ),
        (b"a\nb\xED\xA0\x80", "input line 2, byte 2: invalid UTF-8"),
        (b"a\nb\n\xE6\xBC\xA2\0", "input line 3, byte 4: a NUL byte"),
        (b"\xFF\xFEa\0", "input is encoded in UTF-16"),
    ];
    for format in [Format::Csv, Format::Tsv, Format::Lines] {
        for (bytes, expected) in cases {
            for chunk in [1, 2, 3, 64] {
                let records = Records::from_reader(Chunks::new(bytes, chunk), &source(format));
                let message = records.and_then(read_all).unwrap_err().to_string();
                assert!(
                    message.starts_with(expected),
                    "{format}, {bytes:?} by {chunk}: {message}"
                );
            }
        }
    }
}

#[test]
fn rows_before_a_fault_are_handed_out_and_none_after_it() {
    let mut records =
        Records::from_reader(&b"a\n1\n2\n\xFF\n3\n"[..], &source(Format::Csv)).unwrap();
    assert_eq!(records.next().unwrap().unwrap().line(), 2);
    assert_eq!(records.next().unwrap().unwrap().line(), 3);
    assert!(matches!(
        records.next(),
        Some(Err(DataError::InvalidUtf8 {
            line: 4,
            byte: 1,
            ..
        }))
    ));
    assert!(records.next().is_none());
}

#[test]
fn deeply_nested_json_neither_overflows_nor_fails() {
    let depth = 1_000_000;
    let line = format!(
        "{{\"a\": {}{}, \"b\": 1}}\n",
        "[".repeat(depth),
        "]".repeat(depth)
    );
    let records =
        Records::from_reader(std::io::Cursor::new(line), &source(Format::JsonLines)).unwrap();
    let number = records.column(&"b".into()).unwrap();
    for record in records {
        assert_eq!(record.unwrap().text(number).unwrap(), "1");
    }
}
