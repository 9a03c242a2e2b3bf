//! Labelled texts that stay in their file: what they give, and what happens if the file changes under them.

use std::fs;
use std::path::Path;

use regard_data::{
    DataError, Examples, LabelledFile, LabelledTexts, MOST_LABELS, Source, TextColumns,
};

fn columns() -> TextColumns {
    TextColumns::new("text", "label")
}

fn open(path: &Path) -> Result<LabelledFile, DataError> {
    LabelledFile::open(&Source::new(path), &columns(), None)
}

fn all(file: &LabelledFile) -> Result<Vec<(usize, u64, String, u32)>, DataError> {
    let mut rows = Vec::new();
    file.visit(|number, row| {
        rows.push((number, row.line, row.text.to_owned(), row.label));
        Ok::<(), DataError>(())
    })?;
    Ok(rows)
}

#[test]
fn a_file_gives_the_rows_that_memory_gives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    fs::write(&path, "label,text\n10,a\n9,\"b\nc\"\n10,\n").unwrap();
    let file = open(&path).unwrap();
    let texts = LabelledTexts::load(&Source::new(&path), &columns(), None).unwrap();
    let expected: Vec<_> = (0..texts.len())
        .map(|row| {
            (
                row,
                texts.line(row),
                texts.text(row).to_owned(),
                texts.label(row),
            )
        })
        .collect();
    assert_eq!(all(&file).unwrap(), expected);
    assert_eq!(all(&file).unwrap(), expected, "a second time");
    assert_eq!(file.fingerprint(), texts.fingerprint());
    assert_eq!(file.labels(), texts.labels());
    assert_eq!(
        (file.len(), file.label_ids(), file.text_bytes()),
        (3, &[1, 0, 1][..], 4)
    );
}

#[test]
fn a_file_that_changed_is_not_read_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tsv");
    let before = "label\ttext\na\tone\nb\ttwo\n";
    for after in [
        "label\ttext\na\tone\nb\ttwx\n",
        "label\ttext\na\tone\n",
        "label\ttext\na\tone\nb\ttwo\na\tthree\n",
        "label\ttext\nb\tone\na\ttwo\n",
        "label\ttext\na\tone\nc\ttwo\n",
        "label\ttext\na\tone\nb\ttw\to\n",
        "label\ttxt\na\tone\nb\ttwo\n",
        "",
    ] {
        fs::write(&path, before).unwrap();
        let file = open(&path).unwrap();
        fs::write(&path, after).unwrap();
        assert_eq!(
            all(&file).unwrap_err().to_string(),
            format!(
                "{} changed while it was being read; wait until whatever writes it is done, then begin again",
                path.display()
            ),
            "{after:?}"
        );
        fs::remove_file(&path).unwrap();
        assert!(matches!(all(&file), Err(DataError::Open { .. })));
    }
}

#[test]
fn what_a_visitor_refuses_is_not_taken_for_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tsv");
    fs::write(&path, "label\ttext\na\tone\nb\ttwo\n").unwrap();
    let mut seen = 0;
    let result = open(&path).unwrap().visit(|_, _| {
        seen += 1;
        Err(DataError::NothingToTokenize)
    });
    assert!(matches!(result, Err(DataError::NothingToTokenize)));
    assert_eq!(seen, 1);
}

#[cfg(unix)]
#[test]
fn what_can_be_read_only_once_is_refused_before_it_is_opened() {
    // A pipe that nobody writes to would be waited for.
    let message = open(Path::new("/dev/null")).unwrap_err().to_string();
    assert_eq!(
        message,
        "/dev/null is a pipe or a device, which can be read only once, and this reads its data several times; \
         save it to a file first"
    );
}

#[test]
fn a_column_of_texts_is_not_taken_for_labels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tsv");
    let table = |n: usize| (0..n).map(|i| format!("l{i}\tx\n")).collect::<String>();
    fs::write(&path, format!("label\ttext\n{}", table(MOST_LABELS))).unwrap();
    assert_eq!(open(&path).unwrap().labels().len(), MOST_LABELS);
    fs::write(&path, format!("label\ttext\n{}", table(MOST_LABELS + 1))).unwrap();
    assert_eq!(
        open(&path).unwrap_err().to_string(),
        format!(
            "{}: the column \"label\" has more than 4096 different labels; is it the right column?",
            path.display()
        )
    );
    let long = "x".repeat(1024);
    fs::write(&path, format!("label\ttext\na\tx\n{long}\ty\n")).unwrap();
    assert!(open(&path).is_ok());
    fs::write(&path, format!("label\ttext\na\tx\n{long}x\ty\n")).unwrap();
    assert_eq!(
        open(&path).unwrap_err().to_string(),
        format!(
            "{} line 3: the label in column \"label\" is longer than 1024 bytes; is it the right column?",
            path.display()
        )
    );
}
