//! Folders with one folder a label and one text file an example.

use std::path::Path;

use regard_data::{
    Column, DataError, Examples, Format, LabelledTexts, Limits, Records, RowWriter, Source,
    TextColumns,
};
use tempfile::TempDir;

/// Names and contents.
type Contents<'a> = &'a [(&'a str, &'a [u8])];

fn folder(files: Contents<'_>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder
}

fn load(path: &Path) -> Result<LabelledTexts, DataError> {
    // Columns of a table mean nothing here.
    LabelledTexts::load(&Source::new(path), &TextColumns::new("review", 7), None)
}

/// The message, with the folder called `F`.
fn refusal(folder: &TempDir) -> String {
    let error = load(folder.path()).unwrap_err().to_string();
    error.replace(&folder.path().display().to_string(), "F")
}

#[test]
fn examples_come_in_the_order_of_labels_and_names() {
    let folder = folder(&[
        ("pos/b.txt", b"fine"),
        ("pos/a.txt", "\u{feff}good\r\n\r\nvery  good\n\n".as_bytes()),
        ("neg/10.txt", b"bad"),
        ("neg/9", b""),
        ("neg/.hidden", b"\xff"),
        (".git/config", b"\0"),
        ("README", b"\xff"),
    ]);
    let texts = load(folder.path()).unwrap();
    let rows: Vec<(&str, u32)> = (0..texts.len())
        .map(|row| (texts.text(row), texts.label(row)))
        .collect();
    assert_eq!(
        rows,
        [("bad", 0), ("", 0), ("good\n\nvery  good", 1), ("fine", 1)]
    );
    assert_eq!(texts.labels().names(), ["neg", "pos"]);

    let records = Records::open(&Source::new(folder.path())).unwrap();
    assert_eq!(records.columns(), ["text", "label"]);
    let files: Vec<String> = records
        .map(|record| {
            let record = record.unwrap();
            let file = record.path().strip_prefix(folder.path()).unwrap();
            file.display().to_string()
        })
        .collect();
    assert_eq!(files, ["neg/10.txt", "neg/9", "pos/a.txt", "pos/b.txt"]);
}

#[test]
fn a_folder_and_a_table_of_the_same_rows_have_one_fingerprint() {
    let both = folder(&[
        ("f/a/1", b"x y"),
        ("f/b/1", b"z"),
        ("t.csv", b"text,label\nx y,a\nz,b\n"),
    ]);
    let from_folder = load(&both.path().join("f")).unwrap();
    let columns = TextColumns::new("text", "label");
    let from_table =
        LabelledTexts::load(&Source::new(both.path().join("t.csv")), &columns, None).unwrap();
    assert_eq!(from_folder.fingerprint(), from_table.fingerprint());
}

#[test]
fn what_is_no_text_is_refused_by_its_name() {
    let cases: [(Contents<'_>, &str); 5] = [
        (
            &[("a/1", b"x"), ("b/2", b"x\ny\xff")],
            "F/b/2 line 2, byte 2: invalid UTF-8; convert the file, for example with iconv -f LATIN1 -t UTF-8",
        ),
        (
            &[("a/1", b"x\0")],
            "F/a/1 line 1, byte 2: a NUL byte, so this is no text file or a damaged one",
        ),
        (
            &[("a/inner/1", b"x")],
            "F/a/inner is a folder inside of a label's folder, text files were expected there; move it away",
        ),
        (
            &[("1.txt", b"x")],
            "F holds no folder of a label; one folder a label was expected, with one text file an example in it",
        ),
        (
            &[(".a/1.txt", b"x")],
            "F holds no folder of a label; one folder a label was expected, with one text file an example in it",
        ),
    ];
    for (files, message) in cases {
        assert_eq!(refusal(&folder(files)), message);
    }
    let empty = folder(&[("a/.keep", b"")]);
    assert!(refusal(&empty).starts_with("F has no rows"));
}

#[test]
fn a_text_beyond_the_cap_is_refused_though_its_lines_are_short() {
    let folder = folder(&[("a/1", b"xxxx\n".repeat(10).as_slice())]);
    let limits = Limits {
        line_bytes: 40,
        columns: 2,
    };
    let error = Records::open(&Source::new(folder.path()).with_limits(limits))
        .unwrap()
        .collect::<Result<Vec<_>, _>>()
        .unwrap_err();
    assert!(
        matches!(
            error,
            DataError::TextTooLong {
                limit_bytes: 40,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_file_is_no_folder_and_nothing_is_written_as_one() {
    let folder = folder(&[("a.csv", b"text,label\n")]);
    let source = Source::new(folder.path().join("a.csv")).with_format(Format::Folder);
    let error = Records::open(&source).unwrap_err().to_string();
    assert!(error.ends_with("a.csv is no folder; the format folder is one folder a label, with one text file an example in it"), "{error}");
    let error = RowWriter::new(Vec::new(), Format::Folder, &["a".to_owned()], &[], true);
    assert_eq!(
        error.unwrap_err().to_string(),
        "rows cannot be written as a folder; write csv, tsv or json-lines instead"
    );
}

#[cfg(unix)]
#[test]
fn links_are_followed_inside_of_the_folder_and_not_out_of_it() {
    use std::os::unix::fs::symlink;
    let folder = folder(&[("in/a/1", b"x"), ("in/b/1", b"y"), ("secret", b"s")]);
    let root = folder.path().join("in");
    symlink("../a/1", root.join("b/2")).unwrap();
    let texts = load(&root).unwrap();
    assert_eq!((texts.len(), texts.text(2)), (3, "x"));
    // The folder itself may be a link.
    let alias = folder.path().join("alias");
    symlink(&root, &alias).unwrap();
    assert_eq!(load(&alias).unwrap().len(), 3);

    for (link, target) in [("b/3", "../../secret"), ("c", "..")] {
        let link = root.join(link);
        symlink(target, &link).unwrap();
        let error = load(&root).unwrap_err().to_string();
        assert!(
            error.ends_with(
                "is a link that leads out of the folder of examples; put the file itself there"
            ),
            "{error}"
        );
        std::fs::remove_file(&link).unwrap();
    }
    symlink("4", root.join("b/4")).unwrap();
    assert!(
        load(&root)
            .unwrap_err()
            .to_string()
            .starts_with("cannot open")
    );
}

#[test]
fn one_column_cannot_be_both_text_and_label() {
    let folder = folder(&[("a.csv", b"text,label\nx,y\n")]);
    let columns = TextColumns::new("text", Column::Number(0));
    let error = LabelledTexts::load(&Source::new(folder.path().join("a.csv")), &columns, None)
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("a.csv: the text column \"text\" and the label column 0 are one and the same; name another one"), "{error}");
}
