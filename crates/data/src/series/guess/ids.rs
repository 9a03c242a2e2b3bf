//! Which column tells series apart, and which tells their labels.

use std::collections::HashSet;

use super::kinds::{Kind, is_called};
use super::layout::Sketch;
use super::scan::Scan;
use crate::DataError;

/// Words that name what a series is of; numbers are ids only under such a name: a measured value hardly ever comes twice at
/// a time, so that it would tell rows apart as well.
const ID_NAMES: [&str; 38] = [
    "id",
    "series",
    "unique",
    "uid",
    "uuid",
    "key",
    "meter",
    "household",
    "home",
    "house",
    "building",
    "user",
    "person",
    "client",
    "customer",
    "patient",
    "subject",
    "account",
    "device",
    "sensor",
    "machine",
    "unit",
    "station",
    "site",
    "location",
    "zone",
    "region",
    "city",
    "country",
    "state",
    "store",
    "shop",
    "item",
    "product",
    "sku",
    "article",
    "case",
    "sample",
];
/// What may stand before or behind such a word.
const ENDINGS: [&str; 9] = [
    "id", "no", "nr", "nbr", "num", "number", "code", "name", "key",
];
/// Names of a column of times of day, as beside a column of dates.
const CLOCK_NAMES: [&str; 6] = ["time", "hour", "hr", "minute", "period", "interval"];
/// Names of a column that counts the steps of a series.
const STEP_NAMES: [&str; 9] = [
    "t",
    "step",
    "timestep",
    "time_step",
    "index",
    "tick",
    "frame",
    "cycle",
    "hour_index",
];
/// Names of a column that numbers the rows of the file.
const ROW_NAMES: [&str; 8] = ["", "unnamed: 0", "index", "id", "row", "no", "nr", "#"];
const LABEL_NAMES: [&str; 5] = ["label", "class", "target", "y", "category"];
/// More columns than these are not tried as ids.
const MOST_CANDIDATES: usize = 8;

/// Whether a name says that its column tells series apart, as `MeterID` or `store_nbr`.
fn names_series(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    let is_known = |word: &str| ID_NAMES.contains(&word);
    is_known(&name)
        || name
            .split([' ', '_', '-', '.'])
            .all(|word| is_known(word) || ENDINGS.contains(&word))
        || ENDINGS
            .iter()
            .any(|ending| name.strip_suffix(ending).is_some_and(is_known))
}

pub(super) fn names_labels(name: &str) -> bool {
    is_called(name, &LABEL_NAMES)
}

/// The columns that may tell series and their labels apart, with what all rows of the file hold there.
pub(super) struct Ids {
    candidates: Vec<usize>,
    scan: Scan,
}

