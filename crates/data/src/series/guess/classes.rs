//! Whole series with a label each.

use super::kinds::Kind;
use super::layout::{Sketch, counted, reason};
use super::{Reason, SeriesGuess, SeriesTask};
use crate::series::{
    Calendar, Frequency, LabelledColumns, LabelledSeries, RepeatedTimes, SeriesForm,
};
use crate::{DataError, Source};

/// A row a series has at least so many steps: fewer columns of numbers are a table of features.
const LEAST_STEPS: usize = 16;
/// Without a header a first column of more different values is no label.
const MOST_CLASSES: usize = 60;

pub(super) fn of_ts(source: &Source, columns: &LabelledColumns) -> Result<SeriesGuess, DataError> {
    let series = LabelledSeries::load(source, columns, None)?;
    let sentence =
        "A file .ts of the UCR and UEA archives holds whole series, so they are to be classified.";
    Ok(of_labelled(
        &series,
        SeriesForm::Ts,
        columns,
        vec![reason("task", sentence)],
    ))
}

fn of_labelled(
    series: &LabelledSeries,
    form: SeriesForm,
    columns: &LabelledColumns,
    mut reasons: Vec<Reason>,
) -> SeriesGuess {
    let lengths = (0..series.len()).map(|number| series.length(number));
    let (shortest, longest) = (lengths.min().unwrap_or(0), series.longest());
    let steps = match shortest == longest {
        true => counted(longest, "step"),
        false => format!("{shortest} to {longest} steps"),
    };
    reasons.push(reason(
        "target_columns",
        format!(
            "There {} {} series of {} and {steps}, with {}.",
            if series.len() == 1 { "is" } else { "are" },
            series.len(),
            counted(series.channels().len(), "channel"),
            counted(series.labels().len(), "label"),
        ),
    ));
    SeriesGuess {
        task: SeriesTask::Classification,
        time_column: columns.time.clone(),
        id_column: columns.id.clone(),
        label_column: columns.label.clone(),
        n_labels: series.labels().len(),
        channels: series.channels().to_vec(),
        target_columns: (!columns.values.is_empty()).then(|| columns.values.clone()),
        form: Some(form),
        repeated_times: RepeatedTimes::Refuse,
        frequency: Frequency::Rows,
        season: None,
        calendar: Calendar::default(),
        rows: series.len(),
        n_series: series.len(),
        rows_of_series: longest,
        lookback: longest,
        horizon: 0,
        reasons,
    }
}

/// Whether names are those of steps: one number that counts on, as in `t1`, `t2`, or several that rise together, as in
/// `08:00`, `08:30`, among the same letters.
fn go_on(names: &[&str]) -> bool {
    let letters = |name: &str| -> Vec<String> {
        let parts = name.split(|character: char| character.is_ascii_digit());
        parts
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let numbers = |name: &str| -> Option<Vec<u64>> {
        let parts = name.split(|character: char| !character.is_ascii_digit());
        parts
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().ok())
            .collect()
    };
    names.windows(2).all(|pair| {
        let (Some(a), Some(b)) = (numbers(pair[0]), numbers(pair[1])) else {
            return false;
        };
        let rises = match (a.as_slice(), b.as_slice()) {
            ([a], [b]) => a.checked_add(1) == Some(*b),
            _ => a.len() == b.len() && a < b,
        };
        rises && letters(pair[0]) == letters(pair[1])
    })
}

