//! What is to be forecast, and how far.

use super::kinds::is_called;
use super::layout::{Sketch, counted, reason};
use super::season::season_of;
use super::sizes::{sizes, typical};
use super::{Reason, SeriesGuess, SeriesTask};
use crate::DataError;
use crate::series::{
    Calendar, ConstantChannels, Frequency, RepeatedTimes, Scaler, SeriesColumns, SeriesOptions,
    SeriesTable, Span,
};
use crate::wording::listed;

/// Names of a column that marks rows.
const FLAG_NAMES: [&str; 5] = ["is_anomaly", "anomaly", "outlier", "is_outlier", "label"];

impl Sketch<'_> {
    /// Reads the whole table and guesses what its rows tell; `numbers` are the columns that could be channels.
    pub(super) fn forecasting(
        &self,
        time: Option<usize>,
        id: Option<usize>,
        numbers: &[usize],
        mut reasons: Vec<Reason>,
    ) -> Result<SeriesGuess, DataError> {
        let mut targets = self.without_flags(numbers, &mut reasons);
        let mut columns = SeriesColumns {
            time: time.map(|place| self.column(place)),
            id: id.map(|place| self.column(place)),
            ..SeriesColumns::default()
        };
        let mut options = SeriesOptions::default();
        let mut table = self.load(&mut columns, &targets, &mut options, &mut reasons)?;
        let train = self.train(&table);
        // One row changes nowhere: that is too few, which is told where parts are made.
        let idle = match train.iter().any(|span| span.rows.len() > 1) {
            true => idle_channels(&table, &train),
            false => Vec::new(),
        };
        if idle.len() == targets.len() {
            // Names the first of them.
            Scaler::fit(&table, &train, ConstantChannels::Refuse)?;
        } else if !idle.is_empty() {
            let names = |is_missing: bool| -> Vec<String> {
                let of = idle.iter().filter(|idle| idle.is_missing == is_missing);
                of.map(|idle| table.columns()[idle.channel].clone())
                    .collect()
            };
            for (names, why) in [(names(true), "no value"), (names(false), "one value alone")] {
                if !names.is_empty() {
                    reasons.push(reason(
                        "target_columns",
                        format!(
                            "Left out, with {why} in the training rows: {}.",
                            listed(&names)
                        ),
                    ));
                }
            }
            let mut channel = 0;
            targets.retain(|_| {
                channel += 1;
                idle.iter().all(|idle| idle.channel + 1 != channel)
            });
            table = self.load(&mut columns, &targets, &mut options, &mut Vec::new())?;
        }
        reasons.push(reason(
            "target_columns",
            format!(
                "{} of numbers: {}.",
                counted(table.columns().len(), "column"),
                listed(table.columns())
            ),
        ));
        reasons.push(reason("frequency", frequency_sentence(table.frequency())));
        let season = season_of(&table);
        reasons.push(reason(
            "season",
            match &season {
                Some(season) => season.sentence(&table.columns()[0]),
                None => "No season stands out in the autocorrelation.".to_owned(),
            },
        ));
        let season = season.map(|season| season.rows);
        let rows_of_series = typical((0..table.n_series()).map(|series| table.len(series)));
        let sizes = sizes(rows_of_series, season);
        reasons.extend(sizes.reasons);
        let calendar = Calendar::beyond(sizes.lookback, table.frequency(), rows_of_series);
        let has_clock = calendar.require_regular(&table).is_ok();
        Ok(SeriesGuess {
            task: SeriesTask::Forecasting,
            time_column: columns.time,
            id_column: columns.id,
            label_column: None,
            n_labels: 0,
            channels: table.columns().to_vec(),
            target_columns: (!self.are_all(&targets, [time, id])).then_some(columns.targets),
            form: None,
            repeated_times: options.repeated_times,
            frequency: table.frequency(),
            season,
            calendar: if has_clock {
                calendar
            } else {
                Calendar::default()
            },
            rows: table.n_rows(),
            n_series: table.n_series(),
            rows_of_series,
            lookback: sizes.lookback,
            horizon: sizes.horizon,
            reasons,
        })
    }

    /// The columns but for those that mark or number rows.
    fn without_flags(&self, numbers: &[usize], reasons: &mut Vec<Reason>) -> Vec<usize> {
        let row_numbers = self.row_numbers();
        let is_flag = |place: &usize| {
            self.kinds[*place].n_distinct <= 2 && is_called(&self.kinds[*place].name, &FLAG_NAMES)
        };
        let is_channel = |place: &usize| Some(*place) != row_numbers && !is_flag(place);
        let targets: Vec<usize> = numbers.iter().copied().filter(is_channel).collect();
        if targets.is_empty() {
            return numbers.to_vec();
        }
        let left_out = numbers.iter().filter(|place| !is_channel(place));
        for place in left_out {
            let does = match Some(*place) == row_numbers {
                true => "numbers",
                false => "marks",
            };
            reasons.push(reason(
                "target_columns",
                format!("{:?} {does} rows and is no channel.", self.name(*place)),
            ));
        }
        targets
    }

    /// Reads the table with these channels, repeated times as they stand if there are some.
    fn load(
        &self,
        columns: &mut SeriesColumns,
        targets: &[usize],
        options: &mut SeriesOptions,
        reasons: &mut Vec<Reason>,
    ) -> Result<SeriesTable, DataError> {
        // All are named, so that a faulty value is an error with its line and not a column that is left out.
        columns.targets = targets.iter().map(|place| self.column(*place)).collect();
        match SeriesTable::load(self.source, columns, options) {
            Err(DataError::RepeatedTime { time, count, .. }) => {
                options.repeated_times = RepeatedTimes::Keep;
                reasons.push(reason(
                    "repeated_times",
                    format!(
                        "{} {} a time, {time} first, as where a clock is set back: all are kept as they stand.",
                        counted(count as usize, "row"),
                        if count == 1 { "repeats" } else { "repeat" },
                    ),
                ));
                SeriesTable::load(self.source, columns, options)
            }
            table => table,
        }
    }

    /// The rows that are trained on, about.
    fn train(&self, table: &SeriesTable) -> Vec<Span> {
        let mut spans = Span::whole(table);
        for span in &mut spans {
            let rows = (self.options.train_share * span.rows.len() as f64).round() as usize;
            span.rows.end = rows.clamp(1, span.rows.len().max(1));
        }
        spans
    }

    /// Whether these are the columns that a reader takes for channels by itself.
    fn are_all(&self, targets: &[usize], named: [Option<usize>; 2]) -> bool {
        let is_taken =
            |place: &usize| self.kinds[*place].are_numbers && !named.contains(&Some(*place));
        (0..self.kinds.len())
            .filter(is_taken)
            .eq(targets.iter().copied())
    }
}

fn frequency_sentence(frequency: Frequency) -> String {
    match frequency {
        Frequency::Rows => "There are no times: a step is a row.".to_owned(),
        Frequency::Irregular { .. } => format!("The file has {frequency}: a step is a row."),
        frequency => format!("There is {frequency}."),
    }
}

/// A channel that no scale can be found for.
struct Idle {
    channel: usize,
    /// Whether it has no value; if not, it has but one.
    is_missing: bool,
}

fn idle_channels(table: &SeriesTable, train: &[Span]) -> Vec<Idle> {
    let idle = |channel: usize| {
        let rows = train
            .iter()
            .flat_map(|span| span.rows.clone().map(|row| (span.series, row)));
        let mut values = rows
            .map(|(series, row)| table.value(series, row, channel))
            .filter(|value| !value.is_nan());
        let first = values.next();
        values.all(|value| Some(value) == first).then_some(Idle {
            channel,
            is_missing: first.is_none(),
        })
    };
    (0..table.columns().len()).filter_map(idle).collect()
}
