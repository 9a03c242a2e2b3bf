//! Dots: one quantity against another.

use maud::Markup;
use plotters::element::Circle;

use super::axis::{Axis, Tick};
use super::canvas::{Caption, HALF, Key, SCALE, axes, figure, fill};
use super::colour::Colour;

/// Dots of one meaning.
#[derive(Clone, Debug)]
pub struct Dots {
    name: String,
    colour: Colour,
    depth: f64,
    points: Vec<(f64, f64)>,
}

impl Dots {
    /// Dots at `points`. Points that are not finite are passed over.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        colour: Colour,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        let finite = |point: &(f64, f64)| point.0.is_finite() && point.1.is_finite();
        Self {
            name: name.into(),
            colour,
            depth: 0.85,
            points: points.into_iter().filter(finite).collect(),
        }
    }

    /// Pale: what stands in the background.
    #[must_use]
    pub fn faint(mut self) -> Self {
        self.depth = 0.4;
        self
    }
}

/// Dots over one pair of axes.
#[derive(Clone, Debug)]
#[must_use]
pub struct ScatterChart {
    title: String,
    x: Axis,
    y: Axis,
    dots: Vec<Dots>,
    note: Option<String>,
}

impl ScatterChart {
    /// A chart without dots.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self {
            title: title.into(),
            x,
            y,
            dots: Vec::new(),
            note: None,
        }
    }

    /// With more dots, over those before.
    pub fn with_dots(mut self, dots: Dots) -> Self {
        self.dots.push(dots);
        self
    }

    /// With a sentence under it.
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The chart.
    #[must_use]
    pub fn figure(&self) -> Markup {
        let shown = || self.dots.iter().filter(|dots| !dots.points.is_empty());
        let words = shown().map(|dots| format!(" {} dots: {}.", dots.points.len(), dots.name));
        let legend = shown().filter(|dots| !dots.name.is_empty());
        let caption = Caption {
            title: &self.title,
            description: format!(
                "{}: {} by {}.{}",
                self.title,
                self.y.label(),
                self.x.label(),
                words.collect::<String>()
            ),
            legend: legend
                .map(|dots| (Key::Dot(dots.colour), dots.name.clone()))
                .collect(),
            note: self.note.as_deref(),
        };
        figure(HALF, &caption, |area| {
            let mut chart = axes(area, &self.x, &self.y)?;
            for dots in &self.dots {
                let circle = |point: &(f64, f64)| {
                    Circle::new(*point, 4 * SCALE, fill(dots.colour, dots.depth))
                };
                chart.draw_series(dots.points.iter().map(circle))?;
            }
            Ok(())
        })
    }
}

/// The most ticks of a logarithmic axis that are not powers of ten alone.
const FEW_DECADES: f64 = 3.0;

/// A logarithmic axis over `values`: place a number at its decadic logarithm. Numbers that are not
/// positive are passed over.
#[must_use]
pub fn log_axis(label: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Axis {
    let values = values
        .into_iter()
        .filter(|value| *value > 0.0 && value.is_finite());
    let logs: Vec<f64> = values.map(f64::log10).collect();
    let low = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let high = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return Axis::with_ticks(label, 0.0, 1.0, []);
    }
    // Dots at the ends are whole dots.
    let room = (0.04 * (high - low)).max(0.01);
    let (low, high) = (low - room, high + room);
    let steps: &[f64] = match high - low {
        range if range > FEW_DECADES => &[1.0],
        _ => &[1.0, 2.0, 5.0],
    };
    let decades = (low.floor() as i32)..=(high.ceil() as i32);
    let ticks = decades.flat_map(|decade| {
        steps.iter().map(move |step| {
            let at = step.log10() + f64::from(decade);
            Tick {
                at,
                text: plain(*step, decade),
            }
        })
    });
    Axis::with_ticks(label, low, high, ticks)
}

/// `step` times a power of ten, in digits where that is short.
fn plain(step: f64, decade: i32) -> String {
    match decade {
        -3..=-1 => format!(
            "{:.*}",
            decade.unsigned_abs() as usize,
            step * 10_f64.powi(decade)
        ),
        0..=3 => format!("{:.0}", step * 10_f64.powi(decade)),
        _ => format!("{step}e{decade}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dot_that_is_finite_is_drawn_and_named() {
        let html = ScatterChart::new(
            "Rate",
            Axis::rounded("rate", [0.0, 1.0]),
            Axis::rounded("accuracy", [0.5, 1.0]),
        )
        .with_dots(Dots::new("rest", Colour::Muted, [(0.1, 0.6), (0.2, f64::NAN)]).faint())
        .with_dots(Dots::new("best", Colour::Series(0), [(0.5, 0.9)]))
        .with_dots(Dots::new("nobody", Colour::Series(1), []))
        .figure()
        .into_string();
        // Two, and one of each for the legend.
        assert_eq!(html.matches("<circle").count(), 4, "{html}");
        assert!(html.contains(" 1 dots: rest. 1 dots: best."), "{html}");
        assert!(!html.contains("nobody"), "{html}");
    }

    #[test]
    fn a_logarithmic_axis_has_ticks_at_round_numbers() {
        let axis = log_axis("rate", [1e-4, 3e-3]);
        let html = ScatterChart::new("t", axis, Axis::rounded("y", [0.0, 1.0]))
            .figure()
            .into_string();
        for tick in ["1e-4", "0.001", "0.002", "5e-4"] {
            assert!(html.contains(&format!("\n{tick}\n")), "{tick} in {html}");
        }
        for values in [vec![], vec![0.0, -1.0], vec![5.0], vec![1e-300, 1e300]] {
            let axis = log_axis("x", values);
            let _ = ScatterChart::new("t", axis.clone(), axis).figure();
        }
    }
}
