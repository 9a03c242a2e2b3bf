//! Which columns are what, and so what the file is for.

use super::kinds::{ColumnKind, Kind, column_kind, is_called};
use super::{GuessOptions, Reason, SeriesGuess, SeriesTask};
use crate::labelled_file::require_regular_file;
use crate::series::raw::field;
use crate::series::{LabelledColumns, SeriesForm};
use crate::{Column, DataError, Format, Record, Records, Source};

/// Rows by which columns are told apart.
const SAMPLE_ROWS: usize = 1_000;

/// Guesses what a file of series is for; none where it holds no series, such as texts with labels, or none for the task.
///
/// # Errors
/// If the file cannot be read, or what it was guessed to be turns out to be faulty.
pub fn guess(source: &Source, options: &GuessOptions) -> Result<Option<SeriesGuess>, DataError> {
    require_regular_file(source.path())?;
    let columns = LabelledColumns::default();
    if columns.form(source) == SeriesForm::Ts && options.label.is_none() {
        return match options.task {
            Some(SeriesTask::Forecasting) => Ok(None),
            _ => super::classes::of_ts(source, &columns).map(Some),
        };
    }
    if matches!(source.format()?, Format::Lines | Format::Folder) {
        return Ok(None);
    }
    let Some(sketch) = Sketch::of(source, options)? else {
        return Ok(None);
    };
    if let Some(label) = sketch.label_of_rows() {
        return sketch.wide(label).map(Some);
    }
    // A text is told by what it says, whatever stands beside it.
    if options.task.is_none() && sketch.has(Kind::Texts) {
        return Ok(None);
    }
    let time = match sketch.places_of(Kind::Times).first() {
        Some(time) => Some(*time),
        None => sketch.steps()?,
    };
    match time {
        Some(time) => sketch.with_times(time),
        None => sketch.without_times(),
    }
}

/// What the columns of a table hold, for a message: `"date" (times), "x" (numbers)`.
///
/// # Errors
/// If its first rows cannot be read.
pub fn describe_columns(source: &Source) -> Result<String, DataError> {
    const SHOWN: usize = 12;
    let options = GuessOptions::default();
    let Some(sketch) = Sketch::of(source, &options)? else {
        return Ok(String::new());
    };
    let columns = sketch.kinds.iter().take(SHOWN);
    let columns: Vec<String> = columns
        .map(|column| format!("{:?} ({})", column.name, column.kind.word()))
        .collect();
    let more = match sketch.kinds.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Ok(columns.join(", ") + &more)
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

/// What is known before the file is read to its end.
pub(super) struct Sketch<'a> {
    pub(super) source: &'a Source,
    pub(super) options: &'a GuessOptions,
    pub(super) kinds: Vec<ColumnKind>,
    sample: Vec<Record>,
    /// The label, if somebody said which it is.
    pub(super) label: Option<usize>,
}

impl<'a> Sketch<'a> {
    /// Reads the first rows; none where the file has no such label.
    fn of(source: &'a Source, options: &'a GuessOptions) -> Result<Option<Self>, DataError> {
        let mut records = Records::open(source)?;
        let names = records.columns().to_vec();
        let sample: Vec<Record> = records
            .by_ref()
            .take(SAMPLE_ROWS)
            .collect::<Result<_, _>>()?;
        if sample.is_empty() {
            return Err(DataError::NoRows {
                path: source.path().to_owned(),
            });
        }
        let place_of = |label: &Column| match label {
            Column::Number(number) => (*number < names.len()).then_some(*number),
            Column::Name(name) => names.iter().position(|other| other == name),
        };
        let label = match options.label.as_ref().map(place_of) {
            Some(None) => return Ok(None),
            place => place.flatten(),
        };
        let kinds = (0..names.len())
            .map(|place| column_kind(&names[place], place, &sample))
            .collect();
        Ok(Some(Self {
            source,
            options,
            kinds,
            sample,
            label,
        }))
    }
}