impl Sketch<'_> {
    /// A row a time step.
    pub(super) fn long(
        &self,
        time: usize,
        id: usize,
        label: usize,
    ) -> Result<SeriesGuess, DataError> {
        let mut columns = LabelledColumns {
            label: Some(self.column(label)),
            id: Some(self.column(id)),
            time: Some(self.column(time)),
            values: Vec::new(),
        };
        // A channel with a faulty value or a first column of row numbers must be said.
        let taken = [time, id, label];
        let others = (0..self.kinds.len()).filter(|place| !taken.contains(place));
        let (values, left_out): (Vec<usize>, Vec<usize>) = others
            .filter(|place| self.kinds[*place].are_numbers)
            .partition(|place| Some(*place) != self.row_numbers());
        columns.values = values.iter().map(|place| self.column(*place)).collect();
        let series = LabelledSeries::load(self.source, &columns, None)?;
        if left_out.is_empty() {
            columns.values.clear();
        }
        let reasons = vec![
            reason(
                "task",
                format!(
                    "{:?} is the same in all rows of one {:?}, so whole series are to be classified.",
                    self.name(label),
                    self.name(id)
                ),
            ),
            self.why_label(label, &series),
            reason("id_column", self.why_id(id)),
            reason("time_column", self.why_time(time)),
        ];
        Ok(of_labelled(&series, SeriesForm::Long, &columns, reasons))
    }

    /// A row a series.
    pub(super) fn wide(&self, label: usize) -> Result<SeriesGuess, DataError> {
        let columns = LabelledColumns {
            label: Some(self.column(label)),
            ..LabelledColumns::default()
        };
        let series = LabelledSeries::load(self.source, &columns, None)?;
        let steps = self.kinds.len() - 1;
        let reasons = vec![
            reason(
                "task",
                match go_on(&self.names_beside(label)) {
                    true => format!(
                        "Each row is {steps} columns that are numbered on, and one label: a series a row, to be classified."
                    ),
                    false => format!(
                        "Each row is {steps} columns of numbers, taken for steps as you said, and one label."
                    ),
                },
            ),
            self.why_label(label, &series),
        ];
        Ok(of_labelled(&series, SeriesForm::Wide, &columns, reasons))
    }

    fn why_label(&self, label: usize, series: &LabelledSeries) -> Reason {
        let values = counted(series.labels().len(), "value");
        reason(
            "label_column",
            format!("{:?} has {values}.", self.name(label)),
        )
    }

    /// The column beside which all others are steps, told by names that count on.
    pub(super) fn label_of_rows(&self) -> Option<usize> {
        if self.options.task == Some(SeriesTask::Forecasting) {
            return None;
        }
        let places = 0..self.kinds.len();
        if let Some(label) = self.label {
            return self.are_steps_beside(label).then_some(label);
        }
        let words = places
            .clone()
            .filter(|place| self.kinds[*place].kind == Kind::Words);
        let named = places.filter(|place| super::ids::names_labels(&self.kinds[*place].name));
        let found = named
            .chain(words)
            .find(|label| self.are_steps_beside(*label));
        // Without a header the archives' files have the label in front.
        let in_front = || {
            (!self.source.header()
                && !self.has(Kind::Words)
                && self.kinds[0].n_distinct <= MOST_CLASSES
                && self.are_steps_beside(0))
            .then_some(0)
        };
        found.or_else(in_front)
    }

    fn names_beside(&self, label: usize) -> Vec<&str> {
        let others = self.kinds.iter().enumerate();
        others
            .filter(|(place, _)| *place != label)
            .map(|(_, column)| column.name.as_str())
            .collect()
    }

    /// Whether all columns but one are steps: by their names whatever is in them, or, without a header or where somebody
    /// asked for classes, by the numbers in them.
    fn are_steps_beside(&self, label: usize) -> bool {
        let names = self.names_beside(label);
        let are_numbers = || {
            let others = self.kinds.iter().enumerate();
            others
                .filter(|(place, _)| *place != label)
                .all(|(_, column)| matches!(column.kind, Kind::Numbers | Kind::Nothing))
        };
        let is_asked_for = self.options.task == Some(SeriesTask::Classification);
        match names.len() {
            0 | 1 => false,
            _ if is_asked_for && are_numbers() => true,
            LEAST_STEPS.. => go_on(&names) && (self.source.header() || are_numbers()),
            _ => false,
        }
    }
}
