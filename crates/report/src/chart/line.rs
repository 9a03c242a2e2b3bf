//! Curves, with bands around them.

use maud::Markup;
use plotters::element::{Circle, PathElement, Polygon};

use super::axis::Axis;
use super::canvas::{Caption, Frame, HALF, Key, SCALE, WIDE, axes, figure, fill, line};
use super::colour::{Colour, Stroke};
use super::downsample::downsample;

/// Stretches of a curve that is drawn by its lowest and highest points.
const BUCKETS: usize = 300;
/// How deep the colour of one band is.
const BAND_DEPTH: f64 = 0.18;

/// Where a band begins and ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandPoint {
    /// The place on the horizontal axis.
    pub x: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// One curve of a [`LineChart`].
#[derive(Clone, Debug)]
pub struct Series {
    name: String,
    points: Vec<(f64, f64)>,
    bands: Vec<(String, Vec<BandPoint>)>,
    stroke: Stroke,
    colour: Option<Colour>,
    with_dots: bool,
    faint: bool,
}

impl Series {
    /// A curve through `points` in their order. Points that are not finite are passed over.
    #[must_use]
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let finite = |point: &(f64, f64)| point.0.is_finite() && point.1.is_finite();
        Self {
            name: name.into(),
            points: points.into_iter().filter(finite).collect(),
            bands: Vec::new(),
            stroke: Stroke::Solid,
            colour: None,
            with_dots: false,
            faint: false,
        }
    }

    /// In dashes.
    #[must_use]
    pub fn dashed(mut self) -> Self {
        self.stroke = Stroke::Dashed;
        self
    }

    /// In a colour of one's choice instead of the next one.
    #[must_use]
    pub fn with_colour(mut self, colour: Colour) -> Self {
        self.colour = Some(colour);
        self
    }

    /// With a dot at each point, for curves of few points.
    #[must_use]
    pub fn with_dots(mut self) -> Self {
        self.with_dots = true;
        self
    }

    /// Thin and pale, behind the others: raw values beside their mean.
    #[must_use]
    pub fn faint(mut self) -> Self {
        self.faint = true;
        self
    }

    /// With a band, for instance the quantiles of a forecast; bands lie over each other, the widest first.
    /// A name that is empty is not in the legend.
    #[must_use]
    pub fn with_band(
        mut self,
        name: impl Into<String>,
        band: impl IntoIterator<Item = BandPoint>,
    ) -> Self {
        let finite = |p: &BandPoint| p.x.is_finite() && p.low.is_finite() && p.high.is_finite();
        let band = band.into_iter().filter(finite).collect();
        self.bands.push((name.into(), band));
        self
    }
}

/// Curves over one pair of axes.
#[derive(Clone, Debug)]
#[must_use]
pub struct LineChart {
    title: String,
    x: Axis,
    y: Axis,
    series: Vec<Series>,
    note: Option<String>,
    frame: Frame,
}

