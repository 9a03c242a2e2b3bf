//! Heat maps: a value in each cell of a grid, as the depth of one colour.

use maud::Markup;
use plotters::element::{Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{Caption, Frame, LETTERS, SCALE, figure, fill, text};
use super::colour::Colour;

/// The widest a name beside a row is shown, in characters.
const WIDEST: usize = 18;

/// One cell of a [`HeatMap`].
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// How deep the colour is: 0 nothing, 1 full.
    pub depth: f64,
    /// What stands in the cell; nothing if empty.
    pub text: String,
    /// The colour at full depth.
    pub colour: Colour,
}

impl Default for Cell {
    fn default() -> Self {
        Self {
            depth: 0.0,
            text: String::new(),
            colour: Colour::Heat,
        }
    }
}

/// A grid of cells with names for rows and columns.
#[derive(Clone, Debug)]
#[must_use]
pub struct HeatMap {
    title: String,
    row_axis: String,
    column_axis: String,
    rows: Vec<String>,
    columns: Vec<String>,
    cells: Vec<Vec<Cell>>,
    description: Option<String>,
    note: Option<String>,
}

impl HeatMap {
    /// A grid: `cells[row][column]`.
    ///
    /// # Panics
    ///
    /// If there is not one cell for each pair of a row and a column.
    pub fn new(
        title: impl Into<String>,
        rows: Vec<String>,
        columns: Vec<String>,
        cells: Vec<Vec<Cell>>,
    ) -> Self {
        assert_eq!(
            cells.len(),
            rows.len(),
            "a heat map needs cells for each row"
        );
        let whole = cells.iter().all(|row| row.len() == columns.len());
        assert!(
            whole,
            "a heat map needs a cell for each column in every row"
        );
        Self {
            title: title.into(),
            row_axis: String::new(),
            column_axis: String::new(),
            rows,
            columns,
            cells,
            description: None,
            note: None,
        }
    }

    /// With the meaning of rows and columns.
    pub fn with_axes(mut self, rows: impl Into<String>, columns: impl Into<String>) -> Self {
        self.row_axis = rows.into();
        self.column_axis = columns.into();
        self
    }

    /// With words of one's own for those who cannot see it.
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// With a sentence under it.
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The chart. Names of columns stand upright where they would run into each other.
    #[must_use]
    pub fn figure(&self) -> Markup {
        let layout = Layout::of(self);
        let description = self.description.clone().unwrap_or_else(|| {
            format!(
                "{}: {} rows ({}) by {} columns ({}).",
                self.title,
                self.rows.len(),
                self.row_axis,
                self.columns.len(),
                self.column_axis
            )
        });
        let caption = Caption {
            title: &self.title,
            description,
            legend: Vec::new(),
            note: self.note.as_deref(),
        };
        figure(layout.frame, &caption, |area| {
            let muted = || text(Colour::Muted);
            let right = Pos::new(HPos::Right, VPos::Center);
            let centre = Pos::new(HPos::Center, VPos::Center);
            let middle = layout.left + (layout.frame.width - layout.left) / 2;
            let place = |x: i32, y: i32| (x * SCALE, y * SCALE);
            let over = muted().pos(Pos::new(HPos::Center, VPos::Top));
            area.draw(&Text::new(self.column_axis.clone(), place(middle, 2), over))?;
            area.draw(&Text::new(self.row_axis.clone(), place(0, 2), muted()))?;
            for (column, name) in self.columns.iter().enumerate() {
                let x = layout.left + column as i32 * layout.cell.0 + layout.cell.0 / 2;
                let name = shortened(name);
                if layout.upright {
                    let turned = muted()
                        .transform(plotters::style::FontTransform::Rotate270)
                        .pos(Pos::new(HPos::Left, VPos::Center));
                    area.draw(&Text::new(name, place(x, layout.top - 6), turned))?;
                } else {
                    let style = muted().pos(Pos::new(HPos::Center, VPos::Bottom));
                    area.draw(&Text::new(name, place(x, layout.top - 4), style))?;
                }
            }
            for (row, name) in self.rows.iter().enumerate() {
                let y = layout.top + row as i32 * layout.cell.1;
                let beside = place(layout.left - 8, y + layout.cell.1 / 2);
                area.draw(&Text::new(shortened(name), beside, muted().pos(right)))?;
                for (column, cell) in self.cells[row].iter().enumerate() {
                    let x = layout.left + column as i32 * layout.cell.0;
                    let depth = if cell.depth.is_finite() {
                        cell.depth.clamp(0.0, 1.0)
                    } else {
                        0.0
                    };
                    let gap = if layout.cell.0 > 12 { 1 } else { 0 };
                    let corners = [
                        place(x, y),
                        place(x + layout.cell.0 - gap, y + layout.cell.1 - gap),
                    ];
                    area.draw(&Rectangle::new(
                        corners,
                        fill(cell.colour, 0.05 + 0.95 * depth),
                    ))?;
                    let colour = if depth > 0.55 {
                        Colour::OnHeat
                    } else {
                        Colour::Ink
                    };
                    let middle = place(x + layout.cell.0 / 2, y + layout.cell.1 / 2);
                    let style = text(colour).pos(centre);
                    area.draw(&Text::new(cell.text.clone(), middle, style))?;
                }
            }
            Ok(())
        })
    }
}

/// Where things stand, in pixels.
struct Layout {
    frame: Frame,
    left: i32,
    top: i32,
    cell: (i32, i32),
    upright: bool,
}

impl Layout {
    fn of(map: &HeatMap) -> Self {
        let widest = |names: &[String]| {
            let widths = names.iter().map(|name| shortened(name).chars().count());
            widths.max().unwrap_or(0) as i32 * LETTERS * 6 / 10
        };
        let axis_width = map.row_axis.chars().count() as i32 * LETTERS * 6 / 10;
        let left = widest(&map.rows).max(axis_width.min(80)) + 12;
        let n_columns = map.columns.len().max(1) as i32;
        let room = 460 - left;
        let width = (room / n_columns).clamp(10, 150);
        let n_rows = map.rows.len().max(1) as i32;
        let height = (280 / n_rows).clamp(14, 56).min(width.max(24));
        let names = widest(&map.columns);
        let upright = names + 6 > width;
        let top = 24 + if upright { names + 10 } else { 20 };
        let total = left + n_columns * width;
        Self {
            frame: Frame {
                width: total.max(460),
                height: top + n_rows * height + 2,
                wide: total > 640,
            },
            left,
            top,
            cell: (width, height),
            upright,
        }
    }
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= WIDEST {
        return name.to_owned();
    }
    let kept: String = name.chars().take(WIDEST - 1).collect();
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_escaped_and_every_cell_is_there() {
        let cell = |depth, text: &str| Cell {
            depth,
            text: text.to_owned(),
            ..Cell::default()
        };
        let cells = vec![
            vec![cell(0.9, "90"), cell(0.1, "10")],
            vec![cell(f64::NAN, "<0>"), cell(1.0, "7")],
        ];
        let names = vec![
            "<script>".to_owned(),
            "a very long name of a class".to_owned(),
        ];
        let html = HeatMap::new("Confusion", names.clone(), names, cells)
            .with_axes("true class", "predicted")
            .figure()
            .into_string();
        assert_eq!(html.matches("<rect").count(), 4, "{html}");
        assert!(
            html.contains("&lt;script&gt;") && html.contains("&lt;0&gt;"),
            "{html}"
        );
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("a very long name …"), "{html}");
    }
}