impl Sketch<'_> {
    pub(super) fn has(&self, kind: Kind) -> bool {
        self.kinds.iter().any(|column| column.kind == kind)
    }

    pub(super) fn places_of(&self, kind: Kind) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.kinds.len())
            .filter(|place| self.kinds[*place].kind == kind && Some(*place) != self.label)
            .collect();
        if kind == Kind::Times {
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
        if self.source.header() && is_unique && !name.is_empty() {
            Column::Name(name.clone())
        } else {
            Column::Number(place)
        }
    }

    pub(super) fn texts(&self, place: usize) -> impl Iterator<Item = String> + '_ {
        (self.sample.iter()).map(move |record| {
            field(record, place)
                .map(|text| text.into_owned())
                .unwrap_or_default()
        })
    }

    /// The columns that could be channels beside these.
    fn channels(&self, named: [Option<usize>; 2]) -> Vec<usize> {
        let is_channel = |place: &usize| {
            let column = &self.kinds[*place];
            column.are_numbers && ![named[0], named[1], self.label].contains(&Some(*place))
        };
        (0..self.kinds.len()).filter(is_channel).collect()
    }

    fn with_times(&self, time: usize) -> Result<Option<SeriesGuess>, DataError> {
        let channels = self.channels([Some(time), None]);
        let holds_numbers = |place: &usize| self.kinds[*place].kind != Kind::Nothing;
        if !channels.iter().any(holds_numbers) && (self.has(Kind::Words) || channels.is_empty()) {
            return Ok(None);
        }
        let ids = self.ids(time)?;
        let id = match &ids {
            Some(ids) => self.id(time, ids)?,
            None => None,
        };
        if self.options.task != Some(SeriesTask::Forecasting)
            && let (Some(id), Some(ids)) = (id, &ids)
            && let Some(label) = self.label_of_ids(time, id, ids)
        {
            return self.long(time, id, label).map(Some);
        }
        if self.label.is_some() || self.options.task == Some(SeriesTask::Classification) {
            return Ok(None);
        }
        let name = self.name(time);
        let channels = self.channels([Some(time), id]);
        let mut reasons = vec![
            reason(
                "task",
                format!(
                    "{name:?} holds times and {} {} numbers, so their next values are to be forecast.",
                    counted(channels.len(), "column"),
                    if channels.len() == 1 { "holds" } else { "hold" },
                ),
            ),
            reason("time_column", self.why_time(time)),
        ];
        if let Some(id) = id {
            reasons.push(reason("id_column", self.why_id(id)));
        }
        self.forecasting(Some(time), id, &channels, reasons)
            .map(Some)
    }

    pub(super) fn why_time(&self, time: usize) -> String {
        match self.kinds[time].kind {
            Kind::Numbers => format!("{:?} counts steps.", self.name(time)),
            _ => format!(
                "Every value of {:?} can be read as a time.",
                self.name(time)
            ),
        }
    }

    pub(super) fn why_id(&self, id: usize) -> String {
        format!(
            "Times repeat, but not within one value of {:?}: it tells series apart.",
            self.name(id)
        )
    }

    fn without_times(&self) -> Result<Option<SeriesGuess>, DataError> {
        let numbers = self.channels([None, None]);
        let is_asked_for =
            self.options.task == Some(SeriesTask::Forecasting) && !self.has(Kind::Texts);
        let is_plain = self.label.is_none() && numbers.len() == self.kinds.len();
        if !self.has(Kind::Numbers)
            || !(is_plain || is_asked_for)
            || self.options.task == Some(SeriesTask::Classification)
        {
            return Ok(None);
        }
        let why = match is_plain {
            true => "All columns hold numbers and none holds times",
            false => "No column holds times",
        };
        let reasons = vec![reason(
            "task",
            format!(
                "{why}, so rows are taken to be in time order and their next values are to be forecast."
            ),
        )];
        self.forecasting(None, None, &numbers, reasons).map(Some)
    }
}
