//! The ways in which a column of times may be written.

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::temporal::Pieces;
use serde::{Deserialize, Serialize};

use super::Moment;

/// How the times of a column are written. A column has one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TimeForm {
    /// ISO 8601 without a zone: `2016-07-01`, `2016-07-01 00:00:00`, `2016-07-01T00:00`, `20160701`, `2016-07`.
    Iso,
    /// ISO 8601 with a zone: `2016-07-01T00:00:00Z`, `2016-07-01 00:00:00+02:00`, `2016-07-01T00:00[Europe/Paris]`.
    IsoZoned,
    /// `2016/07/01` or `2016.07.01`, with or without a time of day.
    YearSlashes,
    /// Day before month: `31/07/2016`, `31-07-2016`, `31.07.2016`, with or without a time of day.
    DayFirst,
    /// Month before day: `07/31/2016`, `07-31-2016`, with or without a time of day.
    MonthFirst,
    /// Seconds since 1970, of nine digits or more.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMilliseconds,
    /// Microseconds since 1970.
    EpochMicroseconds,
    /// Nanoseconds since 1970.
    EpochNanoseconds,
    /// A number that counts and names no date: a step, a year, seconds since the start.
    Number,
}

impl TimeForm {
    /// Every form, in the order in which they are tried.
    pub(super) const ALL: [Self; 10] = [
        Self::IsoZoned,
        Self::Iso,
        Self::YearSlashes,
        Self::DayFirst,
        Self::MonthFirst,
        Self::EpochSeconds,
        Self::EpochMilliseconds,
        Self::EpochMicroseconds,
        Self::EpochNanoseconds,
        Self::Number,
    ];

    /// The time that a text is in this form, and how far its clock is ahead of UTC.
    pub(super) fn read(self, text: &str) -> Option<(Moment, Option<i32>)> {
        let civil = |time: Option<DateTime>| Some((Moment::of_civil(time?)?, None));
        match self {
            Self::Iso => civil(iso(text)),
            Self::IsoZoned => zoned(text),
            Self::YearSlashes => civil(parted(text, [2, 1, 0])),
            Self::DayFirst => civil(parted(text, [0, 1, 2])),
            Self::MonthFirst => civil(parted(text, [1, 0, 2])),
            Self::EpochSeconds => scaled(text, 1e6),
            Self::EpochMilliseconds => scaled(text, 1e3),
            Self::EpochMicroseconds => scaled(text, 1.0),
            Self::EpochNanoseconds => scaled(text, 1e-3),
            Self::Number => scaled(text, 1e6),
        }
    }

    /// Whether a column that begins with this text may be in this form. A number's unit is told by its length: seconds
    /// of this century have ten digits, milliseconds thirteen, and so on; what is shorter than nine digits counts.
    pub(super) fn may_begin_with(self, text: &str) -> bool {
        if self.read(text).is_none() {
            return false;
        }
        let digits = || {
            let whole = text.trim_start_matches('-').split('.').next();
            whole.map_or(0, |whole| whole.trim_start_matches('0').len())
        };
        match self {
            Self::EpochSeconds => (9..=11).contains(&digits()),
            Self::EpochMilliseconds => (12..=14).contains(&digits()),
            Self::EpochMicroseconds => (15..=17).contains(&digits()),
            Self::EpochNanoseconds => digits() >= 18,
            // Eight digits that are a date are one.
            Self::Number => digits() < 9 && iso(text).is_none(),
            _ => true,
        }
    }
}

impl fmt::Display for TimeForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Iso => "ISO 8601 (2016-07-01 00:00:00)",
            Self::IsoZoned => "ISO 8601 with a zone (2016-07-01T00:00:00Z)",
            Self::YearSlashes => "year/month/day",
            Self::DayFirst => "day/month/year",
            Self::MonthFirst => "month/day/year",
            Self::EpochSeconds => "seconds since 1970",
            Self::EpochMilliseconds => "milliseconds since 1970",
            Self::EpochMicroseconds => "microseconds since 1970",
            Self::EpochNanoseconds => "nanoseconds since 1970",
            Self::Number => "a number",
        })
    }
}

