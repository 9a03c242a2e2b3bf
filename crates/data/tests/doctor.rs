//! The data doctor on files with known faults: each found once, with its place and number, and nothing in a clean file.

use std::fmt::Write as _;

use regard_data::doctor::{Exam, Lengths, Level, Part, Problem, Ruler, compare, judge_labels};
use regard_data::{Labels, Source, TextColumns, Tokenizer, TokenizerConfig, TokenizerKind};
use tempfile::TempDir;

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn exam(&self, name: &str, content: impl AsRef<[u8]>, labels: Option<&Labels>) -> Exam {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        Exam::of(
            &Source::new(path),
            &TextColumns::new("text", "label"),
            labels,
        )
    }
}

fn part<'a>(name: &'a str, exam: &'a Exam) -> Part<'a> {
    let rows = (0..exam.n_rows()).collect();
    Part { name, exam, rows }
}

/// `level file:line count message`, one line each.
fn told(problems: &[Problem]) -> Vec<String> {
    let one = |problem: &Problem| {
        let file = problem.file.as_ref().and_then(|file| file.file_name());
        let file = file.map_or_else(|| "-".into(), |name| name.to_string_lossy());
        let line = problem
            .line
            .map_or_else(|| "-".to_owned(), |line| line.to_string());
        let level = format!("{:?}", problem.level).to_lowercase();
        format!(
            "{level} {file}:{line} {} {}",
            problem.count, problem.message
        )
    };
    problems.iter().map(one).collect()
}

/// 60 different texts of two labels.
fn clean(prefix: &str) -> String {
    let mut table = "label\ttext\n".to_owned();
    for i in 0..60 {
        writeln!(
            table,
            "{}\t{prefix} text number {i}, R&D < 5",
            ["ham", "spam"][i % 2]
        )
        .unwrap();
    }
    table
}

#[test]
fn nothing_is_found_in_clean_files() {
    let files = Files::new();
    let train = files.exam("train.tsv", clean("train"), None);
    let test = files.exam("test.tsv", clean("test"), Some(train.labels()));
    assert!(train.is_whole());
    assert_eq!(train.n_rows(), 60);
    assert_eq!(train.labels().names(), ["ham", "spam"]);
    let parts = [part("train", &train), part("test", &test)];
    assert_eq!(parts[1].label_counts(), [30, 30]);
    for problems in [
        train.problems(),
        test.problems(),
        &judge_labels(&parts),
        &compare(&parts),
    ] {
        assert_eq!(told(problems), [""; 0]);
    }
}

#[test]
fn each_fault_of_a_row_is_found_once_with_its_place() {
    let files = Files::new();
    let faults = "\tno label\n\
                  ham\t \n\
                  ham\tlost \u{fffd} letters\n\
                  ham\tlost \u{fffd} again \u{fffd}\n\
                  ham\tcafÃ©\n\
                  spam\ta &amp; b<br />\n\
                  \tno label either\n";
    let exam = files.exam("a.tsv", clean("a") + faults, None);
    assert!(exam.is_whole());
    assert_eq!(exam.n_rows(), 65);
    assert_eq!(
        told(exam.problems()),
        [
            "error a.tsv:62 2 2 rows without a label in column \"label\"",
            "warning a.tsv:63 1 1 row with an empty text",
            "warning a.tsv:64 2 2 rows with the replacement character U+FFFD",
            "warning a.tsv:66 1 1 row with garbled letters, such as \"Ã©\" for \"é\"",
            "note a.tsv:67 1 1 row with remains of HTML, such as &amp; or <br>",
        ]
    );
    assert!(exam.problems().iter().all(|problem| problem.hint.is_some()));
}

#[test]
fn values_that_json_rows_lack_are_counted_by_column() {
    let files = Files::new();
    let rows = "{\"text\": \"a\", \"label\": \"x\"}\n\
                {\"text\": \"a\"}\n\
                {\"text\": null, \"label\": \"x\"}\n\
                {\"text\": [1], \"label\": \"x\"}\n\
                {\"text\": \"b\", \"label\": null}\n";
    let exam = files.exam("a.jsonl", rows, None);
    assert_eq!(exam.n_rows(), 1);
    assert_eq!(
        told(exam.problems()),
        [
            "error a.jsonl:2 2 no value for \"label\"",
            "error a.jsonl:3 1 no value for \"text\"",
            "error a.jsonl:4 1 \"text\" holds a list, a text or a number was expected",
        ]
    );
}

