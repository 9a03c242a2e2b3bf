//! Axes: a range, the places of the ticks, and what stands beside them.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::number::positive_zero;

/// As many ticks at most, unless they are given.
const MOST_TICKS: f64 = 6.0;

/// A mark on an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Where.
    pub at: f64,
    /// What stands beside it.
    pub text: String,
}

/// One axis of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    label: String,
    low: f64,
    high: f64,
    ticks: Vec<Tick>,
}

impl Axis {
    /// An axis over `values`, its ends moved outwards to the next tick. The label names the quantity
    /// and its unit. Numbers that are not finite are passed over.
    #[must_use]
    pub fn rounded(label: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = ends(values);
        let step = step(high - low);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        Self::with_step(label, low, high, step)
    }

    /// An axis over `values` that ends with them.
    #[must_use]
    pub fn tight(label: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = ends(values);
        Self::with_step(label, low, high, step(high - low))
    }

    /// An axis of shares from `low` to `high`, written in per cent.
    #[must_use]
    pub fn percent(label: impl Into<String>, low: f64, high: f64) -> Self {
        let axis = Self::rounded(label, [100.0 * low, 100.0 * high]);
        let ticks = axis.ticks.into_iter().map(|tick| Tick {
            at: tick.at / 100.0,
            text: format!("{} %", tick.text),
        });
        Self {
            label: axis.label,
            low: axis.low / 100.0,
            high: axis.high / 100.0,
            ticks: ticks.collect(),
        }
    }

    /// An axis with ticks of one's own, for instance dates. Ticks outside the range are not drawn.
    #[must_use]
    pub fn with_ticks(
        label: impl Into<String>,
        low: f64,
        high: f64,
        ticks: impl IntoIterator<Item = Tick>,
    ) -> Self {
        let (low, high) = ends([low, high]);
        let ticks = ticks.into_iter();
        Self {
            label: label.into(),
            low,
            high,
            ticks: ticks
                .filter(|tick| (low..=high).contains(&tick.at))
                .collect(),
        }
    }

    fn with_step(label: impl Into<String>, low: f64, high: f64, step: f64) -> Self {
        // Ends of steps are found a rounding away from where they are.
        let first = (low / step - 1e-9).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        let ticks = (first..=last).map(|index| {
            let at = index as f64 * step;
            Tick {
                at,
                text: tick_text(at, step, high.abs().max(low.abs())),
            }
        });
        Self {
            label: label.into(),
            low,
            high,
            ticks: ticks.collect(),
        }
    }

    /// The quantity and its unit.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The number of characters of the longest text at a tick.
    pub(super) fn widest(&self) -> usize {
        let widths = self.ticks.iter().map(|tick| tick.text.chars().count());
        widths.max().unwrap_or(0)
    }
}

/// The ends of `values`, never the same, never infinite.
fn ends(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let mut low = f64::INFINITY;
    let mut high = f64::NEG_INFINITY;
    for value in values.into_iter().filter(|value| value.abs() < 1e300) {
        low = low.min(value);
        high = high.max(value);
    }
    if low > high {
        return (0.0, 1.0);
    }
    if high - low <= 1e-12 * high.abs().max(low.abs()) {
        let room = if high == 0.0 { 1.0 } else { 0.1 * high.abs() };
        return (low - room, high + room);
    }
    (low, high)
}

/// The least of 1, 2 and 5 times a power of ten that gives few enough ticks.
fn step(range: f64) -> f64 {
    let raw = range / MOST_TICKS;
    let power = 10_f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|factor| factor * power >= raw * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// `at` with as many decimals as tell it from the next tick.
fn tick_text(at: f64, step: f64, largest: f64) -> String {
    let (divisor, suffix) = match largest {
        10_000.0..1e6 => (1e3, "k"),
        1e6..1e9 => (1e6, "M"),
        1e9..1e12 => (1e9, "G"),
        _ => (1.0, ""),
    };
    if largest >= 1e12 || step < 1e-5 {
        return format!("{:.1e}", if at.abs() < step / 2.0 { 0.0 } else { at });
    }
    let decimals = (-(step / divisor).log10() - 1e-9).ceil().max(0.0) as usize;
    let text = positive_zero(format!("{:.decimals$}", at / divisor));
    if text.chars().all(|c| matches!(c, '0' | '.')) {
        return "0".to_owned();
    }
    text + suffix
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.low) / (self.high - self.low);
        // A value far outside would wrap around as an integer.
        let share = share.clamp(-1.0, 2.0);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            return Vec::new();
        }
        self.ticks.iter().map(|tick| tick.at).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|tick| tick.at == *value);
        tick.map_or_else(String::new, |tick| tick.text.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.text.as_str()).collect()
    }

    #[test]
    fn ticks_stand_at_round_numbers() {
        let loss = Axis::rounded("loss", [0.031, 0.69]);
        assert_eq!(texts(&loss), ["0", "0.2", "0.4", "0.6", "0.8"]);
        let steps = Axis::tight("step", [1.0, 4_137.0]);
        assert_eq!(texts(&steps), ["1000", "2000", "3000", "4000"]);
        assert_eq!((steps.low, steps.high), (1.0, 4_137.0));
        let many = Axis::tight("step", [0.0, 100_000.0]);
        assert_eq!(texts(&many), ["0", "20k", "40k", "60k", "80k", "100k"]);
        let accuracy = Axis::percent("accuracy", 0.943, 0.987);
        assert_eq!(
            texts(&accuracy),
            ["94 %", "95 %", "96 %", "97 %", "98 %", "99 %"]
        );
        let negative = Axis::rounded("residual", [-1.5, 1.5]);
        assert_eq!(
            texts(&negative),
            ["-1.5", "-1.0", "-0.5", "0", "0.5", "1.0", "1.5"]
        );
    }

    #[test]
    fn there_is_an_axis_for_any_numbers() {
        for values in [
            vec![],
            vec![f64::NAN, f64::INFINITY],
            vec![0.0],
            vec![3.0, 3.0],
            vec![-1e299, 1e299],
            vec![1e-300, 2e-300],
        ] {
            for axis in [
                Axis::rounded("a", values.clone()),
                Axis::tight("a", values.clone()),
            ] {
                assert!(axis.low < axis.high, "{values:?}: {axis:?}");
                assert!((1..20).contains(&axis.ticks.len()), "{values:?}: {axis:?}");
            }
        }
    }
}
