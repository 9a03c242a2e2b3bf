//! Whether rows come in time order, once each, and at even steps.

use crate::doctor::{Level, Place, Problem, counted, rows};
use crate::series::lay::{groups, order};
use crate::series::raw::RawRows;
use crate::series::table::Axis;
use crate::series::{Frequency, Moment, RepeatedTimes, SeriesTable};

/// Rows out of order, and repeated times.
pub(super) fn order_problems(raw: &RawRows, repeated: RepeatedTimes) -> Vec<Problem> {
    let Some(times) = &raw.times else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    let place = |row: usize| Place {
        file: raw.path.clone(),
        line: raw.lines[row],
    };
    let mut before: Vec<Option<i64>> = vec![None; raw.series.len()];
    let mut backwards = Vec::new();
    for (row, time) in times.micros.iter().enumerate() {
        let before = before[raw.series_of_row[row] as usize].replace(*time);
        if before.is_some_and(|before| before > *time) {
            backwards.push(row);
        }
    }
    if let Some(first) = backwards.first() {
        let count = backwards.len() as u64;
        let (what, hint) = match repeated {
            RepeatedTimes::Keep => (
                "stay where they are",
                "let repeated times be refused or merged, and rows are sorted",
            ),
            _ => (
                "are sorted by time",
                "sort the file by time if rows are to be found again by their line",
            ),
        };
        let verb = if count == 1 { "is" } else { "are" };
        let message = format!(
            "{} {verb} earlier than the row before; all rows {what}",
            rows(count)
        );
        problems.push(
            Problem::new(Level::Warning, message)
                .at(&place(*first))
                .times(count)
                .hint(hint),
        );
    }
    // Sorted here whatever becomes of the table: repetitions need not be neighbours.
    let order = order(raw, false);
    let groups = groups(raw, &order, false);
    let repetitions: Vec<usize> = groups
        .iter()
        .flat_map(|group| group.clone().skip(1))
        .map(|place| order.at(place))
        .collect();
    if let Some(first) = repetitions.iter().min() {
        let count = repetitions.len() as u64;
        let time = Moment(times.micros[*first]).text(times.zone);
        let (level, becomes) = match repeated {
            RepeatedTimes::Refuse => (Level::Error, "training would refuse them"),
            RepeatedTimes::First => (Level::Warning, "the first row of each counts"),
            RepeatedTimes::Last => (Level::Warning, "the last row of each counts"),
            RepeatedTimes::Mean => (Level::Warning, "their mean counts"),
            RepeatedTimes::Keep => (Level::Note, "all of them are kept"),
        };
        let verb = if count == 1 { "repeats" } else { "repeat" };
        let message = format!(
            "{} {verb} the time of another, {time} first; {becomes}",
            rows(count)
        );
        let hint =
            "a clock that was set back does this; remove the rows, or set data.repeated_times";
        problems.push(
            Problem::new(level, message)
                .at(&place(*first))
                .times(count)
                .hint(hint),
        );
    }
    if times.has_several_offsets {
        let message =
            "the times have several offsets from UTC; hours and weekdays are those of UTC";
        let hint = "write the times without a zone if the calendar of the wall clock matters";
        problems.push(
            Problem::new(Level::Note, message)
                .in_file(&raw.path)
                .hint(hint),
        );
    }
    problems
}

/// Irregular steps, and rows that the grid has and the file lacks.
pub(super) fn step_problems(table: &SeriesTable, lines: &[u64]) -> Option<Problem> {
    if let Axis::Rows(_) = &table.axis {
        let (count, first) = irregular_steps(table);
        let verb = if count == 1 { "is" } else { "are" };
        let (series, row) = first?;
        let rows = match table.frequency() {
            Frequency::Irregular { .. } => "the rows are",
            _ => "there should be",
        };
        let message = format!(
            "{rows} {}; {} {verb} of another length, so a window is rows and no stretch of time",
            table.frequency(),
            counted(count, "step")
        );
        let problem = Problem::new(Level::Warning, message).times(count);
        let hint = match table.frequency() {
            Frequency::Irregular { .. } => {
                "bring the rows to one step before, for example by the mean of each hour"
            }
            _ => {
                "nothing is filled in here: give the rows that are missing, or let windows skip them"
            }
        };
        return Some(at_line(problem, table, lines, series, row).hint(hint));
    }
    let missing = table.n_filled() as u64;
    let (series, row) = first_filled(table)?;
    let verb = if missing == 1 { "is" } else { "are" };
    let message = format!(
        "{} {verb} missing, first before this line, where there should be {}; they count as rows whose values are all missing",
        rows(missing),
        table.frequency()
    );
    let problem = Problem::new(Level::Warning, message).times(missing);
    Some(
        at_line(problem, table, lines, series, row)
            .hint("give the rows, or leave them to be told from the others"),
    )
}

fn at_line(
    problem: Problem,
    table: &SeriesTable,
    lines: &[u64],
    series: usize,
    row: usize,
) -> Problem {
    match line_of(table, lines, series, row) {
        Some(line) => problem.at(&Place {
            file: table.path().to_owned(),
            line,
        }),
        None => problem.in_file(table.path()),
    }
}

/// The steps that the frequency does not tell, and the row behind the first of them.
fn irregular_steps(table: &SeriesTable) -> (u64, Option<(usize, usize)>) {
    let (mut count, mut first) = (0, None);
    for series in 0..table.n_series() {
        for row in 1..table.len(series) {
            let before = table.time(series, row - 1);
            let expected =
                before.and_then(|before| table.frequency().after(before, 1, table.zone()));
            if table.time(series, row) != expected {
                count += 1;
                first.get_or_insert((series, row));
            }
        }
    }
    (count, first)
}

/// The row that the file has behind the first one that it lacks.
fn first_filled(table: &SeriesTable) -> Option<(usize, usize)> {
    let places = table
        .row_of_record
        .as_ref()
        .filter(|_| table.n_filled() > 0)?;
    let mut is_there = vec![false; table.n_rows()];
    places.iter().for_each(|row| is_there[*row] = true);
    let lacking = is_there.iter().position(|is| !is)?;
    let behind = lacking + is_there[lacking..].iter().position(|is| *is)?;
    let series = table
        .series
        .partition_point(|series| series.start <= behind)
        - 1;
    Some((series, behind - table.series[series].start))
}

/// The line that a row stands on.
pub(super) fn line_of(
    table: &SeriesTable,
    lines: &[u64],
    series: usize,
    row: usize,
) -> Option<u64> {
    let place = table.series[series].start + row;
    let record = match &table.row_of_record {
        None => Some(place),
        Some(places) => places.iter().position(|row| *row == place),
    };
    record.map(|record| lines[record])
}
