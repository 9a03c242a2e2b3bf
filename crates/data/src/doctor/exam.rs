//! One file, row by row.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::leftovers::{has_markup, is_garbled};
use super::problem::{Level, Place, Problem, Tally, rows};
use crate::fingerprint::text_hash;
use crate::labelled::{LONGEST_LABEL_BYTES, MOST_LABELS, SeenLabels};
use crate::labelled_file::require_regular_file;
use crate::wording::{excerpt, nearest};
use crate::{Column, DataError, Labels, Record, Records, Source, TextColumns};

/// More different unknown labels than this are only counted.
const MOST_UNKNOWN: usize = 100;

/// What was found in one file.
///
/// A row that cannot be used is a problem and no row; the rest of the file is looked at all the same, up to the first
/// fault that leaves open where the next row starts.
#[derive(Debug)]
pub struct Exam {
    path: PathBuf,
    rows: Vec<Row>,
    label_ids: Vec<u32>,
    places: Places,
    labels: Labels,
    problems: Vec<Problem>,
    is_whole: bool,
}

/// What is kept of a text: 64 bits of a hash, so that two of ten million texts are confused once in 300,000 files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) text: u64,
    /// Of the text in lower case with single spaces.
    pub(super) folded: u64,
    /// Whether there is nothing in it but white space.
    pub(super) is_blank: bool,
}

#[derive(Debug)]
enum Places {
    Lines(Vec<u64>),
    Files(Vec<PathBuf>),
}

#[derive(Default)]
struct Findings {
    blank: Tally,
    replaced: Tally,
    garbled: Tally,
    markup: Tally,
    empty_labels: Tally,
    /// Values that a row lacks or that are no text, by what is wrong.
    faulty: Vec<(Problem, u64)>,
    unknown: HashMap<String, Tally>,
    unknown_rows: Tally,
}

impl Exam {
    /// Looks at a file. With `labels` every row's label should be one of them; without, they are what the file holds.
    #[must_use]
    pub fn of(source: &Source, columns: &TextColumns, labels: Option<&Labels>) -> Self {
        let mut exam = Self {
            path: source.path().to_owned(),
            rows: Vec::new(),
            label_ids: Vec::new(),
            places: Places::Lines(Vec::new()),
            labels: labels.cloned().unwrap_or_default(),
            problems: Vec::new(),
            is_whole: true,
        };
        let mut findings = Findings::default();
        if let Err(error) = exam.read(source, columns, labels, &mut findings) {
            exam.problems.push(Problem::of_error(&error));
            exam.is_whole = false;
        }
        exam.problems
            .extend(findings.problems(&exam.labels, columns));
        exam
    }

    fn read(
        &mut self,
        source: &Source,
        columns: &TextColumns,
        labels: Option<&Labels>,
        findings: &mut Findings,
    ) -> Result<(), DataError> {
        require_regular_file(source.path())?;
        let records = Records::open(source)?;
        let label_name = match &columns.label {
            Column::Name(name) => name.clone(),
            Column::Number(number) => number.to_string(),
        };
        let (text_column, label_column) = columns.places(&records)?;
        if records.is_folder() {
            self.places = Places::Files(Vec::new());
        }
        let mut seen = SeenLabels::default();
        let mut buffer = String::new();
        let mut n_records = 0_u64;
        let mut outcome = Ok(());
        for record in records {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    // What was read before is worth a look.
                    outcome = Err(error);
                    break;
                }
            };
            n_records += 1;
            let (text, label) = match (record.text(text_column), record.text(label_column)) {
                (Ok(text), Ok(label)) => (text, label),
                (Err(error), _) | (_, Err(error)) => {
                    findings.faulty(&error);
                    continue;
                }
            };
            let row = findings.look_at(&text, &record, &mut buffer);
            if label.is_empty() {
                findings.empty_labels.add(&record);
                continue;
            }
            if label.len() > LONGEST_LABEL_BYTES {
                findings.faulty(&DataError::LabelTooLong {
                    path: record.path().to_owned(),
                    line: record.line(),
                    column: label_name.clone(),
                    limit_bytes: LONGEST_LABEL_BYTES,
                });
                continue;
            }
            let id = match labels {
                Some(labels) => labels.id(&label),
                None => seen.id(Cow::Borrowed(&label)),
            };
            let Some(id) = id else {
                if labels.is_none() {
                    outcome = Err(DataError::TooManyLabels {
                        path: record.path().to_owned(),
                        column: label_name,
                        most: MOST_LABELS,
                    });
                    break;
                }
                findings.unknown(&label, &record);
                continue;
            };
            self.label_ids.push(id);
            self.rows.push(row);
            match &mut self.places {
                Places::Lines(lines) => lines.push(record.line()),
                Places::Files(files) => files.push(record.path().to_owned()),
            }
        }
        if labels.is_none() {
            let (labels, renamed) = seen.sort()?;
            self.labels = labels;
            (self.label_ids.iter_mut()).for_each(|id| *id = renamed[*id as usize]);
        }
        outcome?;
        if n_records == 0 {
            return Err(DataError::NoRows {
                path: self.path.clone(),
            });
        }
        Ok(())
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The hash of each row's text, as [`text_hash`] gives it.
    pub fn text_hashes(&self) -> impl Iterator<Item = u64> {
        self.rows.iter().map(|row| row.text)
    }

    /// How many rows can be used.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// The labels: those that were given, or those of the file.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The label of each row that can be used.
    #[must_use]
    pub fn label_ids(&self) -> &[u32] {
        &self.label_ids
    }

    /// What is wrong with single rows, and with the file.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether the file was read to its end.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Where a row stands.
    ///
    /// # Panics
    /// If `row` is not below the number of rows.
    #[must_use]
    pub fn place(&self, row: usize) -> Place {
        match &self.places {
            Places::Lines(lines) => Place {
                file: self.path.clone(),
                line: lines[row],
            },
            Places::Files(files) => Place {
                file: files[row].clone(),
                line: 1,
            },
        }
    }

    pub(super) fn row(&self, row: usize) -> &Row {
        &self.rows[row]
    }
}

