//! Each way in which a file can be wrong has its own message with the place, what was expected, what was found, and
//! the way to mend it.

mod common;

use common::{read_all, source};
use regard_data::{
    Cell, Column, DataError, Examples, Format, LabelledTexts, Labels, Records, RowWriter, Source,
    TextColumns, require_two_classes, stratified,
};

fn reading(format: Format, bytes: &'static [u8]) -> String {
    Records::from_reader(bytes, &source(format))
        .and_then(read_all)
        .unwrap_err()
        .to_string()
}

fn loading(
    format: Format,
    text: &'static str,
    columns: TextColumns,
    labels: Option<&[&str]>,
) -> String {
    let labels = labels
        .map(|names| Labels::new(names.iter().map(|name| (*name).to_owned()).collect()).unwrap());
    let records = Records::from_reader(text.as_bytes(), &source(format)).unwrap();
    LabelledTexts::from_records(records, &columns, labels.as_ref())
        .unwrap_err()
        .to_string()
}

fn text_and_label() -> TextColumns {
    TextColumns::new("text", "label")
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.csv");
    let error = Records::open(&Source::new(&missing)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot open {}", missing.display())
    );
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .contains("No such file")
    );
    let error = Records::open(&Source::new(folder.path()).with_format(Format::Csv)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} is a folder, a file was expected",
            folder.path().display()
        )
    );
}

#[test]
fn a_stream_that_breaks_off_keeps_its_cause() {
    struct Broken(u8);

    impl std::io::Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => Err(std::io::ErrorKind::Interrupted.into()),
                2 => {
                    buffer[..6].copy_from_slice(b"a\n1\n2\n");
                    Ok(6)
                }
                _ => Err(std::io::ErrorKind::ConnectionReset.into()),
            }
        }
    }

    let mut records = Records::from_reader(Broken(0), &source(Format::Csv)).unwrap();
    assert_eq!(
        records
            .by_ref()
            .take(2)
            .filter(|record| record.is_ok())
            .count(),
        2
    );
    let error = records.next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "input line 4: reading failed");
    assert!(
        matches!(error, DataError::Read { source, .. } if source.kind() == std::io::ErrorKind::ConnectionReset)
    );
}

#[test]
fn a_file_without_rows_says_what_is_missing() {
    assert_eq!(reading(Format::Csv, b""), "input is empty; expected rows");
    assert_eq!(
        reading(Format::Tsv, b"\xEF\xBB\xBF\n\n"),
        "input is empty; expected rows"
    );
    assert_eq!(
        reading(Format::JsonLines, b"\n \n"),
        "input is empty; expected rows"
    );
    assert_eq!(
        loading(Format::Csv, "text,label\n", text_and_label(), None),
        "input has no rows under its header; if its first line is data already, read it without a header"
    );
}

#[test]
fn wrong_bytes_are_placed_and_explained() {
    assert_eq!(
        reading(Format::Csv, b"a,b\n1,caf\xE9\n"),
        "input line 2, byte 6: invalid UTF-8; convert the file, for example with iconv -f LATIN1 -t UTF-8"
    );
    assert_eq!(
        reading(Format::Tsv, b"a\tb\n1\t\0"),
        "input line 2, byte 3: a NUL byte, so this is no text file or a damaged one"
    );
    assert_eq!(
        reading(Format::Csv, b"\xFF\xFEa\0"),
        "input is encoded in UTF-16, UTF-8 was expected; convert it, for example with iconv -f UTF-16 -t UTF-8"
    );
}

#[test]
fn a_quote_that_is_never_closed_is_blamed_where_it_opened() {
    assert_eq!(
        reading(Format::Csv, b"a,b\n1,2\n\"x\ny\",\"never\nclosed\n3,4\n"),
        "input line 4: a quote opens here and is never closed; close it, or write a quote inside a quoted field twice"
    );
}

#[test]
fn a_ragged_row_says_how_many_columns_it_has() {
    assert_eq!(
        reading(Format::Csv, b"a,b\n1,2\n1,2,3\n"),
        "input line 3: 2 columns expected as in the first row, 3 found; \
         put a field that holds commas or quotes in double quotes"
    );
    assert_eq!(
        reading(Format::Tsv, b"a\tb\n1\n"),
        "input line 2: 2 columns expected as in the first row, 1 found; \
         TSV has no quoting: a tab always parts two fields"
    );
}

