//! Charts as SVG inside a page, in the page's colours.
//!
//! Every chart has axes with units, a legend in words, and a description for those who cannot see it.
//! `plotters` draws; colours are numbers that the page's style gives a meaning to, so that one picture
//! serves the light and the dark theme.

mod axis;
mod bars;
mod canvas;
mod colour;
mod downsample;
mod heat_map;
mod line;
mod reliability;
mod scatter;

pub use axis::{Axis, Tick};
pub use bars::{Bar, BarChart};
pub use colour::{Colour, Stroke};
pub use heat_map::{Cell, HeatMap};
pub use line::{BandPoint, LineChart, Series};
pub use reliability::{ReliabilityBin, ReliabilityDiagram};
pub use scatter::{Dots, ScatterChart, log_axis};

pub(crate) use colour::style;