fn iso(text: &str) -> Option<DateTime> {
    if let [year @ .., b'-', month_tens, month_ones] = text.as_bytes()
        && year.len() == 4
        && year
            .iter()
            .chain([month_tens, month_ones])
            .all(u8::is_ascii_digit)
    {
        let date = Date::new(text[..4].parse().ok()?, text[5..].parse().ok()?, 1);
        return date.ok().map(DateTime::from);
    }
    let pieces = Pieces::parse(text).ok()?;
    if pieces.offset().is_some() || pieces.time_zone_annotation().is_some() {
        return None;
    }
    Some(
        pieces
            .date()
            .to_datetime(pieces.time().unwrap_or(Time::midnight())),
    )
}

fn zoned(text: &str) -> Option<(Moment, Option<i32>)> {
    let pieces = Pieces::parse(text).ok()?;
    let civil = pieces.date().to_datetime(pieces.time()?);
    let (instant, offset) = match pieces.to_numeric_offset() {
        Some(offset) => (offset.to_timestamp(civil).ok()?, offset),
        None => {
            let zone = pieces.to_time_zone().ok()??;
            let instant = zone.to_timestamp(civil).ok()?;
            (instant, zone.to_offset(instant))
        }
    };
    Some((Moment(instant.as_microsecond()), Some(offset.seconds())))
}

/// A date of three numbers, `order` telling where the day, the month and the year stand, and a time of day.
fn parted(text: &str, order: [usize; 3]) -> Option<DateTime> {
    let (date, time) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let separator = date.chars().find(|character| !character.is_ascii_digit())?;
    let year_first = order[2] == 0;
    let is_separator = match separator {
        '/' => true,
        // With points the month never comes first; with hyphens and the year first it is ISO 8601.
        '.' => order[1] == 1,
        '-' => !year_first,
        _ => false,
    };
    if !is_separator {
        return None;
    }
    let mut fields = [""; 3];
    let mut parts = date.split(separator);
    for field in &mut fields {
        *field = parts.next()?;
    }
    let [day, month, year] = order.map(|place| fields[place]);
    let is_number = |field: &str, longest: usize| {
        (1..=longest).contains(&field.len()) && field.bytes().all(|byte| byte.is_ascii_digit())
    };
    if parts.next().is_some() || year.len() != 4 || !is_number(year, 4) {
        return None;
    }
    if !is_number(day, 2) || !is_number(month, 2) {
        return None;
    }
    let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    Some(date.to_datetime(match time {
        Some(time) => time_of_day(time)?,
        None => Time::midnight(),
    }))
}

/// `9:05`, `09:05:30`, `09:05:30.25`, `9:05 pm`.
fn time_of_day(text: &str) -> Option<Time> {
    let folded = text.trim().to_ascii_lowercase();
    let (digits, afternoon) = match folded.strip_suffix("am") {
        Some(rest) => (rest.trim_end(), Some(false)),
        None => match folded.strip_suffix("pm") {
            Some(rest) => (rest.trim_end(), Some(true)),
            None => (folded.as_str(), None),
        },
    };
    let (hour, rest) = digits.split_once(':')?;
    if !matches!(hour.len(), 1 | 2) || !hour.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hour: u8 = hour.parse().ok()?;
    let hour = match afternoon {
        None => hour,
        Some(afternoon) if (1..=12).contains(&hour) => hour % 12 + if afternoon { 12 } else { 0 },
        Some(_) => return None,
    };
    format!("{hour:02}:{rest}").parse().ok()
}

/// A number, scaled to microseconds.
fn scaled(text: &str, microseconds: f64) -> Option<(Moment, Option<i32>)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let mut parts = digits.split('.');
    let is_digits = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if !is_digits(parts.next())
        || parts.next().is_some_and(|part| !is_digits(Some(part)))
        || parts.next().is_some()
    {
        return None;
    }
    // Whole numbers exactly: an f64 loses the last digits of nanoseconds.
    let value = match text.parse::<i64>() {
        Ok(whole) if microseconds >= 1.0 => whole.checked_mul(microseconds as i64)?,
        Ok(whole) => whole.div_euclid(1_000),
        Err(_) => {
            let value = (text.parse::<f64>().ok()? * microseconds).round();
            (value.abs() < 9e18).then_some(value as i64)?
        }
    };
    Some((Moment(value), None))
}