#[test]
fn json_that_is_none_says_what_was_expected() {
    assert_eq!(
        reading(Format::JsonLines, b"{\"a\": 1}\n[1, 2]\n"),
        "input line 2: no valid JSON object: invalid type: sequence, expected an object such as \
         {\"text\": \"\u{2026}\", \"label\": \"\u{2026}\"} at byte 0"
    );
    assert_eq!(
        reading(Format::JsonLines, b"{\"a\": 1}\n{\"a\": \n"),
        "input line 2: no valid JSON object: EOF while parsing a value at byte 6"
    );
    assert_eq!(
        reading(Format::JsonLines, b"{\"a\": 1} 2\n"),
        "input line 1: no valid JSON object: trailing characters at byte 10"
    );
    assert_eq!(
        reading(Format::JsonLines, b"{\"a\": 1, \"a\": 2}\n"),
        "input line 1: no valid JSON object: the key \"a\" occurs twice at byte 16"
    );
    assert_eq!(
        reading(Format::JsonLines, b"{\"a\": \"\\ud800\"}\n"),
        "input line 1: no valid JSON object: unexpected end of hex escape in \"\\\"\\\\ud800\\\"\""
    );
}

#[test]
fn a_missing_column_lists_those_that_exist() {
    assert_eq!(
        loading(
            Format::Csv,
            "id,Texts,label\n1,a,b\n",
            text_and_label(),
            None
        ),
        "input has no column \"text\"; its columns are \"id\", \"Texts\", \"label\"; did you mean \"Texts\"?"
    );
    assert_eq!(
        loading(Format::Csv, "text,y\na,b\n", TextColumns::new(0, 2), None),
        "input has no column 2; its columns are \"text\", \"y\""
    );
    assert_eq!(
        loading(
            Format::Csv,
            "text,text,label\na,b,c\n",
            text_and_label(),
            None
        ),
        "input has two columns called \"text\", number 0 and number 1; give the column's number instead"
    );
    for (header, hint) in [
        (
            "text\tlabel\n",
            "; its fields are parted by tabs: read it as tsv",
        ),
        (
            "text;label\n",
            "; its fields are parted by semicolons: save it with commas",
        ),
    ] {
        let message = loading(Format::Csv, header, text_and_label(), None);
        assert!(message.ends_with(hint), "{message}");
    }
    let message = loading(Format::Tsv, "text,label\n", text_and_label(), None);
    assert!(
        message.ends_with("; its fields are parted by commas: read it as csv"),
        "{message}"
    );
    let headless = source(Format::Csv).with_header(false);
    let records = Records::from_reader(&b"a,b,c\n"[..], &headless).unwrap();
    assert_eq!(
        records
            .column(&Column::from("text"))
            .unwrap_err()
            .to_string(),
        "input: column \"text\" is named but the file is read without a header; give the column's number, from 0 to 2"
    );
    assert_eq!(records.column(&Column::from(2)).unwrap(), 2);
}

#[test]
fn a_missing_or_nested_value_is_placed() {
    let json = "{\"text\": \"a\", \"label\": 1}\n{\"text\": \"a\"}\n";
    let missing = "input line 2: no value for \"label\"; give one or remove the row";
    assert_eq!(
        loading(Format::JsonLines, json, text_and_label(), None),
        missing
    );
    let null = "{\"text\": \"a\", \"label\": 1}\n{\"text\": \"a\", \"label\": null}\n";
    assert_eq!(
        loading(Format::JsonLines, null, text_and_label(), None),
        missing
    );
    let nested = "{\"text\": [\"a\"], \"label\": {}, \"other\": 1}\n";
    assert_eq!(
        loading(Format::JsonLines, nested, text_and_label(), None),
        "input line 1: \"text\" holds a list, a text or a number was expected"
    );
    assert_eq!(
        loading(
            Format::JsonLines,
            nested,
            TextColumns::new("label", "other"),
            None
        ),
        "input line 1: \"label\" holds an object, a text or a number was expected"
    );
}

#[test]
fn a_label_that_is_empty_or_unknown_is_placed() {
    assert_eq!(
        loading(
            Format::Csv,
            "text,label\na,b\n\"two\nlines\",\n",
            text_and_label(),
            None
        ),
        "input line 3: the label in column \"label\" is empty; fill it in or remove the row"
    );
    assert_eq!(
        loading(
            Format::Csv,
            "text,label\na,ham\nb,Span\n",
            text_and_label(),
            Some(&["ham", "spam"])
        ),
        "input line 3: unknown label \"Span\"; the labels are \"ham\", \"spam\"; did you mean \"spam\"?"
    );
}