#[test]
fn labels_that_the_training_data_lacks_are_named_with_their_numbers() {
    let files = Files::new();
    let train = files.exam("train.tsv", clean("train"), None);
    let rows = "label\ttext\nham\ta\nspan\tb\nspan\tc\nother\td\n";
    let test = files.exam("test.tsv", rows, Some(train.labels()));
    assert_eq!(test.n_rows(), 1);
    assert_eq!(
        told(test.problems()),
        [
            "error test.tsv:3 3 3 rows with labels that the model would not know: \"span\" (2), \"other\" (1)"
        ]
    );
    let hint = test.problems()[0].hint.as_deref().unwrap();
    assert!(hint.starts_with("did you mean \"spam\"? "), "{hint}");
}

#[test]
fn a_file_that_breaks_off_says_where_and_keeps_what_came_before() {
    let files = Files::new();
    let mut bytes = clean("a").into_bytes();
    bytes.extend(b"ham\tcaf\xe9\nham\tmore\n");
    let exam = files.exam("a.tsv", bytes, None);
    assert!(!exam.is_whole());
    assert_eq!(exam.n_rows(), 60);
    assert_eq!(
        told(exam.problems()),
        ["error a.tsv:62 1 byte 8: invalid UTF-8"]
    );
    for (name, content, problem) in [
        ("empty.tsv", "", "error empty.tsv:- 1 is empty"),
        (
            "header.tsv",
            "label\ttext\n",
            "error header.tsv:- 1 has no rows under its header",
        ),
        (
            "columns.tsv",
            "labels\ttext\na\tb\n",
            "error columns.tsv:- 1 has no column \"label\"",
        ),
    ] {
        let exam = files.exam(name, content, None);
        assert!(!exam.is_whole());
        assert_eq!(told(exam.problems()), [problem]);
    }
    let missing = Source::new(files.0.path().join("missing.tsv"));
    let exam = Exam::of(&missing, &TextColumns::new("text", "label"), None);
    let problem = &exam.problems()[0];
    assert!(problem.message.contains("cannot open"), "{problem:?}");
    assert!(problem.message.contains("No such file"), "{problem:?}");
}

#[test]
fn repeats_are_told_by_where_they_are() {
    let files = Files::new();
    let train = files.exam(
        "train.tsv",
        // Lines 62 to 67: two repeats, a label that contradicts, one alike but for case and spaces, two empty texts.
        clean("a") + "ham\ta text number 0, R&D < 5\nham\ta text number 0, R&D < 5\nspam\ta text number 2, R&D < 5\n\
                      spam\tA  Text number 3, r&d < 5 \nham\t\nspam\t\n",
        None,
    );
    let valid = files.exam(
        "valid.tsv",
        clean("b") + "ham\ta text number 0, R&D < 5\nham\tnew\n",
        Some(train.labels()),
    );
    let test = files.exam(
        "test.tsv",
        clean("c") + "ham\tnew\nspam\tA TEXT number 1, R&D < 5\nham\ta text number 0, R&D < 5\n",
        Some(train.labels()),
    );
    let parts = [
        part("train", &train),
        part("valid", &valid),
        part("test", &test),
    ];
    assert_eq!(
        told(&compare(&parts)),
        [
            "warning train.tsv:4 2 1 text with different labels, in 2 rows",
            "warning valid.tsv:62 1 1 of the 62 rows of the valid data are in the train data too",
            "warning test.tsv:64 1 1 of the 63 rows of the test data are in the train data too",
            "warning test.tsv:62 2 2 of the 63 rows of the test data are in the valid data too",
            "note train.tsv:62 3 3 of the 66 rows with the text of an earlier one",
            "note train.tsv:- 1 1 more row with an earlier text but for case or white space",
            "note test.tsv:- 1 1 more row of the test data in the train data but for case or white space",
        ]
    );
}

