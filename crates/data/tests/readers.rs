//! Whatever was written reads back, whatever the chunks in which the bytes arrive, and a naive parser agrees.

mod common;

use common::{Chunks, read_all, source};
use proptest::collection::vec;
use proptest::prelude::*;
use regard_data::{Cell, DataError, Format, Records, RowWriter, Source};

/// Texts with everything that a format could trip over; no NUL, which readers refuse.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "[ -~]{0,12}",
        2 => "[a,\"\t\r\n\u{FEFF}é漢🙂 ]{0,8}",
        1 => "[^\u{0}]{0,6}",
    ]
}

/// Texts that fit into one field of TSV, or one line.
fn plain_text() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.replace(['\t', '\r', '\n', '\u{FEFF}'], "·"))
}

fn table(
    field: impl Strategy<Value = String> + Clone + 'static,
) -> impl Strategy<Value = Vec<Vec<String>>> {
    (1_usize..5).prop_flat_map(move |columns| vec(vec(field.clone(), columns), 1..8))
}

fn names(columns: usize) -> Vec<String> {
    (0..columns)
        .map(|column| format!("column, \"{column}\""))
        .collect()
}

fn write(format: Format, names: &[String], rows: &[Vec<String>], header: bool) -> Vec<u8> {
    let mut writer = RowWriter::new(Vec::new(), format, names, &[], header).unwrap();
    for row in rows {
        let cells: Vec<Cell<'_>> = row.iter().map(|field| Cell::Text(field.into())).collect();
        writer.write_cells(&cells).unwrap();
    }
    writer.finish().unwrap()
}

fn read(
    bytes: &[u8],
    chunk: usize,
    format: Format,
    header: bool,
) -> Result<(Vec<String>, Vec<Vec<String>>), DataError> {
    let records = Records::from_reader(
        Chunks::new(bytes, chunk),
        &source(format).with_header(header),
    )?;
    let names = records.columns().to_vec();
    Ok((
        names,
        read_all(records)?
            .into_iter()
            .map(|(_, fields)| fields)
            .collect(),
    ))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn csv_reads_back_what_was_written(rows in table(text().boxed()), header: bool, chunk in 1_usize..40) {
        let names = names(rows[0].len());
        let (found, read) = read(&write(Format::Csv, &names, &rows, header), chunk, Format::Csv, header).unwrap();
        prop_assert_eq!(read, rows);
        prop_assert!(!header || found == names);
    }

    #[test]
    fn csv_with_windows_line_ends_and_a_byte_order_mark_reads_the_same(
        rows in table(plain_text().boxed()), chunk in 1_usize..40,
    ) {
        let names = names(rows[0].len());
        let unix = String::from_utf8(write(Format::Csv, &names, &rows, true)).unwrap();
        let windows = format!("\u{FEFF}{}", unix.replace('\n', "\r\n"));
        let (found, read) = read(windows.as_bytes(), chunk, Format::Csv, true).unwrap();
        prop_assert_eq!((found, read), (names, rows));
    }

    #[test]
    fn tsv_reads_back_what_was_written(rows in table(plain_text().boxed()), chunk in 1_usize..40, windows: bool) {
        let names = names(rows[0].len());
        let mut bytes = write(Format::Tsv, &names, &rows, true);
        if windows {
            bytes = String::from_utf8(bytes).unwrap().replace('\n', "\r\n").into_bytes();
        }
        let (found, read) = read(&bytes, chunk, Format::Tsv, true).unwrap();
        prop_assert_eq!((found, read), (names, rows));
    }

    #[test]
    fn lines_read_back_what_was_written(texts in vec(plain_text(), 0..9), chunk in 1_usize..40) {
        let rows: Vec<Vec<String>> = texts.into_iter().map(|text| vec![text]).collect();
        let bytes = write(Format::Lines, &["text".to_owned()], &rows, true);
        prop_assert_eq!(read(&bytes, chunk, Format::Lines, true).unwrap(), (vec!["text".to_owned()], rows));
    }

    #[test]
    fn json_lines_read_back_what_was_written(rows in table(text().boxed()), chunk in 1_usize..40) {
        let names = names(rows[0].len());
        let (found, read) = read(&write(Format::JsonLines, &names, &rows, true), chunk, Format::JsonLines, true).unwrap();
        prop_assert_eq!((found, read), (names, rows));
    }

    /// Any text over the characters that matter, well-formed or not.
    #[test]
    fn csv_agrees_with_a_naive_parser(text in "[ab,\"\r\n]{0,24}", chunk in 1_usize..6) {
        let records = Records::from_reader(Chunks::new(text.as_bytes(), chunk), &source(Format::Csv).with_header(false));
        let found = records.and_then(read_all);
        match (naive_csv(&text), found) {
            (Ok(rows), found) if rows.is_empty() => {
                let is_empty = matches!(found, Err(DataError::Empty { .. }));
                prop_assert!(is_empty);
            }
            (Ok(rows), found) => match rows.iter().find(|(_, row)| row.len() != rows[0].1.len()) {
                None => prop_assert_eq!(found.unwrap(), rows),
                Some((ragged, row)) => match found.unwrap_err() {
                    DataError::RaggedRow { line, expected, found, .. } => {
                        prop_assert_eq!((line, expected, found), (*ragged, rows[0].1.len(), row.len()));
                    }
                    other => prop_assert!(false, "{other}"),
                },
            },
            (Err(opened), found) => match found.unwrap_err() {
                DataError::UnclosedQuote { line, .. } => prop_assert_eq!(line, opened),
                // A row before it may be at fault already.
                DataError::RaggedRow { line, .. } => prop_assert!(line <= opened),
                other => prop_assert!(false, "{other}"),
            },
        }
    }

    /// Rows of JSON Lines keep every value as it was written, byte by byte, and gain the added columns.
    #[test]
    fn json_values_pass_through_untouched(numbers in vec("-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", 1..5)) {
        let input: String =
            numbers.iter().map(|number| format!("{{\"id\":{number},\"more\":[1,{{\"a\":null}}],\"text\":\"a\\\"\\u00e9\"}}\n")).collect();
        let records = Records::from_reader(Chunks::new(input.as_bytes(), 7), &source(Format::JsonLines)).unwrap();
        let mut writer =
            RowWriter::new(Vec::new(), Format::JsonLines, records.columns(), &["p".to_owned()], true).unwrap();
        for record in records {
            writer.write(&record.unwrap(), &[Cell::Json("0.5".into())]).unwrap();
        }
        let output = String::from_utf8(writer.finish().unwrap()).unwrap();
        prop_assert_eq!(output.replace(",\"p\":0.5}", "}"), input);
    }
}

