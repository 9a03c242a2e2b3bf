//! Texts that occur more than once: within a file, in two parts, with two labels.

use std::ptr;

use super::exam::Row;
use super::problem::{Level, Problem, counted, rows};
use super::{Exam, Part};

/// A row of a part, under the hash of its text.
type Entry = (u64, usize, usize);

/// How often something occurs, and the first row of its part where it does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    rows: u64,
    first: Option<usize>,
}

impl Count {
    fn add(&mut self, rows: usize, row: usize) {
        self.rows += rows as u64;
        self.first = Some(self.first.map_or(row, |first| first.min(row)));
    }
}

/// What repeats under one way to compare texts.
#[derive(Debug)]
struct Repeats {
    /// By file: rows whose text an earlier row of the file has, whatever the parts are.
    within: Vec<Count>,
    /// By part and an earlier part: rows of the one whose text occurs in the other.
    across: Vec<Vec<Count>>,
    /// By part: rows whose text has another label elsewhere.
    conflicts: Vec<Count>,
    conflicting_texts: u64,
}

impl Repeats {
    fn find(parts: &[Part<'_>], hash: impl Fn(&Row) -> u64) -> Self {
        let n = parts.len();
        let mut entries: Vec<Entry> = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            // Empty texts are a problem of their own.
            let rows = part
                .rows
                .iter()
                .filter(|row| !part.exam.row(**row).is_blank);
            entries.extend(rows.map(|row| (hash(part.exam.row(*row)), index, *row)));
        }
        entries.sort_unstable();
        let mut found = Self {
            within: vec![Count::default(); files(parts).len()],
            across: vec![vec![Count::default(); n]; n],
            conflicts: vec![Count::default(); n],
            conflicting_texts: 0,
        };
        for group in entries
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|group| group.len() > 1)
        {
            found.count(parts, group);
        }
        found
    }

    /// Takes in all rows of one text, in the order of parts and rows.
    fn count(&mut self, parts: &[Part<'_>], group: &[Entry]) {
        let label = |(_, part, row): &Entry| parts[*part].exam.label_ids()[*row];
        for (within, file) in self.within.iter_mut().zip(files(parts)) {
            let here = group
                .iter()
                .filter(|(_, part, _)| ptr::eq(parts[*part].exam, file));
            let mut rows: Vec<usize> = here.map(|(_, _, row)| *row).collect();
            rows.sort_unstable();
            if let [_, second, ..] = rows[..] {
                within.add(rows.len() - 1, second);
            }
        }
        let by_part: Vec<&[Entry]> = group.chunk_by(|a, b| a.1 == b.1).collect();
        let is_conflict = group.iter().any(|entry| label(entry) != label(&group[0]));
        self.conflicting_texts += u64::from(is_conflict);
        for (place, rows) in by_part.iter().enumerate() {
            let (_, part, first) = rows[0];
            for earlier in &by_part[..place] {
                self.across[part][earlier[0].1].add(rows.len(), first);
            }
            if is_conflict {
                self.conflicts[part].add(rows.len(), first);
            }
        }
    }
}

/// The files that the parts come from, each once.
fn files<'a>(parts: &[Part<'a>]) -> Vec<&'a Exam> {
    let mut files: Vec<&Exam> = Vec::new();
    for part in parts {
        if !files.iter().any(|file| ptr::eq(*file, part.exam)) {
            files.push(part.exam);
        }
    }
    files
}

/// Looks for texts that occur more than once; texts that differ only in case or white space are a weaker finding.
#[must_use]
pub fn compare(parts: &[Part<'_>]) -> Vec<Problem> {
    let same = Repeats::find(parts, |row| row.text);
    let alike = Repeats::find(parts, |row| row.folded);
    let mut problems = Vec::new();

    let conflicts: u64 = same.conflicts.iter().map(|count| count.rows).sum();
    let first = same
        .conflicts
        .iter()
        .enumerate()
        .find_map(|(part, count)| count.first.map(|row| parts[part].exam.place(row)));
    if let Some(first) = first {
        let texts = counted(same.conflicting_texts, "text");
        problems.push(
            Problem::new(
                Level::Warning,
                format!("{texts} with different labels, in {}", rows(conflicts)),
            )
            .at(&first)
            .times(conflicts)
            .hint("only one label of a text can be right: decide, or remove the rows"),
        );
    }
    for (index, part) in parts.iter().enumerate() {
        let total = rows(part.rows.len() as u64);
        for (other, earlier) in parts[..index].iter().enumerate() {
            let count = same.across[index][other];
            if let Some(first) = count.first {
                let message = format!(
                    "{} of the {total} of the {} data are in the {} data too",
                    count.rows, part.name, earlier.name
                );
                problems.push(
                    Problem::new(Level::Warning, message)
                        .at(&part.exam.place(first))
                        .times(count.rows)
                        .hint("known texts flatter the figures: remove repeats before splitting"),
                );
            }
        }
    }
    for (index, exam) in files(parts).into_iter().enumerate() {
        let (count, all) = (same.within[index], alike.within[index]);
        if let Some(first) = count.first {
            let message = format!(
                "{} of the {} with the text of an earlier one",
                count.rows,
                rows(exam.n_rows() as u64)
            );
            problems.push(
                Problem::new(Level::Note, message)
                    .at(&exam.place(first))
                    .times(count.rows)
                    .hint("repeated texts weigh more: remove them, unless that is meant"),
            );
        }
        if let Some(first) = all.first.filter(|_| all.rows > count.rows) {
            let more = all.rows - count.rows;
            let what = if count.rows > 0 { "more row" } else { "row" };
            let message = format!(
                "{} with an earlier text but for case or white space",
                counted(more, what)
            );
            let problem = Problem::new(Level::Note, message)
                .in_file(exam.path())
                .times(more);
            problems.push(match count.rows {
                0 => problem.at(&exam.place(first)),
                // The first of them may be a repeat of the other kind.
                _ => problem,
            });
        }
    }
    for (index, part) in parts.iter().enumerate() {
        for (other, earlier) in parts[..index].iter().enumerate() {
            let (all, known) = (alike.across[index][other], same.across[index][other]);
            if all.rows > known.rows {
                let more = all.rows - known.rows;
                let what = if known.rows > 0 { "more row" } else { "row" };
                let message = format!(
                    "{} of the {} data in the {} data but for case or white space",
                    counted(more, what),
                    part.name,
                    earlier.name
                );
                problems.push(
                    Problem::new(Level::Note, message)
                        .in_file(part.exam.path())
                        .times(more),
                );
            }
        }
    }
    problems
}
