//! Bars and histograms.

use maud::Markup;
use plotters::element::Rectangle;

use super::axis::Axis;
use super::canvas::{Caption, Frame, HALF, Key, SCALE, WIDE, axes, figure, fill};
use super::colour::Colour;

/// One bar of a [`BarChart`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Where it begins on the horizontal axis.
    pub from: f64,
    /// Where it ends there.
    pub to: f64,
    /// Its height.
    pub value: f64,
    /// Its colour.
    pub colour: Colour,
}

impl Bar {
    /// A bar in the first colour.
    #[must_use]
    pub fn new(from: f64, to: f64, value: f64) -> Self {
        Self {
            from,
            to,
            value,
            colour: Colour::Series(0),
        }
    }
}

/// Bars over one pair of axes.
#[derive(Clone, Debug)]
#[must_use]
pub struct BarChart {
    title: String,
    x: Axis,
    y: Axis,
    bars: Vec<Bar>,
    legend: Vec<(Colour, String)>,
    description: Option<String>,
    note: Option<String>,
    frame: Frame,
}

impl BarChart {
    /// Bars that stand on the zero of `y`.
    pub fn new(
        title: impl Into<String>,
        x: Axis,
        y: Axis,
        bars: impl IntoIterator<Item = Bar>,
    ) -> Self {
        let finite = |bar: &Bar| [bar.from, bar.to, bar.value].iter().all(|v| v.is_finite());
        Self {
            title: title.into(),
            x,
            y,
            bars: bars.into_iter().filter(finite).collect(),
            legend: Vec::new(),
            description: None,
            note: None,
            frame: HALF,
        }
    }

    /// With the meaning of a colour.
    pub fn with_legend(mut self, colour: Colour, name: impl Into<String>) -> Self {
        self.legend.push((colour, name.into()));
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

    /// As wide as the page; on a phone it scrolls sideways.
    pub fn wide(mut self) -> Self {
        self.frame = WIDE;
        self
    }

    /// The chart.
    #[must_use]
    pub fn figure(&self) -> Markup {
        let description = self.description.clone().unwrap_or_else(|| {
            let highest = self.bars.iter().max_by(|a, b| a.value.total_cmp(&b.value));
            let highest = highest.map_or_else(String::new, |bar| {
                format!(" The highest goes from {} to {}.", bar.from, bar.to)
            });
            format!(
                "{}: {} by {}, {} bars.{highest}",
                self.title,
                self.y.label(),
                self.x.label(),
                self.bars.len()
            )
        });
        let legend = self.legend.iter();
        let caption = Caption {
            title: &self.title,
            description,
            legend: legend
                .map(|(colour, name)| (Key::Dot(*colour), name.clone()))
                .collect(),
            note: self.note.as_deref(),
        };
        figure(self.frame, &caption, |area| {
            let mut chart = axes(area, &self.x, &self.y)?;
            chart.draw_series(self.bars.iter().filter(|bar| bar.value != 0.0).map(|bar| {
                let corners = [(bar.from, 0.0), (bar.to, bar.value)];
                let mut bar = Rectangle::new(corners, fill(bar.colour, 0.85));
                // A gap between neighbours.
                bar.set_margin(0, 0, SCALE as u32, SCALE as u32);
                bar
            }))?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_for_each_value_and_none_for_nothing() {
        let bars = [
            Bar::new(0.0, 1.0, 3.0),
            Bar::new(1.0, 2.0, 0.0),
            Bar::new(2.0, 3.0, 5.0),
        ];
        let x = Axis::tight("tokens", [0.0, 3.0]);
        let html = BarChart::new("Lengths", x, Axis::rounded("texts", [0.0, 5.0]), bars)
            .figure()
            .into_string();
        assert_eq!(html.matches("<rect").count(), 2, "{html}");
        assert!(html.contains("The highest goes from 2 to 3."), "{html}");
    }
}
