//! The data doctor: what is wrong with labelled texts, before anything is learned from them.
//!
//! It goes through files row by row and keeps two hashes, a label and a line of each row, never a text: [`Exam`] is one
//! file, [`Part`] the rows of a file that serve one purpose, [`compare`] looks for texts that occur more than once,
//! [`judge_labels`] at the balance of labels, [`Ruler`] at lengths in tokens. Whatever it finds is a [`Problem`].

mod exam;
mod labels;
mod leftovers;
mod lengths;
mod place;
mod problem;
mod repeats;

pub use exam::Exam;
pub use labels::judge_labels;
pub use lengths::{LengthSummary, Lengths, Ruler};
pub use problem::{Level, Place, Problem};
pub(crate) use problem::{counted, rows};
pub use repeats::compare;

/// The rows of an exam that serve one purpose: all rows of its file, or a share of them.
#[derive(Debug, Clone)]
pub struct Part<'a> {
    /// What the rows are for: `train`, `valid` or `test`.
    pub name: &'a str,
    /// The file.
    pub exam: &'a Exam,
    /// Which of its rows, in ascending order.
    pub rows: Vec<usize>,
}

impl Part<'_> {
    /// How many rows each label has, by id.
    #[must_use]
    pub fn label_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.exam.labels().len()];
        for row in &self.rows {
            counts[self.exam.label_ids()[*row] as usize] += 1;
        }
        counts
    }
}
