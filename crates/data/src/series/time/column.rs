//! The times of a whole column: one form for all of them.

use super::{Moment, TimeForm, TimeZoneOfColumn};

/// The times of a column, whose form its values tell.
///
/// The first value leaves the forms that it can be read in, each later one drops those that it cannot. `01/07/2016` may
/// be two days; one value with a day above 12 settles it for the whole column, and if none does the column is refused:
/// a guess would shuffle the days of every month.
#[derive(Debug)]
pub(crate) struct TimeColumn {
    /// The forms that read every value so far, with the times that they read.
    readings: Vec<(TimeForm, Vec<i64>)>,
    /// The form that was asked for.
    wanted: Option<TimeForm>,
    first: String,
    offset: Option<i32>,
    has_several_offsets: bool,
}

/// The times of a column as read.
#[derive(Debug)]
pub(crate) struct Times {
    pub micros: Vec<i64>,
    pub zone: TimeZoneOfColumn,
    /// Whether the column's offsets from UTC differ, so that its clock is UTC.
    pub has_several_offsets: bool,
}

/// Why a value is no time of this column: the forms that were tried.
#[derive(Debug)]
pub(crate) struct Unreadable(pub Vec<TimeForm>);

/// Why a column has no form: it could be either of two; its first value.
#[derive(Debug)]
pub(crate) struct Ambiguous {
    pub first: String,
    pub forms: Vec<TimeForm>,
}

impl TimeColumn {
    pub fn new(wanted: Option<TimeForm>) -> Self {
        Self {
            readings: Vec::new(),
            wanted,
            first: String::new(),
            offset: None,
            has_several_offsets: false,
        }
    }

    /// Adds a value, which is left out if it is no time.
    pub fn push(&mut self, text: &str) -> Result<(), Unreadable> {
        let text = text.trim();
        if self.readings.is_empty() {
            return self.begin(text);
        }
        if let [(form, micros)] = self.readings.as_mut_slice() {
            let read = form.read(text).ok_or_else(|| Unreadable(vec![*form]))?;
            micros.push(read.0.0);
            self.has_several_offsets |= *form == TimeForm::IsoZoned && read.1 != self.offset;
            return Ok(());
        }
        let read: Vec<_> = (self.readings.iter())
            .map(|(form, _)| form.read(text))
            .collect();
        // The readings stay: a row that is left out must not undo those before it.
        if read.iter().all(Option::is_none) {
            return Err(Unreadable(self.forms()));
        }
        let mut read = read.into_iter();
        self.readings.retain_mut(|(_, micros)| match read.next() {
            Some(Some((Moment(time), _))) => {
                micros.push(time);
                true
            }
            _ => false,
        });
        Ok(())
    }

    fn begin(&mut self, text: &str) -> Result<(), Unreadable> {
        let candidates = match self.wanted {
            Some(form) => vec![form],
            None => TimeForm::ALL.to_vec(),
        };
        for form in &candidates {
            // A form that was asked for is not guessed from the number of digits.
            let fits = self.wanted.is_some() || form.may_begin_with(text);
            if let Some((Moment(time), offset)) = form.read(text).filter(|_| fits) {
                self.readings.push((*form, vec![time]));
                self.offset = offset;
            }
        }
        if self.readings.is_empty() {
            return Err(Unreadable(candidates));
        }
        self.first = text.to_owned();
        Ok(())
    }

    fn forms(&self) -> Vec<TimeForm> {
        self.readings.iter().map(|(form, _)| *form).collect()
    }

    /// The times, in the one form that reads all of them.
    pub fn finish(mut self) -> Result<Times, Ambiguous> {
        // Two readings that agree on every value, as of 01/01/2016 alone, are one.
        if let [(_, first), rest @ ..] = self.readings.as_slice()
            && rest.iter().all(|(_, other)| other == first)
        {
            self.readings.truncate(1);
        }
        if self.readings.len() > 1 {
            return Err(Ambiguous {
                forms: self.forms(),
                first: self.first,
            });
        }
        let (form, micros) = (self.readings.pop()).unwrap_or((TimeForm::Iso, Vec::new()));
        let zone = match form {
            TimeForm::Number => TimeZoneOfColumn::None,
            TimeForm::Iso | TimeForm::YearSlashes | TimeForm::DayFirst | TimeForm::MonthFirst => {
                TimeZoneOfColumn::Civil
            }
            _ => TimeZoneOfColumn::Offset {
                seconds: self
                    .offset
                    .filter(|_| !self.has_several_offsets)
                    .unwrap_or(0),
            },
        };
        Ok(Times {
            micros,
            zone,
            has_several_offsets: self.has_several_offsets,
        })
    }
}
