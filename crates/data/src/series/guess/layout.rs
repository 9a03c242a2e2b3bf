//! Which columns are what, and so what the file is for.

use std::collections::{HashMap, HashSet};

use super::kinds::{ColumnKind, Kind, column_kind, is_called};
use super::{Reason, SeriesGuess, SeriesTask};
use crate::labelled_file::require_regular_file;
use crate::series::raw::field;
use crate::series::{
    Calendar, Frequency, LabelledColumns, LabelledSeries, RepeatedTimes, SeriesForm,
};
use crate::{Column, DataError, Format, Record, Records, Source};

/// Rows by which columns are told apart.
const SAMPLE_ROWS: usize = 1_000;
/// A row a series has at least so many steps: fewer columns of numbers are a table of features.
const LEAST_STEPS: usize = 16;
const LABEL_NAMES: [&str; 5] = ["label", "class", "target", "y", "category"];

/// Guesses what a file of series is for; none where it holds no series, such as texts with labels. A `label` is that of whole
/// series, or there are none.
///
/// # Errors
/// If the file cannot be read, or what it was guessed to be turns out to be faulty.
pub fn guess(source: &Source, label: Option<&Column>) -> Result<Option<SeriesGuess>, DataError> {
    require_regular_file(source.path())?;
    let columns = LabelledColumns::default();
    if columns.form(source) == SeriesForm::Ts && label.is_none() {
        return of_ts(source, &columns).map(Some);
    }
    if matches!(source.format()?, Format::Lines | Format::Folder) {
        return Ok(None);
    }
    let mut records = Records::open(source)?;
    let names = records.columns().to_vec();
    let sample: Vec<Record> = records
        .by_ref()
        .take(SAMPLE_ROWS)
        .collect::<Result<_, _>>()?;
    if sample.is_empty() {
        return Ok(None);
    }
    let kinds: Vec<ColumnKind> = (0..names.len())
        .map(|place| column_kind(&names[place], place, &sample))
        .collect();
    // A text is told by what it says, whatever stands beside it.
    if kinds.iter().any(|column| column.kind == Kind::Texts) {
        return Ok(None);
    }
    let place_of = |label: &Column| match label {
        Column::Number(number) => (*number < names.len()).then_some(*number),
        Column::Name(name) => names.iter().position(|other| other == name),
    };
    let label = match label.map(place_of) {
        Some(None) => return Ok(None),
        place => place.flatten(),
    };
    let sketch = Sketch {
        source,
        kinds,
        sample,
        label,
    };
    match sketch.places_of(&Kind::Times).first() {
        Some(time) => sketch.with_times(*time),
        None => sketch.without_times(),
    }
}

pub(super) fn reason(what: &'static str, sentence: impl Into<String>) -> Reason {
    Reason {
        what,
        sentence: sentence.into(),
    }
}

/// Of a number of things: `1 row`, `3 rows`.
pub(super) fn counted(count: usize, what: &str) -> String {
    crate::doctor::counted(count as u64, what)
}

