//! Tables that scroll sideways where they are wider than the screen.

use maud::{Markup, Render, html};

/// A column of a [`Table`].
#[derive(Clone, Debug)]
pub struct Column {
    heading: String,
    numeric: bool,
}

impl Column {
    /// A column of text.
    #[must_use]
    pub fn text(heading: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            numeric: false,
        }
    }

    /// A column of numbers, set to the right with digits of one width.
    #[must_use]
    pub fn number(heading: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            numeric: true,
        }
    }
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    name: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Markup>>,
}

impl Table {
    /// A table without rows. The name is read out by screen readers.
    #[must_use]
    pub fn new(name: impl Into<String>, columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            name: name.into(),
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// With one more row: a cell for each column. Text is escaped, [`Markup`] is not.
    ///
    /// # Panics
    ///
    /// If the number of cells is not that of the columns.
    #[must_use]
    pub fn with_row<C: Render>(mut self, cells: impl IntoIterator<Item = C>) -> Self {
        let row: Vec<Markup> = cells
            .into_iter()
            .map(|cell| maud::PreEscaped(cell.render().into_string()))
            .collect();
        assert_eq!(
            row.len(),
            self.columns.len(),
            "a row of the table `{}` needs a cell for each column",
            self.name
        );
        self.rows.push(row);
        self
    }
}

impl Render for Table {
    fn render(&self) -> Markup {
        html! {
            // In the tab order, so that a keyboard can scroll it.
            div.scroll tabindex="0" role="region" aria-label=(self.name) {
                table {
                    thead {
                        tr {
                            @for column in &self.columns {
                                th scope="col" class=[column.numeric.then_some("number")] { (column.heading) }
                            }
                        }
                    }
                    tbody {
                        @for row in &self.rows {
                            tr {
                                @for (column, cell) in self.columns.iter().zip(row) {
                                    td class=[column.numeric.then_some("number")] { (cell) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_text_is_escaped() {
        let table = Table::new("t", [Column::text("text"), Column::number("n")])
            .with_row(["<script>", "1"]);
        let html = table.render().into_string();
        assert!(
            html.contains("<td>&lt;script&gt;</td><td class=\"number\">1</td>"),
            "{html}"
        );
    }
}