/// CSV by the book, one character at a time: rows with the line where each starts, or the line of the quote that is
/// never closed.
fn naive_csv(text: &str) -> Result<Vec<(u64, Vec<String>)>, u64> {
    let characters: Vec<char> = text.chars().collect();
    let (mut rows, mut place, mut line) = (Vec::new(), 0, 1);
    while place < characters.len() {
        if matches!(characters[place], '\r' | '\n') {
            line += u64::from(characters[place] == '\n');
            place += 1;
            continue;
        }
        let start = line;
        let mut row = Vec::new();
        loop {
            let mut field = String::new();
            if characters.get(place) == Some(&'"') {
                let opened = line;
                place += 1;
                loop {
                    match (characters.get(place), characters.get(place + 1)) {
                        (None, _) => return Err(opened),
                        (Some('"'), Some('"')) => {
                            field.push('"');
                            place += 2;
                        }
                        (Some('"'), _) => {
                            place += 1;
                            break;
                        }
                        (Some(character), _) => {
                            line += u64::from(*character == '\n');
                            field.push(*character);
                            place += 1;
                        }
                    }
                }
            }
            while let Some(character) = characters
                .get(place)
                .filter(|character| !matches!(character, ',' | '\r' | '\n'))
            {
                field.push(*character);
                place += 1;
            }
            row.push(field);
            if characters.get(place) != Some(&',') {
                break;
            }
            place += 1;
        }
        rows.push((start, row));
    }
    Ok(rows)
}

#[test]
fn rows_know_the_line_where_they_start() {
    let csv = "\n\nid,text\r\n\r\n1,\"two\nlines\"\n\n2,one\n3,\"\"\"\"";
    let rows =
        read_all(Records::from_reader(csv.as_bytes(), &source(Format::Csv)).unwrap()).unwrap();
    assert_eq!(rows[0], (5, vec!["1".to_owned(), "two\nlines".to_owned()]));
    assert_eq!(rows[1], (8, vec!["2".to_owned(), "one".to_owned()]));
    assert_eq!(rows[2], (9, vec!["3".to_owned(), "\"".to_owned()]));
}

#[test]
fn tsv_takes_quotes_for_what_they_are() {
    let rows = read_all(
        Records::from_reader("a\tb\n\"x\t\"\"\n".as_bytes(), &source(Format::Tsv)).unwrap(),
    )
    .unwrap();
    assert_eq!(rows, [(2, vec!["\"x".to_owned(), "\"\"".to_owned()])]);
}

