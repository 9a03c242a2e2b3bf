//! Colours by what they mean; the page's style says what they are.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// How many series have a colour of their own; after them the colours begin again.
const N_SERIES: u8 = 6;

/// A colour by what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Colour {
    /// Text and marks.
    Ink,
    /// Labels of axes.
    Muted,
    /// Grids and axes.
    Rule,
    /// The full end of a heat map's scale.
    Heat,
    /// Text on the full end of a heat map's scale.
    OnHeat,
    /// What is right.
    Good,
    /// What is wrong.
    Bad,
    /// The series of that number.
    Series(usize),
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stroke {
    /// In one stroke.
    #[default]
    Solid,
    /// In dashes.
    Dashed,
}

impl Colour {
    const NAMED: [Self; 7] = [
        Self::Ink,
        Self::Muted,
        Self::Rule,
        Self::Heat,
        Self::OnHeat,
        Self::Good,
        Self::Bad,
    ];

    /// The number that stands for the colour in the SVG until the style replaces it.
    pub(super) fn placeholder(self, stroke: Stroke) -> RGBColor {
        RGBColor(0xC0, u8::from(stroke == Stroke::Dashed), self.code())
    }

    fn code(self) -> u8 {
        match self {
            Self::Ink => 0x10,
            Self::Muted => 0x11,
            Self::Rule => 0x12,
            Self::Heat => 0x13,
            Self::OnHeat => 0x14,
            Self::Good => 0x15,
            Self::Bad => 0x16,
            Self::Series(index) => (index % usize::from(N_SERIES)) as u8,
        }
    }

    /// The colour as a value of CSS, for instance `var(--series-0)`.
    #[must_use]
    pub fn css(self) -> String {
        match self {
            Self::Ink => "var(--ink)".to_owned(),
            Self::Muted => "var(--muted)".to_owned(),
            Self::Rule => "var(--rule)".to_owned(),
            Self::Heat => "var(--heat)".to_owned(),
            Self::OnHeat => "var(--on-heat)".to_owned(),
            Self::Good => "var(--good)".to_owned(),
            Self::Bad => "var(--bad)".to_owned(),
            Self::Series(index) => format!("var(--series-{})", index % usize::from(N_SERIES)),
        }
    }
}

/// The rules that give every placeholder its meaning.
pub(crate) fn style() -> String {
    let series = (0..usize::from(N_SERIES)).map(Colour::Series);
    let mut css = String::new();
    for colour in Colour::NAMED.into_iter().chain(series) {
        let value = colour.css();
        for stroke in [Stroke::Solid, Stroke::Dashed] {
            let RGBColor(red, green, blue) = colour.placeholder(stroke);
            let hex = format!("#{red:02X}{green:02X}{blue:02X}");
            let dashes = match stroke {
                Stroke::Solid => "",
                Stroke::Dashed => ";stroke-dasharray:18 14",
            };
            // Writing into a string cannot fail.
            let _ = write!(
                css,
                "[fill=\"{hex}\"]{{fill:{value}}}[stroke=\"{hex}\"]{{stroke:{value}{dashes}}}"
            );
        }
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_has_a_place_in_both_themes() {
        let css = include_str!("../style.css");
        let series = (0..usize::from(N_SERIES)).map(Colour::Series);
        for colour in Colour::NAMED.into_iter().chain(series) {
            let value = colour.css();
            let name = value.trim_start_matches("var(").trim_end_matches(')');
            assert_eq!(css.matches(&format!("{name}:#")).count(), 2, "{name}");
        }
    }
}