impl Findings {
    fn look_at(&mut self, text: &str, record: &Record, buffer: &mut String) -> Row {
        let is_blank = text.trim().is_empty();
        for (tally, occurs) in [
            (&mut self.blank, is_blank),
            (&mut self.replaced, text.contains('\u{FFFD}')),
            (&mut self.garbled, is_garbled(text)),
            (&mut self.markup, has_markup(text)),
        ] {
            if occurs {
                tally.add(record);
            }
        }
        buffer.clear();
        for word in text.split_whitespace() {
            buffer.extend(word.chars().flat_map(char::to_lowercase));
            buffer.push(' ');
        }
        Row {
            text: text_hash(text),
            folded: text_hash(buffer),
            is_blank,
        }
    }

    /// A value that is missing or no text: one problem for each kind and column.
    fn faulty(&mut self, error: &DataError) {
        let problem = Problem::of_error(error);
        let same = |(first, _): &(Problem, u64)| first.message == problem.message;
        match self.faulty.iter().position(same) {
            Some(place) => self.faulty[place].1 += 1,
            // Messages name columns and kinds; a hostile file can still have many.
            None if self.faulty.len() < MOST_UNKNOWN => self.faulty.push((problem, 1)),
            None => {}
        }
    }

    fn unknown(&mut self, label: &str, record: &Record) {
        self.unknown_rows.add(record);
        let label = excerpt(label);
        if self.unknown.len() < MOST_UNKNOWN || self.unknown.contains_key(&label) {
            self.unknown.entry(label).or_default().add(record);
        }
    }

    fn problems(self, labels: &Labels, columns: &TextColumns) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self
            .faulty
            .into_iter()
            .map(|(problem, count)| problem.times(count))
            .collect();
        problems.extend(self.empty_labels.problem(
            Level::Error,
            |n| format!("{} without a label in column {}", rows(n), columns.label),
            "fill the labels in or remove the rows",
        ));
        let mut unknown: Vec<(&String, u64)> = self
            .unknown
            .iter()
            .map(|(name, tally)| (name, tally.count()))
            .collect();
        unknown.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let named: Vec<String> = unknown
            .iter()
            .take(5)
            .map(|(name, n)| format!("{name:?} ({n})"))
            .collect();
        let more = if unknown.len() > named.len() {
            ", …"
        } else {
            ""
        };
        let advice = unknown
            .first()
            .and_then(|(name, _)| nearest(name, labels.names().iter().map(String::as_str)))
            .map(|near| format!("did you mean {near:?}? "))
            .unwrap_or_default();
        problems.extend(self.unknown_rows.problem(
            Level::Error,
            |n| {
                format!(
                    "{} with labels that the model would not know: {}{more}",
                    rows(n),
                    named.join(", ")
                )
            },
            &format!("{advice}relabel or remove these rows, or add such rows to the training data"),
        ));
        problems.extend(self.blank.problem(
            Level::Warning,
            |n| format!("{} with an empty text", rows(n)),
            "nothing can be learned from an empty text: remove the rows, or look for what was lost",
        ));
        problems.extend(self.replaced.problem(
            Level::Warning,
            |n| format!("{} with the replacement character U+FFFD", rows(n)),
            "letters were lost in an earlier conversion: convert the original again",
        ));
        problems.extend(self.garbled.problem(
            Level::Warning,
            |n| format!("{} with garbled letters, such as \"Ã©\" for \"é\"", rows(n)),
            "UTF-8 was read as Latin-1 earlier: convert the original again",
        ));
        problems.extend(self.markup.problem(
            Level::Note,
            |n| format!("{} with remains of HTML, such as &amp; or <br>", rows(n)),
            "turn them into text, or leave them, if the texts to predict have them too",
        ));
        problems
    }
}
