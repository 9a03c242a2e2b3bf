//! From rows as they stand in the file to a table: by series, in time order, on its grid.

use std::ops::Range;

use super::raw::RawRows;
use super::store::{Store, StoreWriter};
use super::table::{Axis, SeriesRows, SeriesTable};
use super::time::Times;
use super::{Frequency, Moment, RepeatedTimes, SeriesOptions, TimeZoneOfColumn};
use crate::fingerprint::series_fingerprint;
use crate::{DataError, Fingerprint};

/// Lays rows out as a table.
pub(super) fn lay(mut raw: RawRows, options: &SeriesOptions) -> Result<SeriesTable, DataError> {
    if let Some(times) = &mut raw.times
        && let TimeZoneOfColumn::Offset { seconds } = &mut times.zone
        && options.each_by_itself
    {
        *seconds = 0;
    }
    let keep = options.repeated_times == RepeatedTimes::Keep;
    let order = order(&raw, keep);
    let groups = groups(&raw, &order, keep);
    if options.repeated_times == RepeatedTimes::Refuse {
        refuse_repeated(&raw, &order, &groups)?;
    }
    let starts: Vec<usize> = first_groups(&raw, &order, &groups);
    let group_times = raw.times.as_ref().map(|times| -> Vec<i64> {
        groups
            .iter()
            .map(|group| times.micros[order.at(group.start)])
            .collect()
    });
    let frequency = match (&raw.times, &group_times) {
        (Some(times), Some(group_times)) => {
            let of_series = (0..raw.series.len())
                .map(|series| &group_times[starts[series]..starts[series + 1]]);
            Frequency::of(of_series, times.zone)
        }
        _ => Frequency::Rows,
    };
    let step = match frequency {
        Frequency::Every { microseconds } if !keep && !options.each_by_itself => Some(microseconds),
        _ => None,
    };
    Layout {
        raw,
        order,
        groups,
        starts,
        group_times,
        frequency,
        step,
    }
    .table(options)
}

/// The rows of the file in the order of the table.
pub(super) enum Order {
    AsWritten(usize),
    Sorted(Vec<usize>),
}

impl Order {
    pub fn at(&self, place: usize) -> usize {
        match self {
            Self::AsWritten(_) => place,
            Self::Sorted(rows) => rows[place],
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::AsWritten(rows) => *rows,
            Self::Sorted(rows) => rows.len(),
        }
    }
}

/// By series, within a series by time unless rows are kept as they are, rows of one time in the order of the file.
pub(super) fn order(raw: &RawRows, keep: bool) -> Order {
    let times = raw.times.as_ref().filter(|_| !keep);
    let key = |row: usize| (raw.series_of_row[row], times.map(|times| times.micros[row]));
    if (1..raw.n_rows()).all(|row| key(row - 1) <= key(row)) {
        return Order::AsWritten(raw.n_rows());
    }
    let mut rows: Vec<usize> = (0..raw.n_rows()).collect();
    rows.sort_by_key(|row| key(*row));
    Order::Sorted(rows)
}

/// Places in the order that become one row of the table each.
pub(super) fn groups(raw: &RawRows, order: &Order, keep: bool) -> Vec<Range<usize>> {
    let Some(times) = raw.times.as_ref().filter(|_| !keep) else {
        return (0..order.len()).map(|place| place..place + 1).collect();
    };
    let key = |place: usize| {
        let row = order.at(place);
        (raw.series_of_row[row], times.micros[row])
    };
    let mut groups: Vec<Range<usize>> = Vec::with_capacity(order.len());
    for place in 0..order.len() {
        match groups.last_mut() {
            Some(group) if key(group.start) == key(place) => group.end = place + 1,
            _ => groups.push(place..place + 1),
        }
    }
    groups
}

/// The first group of each series, and behind them the number of groups.
fn first_groups(raw: &RawRows, order: &Order, groups: &[Range<usize>]) -> Vec<usize> {
    let series_of = |group: &Range<usize>| raw.series_of_row[order.at(group.start)] as usize;
    (0..=raw.series.len())
        .map(|series| groups.partition_point(|group| series_of(group) < series))
        .collect()
}

fn refuse_repeated(raw: &RawRows, order: &Order, groups: &[Range<usize>]) -> Result<(), DataError> {
    let Some(times) = &raw.times else {
        return Ok(());
    };
    let repeated = groups.iter().filter(|group| group.len() > 1);
    let count = repeated.clone().map(|group| group.len() as u64 - 1).sum();
    // The one that comes first in the file.
    let lines = |group: &Range<usize>| {
        let lines = group.clone().map(|place| raw.lines[order.at(place)]);
        let mut lines: Vec<u64> = lines.collect();
        lines.sort_unstable();
        (lines[1], lines[0])
    };
    let Some(first) = repeated.min_by_key(|group| lines(group)) else {
        return Ok(());
    };
    let (line, first_line) = lines(first);
    let row = order.at(first.start);
    Err(DataError::RepeatedTime {
        path: raw.path.clone(),
        line,
        first_line,
        time: Moment(times.micros[row]).text(times.zone),
        series: raw.series[raw.series_of_row[row] as usize].clone(),
        count,
    })
}

