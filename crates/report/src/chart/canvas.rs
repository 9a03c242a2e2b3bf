//! The paper: SVG from `plotters`, its frame, its axes, and the figure around it.

use std::io;

use maud::{Markup, PreEscaped, html};
use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::Text;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBAColor, ShapeStyle, TRANSPARENT, TextStyle};

use super::axis::Axis;
use super::colour::{Colour, Stroke};

/// Units of the drawing to one pixel: `plotters` places things at whole units, and a curve on whole
/// pixels shows steps.
pub(super) const SCALE: i32 = 4;
/// The size of letters, in pixels of the drawing at its natural size.
pub(super) const LETTERS: i32 = 12;

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Chart<'a, 'b> = ChartContext<'b, SVGBackend<'a>, Cartesian2d<Axis, Axis>>;
pub(super) type Failure = DrawingAreaErrorKind<io::Error>;

/// Everything but the axes, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub width: i32,
    pub height: i32,
    /// A wide figure keeps its size on a phone and scrolls there.
    pub wide: bool,
}

/// The frame of a chart that stands beside another.
pub(super) const HALF: Frame = Frame {
    width: 460,
    height: 270,
    wide: false,
};
/// The frame of a chart as wide as the page.
pub(super) const WIDE: Frame = Frame {
    width: 960,
    height: 300,
    wide: true,
};

/// What stands beside a drawing.
pub(super) struct Caption<'a> {
    pub title: &'a str,
    /// What the drawing shows, in words.
    pub description: String,
    pub legend: Vec<(Key, String)>,
    pub note: Option<&'a str>,
}

/// A sample of how something is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Line(Colour, Stroke),
    /// An area, and how deep its colour is.
    Area(Colour, f64),
    Dot(Colour),
}

/// Draws, and puts the drawing into a figure.
pub(super) fn figure(
    frame: Frame,
    caption: &Caption<'_>,
    draw: impl FnOnce(&Area<'_>) -> Result<(), Failure>,
) -> Markup {
    let (width, height) = (frame.width * SCALE, frame.height * SCALE);
    let mut svg = String::new();
    {
        let area =
            SVGBackend::with_string(&mut svg, (width as u32, height as u32)).into_drawing_area();
        draw(&area).and_then(|()| area.present()).expect(
            "an SVG backend that writes into a string does no input or output that could fail",
        );
    }
    html! {
        figure.chart {
            figcaption {
                strong { (caption.title) }
                @if !caption.legend.is_empty() {
                    ul.legend {
                        @for (key, name) in &caption.legend {
                            li { (sample(*key)) (name) }
                        }
                    }
                }
            }
            div class=[frame.wide.then_some("across")] {
                svg role="img" aria-label=(caption.description) viewBox={ "0 0 " (width) " " (height) } {
                    (PreEscaped(elements(&svg)))
                }
            }
            @if let Some(note) = caption.note { p.note { (note) } }
        }
    }
}

/// The elements of a drawing, without the document around them (its name space is an address, which HTML
/// does without) and without what is the default anyway.
fn elements(svg: &str) -> String {
    let inner = svg.split_once('\n').map_or("", |(_, rest)| rest);
    let inner = inner.trim_end().strip_suffix("</svg>").unwrap_or(inner);
    let mut short = inner.replace(" opacity=\"1\"", "");
    for default in [" stroke=\"none\"", " font-family=\"sans-serif\""] {
        short = short.replace(default, "");
    }
    short
}

fn sample(key: Key) -> Markup {
    let css = |colour: Colour| colour.css();
    html! {
        svg aria-hidden="true" viewBox="0 0 20 10" {
            @match key {
                Key::Line(colour, Stroke::Solid) => {
                    line x1="1" y1="6" x2="19" y2="6" style={ "stroke-width:2;stroke:" (css(colour)) } {}
                }
                Key::Line(colour, Stroke::Dashed) => {
                    line x1="1" y1="6" x2="19" y2="6"
                        style={ "stroke-width:2;stroke-dasharray:4 3;stroke:" (css(colour)) } {}
                }
                Key::Area(colour, depth) => {
                    rect x="1" y="1" width="18" height="9" rx="1"
                        style={ "opacity:" (depth) ";fill:" (css(colour)) } {}
                }
                Key::Dot(colour) => {
                    circle cx="10" cy="5.5" r="4" style={ "fill:" (css(colour)) } {}
                }
            }
        }
    }
}

/// The chart's plane with both axes drawn, the label of the vertical one over it.
pub(super) fn axes<'a, 'b>(
    area: &'b Area<'a>,
    x: &Axis,
    y: &Axis,
) -> Result<Chart<'a, 'b>, Failure> {
    let beside = (y.widest() as i32 * LETTERS * 6 / 10 + 12).max(24);
    let mut chart = ChartBuilder::on(area)
        .margin_top(if y.label().is_empty() { 8 } else { 26 } * SCALE)
        .margin_right((x.widest() as i32 * LETTERS * 3 / 10).max(10) * SCALE)
        .set_left_and_bottom_label_area_size(40 * SCALE)
        .y_label_area_size(beside * SCALE)
        .x_label_area_size(if x.label().is_empty() { 24 } else { 44 } * SCALE)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(line(Colour::Rule, Stroke::Solid, 1))
        .light_line_style(TRANSPARENT)
        .axis_style(line(Colour::Rule, Stroke::Solid, 1))
        .set_all_tick_mark_size(5 * SCALE)
        .label_style(text(Colour::Muted))
        .draw()?;
    let (width, height) = area.dim_in_pixel();
    let middle = (beside * SCALE + width as i32) / 2;
    let below = text(Colour::Muted).pos(Pos::new(HPos::Center, VPos::Bottom));
    area.draw(&Text::new(
        x.label().to_owned(),
        (middle, height as i32 - 4 * SCALE),
        below,
    ))?;
    area.draw(&Text::new(
        y.label().to_owned(),
        (0, 2 * SCALE),
        text(Colour::Muted),
    ))?;
    Ok(chart)
}

/// The style of a line, its width in half pixels times two: 1 is a hairline, 2 a curve.
pub(super) fn line(colour: Colour, stroke: Stroke, width: i32) -> ShapeStyle {
    colour
        .placeholder(stroke)
        .stroke_width((width * SCALE) as u32)
}

/// The style of an area, between 0 (not there) and 1 (full).
pub(super) fn fill(colour: Colour, alpha: f64) -> ShapeStyle {
    let tint: RGBAColor = colour.placeholder(Stroke::Solid).mix(alpha);
    tint.filled()
}

/// The style of text.
pub(super) fn text(colour: Colour) -> TextStyle<'static> {
    // The SVG backend divides sizes by 1.24.
    let size = f64::from(LETTERS * SCALE) * 1.24;
    ("sans-serif", size)
        .into_font()
        .color(&colour.placeholder(Stroke::Solid))
}