fn of_ts(source: &Source, columns: &LabelledColumns) -> Result<SeriesGuess, DataError> {
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
    let shortest = lengths.min().unwrap_or(0);
    reasons.push(reason(
        "target_columns",
        format!(
            "There are {} series of {} and {} to {} steps, with {}.",
            series.len(),
            counted(series.channels().len(), "channel"),
            shortest,
            series.longest(),
            counted(series.labels().len(), "label"),
        ),
    ));
    let name = |column: &Option<Column>| match column {
        Some(Column::Name(name)) => Some(name.clone()),
        Some(Column::Number(number)) => Some(number.to_string()),
        None => None,
    };
    SeriesGuess {
        task: SeriesTask::Classification,
        time_column: name(&columns.time),
        id_column: name(&columns.id),
        label_column: name(&columns.label),
        channels: series.channels().to_vec(),
        are_all_channels: true,
        form: Some(form),
        repeated_times: RepeatedTimes::Refuse,
        frequency: Frequency::Rows,
        season: None,
        calendar: Calendar::default(),
        rows: series.len(),
        n_series: series.len(),
        lookback: series.longest(),
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

/// What is known before the file is read to its end.
pub(super) struct Sketch<'a> {
    pub(super) source: &'a Source,
    pub(super) kinds: Vec<ColumnKind>,
    sample: Vec<Record>,
    /// The label, if somebody said which it is.
    label: Option<usize>,
}

impl Sketch<'_> {
    fn places_of(&self, kind: &Kind) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.kinds.len())
            .filter(|place| self.kinds[*place].kind == *kind && Some(*place) != self.label)
            .collect();
        if *kind == Kind::Times {
            // One that is called so before one that merely reads so.
            places.sort_by_key(|place| {
                !is_called(
                    &self.kinds[*place].name,
                    &["time", "date", "datetime", "timestamp", "ds"],
                )
            });
        }
        places
    }

    pub(super) fn name(&self, place: usize) -> String {
        self.kinds[place].name.clone()
    }

    pub(super) fn column(&self, place: usize) -> Column {
        // By its name, unless the file has none or several columns of it.
        let name = &self.kinds[place].name;
        let is_unique = self
            .kinds
            .iter()
            .filter(|column| column.name == *name)
            .count()
            == 1;
        if self.source.header() && is_unique {
            Column::Name(name.clone())
        } else {
            Column::Number(place)
        }
    }

    fn texts(&self, place: usize) -> impl Iterator<Item = String> + '_ {
        (self.sample.iter()).map(move |record| {
            field(record, place)
                .map(|text| text.into_owned())
                .unwrap_or_default()
        })
    }

    /// Whether every value of one column goes with a single value of another.
    fn decides(&self, place: usize, other: usize) -> bool {
        let mut seen: HashMap<String, String> = HashMap::new();
        self.texts(place)
            .zip(self.texts(other))
            .all(|(key, value)| *seen.entry(key).or_insert_with(|| value.clone()) == value)
    }

    fn with_times(&self, time: usize) -> Result<Option<SeriesGuess>, DataError> {
        let numbers = self.places_of(&Kind::Numbers);
        if numbers.is_empty() {
            return Ok(None);
        }
        let id = self.id(time);
        if let Some(id) = id
            && let Some(label) = self.label_of_ids(time, id)
        {
            return self.long(time, id, label).map(Some);
        }
        if self.label.is_some() {
            return Ok(None);
        }
        let name = self.name(time);
        let mut reasons = vec![
            reason(
                "task",
                format!(
                    "{name:?} holds times and {} hold numbers, so their next values are to be forecast.",
                    counted(numbers.len(), "column")
                ),
            ),
            reason(
                "time_column",
                format!("Every value of {name:?} can be read as a time."),
            ),
        ];
        if let Some(id) = id {
            reasons.push(reason(
                "id_column",
                format!(
                    "Times repeat, but none does within one value of {:?}: it tells series apart.",
                    self.name(id)
                ),
            ));
        }
        self.forecasting(Some(time), id, &numbers, reasons)
            .map(Some)
    }

    /// A column whose every value has each time once, where the whole table has times twice.
    fn id(&self, time: usize) -> Option<usize> {
        let repeats = |id: Option<usize>| {
            let mut seen = HashSet::new();
            let ids: Vec<String> = id.map(|id| self.texts(id).collect()).unwrap_or_default();
            self.texts(time)
                .enumerate()
                .any(|(row, time)| !seen.insert((time, ids.get(row).cloned())))
        };
        let is_candidate = |place: &usize| {
            let ColumnKind {
                name,
                kind,
                n_distinct,
            } = &self.kinds[*place];
            // Numbers only where their name says what they are: a measured value hardly ever repeats with its time.
            let by_name = is_called(
                name,
                &[
                    "id",
                    "series",
                    "series_id",
                    "unique_id",
                    "case",
                    "case_id",
                    "sensor",
                    "station",
                    "item",
                    "store",
                ],
            );
            *place != time
                && Some(*place) != self.label
                && *n_distinct > 1
                && (*kind == Kind::Words || (*kind == Kind::Numbers && by_name))
        };
        if !repeats(None) {
            return None;
        }
        (0..self.kinds.len())
            .filter(is_candidate)
            .find(|place| !repeats(Some(*place)))
    }

    /// A column that is the same in all rows of an id.
    fn label_of_ids(&self, time: usize, id: usize) -> Option<usize> {
        let is_label = |place: &usize| {
            if let Some(label) = self.label {
                return *place == label && self.decides(id, label);
            }
            let ColumnKind {
                name,
                kind,
                n_distinct,
            } = &self.kinds[*place];
            let may_be = *kind == Kind::Words || is_called(name, &LABEL_NAMES);
            ![time, id].contains(place)
                && may_be
                && *n_distinct < self.kinds[id].n_distinct
                && self.decides(id, *place)
        };
        (0..self.kinds.len()).find(is_label)
    }

    fn long(&self, time: usize, id: usize, label: usize) -> Result<SeriesGuess, DataError> {
        let columns = LabelledColumns {
            label: Some(self.column(label)),
            id: Some(self.column(id)),
            time: Some(self.column(time)),
            values: Vec::new(),
        };
        let series = LabelledSeries::load(self.source, &columns, None)?;
        let reasons = vec![
            reason(
                "task",
                format!(
                    "{:?} is the same in all rows of one {:?}, so whole series are to be classified.",
                    self.name(label),
                    self.name(id)
                ),
            ),
            reason(
                "label_column",
                format!(
                    "{:?} has {}.",
                    self.name(label),
                    counted(series.labels().len(), "value")
                ),
            ),
            reason(
                "id_column",
                format!(
                    "Times repeat, but none does within one value of {:?}.",
                    self.name(id)
                ),
            ),
            reason(
                "time_column",
                format!(
                    "Every value of {:?} can be read as a time.",
                    self.name(time)
                ),
            ),
        ];
        Ok(of_labelled(&series, SeriesForm::Long, &columns, reasons))
    }

    fn without_times(&self) -> Result<Option<SeriesGuess>, DataError> {
        let numbers = self.places_of(&Kind::Numbers);
        let words = self.places_of(&Kind::Words);
        if let Some(label) = self.label_of_rows(&numbers, &words) {
            let columns = LabelledColumns {
                label: Some(self.column(label)),
                ..LabelledColumns::default()
            };
            let series = LabelledSeries::load(self.source, &columns, None)?;
            let reasons = vec![
                reason(
                    "task",
                    format!(
                        "Each row is {} columns of numbers that are numbered on, and one label: a series a row, to be classified.",
                        self.kinds.len() - 1
                    ),
                ),
                reason(
                    "label_column",
                    format!(
                        "{:?} has {}.",
                        self.name(label),
                        counted(series.labels().len(), "value")
                    ),
                ),
            ];
            return Ok(Some(of_labelled(
                &series,
                SeriesForm::Wide,
                &columns,
                reasons,
            )));
        }
        if numbers.is_empty() || numbers.len() < self.kinds.len() || self.label.is_some() {
            return Ok(None);
        }
        let reasons = vec![reason(
            "task",
            "All columns hold numbers and none holds times, so rows are taken to be in time order and their next values are to be forecast.",
        )];
        self.forecasting(None, None, &numbers, reasons).map(Some)
    }

    /// The column beside which all others are steps: numbers under names that count on.
    fn label_of_rows(&self, numbers: &[usize], words: &[usize]) -> Option<usize> {
        let named =
            (0..self.kinds.len()).find(|place| is_called(&self.kinds[*place].name, &LABEL_NAMES));
        let label = match (words, self.label.or(named)) {
            (_, Some(said)) if self.label.is_some() => said,
            ([only], _) => *only,
            ([], Some(named)) => named,
            // Without a header the archives' files have the label in front.
            ([], None) if !self.source.header() && self.kinds[0].n_distinct <= 60 => 0,
            _ => return None,
        };
        let steps: Vec<usize> = numbers
            .iter()
            .copied()
            .filter(|place| *place != label)
            .collect();
        if steps.len() + 1 != self.kinds.len() || steps.len() < LEAST_STEPS {
            return None;
        }
        let names: Vec<&str> = (steps.iter())
            .map(|place| self.kinds[*place].name.as_str())
            .collect();
        go_on(&names).then_some(label)
    }
}