impl Sketch<'_> {
    /// Reads the file for ids beside a column of times; none where no column could be one.
    pub(super) fn ids(&self, time: usize) -> Result<Option<Ids>, DataError> {
        let is_candidate = |place: &usize| {
            let column = &self.kinds[*place];
            let may_be = match column.kind {
                Kind::Words => true,
                Kind::Numbers => {
                    (names_series(&column.name) || is_called(&column.name, &CLOCK_NAMES))
                        && self.are_whole(*place)
                }
                _ => false,
            };
            may_be && *place != time && Some(*place) != self.label
        };
        // Those that are called so come first.
        let (named, others): (Vec<usize>, Vec<usize>) = (0..self.kinds.len())
            .filter(is_candidate)
            .partition(|place| names_series(&self.kinds[*place].name));
        let mut candidates = [named, others].concat();
        candidates.truncate(MOST_CANDIDATES);
        if candidates.is_empty() {
            return Ok(None);
        }
        let labels = (0..self.kinds.len()).filter(|place| self.may_be_label(*place));
        let places: HashSet<usize> = candidates
            .iter()
            .copied()
            .chain(labels)
            .chain([time])
            .collect();
        Ok(Some(Ids {
            candidates,
            scan: Scan::read(self.source, &places)?,
        }))
    }

    fn may_be_label(&self, place: usize) -> bool {
        let column = &self.kinds[place];
        match self.label {
            Some(label) => place == label,
            None => column.kind == Kind::Words || names_labels(&column.name),
        }
    }

    /// A column within whose values hardly a time comes twice, where the whole table has times twice.
    pub(super) fn id(&self, time: usize, ids: &Ids) -> Result<Option<usize>, DataError> {
        let scan = &ids.scan;
        let repeats = scan.repeats(&[time]);
        if repeats == 0 {
            return Ok(None);
        }
        // A row that stands twice in a file does not make its series one.
        let explains = |left: usize| 20 * left <= repeats;
        let is_id = |place: &&usize| {
            let n_distinct = scan.n_distinct(**place);
            // A few repeated times, as of a clock that was set back, are told apart by many a column of words.
            let is_plain = names_series(&self.kinds[**place].name) || 20 * repeats >= scan.n_rows;
            is_plain
                && n_distinct > 1
                && 3 * n_distinct <= 2 * scan.n_rows
                && explains(scan.repeats(&[time, **place]))
        };
        let clock = |places: &[usize]| -> Result<(), DataError> {
            match places.iter().find(|place| self.is_clock(**place)) {
                None => Ok(()),
                Some(place) => Err(DataError::TimeOfTwoColumns {
                    path: self.source.path().to_owned(),
                    date: self.name(time),
                    time: self.name(*place),
                }),
            }
        };
        if let Some(id) = ids.candidates.iter().find(is_id) {
            clock(&[*id])?;
            return Ok(Some(*id));
        }
        if 2 * repeats < scan.n_rows {
            return Ok(None);
        }
        for (number, first) in ids.candidates.iter().enumerate() {
            let second = ids.candidates[number + 1..]
                .iter()
                .find(|second| explains(scan.repeats(&[time, *first, **second])));
            if let Some(second) = second {
                clock(&[*first, *second])?;
                return Err(DataError::IdOfTwoColumns {
                    path: self.source.path().to_owned(),
                    first: self.name(*first),
                    second: self.name(*second),
                });
            }
        }
        Ok(None)
    }

    /// Whether a column holds times of day, or numbers that are called so.
    fn is_clock(&self, place: usize) -> bool {
        let is_clock = |text: String| {
            let mut parts = text.trim().split(':');
            let is_part = |part: &str| part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
            text.contains(':') && parts.all(is_part)
        };
        let column = &self.kinds[place];
        (column.kind == Kind::Numbers && is_called(&column.name, &CLOCK_NAMES))
            || self.texts(place).all(is_clock)
    }

    /// A column that is the same in all rows of an id.
    pub(super) fn label_of_ids(&self, time: usize, id: usize, ids: &Ids) -> Option<usize> {
        let scan = &ids.scan;
        let is_label = |place: &usize| {
            self.may_be_label(*place)
                && ![time, id].contains(place)
                && (self.label.is_some() || scan.n_distinct(*place) < scan.n_distinct(id))
                && scan.decides(id, *place)
        };
        (0..self.kinds.len()).find(is_label)
    }

    /// A column that counts the steps of the file, or those of each series, where no column holds times.
    pub(super) fn steps(&self) -> Result<Option<usize>, DataError> {
        let may_be = |place: &usize| {
            let column = &self.kinds[*place];
            column.kind == Kind::Numbers
                && Some(*place) != self.label
                && is_called(column.name.trim(), &STEP_NAMES)
                && self.are_whole(*place)
        };
        for place in (0..self.kinds.len()).filter(may_be) {
            let rises = self
                .numbers(place)
                .is_some_and(|numbers| numbers.windows(2).all(|two| two[0] < two[1]));
            let is_of_series = match self.ids(place)? {
                Some(ids) => self.id(place, &ids)?.is_some(),
                None => false,
            };
            if rises || is_of_series {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// A first column that merely numbers the rows of the file.
    pub(super) fn row_numbers(&self) -> Option<usize> {
        let name = self.kinds.first()?.name.trim();
        let counts = || {
            let numbers = self.numbers(0)?;
            let by_one = numbers.windows(2).all(|two| two[0] + 1.0 == two[1]);
            (numbers.len() > 1 && by_one && self.are_whole(0)).then_some(0)
        };
        (self.source.header() && is_called(name, &ROW_NAMES)).then(counts)?
    }

    /// The values of a column of the sample; none if one is no number.
    fn numbers(&self, place: usize) -> Option<Vec<f64>> {
        self.texts(place)
            .map(|text| text.trim().parse().ok())
            .collect()
    }

    fn are_whole(&self, place: usize) -> bool {
        let mut texts = self.texts(place);
        texts.all(|text| {
            let number = text.trim().parse::<f64>();
            number.map_or(true, |number| number.fract() == 0.0)
        })
    }
}
