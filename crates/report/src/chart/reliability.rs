//! Reliability diagrams: what was promised against what came true.

use maud::Markup;
use plotters::element::{PathElement, Rectangle};
use serde::{Deserialize, Serialize};

use super::axis::Axis;
use super::canvas::{Caption, Frame, HALF, Key, SCALE, axes, figure, fill, line};
use super::colour::{Colour, Stroke};

/// Predictions whose confidence lies in one stretch of [0, 1].
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// The number of predictions.
    pub count: u64,
    /// Their mean confidence.
    pub confidence: f64,
    /// The share of them that is right.
    pub accuracy: f64,
}

/// The accuracy in stretches of confidence of equal width.
#[derive(Clone, Debug)]
#[must_use]
pub struct ReliabilityDiagram {
    title: String,
    bins: Vec<ReliabilityBin>,
    note: Option<String>,
}

impl ReliabilityDiagram {
    /// A diagram of bins of equal width over [0, 1], the empty ones too.
    pub fn new(title: impl Into<String>, bins: impl IntoIterator<Item = ReliabilityBin>) -> Self {
        Self {
            title: title.into(),
            bins: bins.into_iter().collect(),
            note: None,
        }
    }

    /// With a sentence under it.
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The chart: a bar for each bin up to its accuracy, a mark at its mean confidence, and the line
    /// where the two are equal.
    #[must_use]
    pub fn figure(&self) -> Markup {
        let filled = self.bins.iter().filter(|bin| bin.count > 0);
        let words = filled.map(|bin| {
            format!(
                " {} predictions of confidence {:.2} are right in {:.2}.",
                bin.count, bin.confidence, bin.accuracy
            )
        });
        let caption = Caption {
            title: &self.title,
            description: format!("{}.{}", self.title, words.collect::<String>()),
            legend: vec![
                (
                    Key::Dot(Colour::Series(0)),
                    "share that is right".to_owned(),
                ),
                (
                    Key::Line(Colour::Series(1), Stroke::Solid),
                    "mean confidence".to_owned(),
                ),
                (
                    Key::Line(Colour::Muted, Stroke::Dashed),
                    "as good as its word".to_owned(),
                ),
            ],
            note: self.note.as_deref(),
        };
        let frame = Frame {
            height: 330,
            ..HALF
        };
        figure(frame, &caption, |area| {
            let x = Axis::percent("confidence", 0.0, 1.0);
            let y = Axis::percent("share that is right", 0.0, 1.0);
            let mut chart = axes(area, &x, &y)?;
            let width = 1.0 / self.bins.len().max(1) as f64;
            let largest = self.bins.iter().map(|bin| bin.count).max().unwrap_or(0);
            for (index, bin) in self
                .bins
                .iter()
                .enumerate()
                .filter(|(_, bin)| bin.count > 0)
            {
                let (from, to) = (index as f64 * width, (index + 1) as f64 * width);
                // Pale where few predictions stand behind a bar.
                let weight = (bin.count as f64 / largest as f64).sqrt();
                let corners = [(from, 0.0), (to, bin.accuracy)];
                let mut bar = Rectangle::new(corners, fill(Colour::Series(0), 0.3 + 0.6 * weight));
                bar.set_margin(0, 0, SCALE as u32, SCALE as u32);
                chart.draw_series([bar])?;
                let mark = vec![(from, bin.confidence), (to, bin.confidence)];
                let style = line(Colour::Series(1), Stroke::Solid, 2);
                chart.draw_series([PathElement::new(mark, style)])?;
            }
            let diagonal = vec![(0.0, 0.0), (1.0, 1.0)];
            let style = line(Colour::Muted, Stroke::Dashed, 1);
            chart.draw_series([PathElement::new(diagonal, style)])?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_bins_have_no_bar() {
        let bin = |count| ReliabilityBin {
            count,
            confidence: 0.5,
            accuracy: 0.75,
        };
        let html = ReliabilityDiagram::new("Calibration", [bin(0), bin(4), bin(0)])
            .figure()
            .into_string();
        assert_eq!(html.matches("<rect").count(), 1, "{html}");
        assert!(
            html.contains("4 predictions of confidence 0.50 are right in 0.75."),
            "{html}"
        );
    }
}