#[test]
fn messages_stay_short_whatever_the_file_holds() {
    let header: String = (0..100)
        .map(|column| format!("{}{column},", "x".repeat(500)))
        .collect();
    let text: &'static str = Box::leak(format!("{header}\n").into_boxed_str());
    let message = loading(Format::Csv, text, text_and_label(), None);
    assert!(
        message.len() < 1_300 && message.ends_with(" and 89 more"),
        "{message}"
    );
}

#[test]
fn one_class_is_refused_for_training() {
    let records =
        Records::from_reader(&b"text,label\na,ham\nb,ham\n"[..], &source(Format::Csv)).unwrap();
    let labels = Labels::new(vec!["spam".to_owned(), "ham".to_owned()]).unwrap();
    let texts = LabelledTexts::from_records(records, &text_and_label(), Some(&labels)).unwrap();
    assert_eq!(texts.label_counts(), [0, 2]);
    assert_eq!(
        require_two_classes(texts.labels(), &texts.label_counts(), "train.csv")
            .unwrap_err()
            .to_string(),
        "all 2 rows of train.csv have the label \"ham\"; a classifier needs rows of at least two labels: \
         is the label column right?"
    );
}

#[test]
fn an_impossible_share_is_refused() {
    for share in [0.0, 1.0, -0.5, f64::NAN] {
        assert_eq!(
            stratified(&[0, 1, 0, 1], share).unwrap_err().to_string(),
            format!("a share of {share} cannot be held out; give a number above 0 and below 1")
        );
    }
    assert_eq!(
        stratified(&[0, 1, 0, 1], 0.1).unwrap_err().to_string(),
        "a share of 0.1 of 4 rows holds out 0; both parts need rows: give another share or more data"
    );
}

#[test]
fn what_a_format_cannot_carry_is_refused_when_written() {
    let names = ["id".to_owned(), "text".to_owned()];
    let write = |format, text: &str| {
        let mut writer = RowWriter::new(Vec::new(), format, &names, &[], true)?;
        writer.write_cells(&[Cell::Text("1".into()), Cell::Text(text.into())])?;
        writer.finish()
    };
    for (character, name) in [
        ('\t', "tab"),
        ('\n', "line feed"),
        ('\r', "carriage return"),
    ] {
        assert_eq!(
            write(Format::Tsv, &format!("a{character}b"))
                .unwrap_err()
                .to_string(),
            format!(
                "row 2, column \"text\": the value holds a {name}, and tsv has no quoting; write csv or json-lines instead"
            )
        );
    }
    assert_eq!(
        write(Format::Lines, "a").unwrap_err().to_string(),
        "the format lines carries one column, 2 are to be written; write csv, tsv or json-lines instead"
    );
    let repeated =
        RowWriter::new(Vec::new(), Format::Csv, &names, &["id".to_owned()], true).unwrap_err();
    assert_eq!(
        repeated.to_string(),
        "the output would have two columns called \"id\"; rename the column of the input"
    );
    let mut writer = RowWriter::new(Vec::new(), Format::Csv, &names, &[], true).unwrap();
    assert_eq!(
        writer.write_cells(&[]).unwrap_err().to_string(),
        "row 2: 2 columns expected in the output, 0 given"
    );
}

#[test]
fn a_json_field_that_a_table_has_no_column_for_is_not_dropped() {
    let json = "{\"a\": 1}\n{\"a\": 1, \"b\": 2}\n{\"p\": 1}\n";
    let write = |format| {
        let records = Records::from_reader(json.as_bytes(), &source(Format::JsonLines)).unwrap();
        let mut writer = RowWriter::new(
            Vec::new(),
            format,
            records.columns(),
            &["p".to_owned()],
            true,
        )?;
        for record in records {
            writer.write(&record?, &[Cell::Json("0.5".into())])?;
        }
        writer.finish()
    };
    assert_eq!(
        write(Format::Csv).unwrap_err().to_string(),
        "row 3: the field \"b\" is not in the first row, so the table has no column for it; write JSON Lines instead"
    );
    assert_eq!(
        write(Format::JsonLines).unwrap_err().to_string(),
        "the output would have two columns called \"p\"; rename the column of the input"
    );
}

#[test]
fn a_write_that_fails_keeps_its_cause() {
    struct Full;

    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let Err(DataError::Write { source }) =
        RowWriter::new(Full, Format::Csv, &["a".to_owned()], &[], true)
    else {
        panic!("a header was written to a full disk");
    };
    assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
}
