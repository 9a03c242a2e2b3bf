//! Examples by index, wherever they are kept.

use std::sync::Arc;

use crate::{DataError, Labels};

/// Labelled texts with access by index at constant cost: in memory, or memory-mapped.
pub trait Examples: Send + Sync {
    /// How many examples there are.
    fn len(&self) -> usize;

    /// The text of example `index`.
    ///
    /// # Panics
    /// If `index` is not below `len`.
    fn text(&self, index: usize) -> &str;

    /// The label id of example `index`.
    ///
    /// # Panics
    /// If `index` is not below `len`.
    fn label(&self, index: usize) -> u32;

    /// The labels that the ids stand for.
    fn labels(&self) -> &Labels;

    /// Whether there are no examples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many examples each label has, by id.
    fn label_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.labels().len()];
        for index in 0..self.len() {
            counts[self.label(index) as usize] += 1;
        }
        counts
    }
}

impl<E: Examples + ?Sized> Examples for &E {
    fn len(&self) -> usize {
        (**self).len()
    }

    fn text(&self, index: usize) -> &str {
        (**self).text(index)
    }

    fn label(&self, index: usize) -> u32 {
        (**self).label(index)
    }

    fn labels(&self) -> &Labels {
        (**self).labels()
    }
}

impl<E: Examples + ?Sized> Examples for Arc<E> {
    fn len(&self) -> usize {
        (**self).len()
    }

    fn text(&self, index: usize) -> &str {
        (**self).text(index)
    }

    fn label(&self, index: usize) -> u32 {
        (**self).label(index)
    }

    fn labels(&self) -> &Labels {
        (**self).labels()
    }
}

/// Some of the examples, for instance one part of a [`Split`](crate::Split).
#[derive(Debug, Clone)]
pub struct Subset<E> {
    examples: E,
    rows: Vec<usize>,
}

impl<E: Examples> Subset<E> {
    /// The examples at `rows`, in that order.
    ///
    /// # Panics
    /// If a row is not below the number of examples.
    #[must_use]
    pub fn new(examples: E, rows: Vec<usize>) -> Self {
        let len = examples.len();
        assert!(
            rows.iter().all(|row| *row < len),
            "a subset's rows must be below the number of examples, {len}"
        );
        Self { examples, rows }
    }

    /// Which of the underlying examples these are.
    #[must_use]
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }
}

impl<E: Examples> Examples for Subset<E> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn text(&self, index: usize) -> &str {
        self.examples.text(self.rows[index])
    }

    fn label(&self, index: usize) -> u32 {
        self.examples.label(self.rows[index])
    }

    fn labels(&self) -> &Labels {
        self.examples.labels()
    }
}

/// Refuses examples that a classifier cannot learn from, because all have one label. `data` is what the message calls
/// them, a path for instance; `counts` says how many examples each label has, by id.
///
/// # Errors
/// [`DataError::OneClass`].
pub fn require_two_classes(labels: &Labels, counts: &[usize], data: &str) -> Result<(), DataError> {
    let mut present = labels
        .names()
        .iter()
        .zip(counts)
        .filter(|(_, count)| **count > 0)
        .map(|(name, _)| name);
    match (present.next(), present.next()) {
        (_, Some(_)) => Ok(()),
        (only, None) => Err(DataError::OneClass {
            data: data.to_owned(),
            label: only.cloned().unwrap_or_default(),
            rows: counts.iter().sum(),
        }),
    }
}
