//! How the rows of a table follow each other in time.

use std::collections::HashMap;
use std::fmt;

use jiff::civil::{DateTime, Weekday};
use serde::{Deserialize, Serialize};

use super::{Moment, TimeZoneOfColumn};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Differences beyond so many different ones are not counted: such rows are irregular whatever the rest is.
const MOST_DIFFERENCES: usize = 65_536;

/// How the rows of a table follow each other in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Frequency {
    /// There are no times: one row follows the other.
    Rows,
    /// A row every so many microseconds, or it is missing.
    Every {
        /// The step.
        microseconds: i64,
    },
    /// A row every so many months, on one day of the month or on its last.
    Months {
        /// The step.
        months: i32,
    },
    /// A row a day, Mondays to Fridays.
    BusinessDays,
    /// No step that most rows follow and every row is a multiple of; the most frequent one, 0 if there is none.
    Irregular {
        /// The most frequent step.
        microseconds: i64,
    },
}

impl Frequency {
    /// Tells the frequency of series, the times of each in ascending order.
    ///
    /// Rows are regular if at least half of the steps are of one length and all others multiples of it, and at most as
    /// many rows are missing as there are.
    pub(crate) fn of<'a>(
        series: impl Iterator<Item = &'a [i64]> + Clone,
        zone: TimeZoneOfColumn,
    ) -> Self {
        let mut counts: HashMap<i64, u64> = HashMap::new();
        let steps = || {
            series
                .clone()
                .flat_map(|times| times.windows(2).map(step).filter(|step| *step > 0))
        };
        for step in steps() {
            if counts.len() < MOST_DIFFERENCES || counts.contains_key(&step) {
                *counts.entry(step).or_default() += 1;
            }
        }
        // Of two that are equally frequent the shorter, so that the order in the map decides nothing.
        let Some((typical, count)) =
            (counts.into_iter()).max_by_key(|(step, count)| (*count, std::cmp::Reverse(*step)))
        else {
            return Self::Irregular { microseconds: 0 };
        };
        let irregular = Self::Irregular {
            microseconds: typical,
        };
        let clocks = || {
            series
                .clone()
                .flatten()
                .map(|time| Moment(*time).clock(zone))
        };
        if typical >= 28 * DAY
            && let Some(months) = months(series.clone(), zone)
        {
            return Self::Months { months };
        }
        let n_steps = steps().count() as u64;
        if 2 * count < n_steps || steps().any(|step| step % typical != 0) {
            return irregular;
        }
        if typical == DAY && n_steps > count && n_steps >= 10 {
            let is_business = |clock: Option<DateTime>| {
                clock.is_some_and(|clock| {
                    !matches!(clock.weekday(), Weekday::Saturday | Weekday::Sunday)
                })
            };
            if clocks().all(is_business) {
                return Self::BusinessDays;
            }
        }
        let missing: u64 = steps()
            .map(|step| (step / typical - 1) as u64)
            .fold(0, u64::saturating_add);
        let rows: usize = series.clone().map(<[i64]>::len).sum();
        if missing > rows as u64 {
            return irregular;
        }
        Self::Every {
            microseconds: typical,
        }
    }

    /// The time `ahead` rows behind the row at `from`; none where the frequency does not tell, or beyond all calendars.
    pub(crate) fn after(
        self,
        from: Moment,
        ahead: usize,
        zone: TimeZoneOfColumn,
    ) -> Option<Moment> {
        let ahead = i64::try_from(ahead).ok()?;
        match self {
            Self::Rows => None,
            Self::Every { microseconds } | Self::Irregular { microseconds } => {
                if microseconds == 0 && ahead > 0 {
                    return None;
                }
                Some(Moment(
                    from.0.checked_add(microseconds.checked_mul(ahead)?)?,
                ))
            }
            Self::Months { months } => {
                let clock = from.clock(zone)?;
                let months = i32::try_from(ahead).ok()?.checked_mul(months)?;
                let mut then = clock
                    .checked_add(jiff::Span::new().try_months(months).ok()?)
                    .ok()?;
                if clock.day() == clock.days_in_month() {
                    then = then.last_of_month();
                }
                Some(Moment(Moment::of_civil(then)?.0 - zone.ahead_of_utc()?))
            }
            Self::BusinessDays => {
                let weekday = i64::from(from.clock(zone)?.weekday().to_monday_zero_offset()).min(4);
                let days = ahead + (weekday + ahead) / 5 * 2;
                Some(Moment(from.0.checked_add(days.checked_mul(DAY)?)?))
            }
        }
    }
}

fn step(pair: &[i64]) -> i64 {
    pair[1].saturating_sub(pair[0])
}