impl LineChart {
    /// A chart without curves.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self {
            title: title.into(),
            x,
            y,
            series: Vec::new(),
            note: None,
            frame: HALF,
        }
    }

    /// With one more curve.
    pub fn with_series(mut self, series: Series) -> Self {
        self.series.push(series);
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
        let colours: Vec<Colour> = (self.series.iter().enumerate())
            .map(|(index, series)| series.colour.unwrap_or(Colour::Series(index)))
            .collect();
        let mut legend = Vec::new();
        for (series, colour) in self.series.iter().zip(&colours) {
            let entry = (Key::Line(*colour, series.stroke), series.name.clone());
            if !series.name.is_empty() {
                legend.push(entry);
            }
            for (index, (name, _)) in series.bands.iter().enumerate() {
                // Bands lie over each other: each adds to the depth.
                let depth = 1.0 - (1.0 - BAND_DEPTH).powi(index as i32 + 1);
                if !name.is_empty() {
                    legend.push((Key::Area(*colour, depth), name.clone()));
                }
            }
        }
        let caption = Caption {
            title: &self.title,
            description: self.description(),
            legend,
            note: self.note.as_deref(),
        };
        figure(self.frame, &caption, |area| {
            let mut chart = axes(area, &self.x, &self.y)?;
            for (series, colour) in self.series.iter().zip(&colours) {
                for (_, band) in &series.bands {
                    let upper = band.iter().map(|point| (point.x, point.high));
                    let lower = band.iter().rev().map(|point| (point.x, point.low));
                    let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
                    chart.draw_series([Polygon::new(outline, fill(*colour, BAND_DEPTH))])?;
                }
            }
            for (series, colour) in self.series.iter().zip(&colours) {
                let mut style = line(*colour, series.stroke, if series.faint { 1 } else { 2 });
                if series.faint {
                    style.color.3 = 0.4;
                }
                let points = downsample(&series.points, BUCKETS);
                if series.with_dots || points.len() == 1 {
                    let dots = points
                        .iter()
                        .map(|point| Circle::new(*point, 3 * SCALE, fill(*colour, 1.0)));
                    chart.draw_series(dots)?;
                }
                if points.len() > 1 {
                    chart.draw_series([PathElement::new(points, style)])?;
                }
            }
            Ok(())
        })
    }

    fn description(&self) -> String {
        let mut words = format!("{}: {} by {}.", self.title, self.y.label(), self.x.label());
        for series in self.series.iter().filter(|series| !series.name.is_empty()) {
            if let (Some(first), Some(last)) = (series.points.first(), series.points.last()) {
                words.push_str(&format!(
                    " {} goes from {} to {}.",
                    series.name,
                    brief(first.1),
                    brief(last.1)
                ));
            }
        }
        words
    }
}

/// Three digits that count.
fn brief(value: f64) -> String {
    let digits = (2.0 - value.abs().max(1e-9).log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> LineChart {
        LineChart::new(
            "Loss",
            Axis::tight("step", [0.0, 100.0]),
            Axis::rounded("nats", [0.0, 1.0]),
        )
    }

    #[test]
    fn every_series_has_its_colour_its_name_and_its_words() {
        let html = chart()
            .with_series(Series::new("training <1>", [(0.0, 0.9), (100.0, 0.1)]))
            .with_series(Series::new("validation", [(0.0, 0.8), (100.0, 0.2)]).dashed())
            .figure()
            .into_string();
        for part in [
            "role=\"img\"",
            "training &lt;1&gt; goes from 0.900 to 0.100.",
            "stroke=\"#C00000\"",
            "stroke=\"#C00101\"",
            "\nnats\n",
        ] {
            assert!(html.contains(part), "no {part} in {html}");
        }
        assert!(!html.contains("http"), "{html}");
    }

    #[test]
    fn a_band_is_an_area_and_what_is_not_finite_is_passed_over() {
        let band = [0.0, 50.0, 100.0].map(|x| BandPoint {
            x,
            low: 0.1,
            high: 0.9,
        });
        let html = chart()
            .with_series(
                Series::new("median", [(0.0, 0.5), (50.0, f64::NAN), (100.0, 0.5)])
                    .with_band("80 %", band),
            )
            .figure()
            .into_string();
        assert!(html.contains("<polygon") && html.contains("80 %"), "{html}");
        assert!(!html.contains("NaN"), "{html}");
    }

    #[test]
    fn a_hundred_thousand_steps_are_a_small_picture() {
        let points = (0..100_000).map(|x| (f64::from(x), f64::from(x % 97) / 97.0));
        let x = Axis::tight("step", [0.0, 1e5]);
        let html = LineChart::new("Loss", x, Axis::rounded("nats", [0.0, 1.0]))
            .with_series(Series::new("training", points))
            .figure()
            .into_string();
        assert!(html.len() < 20_000, "{}", html.len());
    }
}
