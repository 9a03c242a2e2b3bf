//! Columns of text, as wide as they need to be.

use std::fmt;

/// A table for a person.
pub struct Table {
    /// For each column whether it is aligned to the right, as numbers are.
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these titles; a column whose title begins with `>` is aligned to the right.
    pub fn new(titles: &[&str]) -> Self {
        let plain = titles.iter().map(|title| title.trim_start_matches('>'));
        Self {
            right: titles.iter().map(|title| title.starts_with('>')).collect(),
            rows: vec![plain.map(str::to_owned).collect()],
        }
    }

    /// One more row, of as many cells as there are titles.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        assert_eq!(N, self.right.len(), "a cell for each title");
        // A cell is one line, and no escape sequence reaches the terminal.
        let cells = cells.map(|cell| cell.replace(char::is_control, " "));
        self.rows.push(cells.into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.right.len()).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, &width), right) in row.iter().zip(&widths).zip(&self.right) {
                line += &if *right {
                    format!("{cell:>width$}  ")
                } else {
                    format!("{cell:width$}  ")
                };
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
