//! What is to be forecast, and how far.

use super::kinds::is_called;
use super::layout::{Sketch, counted, reason};
use super::season::season_of;
use super::sizes::sizes;
use super::{Reason, SeriesGuess, SeriesTask};
use crate::DataError;
use crate::series::{
    Calendar, Frequency, RepeatedTimes, SeriesColumns, SeriesOptions, SeriesTable,
};
use crate::wording::listed;

/// Names of a column that marks rows.
const FLAG_NAMES: [&str; 5] = ["is_anomaly", "anomaly", "outlier", "is_outlier", "label"];

impl Sketch<'_> {
    /// Reads the whole table and guesses what its rows tell.
    pub(super) fn forecasting(
        &self,
        time: Option<usize>,
        id: Option<usize>,
        numbers: &[usize],
        mut reasons: Vec<Reason>,
    ) -> Result<SeriesGuess, DataError> {
        let is_flag = |place: &usize| {
            self.kinds[*place].n_distinct <= 2 && is_called(&self.kinds[*place].name, &FLAG_NAMES)
        };
        let (flags, others): (Vec<usize>, Vec<usize>) = numbers
            .iter()
            .copied()
            .filter(|place| Some(*place) != id)
            .partition(is_flag);
        let (flags, targets) = if others.is_empty() {
            (others, flags)
        } else {
            (flags, others)
        };
        let mut columns = SeriesColumns {
            time: time.map(|place| self.column(place)),
            id: id.map(|place| self.column(place)),
            ..SeriesColumns::default()
        };
        if !flags.is_empty() {
            columns.targets = targets.iter().map(|place| self.column(*place)).collect();
            reasons.push(reason(
                "target_columns",
                format!("{:?} marks rows and is no channel.", self.name(flags[0])),
            ));
        }
        let mut options = SeriesOptions::default();
        let table = match SeriesTable::load(self.source, &columns, &options) {
            Err(DataError::RepeatedTime { time, count, .. }) => {
                options.repeated_times = RepeatedTimes::Keep;
                reasons.push(reason("repeated_times", format!("{} repeat a time, {time} first, as where a clock is set back: all are kept as they stand.", counted(count as usize, "row"))));
                SeriesTable::load(self.source, &columns, &options)?
            }
            table => table?,
        };
        reasons.push(reason(
            "target_columns",
            format!(
                "{} of numbers: {}.",
                counted(table.columns().len(), "column"),
                listed(table.columns())
            ),
        ));
        reasons.push(reason(
            "frequency",
            match table.frequency() {
                frequency @ (Frequency::Rows | Frequency::Irregular { .. }) => {
                    format!("There are {frequency}.")
                }
                frequency => format!("There is {frequency}."),
            },
        ));
        let season = season_of(&table);
        reasons.push(reason(
            "season",
            match &season {
                Some(season) => season.sentence(&table.columns()[0]),
                None => "No season stands out in the autocorrelation.".to_owned(),
            },
        ));
        let season = season.map(|season| season.rows);
        let sizes = sizes(&table, season);
        reasons.extend(sizes.reasons);
        let rows = table.n_rows() / table.n_series().max(1);
        let calendar = Calendar::beyond(sizes.lookback, table.frequency(), rows);
        let has_clock = calendar.require_regular(&table).is_ok();
        Ok(SeriesGuess {
            task: SeriesTask::Forecasting,
            time_column: time.map(|place| self.name(place)),
            id_column: id.map(|place| self.name(place)),
            label_column: None,
            channels: table.columns().to_vec(),
            are_all_channels: flags.is_empty(),
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
            lookback: sizes.lookback,
            horizon: sizes.horizon,
            reasons,
        })
    }
}
