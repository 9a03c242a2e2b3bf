//! Which stretches of time are labelled as anomalous.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::time::{TimeColumn, Times};
use super::{Moment, SeriesTable, TimeZoneOfColumn};
use crate::labelled_file::require_regular_file;
use crate::wording::excerpt;
use crate::{DataError, Records, Source};

/// A file of labels beyond this is none.
const MOST_BYTES: u64 = 64 << 20;

/// Stretches of time, both ends included, that are labelled as anomalous.
///
/// Read from JSON in the form of the Numenta Anomaly Benchmark's `combined_windows.json`, an object from the data file's
/// name to a list of `[start, end]`, or one such list; or from a table (CSV, TSV, JSON Lines) with the columns `start`
/// and `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnomalyWindows {
    path: PathBuf,
    windows: Vec<(Moment, Moment)>,
    zone: TimeZoneOfColumn,
}

/// Rows by whether they lie in a labelled window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedRows {
    /// One flag a row of the series.
    pub is_anomalous: Vec<bool>,
    /// Windows without a row in them.
    pub n_empty: usize,
}

impl AnomalyWindows {
    /// Reads the windows of the data file `data`: in a file of several, those under the name that its path ends in.
    ///
    /// # Errors
    /// If the file is faulty, holds no windows for this data file, a time cannot be read, or a window ends before it
    /// starts.
    pub fn load(path: &Path, data: &Path) -> Result<Self, DataError> {
        require_regular_file(path)?;
        let is_json = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let pairs = if is_json {
            of_json(path, data)?
        } else {
            of_table(path)?
        };
        let faulty = |message: String| DataError::InvalidWindows {
            path: path.to_owned(),
            message,
        };
        let mut column = TimeColumn::new(None);
        for text in pairs.iter().flatten() {
            column.push(text).map_err(|_| {
                faulty(format!(
                    "{:?} is no time, or written unlike the others",
                    excerpt(text)
                ))
            })?;
        }
        let times = column.finish().map_err(|ambiguous| {
            faulty(format!(
                "{:?} can be read as several dates; write 2016-07-31",
                excerpt(&ambiguous.first)
            ))
        })?;
        let Times { micros, zone, .. } = times;
        let windows: Vec<_> = micros
            .chunks_exact(2)
            .map(|pair| (Moment(pair[0]), Moment(pair[1])))
            .collect();
        if let Some(place) = windows.iter().position(|(start, end)| end < start) {
            return Err(faulty(format!(
                "the window {:?} ends before it starts",
                pairs[place]
            )));
        }
        Ok(Self {
            path: path.to_owned(),
            windows,
            zone,
        })
    }

    /// How many windows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// Marks the rows of a series.
    ///
    /// # Errors
    /// [`DataError::NoTimeColumn`] if the table has no times, [`DataError::InvalidWindows`] if only one of table and
    /// windows names a zone.
    pub fn mark(&self, table: &SeriesTable, series: usize) -> Result<MarkedRows, DataError> {
        let kind = std::mem::discriminant::<TimeZoneOfColumn>;
        if !self.is_empty()
            && table.time(series, 0).is_some()
            && kind(&self.zone) != kind(&table.zone())
        {
            return Err(DataError::InvalidWindows {
                path: self.path.clone(),
                message: format!(
                    "only one of these times and those of {} have a zone",
                    table.path().display()
                ),
            });
        }
        let mut is_anomalous = vec![false; table.len(series)];
        let mut has_row = vec![false; self.windows.len()];
        for (row, is_anomalous) in is_anomalous.iter_mut().enumerate() {
            let time = table
                .time(series, row)
                .ok_or_else(|| DataError::NoTimeColumn {
                    path: table.path().to_owned(),
                    purpose: "a file of labelled windows",
                })?;
            for (window, has_row) in self.windows.iter().zip(&mut has_row) {
                if (window.0..=window.1).contains(&time) {
                    *is_anomalous = true;
                    *has_row = true;
                }
            }
        }
        Ok(MarkedRows {
            is_anomalous,
            n_empty: has_row.iter().filter(|has_row| !**has_row).count(),
        })
    }
}

impl MarkedRows {
    /// The events: rows that follow each other and are all anomalous.
    #[must_use]
    pub fn events(&self) -> Vec<Range<usize>> {
        super::metric::events(&self.is_anomalous)
    }
}

fn of_table(path: &Path) -> Result<Vec<[String; 2]>, DataError> {
    let records = Records::open(&Source::new(path))?;
    let (start, end) = (
        records.column(&"start".into())?,
        records.column(&"end".into())?,
    );
    records
        .map(|record| {
            let record = record?;
            Ok([
                record.text(start)?.into_owned(),
                record.text(end)?.into_owned(),
            ])
        })
        .collect()
}

fn of_json(path: &Path, data: &Path) -> Result<Vec<[String; 2]>, DataError> {
    let faulty = |message: String| DataError::InvalidWindows {
        path: path.to_owned(),
        message,
    };
    let open = |source| DataError::Open {
        path: path.to_owned(),
        source,
    };
    if fs::metadata(path).map_err(open)?.len() > MOST_BYTES {
        return Err(faulty(format!(
            "the file is longer than {MOST_BYTES} bytes"
        )));
    }
    let text = fs::read_to_string(path).map_err(open)?;
    let json: Value = serde_json::from_str(&text).map_err(|error| faulty(error.to_string()))?;
    let list = match &json {
        Value::Object(files) => {
            // `folder/file.csv` is meant by every path that ends in it, the longest name winning.
            let named = files.iter().filter(|(name, _)| {
                data.ends_with(name.as_str()) || Path::new(name).file_name() == data.file_name()
            });
            let best = named.max_by_key(|(name, _)| (data.ends_with(name.as_str()), name.len()));
            let Some((_, list)) = best else {
                let file = data.file_name().unwrap_or_default().to_string_lossy();
                return Err(faulty(format!(
                    "it names no data file {:?}",
                    excerpt(&file)
                )));
            };
            list
        }
        list => list,
    };
    let windows = list
        .as_array()
        .ok_or_else(|| faulty("a list of [start, end] was expected".into()))?;
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    windows
        .iter()
        .map(|window| match window.as_array().map(Vec::as_slice) {
            Some([start, end]) => Option::zip(text(start), text(end)).map(<[String; 2]>::from),
            _ => None,
        })
        .collect::<Option<_>>()
        .ok_or_else(|| {
            faulty("each window is a list of its start and its end, as texts or numbers".into())
        })
}