#[test]
fn a_table_of_one_column_has_empty_rows_and_a_wider_one_skips_blank_lines() {
    let one =
        read_all(Records::from_reader("text\n\nb\n".as_bytes(), &source(Format::Tsv)).unwrap())
            .unwrap();
    assert_eq!(one, [(2, vec![String::new()]), (3, vec!["b".to_owned()])]);
    let two = read_all(
        Records::from_reader("a\tb\n\n1\t2\n\n".as_bytes(), &source(Format::Tsv)).unwrap(),
    )
    .unwrap();
    assert_eq!(two, [(3, vec!["1".to_owned(), "2".to_owned()])]);
}

#[test]
fn json_numbers_and_truth_values_are_texts_and_keys_may_come_in_any_order() {
    let json = "{\"text\": \"a\", \"label\": 1}\n\n{\"label\": true, \"text\": \"b\\n\"}\n";
    let rows = read_all(Records::from_reader(json.as_bytes(), &source(Format::JsonLines)).unwrap())
        .unwrap();
    assert_eq!(rows[0], (1, vec!["a".to_owned(), "1".to_owned()]));
    assert_eq!(rows[1], (3, vec!["b\n".to_owned(), "true".to_owned()]));
}

#[test]
fn keys_that_the_first_line_lacks_are_columns_of_a_file() {
    let mut json = String::from("{\"time\": 1}\n{\"y\": 7, \"time\": 2}\n{\"x\": 8, \"y\": 9}\n");
    json += &"{\"time\": 3}\n".repeat(1_000);
    json += "{\"late\": 1}\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    std::fs::write(&path, &json).unwrap();
    let records = Records::open(&Source::new(&path)).unwrap();
    assert_eq!(records.columns(), ["time", "y", "x"]);
    let y = records.column(&"y".into()).unwrap();
    let rows: Vec<_> = records.map(|record| record.unwrap()).collect();
    assert_eq!(rows.len(), 1_004);
    assert_eq!(
        (rows[1].text(y).unwrap().as_ref(), rows[2].line()),
        ("7", 3)
    );
    assert!(matches!(
        rows[0].text(y),
        Err(DataError::MissingValue { line: 1, .. })
    ));
    // Nobody waits for more of a stream than its first line.
    let records = Records::from_reader(std::io::Cursor::new(json), &source(Format::JsonLines));
    assert_eq!(records.unwrap().columns(), ["time"]);
    // What comes before a fault is handed out before it.
    std::fs::write(&path, "{\"a\": 1}\n{\"b\": 2}\n[]\n{\"c\": 3}\n").unwrap();
    let mut records = Records::open(&Source::new(&path)).unwrap();
    assert_eq!(records.columns(), ["a", "b"]);
    assert!(records.next().unwrap().is_ok() && records.next().unwrap().is_ok());
    let fault = records.next().unwrap().unwrap_err();
    assert!(
        matches!(fault, DataError::InvalidJson { line: 3, .. }),
        "{fault}"
    );
    assert!(records.next().is_none());
}

#[test]
fn a_table_becomes_json_lines_and_back_with_columns_added() {
    let csv = "id,text\n7,\"a, b\"\n8,\n";
    let records = Records::from_reader(csv.as_bytes(), &source(Format::Csv)).unwrap();
    let added = ["label".to_owned(), "p".to_owned()];
    let mut writer = RowWriter::new(
        Vec::new(),
        Format::JsonLines,
        records.columns(),
        &added,
        true,
    )
    .unwrap();
    for record in records {
        writer
            .write(
                &record.unwrap(),
                &[
                    Cell::Text("ham".into()),
                    Cell::Json("{\"ham\":0.75}".into()),
                ],
            )
            .unwrap();
    }
    let json = String::from_utf8(writer.finish().unwrap()).unwrap();
    assert_eq!(
        json,
        "{\"id\":\"7\",\"text\":\"a, b\",\"label\":\"ham\",\"p\":{\"ham\":0.75}}\n\
         {\"id\":\"8\",\"text\":\"\",\"label\":\"ham\",\"p\":{\"ham\":0.75}}\n"
    );
    let records =
        Records::from_reader(std::io::Cursor::new(json), &source(Format::JsonLines)).unwrap();
    let mut writer = RowWriter::new(Vec::new(), Format::Csv, records.columns(), &[], true).unwrap();
    for record in records {
        writer.write(&record.unwrap(), &[]).unwrap();
    }
    assert_eq!(
        String::from_utf8(writer.finish().unwrap()).unwrap(),
        "id,text,label,p\n7,\"a, b\",ham,\"{\"\"ham\"\":0.75}\"\n8,,ham,\"{\"\"ham\"\":0.75}\"\n"
    );
}