struct Layout {
    raw: RawRows,
    order: Order,
    groups: Vec<Range<usize>>,
    starts: Vec<usize>,
    group_times: Option<Vec<i64>>,
    frequency: Frequency,
    /// The step of the grid, where there is one.
    step: Option<i64>,
}

impl Layout {
    fn table(self, options: &SeriesOptions) -> Result<SeriesTable, DataError> {
        let n_missing: usize = (0..self.groups.len())
            .map(|group| self.missing_before(group))
            .sum();
        let n_rows = self.groups.len() + n_missing;
        let as_written = n_missing == 0
            && matches!(self.order, Order::AsWritten(rows) if rows == self.groups.len());
        let (values, row_of_record) = if as_written {
            (None, None)
        } else {
            let (values, rows) = self.write(options, n_rows)?;
            (Some(values), Some(rows))
        };
        let series = self.series();
        let axis = self.axis();
        let zone = self
            .raw
            .times
            .as_ref()
            .map_or(TimeZoneOfColumn::None, |times: &Times| times.zone);
        let values = values.unwrap_or(self.raw.values);
        let mut table = SeriesTable {
            path: self.raw.path,
            columns: self.raw.columns,
            n_targets: self.raw.n_targets,
            series,
            axis,
            frequency: self.frequency,
            zone,
            values,
            row_of_record,
            n_records: self.raw.series_of_row.len(),
            n_filled: n_missing,
            coarse: self.raw.coarse,
            fingerprint: Fingerprint::default(),
        };
        table.fingerprint = series_fingerprint(&table);
        Ok(table)
    }

    fn is_first_of_series(&self, group: usize) -> bool {
        self.starts.binary_search(&group).is_ok()
    }

    /// How many rows of the grid are missing between a group and the one before.
    fn missing_before(&self, group: usize) -> usize {
        let (Some(step), Some(times)) = (self.step, &self.group_times) else {
            return 0;
        };
        if self.is_first_of_series(group) {
            return 0;
        }
        // The frequency was told from these very steps: each is a multiple, and they are few.
        ((times[group] - times[group - 1]) / step - 1) as usize
    }

    /// Writes the values in their new order, and where each row of the file went.
    fn write(
        &self,
        options: &SeriesOptions,
        n_rows: usize,
    ) -> Result<(Store, Vec<usize>), DataError> {
        let width = self.raw.width();
        let missing = vec![f32::NAN; width];
        let mut values = StoreWriter::new(options.memory_bytes);
        let mut row_of_record = vec![0; self.raw.n_rows()];
        let mut merged = vec![0.0; width];
        let mut next = 0;
        for (number, group) in self.groups.iter().enumerate() {
            for _ in 0..self.missing_before(number) {
                values.push(&missing)?;
                next += 1;
            }
            self.merge(group, options.repeated_times, &mut merged);
            values.push(&merged)?;
            for place in group.clone() {
                row_of_record[self.order.at(place)] = next;
            }
            next += 1;
        }
        debug_assert_eq!(next, n_rows);
        Ok((values.finish()?, row_of_record))
    }

    fn merge(&self, group: &Range<usize>, repeated: RepeatedTimes, into: &mut [f32]) {
        let width = into.len();
        let place = match repeated {
            RepeatedTimes::Last => group.end - 1,
            _ => group.start,
        };
        let row_at = |place: usize| self.order.at(place) * width;
        self.raw
            .values
            .copy(row_at(place)..row_at(place) + width, into);
        if repeated != RepeatedTimes::Mean || group.len() == 1 {
            return;
        }
        for (column, into) in into.iter_mut().enumerate() {
            let present = group
                .clone()
                .map(|place| self.raw.values.value(row_at(place) + column))
                .filter(|value| !value.is_nan());
            let (sum, count) = present.fold((0.0_f64, 0_u32), |(sum, count), value| {
                (sum + f64::from(value), count + 1)
            });
            // 0 / 0 is NaN: missing in all of them.
            *into = (sum / f64::from(count)) as f32;
        }
    }

    fn series(&self) -> Vec<SeriesRows> {
        let mut series = Vec::with_capacity(self.raw.series.len());
        let mut start = 0;
        for (number, id) in self.raw.series.iter().enumerate() {
            let groups = self.starts[number]..self.starts[number + 1];
            let len = groups.len()
                + groups
                    .map(|group| self.missing_before(group))
                    .sum::<usize>();
            series.push(SeriesRows {
                id: id.clone(),
                start,
                len,
            });
            start += len;
        }
        series
    }

    fn axis(&self) -> Axis {
        match (&self.group_times, self.step) {
            (None, _) => Axis::None,
            (Some(times), Some(step)) => Axis::Grid {
                starts: (self.starts[..self.raw.series.len()].iter())
                    .map(|group| times[*group])
                    .collect(),
                step,
            },
            (Some(times), None) => Axis::Rows(times.clone()),
        }
    }
}
