//! A time as a number.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

/// A time in microseconds: since 1970-01-01 00:00 UTC where the column's times have a zone; since that date and hour on
/// the wall clock where they have none; or a plain number of seconds, for a column that only counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

/// What the clock of a column of times is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeZoneOfColumn {
    /// Numbers that count and name no date.
    None,
    /// Dates and hours without a zone: those of some wall clock.
    Civil,
    /// Instants whose clock is this many seconds ahead of UTC: the column's one offset, or 0 where it has several.
    Offset {
        /// Seconds ahead of UTC.
        seconds: i32,
    },
}

impl TimeZoneOfColumn {
    /// Microseconds that the clock is ahead of what a [`Moment`] counts from; none for a column that only counts.
    pub(crate) fn ahead_of_utc(self) -> Option<i64> {
        match self {
            Self::None => None,
            Self::Civil => Some(0),
            Self::Offset { seconds } => Some(i64::from(seconds) * 1_000_000),
        }
    }
}

impl Moment {
    /// Microseconds of a civil time.
    pub(crate) fn of_civil(time: DateTime) -> Option<Self> {
        let instant = Offset::UTC.to_timestamp(time).ok()?;
        Some(Self(instant.as_microsecond()))
    }

    /// The date and hour on the clock of the column; none for a column that only counts.
    #[must_use]
    pub fn clock(self, zone: TimeZoneOfColumn) -> Option<DateTime> {
        let shifted = self.0.checked_add(zone.ahead_of_utc()?)?;
        let shifted = Timestamp::from_microsecond(shifted).ok()?;
        Some(TimeZone::UTC.to_datetime(shifted))
    }

    /// The time as text: ISO 8601, or the number of seconds in a column that only counts.
    #[must_use]
    pub fn text(self, zone: TimeZoneOfColumn) -> String {
        let Some(clock) = self.clock(zone) else {
            return (self.0 as f64 / 1e6).to_string();
        };
        let clock = clock.to_string().replacen('T', " ", 1);
        match zone {
            TimeZoneOfColumn::Offset { seconds: 0 } => format!("{clock}Z"),
            TimeZoneOfColumn::Offset { seconds } => {
                let (sign, ahead) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
                format!("{clock}{sign}{:02}:{:02}", ahead / 3600, ahead / 60 % 60)
            }
            _ => clock,
        }
    }
}