/// The most frequent step in months, if every time is on the same day of the month, or on its last, and at the same hour.
fn months<'a>(
    series: impl Iterator<Item = &'a [i64]> + Clone,
    zone: TimeZoneOfColumn,
) -> Option<i32> {
    let mut counts: HashMap<i32, u64> = HashMap::new();
    let mut first: Option<DateTime> = None;
    let (mut same_day, mut last_day) = (true, true);
    for times in series {
        let mut before: Option<i32> = None;
        for time in times {
            let clock = Moment(*time).clock(zone)?;
            let first = *first.get_or_insert(clock);
            if clock.time() != first.time() {
                return None;
            }
            same_day &= clock.day() == first.day();
            last_day &= clock.day() == clock.days_in_month();
            let month = i32::from(clock.year()) * 12 + i32::from(clock.month());
            if let Some(before) = before.replace(month).filter(|before| *before != month) {
                *counts.entry(month - before).or_default() += 1;
            }
        }
    }
    if !same_day && !last_day {
        return None;
    }
    let most = counts
        .into_iter()
        .max_by_key(|(step, count)| (*count, std::cmp::Reverse(*step)));
    most.map(|(step, _)| step).filter(|step| *step > 0)
}

impl fmt::Display for Frequency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Rows => formatter.write_str("rows without times"),
            Self::Every { microseconds } => {
                write!(formatter, "a row every {}", length(microseconds))
            }
            Self::Months { months: 1 } => formatter.write_str("a row a month"),
            Self::Months { months: 3 } => formatter.write_str("a row a quarter"),
            Self::Months { months: 12 } => formatter.write_str("a row a year"),
            Self::Months { months } => write!(formatter, "a row every {months} months"),
            Self::BusinessDays => formatter.write_str("a row every business day"),
            Self::Irregular { microseconds: 0 } => formatter.write_str("irregular rows"),
            Self::Irregular { microseconds } => {
                write!(
                    formatter,
                    "irregular rows, most often {} apart",
                    length_with_article(microseconds)
                )
            }
        }
    }
}

/// A length of time in the largest unit that it is a whole number of: `hour`, `30 minutes`.
fn length(microseconds: i64) -> String {
    const UNITS: [(i64, &str); 6] = [
        (7 * DAY, "week"),
        (DAY, "day"),
        (3_600 * SECOND, "hour"),
        (60 * SECOND, "minute"),
        (SECOND, "second"),
        (1_000, "millisecond"),
    ];
    let whole = |(unit, _): &&(i64, &str)| microseconds % unit == 0;
    let (unit, name) = UNITS.iter().find(whole).unwrap_or(&(1, "microsecond"));
    match microseconds / unit {
        1 => (*name).to_owned(),
        count => format!("{count} {name}s"),
    }
}

/// A length of time as a noun of its own: `an hour`, `30 minutes`.
pub(super) fn length_with_article(microseconds: i64) -> String {
    let length = length(microseconds);
    match length.as_bytes().first() {
        Some(b'0'..=b'9') => length,
        Some(b'h') => format!("an {length}"),
        _ => format!("a {length}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600 * SECOND;

    fn of(times: &[i64]) -> Frequency {
        Frequency::of([times].into_iter(), TimeZoneOfColumn::Civil)
    }

    fn days(dates: &[&str]) -> Vec<i64> {
        let civil = |date: &&str| Moment::of_civil(date.parse().unwrap()).unwrap().0;
        dates.iter().map(civil).collect()
    }

    #[test]
    fn most_steps_tell_the_frequency_and_gaps_are_multiples_of_it() {
        let hourly = Frequency::Every { microseconds: HOUR };
        assert_eq!(of(&[0, HOUR, 2 * HOUR, 5 * HOUR]), hourly);
        assert_eq!(hourly.to_string(), "a row every hour");
        // One step that is no multiple, and one gap of more rows than there are.
        let irregular = Frequency::Irregular { microseconds: HOUR };
        assert_eq!(of(&[0, HOUR, 2 * HOUR, 3 * HOUR + 1]), irregular);
        assert_eq!(of(&[0, HOUR, 2 * HOUR, 9 * HOUR]), irregular);
        assert_eq!(of(&[0]), Frequency::Irregular { microseconds: 0 });
    }

    #[test]
    fn months_have_any_number_of_days() {
        let ends = days(&["2016-01-31", "2016-02-29", "2016-03-31", "2016-04-30"]);
        let monthly = Frequency::Months { months: 1 };
        assert_eq!(of(&ends), monthly);
        let last = Moment(ends[3]);
        let next = |ahead| monthly.after(last, ahead, TimeZoneOfColumn::Civil).unwrap();
        assert_eq!(next(1).text(TimeZoneOfColumn::Civil), "2016-05-31 00:00:00");
        let quarters = days(&["2016-01-01", "2016-04-01", "2016-07-01", "2016-10-01"]);
        assert_eq!(of(&quarters), Frequency::Months { months: 3 });
        let years = days(&["2015-01-01", "2016-01-01", "2017-01-01"]);
        assert_eq!(of(&years), Frequency::Months { months: 12 });
    }

    #[test]
    fn business_days_leave_out_weekends() {
        let mut dates = Vec::new();
        let mut day = Moment(days(&["2016-07-01"])[0]);
        for _ in 0..15 {
            dates.push(day.0);
            day = Frequency::BusinessDays
                .after(day, 1, TimeZoneOfColumn::Civil)
                .unwrap();
        }
        assert_eq!(of(&dates), Frequency::BusinessDays);
        let all_at_once =
            Frequency::BusinessDays.after(Moment(dates[0]), 14, TimeZoneOfColumn::Civil);
        assert_eq!(all_at_once, Some(Moment(dates[14])));
    }
}
