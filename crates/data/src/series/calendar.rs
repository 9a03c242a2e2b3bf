//! What the calendar tells of a time, as numbers.

use std::f64::consts::TAU;
use std::ops::Range;

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::{Frequency, SeriesTable, TimeZoneOfColumn};
use crate::DataError;

/// Rows that a cycle has at least, or they say little of their place in it.
const LEAST_STEPS: usize = 4;

/// A cycle of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CalendarCycle {
    /// The time of day, to the microsecond; a cycle is 24 hours.
    Day,
    /// The weekday and the time of day; a cycle is Monday 0:00 to Sunday 24:00.
    Week,
    /// The day of the year and the time of day; a cycle is this very year, 365 or 366 days.
    Year,
}

impl CalendarCycle {
    const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Year];
    /// Every name, in the order of the length of the cycles.
    pub const NAMES: &'static [&'static str] = &["day", "week", "year"];

    /// The name, as in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Year => "year",
        }
    }

    /// Which part of the cycle is over, in [0, 1).
    fn phase(self, clock: DateTime) -> f64 {
        let day = clock.duration_since(clock.start_of_day()).as_secs_f64() / 86_400.0;
        match self {
            Self::Day => day,
            Self::Week => (f64::from(clock.weekday().to_monday_zero_offset()) + day) / 7.0,
            Self::Year => {
                (f64::from(clock.day_of_year() - 1) + day) / f64::from(clock.days_in_year())
            }
        }
    }
}

/// Calendar features of each row: of every cycle the sine and the cosine of its phase.
///
/// ```text
/// sin(2 pi phase), cos(2 pi phase)        phase = the part of the day, week or year that is over, in [0, 1)
/// ```
///
/// Two numbers and not one scaled to [-0.5, 0.5], as Informer and its successors have it: 23:30 and 0:30 are an hour
/// apart, and a linear layer has no way to see that in one number that jumps at midnight. They follow from the time
/// alone, so they are known for rows that are still to come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Calendar {
    cycles: Vec<CalendarCycle>,
}

impl Calendar {
    /// Features of these cycles.
    #[must_use]
    pub fn new(cycles: Vec<CalendarCycle>) -> Self {
        Self { cycles }
    }

    /// The cycles that tell more than `lookback` rows before do: those that rows of this frequency take several steps through,
    /// that are longer than the lookback, and that `rows` go through at least twice.
    #[must_use]
    pub fn beyond(lookback: usize, frequency: Frequency, rows: usize) -> Self {
        const DAY: i64 = 86_400_000_000;
        let step = match frequency {
            Frequency::Every { microseconds } => microseconds,
            Frequency::BusinessDays => DAY,
            Frequency::Months { months } => 30 * DAY * i64::from(months),
            Frequency::Rows | Frequency::Irregular { .. } => return Self::default(),
        };
        let tells = |length: i64| {
            let in_rows = (length / step.max(1)) as usize;
            in_rows >= LEAST_STEPS && in_rows > lookback && rows >= 2 * in_rows
        };
        let cycles = CalendarCycle::ALL
            .into_iter()
            .zip([DAY, 7 * DAY, 365 * DAY])
            .filter(|(_, length)| tells(*length));
        Self::new(cycles.map(|(cycle, _)| cycle).collect())
    }

    /// The cycles, shortest first.
    #[must_use]
    pub fn cycles(&self) -> &[CalendarCycle] {
        &self.cycles
    }

    /// Whether there are no features.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cycles.is_empty()
    }

    /// Whether the features of all rows of a table are known, and of rows to come too.
    ///
    /// # Errors
    /// [`DataError::NoTimeColumn`] without times, [`DataError::NoCalendar`] where they are mere numbers,
    /// [`DataError::IrregularCalendar`] where the next time follows from nothing.
    pub fn require_regular(&self, table: &SeriesTable) -> Result<(), DataError> {
        if self.is_empty() {
            return Ok(());
        }
        match table.frequency() {
            Frequency::Irregular { .. } => Err(DataError::IrregularCalendar {
                path: table.path().to_owned(),
                frequency: table.frequency(),
            }),
            _ => self.require_clock(table),
        }
    }

    /// Whether the features of all rows of a table are known.
    ///
    /// # Errors
    /// [`DataError::NoTimeColumn`] without times, [`DataError::NoCalendar`] where they are mere numbers.
    pub fn require_clock(&self, table: &SeriesTable) -> Result<(), DataError> {
        match (table.frequency(), table.zone()) {
            _ if self.is_empty() => Ok(()),
            (Frequency::Rows, _) | (_, TimeZoneOfColumn::None) => Err(self.refusal(table)),
            _ => Ok(()),
        }
    }

    /// How many features there are.
    #[must_use]
    pub fn width(&self) -> usize {
        2 * self.cycles.len()
    }

    /// The names of the features.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let of_cycle =
            |cycle: &CalendarCycle| ["sin", "cos"].map(|wave| format!("{}_{wave}", cycle.name()));
        self.cycles.iter().flat_map(of_cycle).collect()
    }

    /// The features of rows, `[rows, width]`. Rows behind the last one of the series have the times that follow from the
    /// frequency.
    ///
    /// # Errors
    /// [`DataError::NoTimeColumn`] without times, [`DataError::NoCalendar`] where they are mere numbers or none follows.
    ///
    /// # Panics
    /// If `into` is not of their size.
    pub fn fill(
        &self,
        table: &SeriesTable,
        series: usize,
        rows: Range<usize>,
        into: &mut [f32],
    ) -> Result<(), DataError> {
        assert_eq!(
            into.len(),
            rows.len() * self.width(),
            "one value a feature and row"
        );
        if self.is_empty() {
            return Ok(());
        }
        for (row, features) in rows.zip(into.chunks_exact_mut(self.width())) {
            let clock = table
                .time(series, row)
                .and_then(|time| time.clock(table.zone()));
            let clock = clock.ok_or_else(|| self.refusal(table))?;
            for (cycle, waves) in self.cycles.iter().zip(features.chunks_exact_mut(2)) {
                let (sin, cos) = (TAU * cycle.phase(clock)).sin_cos();
                waves.copy_from_slice(&[sin as f32, cos as f32]);
            }
        }
        Ok(())
    }

    fn refusal(&self, table: &SeriesTable) -> DataError {
        let path = table.path().to_owned();
        if table.frequency() == Frequency::Rows {
            return DataError::NoTimeColumn {
                path,
                purpose: "the calendar",
            };
        }
        DataError::NoCalendar {
            path,
            are_numbers: table.zone() == TimeZoneOfColumn::None,
        }
    }
}