#[test]
fn repeats_of_a_file_are_counted_whatever_parts_it_is_cut_into() {
    let files = Files::new();
    let table = clean("a") + "ham\ta text number 0, R&D < 5\nham\ta text number 2, R&D < 5\n";
    let exam = files.exam("a.tsv", table, None);
    let cut = |name, rows: std::ops::Range<usize>| Part {
        name,
        exam: &exam,
        rows: rows.collect(),
    };
    assert_eq!(
        told(&compare(&[cut("train", 1..62), cut("test", 0..1)])),
        [
            "warning a.tsv:2 1 1 of the 1 row of the test data are in the train data too",
            "note a.tsv:62 2 2 of the 62 rows with the text of an earlier one",
        ]
    );
}

#[test]
fn labels_are_judged_by_their_balance() {
    let files = Files::new();
    let mut table = "label\ttext\n".to_owned();
    for i in 0..300 {
        writeln!(table, "ham\ttext {i}").unwrap();
    }
    let lopsided = table.clone() + "spam\tx\nspam\ty\nHam\tz\n";
    let train = files.exam("train.tsv", lopsided, None);
    let test = files.exam("test.tsv", "label\ttext\nham\tq\n", Some(train.labels()));
    let parts = [part("train", &train), part("test", &test)];
    assert_eq!(
        told(&judge_labels(&parts)),
        [
            "warning train.tsv:- 2 fewer than 10 rows to train on for 2 labels: \"Ham\", \"spam\"",
            "warning train.tsv:- 300 99.0 % of the training rows have the label \"ham\"",
            "warning train.tsv:- 1 the labels \"Ham\" and \"ham\" differ only in case or white space",
            "note test.tsv:- 1 the test data has only 1 row",
            "note test.tsv:- 2 the test data has no row of 2 labels: \"Ham\", \"spam\"",
        ]
    );
    let one = files.exam("one.tsv", table, None);
    let problems = judge_labels(&[part("train", &one)]);
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].level, Level::Error);
    assert!(
        problems[0].message.contains("have the label \"ham\""),
        "{problems:?}"
    );

    let declared = Labels::new(["ham", "spam", "never"].map(str::to_owned).to_vec()).unwrap();
    let train = files.exam("declared.tsv", clean("a"), Some(&declared));
    assert_eq!(
        told(&judge_labels(&[part("train", &train)])),
        ["warning declared.tsv:- 1 no row to train on for the label \"never\""]
    );
}

#[test]
fn texts_are_measured_as_the_tokenizer_cuts_them() {
    let config = TokenizerConfig {
        kind: TokenizerKind::Words,
        max_length: 4,
        ..TokenizerConfig::default()
    };
    let tokenizer = Tokenizer::train(&config, ["a b c d e"]).unwrap();
    let ruler = Ruler::new(&tokenizer).unwrap();
    let mut lengths = Lengths::default();
    // With the class token 2, 4, 6 and 1 tokens long; of the kept ones 1 of 1, 0 of 3 and 1 of 3 unknown.
    for text in ["x", "a b c", "a b y d z", ""] {
        ruler.measure(text, &mut lengths).unwrap();
    }
    let summary = lengths.summary().unwrap();
    assert_eq!(
        [summary.min, summary.median, summary.p95, summary.max],
        [1, 2, 6, 6]
    );
    assert_eq!(lengths.cut_share(), 0.25);
    assert_eq!(lengths.unknown_share(), 2.0 / 7.0);
}

#[test]
fn the_place_of_a_folders_row_is_its_file() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("a/1", "same"), ("b/2", "other"), ("b/3", "same")] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let source = Source::new(folder.path());
    let exam = Exam::of(&source, &TextColumns::new("text", "label"), None);
    assert_eq!(exam.n_rows(), 3);
    assert_eq!(
        told(&compare(&[part("train", &exam)])),
        [
            "warning 1:1 2 1 text with different labels, in 2 rows",
            "note 3:1 1 1 of the 3 rows with the text of an earlier one",
        ]
    );
}
