//! Which rows are for training, which for choosing, which for measuring.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::SeriesTable;
use crate::DataError;

/// Rows of one series that serve one purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The series.
    pub series: usize,
    /// Its rows.
    pub rows: Range<usize>,
}

impl Span {
    /// Every row of every series.
    #[must_use]
    pub fn whole(table: &SeriesTable) -> Vec<Self> {
        let of_series = |series| Self {
            series,
            rows: 0..table.len(series),
        };
        (0..table.n_series()).map(of_series).collect()
    }
}

/// How long a part is. In a configuration a whole number is rows, one with a point a share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Extent {
    /// So many rows of each series.
    Rows(usize),
    /// This share of each series' rows, in (0, 1].
    Share(f64),
}

/// The rows of a table by purpose. Within each series training comes first, then validation, then test.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeriesSplit {
    /// Rows to train on.
    pub train: Vec<Span>,
    /// Rows to choose by.
    pub valid: Vec<Span>,
    /// Rows to measure on.
    pub test: Vec<Span>,
}

impl SeriesSplit {
    /// Splits each series in time order into parts of these lengths. Rows behind the last part serve nothing.
    ///
    /// A share ends at the nearest row to where the shares up to it end, so that shares that add up to 1 leave no row out.
    /// A part that is not wanted is `None` and has no rows. A series that is too short for all parts is for training alone,
    /// beside others that are not.
    ///
    /// # Errors
    /// If in every series a part would be empty, or the parts are longer than the series.
    pub fn in_time(
        table: &SeriesTable,
        train: Extent,
        valid: Option<Extent>,
        test: Option<Extent>,
    ) -> Result<Self, DataError> {
        let mut split = Self::default();
        let (mut first_fault, mut n_parted) = (None, 0);
        for series in 0..table.n_series() {
            let spans = [&mut split.train, &mut split.valid, &mut split.test];
            let len = table.len(series);
            match in_parts(table, series, [Some(train), valid, test]) {
                Ok(parts) => {
                    for (spans, rows) in spans.into_iter().zip(parts) {
                        spans.extend(rows.map(|rows| Span { series, rows }));
                    }
                    n_parted += 1;
                }
                Err(fault @ DataError::SeriesSplit { .. }) => {
                    first_fault.get_or_insert(fault);
                    split.train.push(Span {
                        series,
                        rows: 0..len,
                    });
                }
                Err(fault) => return Err(fault),
            }
        }
        match first_fault {
            Some(fault) if n_parted == 0 => Err(fault),
            _ => Ok(split),
        }
    }

    /// Whole series by purpose: of the series in this order the first share is for training, the next for validation, the
    /// next for test. Series behind the last share serve nothing; those of a part stand in the order of the table.
    ///
    /// A share ends at the nearest series to where the shares up to it end.
    ///
    /// # Errors
    /// If a part would be empty, or the shares are more than 1.
    ///
    /// # Panics
    /// If `order` names a series that the table does not have.
    pub fn in_order(
        table: &SeriesTable,
        order: &[usize],
        train: f64,
        valid: Option<f64>,
        test: Option<f64>,
    ) -> Result<Self, DataError> {
        let mut split = Self::default();
        let all = Span::whole(table);
        let (mut start, mut sum) = (0, 0.0);
        let spans = [&mut split.train, &mut split.valid, &mut split.test];
        let parts = [("train", Some(train)), ("valid", valid), ("test", test)];
        for ((part, share), spans) in parts.into_iter().zip(spans) {
            let Some(share) = share else { continue };
            if !(share > 0.0 && share <= 1.0) {
                return Err(DataError::ShareOutOfRange { share });
            }
            sum += share;
            let end = (sum * order.len() as f64).round() as usize;
            // Shares that a person wrote to add up to 1 may do so but for the last bits.
            if end <= start || sum > 1.0 + 1e-9 {
                return Err(DataError::SeriesShare {
                    path: table.path().to_owned(),
                    part,
                    share,
                    sum,
                    series: order.len(),
                });
            }
            let mut chosen = order[start..end].to_vec();
            chosen.sort_unstable();
            spans.extend(chosen.into_iter().map(|series| all[series].clone()));
            start = end;
        }
        Ok(split)
    }

    /// Whole series by purpose: those of `valid` and of `test` by their ids, all others for training.
    ///
    /// # Errors
    /// If an id is unknown or named twice, or no series is left to train on.
    pub fn by_id(
        table: &SeriesTable,
        valid: &[String],
        test: &[String],
    ) -> Result<Self, DataError> {
        let all = Span::whole(table);
        let place = |id: &String| all.iter().position(|span| table.id(span.series) == id);
        let named: Vec<&String> = valid.iter().chain(test).collect();
        for (number, id) in named.iter().enumerate() {
            if place(id).is_none() || named[..number].contains(id) {
                return Err(DataError::SeriesId {
                    path: table.path().to_owned(),
                    id: (*id).clone(),
                    is_repeated: place(id).is_some(),
                });
            }
        }
        let mut split = Self::default();
        for span in all {
            let id = |ids: &[String]| ids.iter().any(|id| table.id(span.series) == id);
            let part = match (id(valid), id(test)) {
                (true, _) => &mut split.valid,
                (_, true) => &mut split.test,
                _ => &mut split.train,
            };
            part.push(span);
        }
        if split.train.is_empty() {
            return Err(DataError::NoSeriesToTrainOn {
                path: table.path().to_owned(),
                series: table.n_series(),
            });
        }
        Ok(split)
    }
}

/// The rows of the parts of one series, training, validation, test.
fn in_parts(
    table: &SeriesTable,
    series: usize,
    extents: [Option<Extent>; 3],
) -> Result<[Option<Range<usize>>; 3], DataError> {
    let len = table.len(series);
    let mut parts = [None, None, None];
    let (mut start, mut share) = (0, 0.0);
    let names = ["train", "valid", "test"];
    for ((part, extent), rows) in names.into_iter().zip(extents).zip(&mut parts) {
        let end = match extent {
            None => continue,
            Some(Extent::Rows(rows)) => {
                share += rows as f64 / len as f64;
                start + rows
            }
            Some(Extent::Share(wanted)) if wanted > 0.0 && wanted <= 1.0 => {
                share += wanted;
                // Shares that a person wrote to add up to 1 may do so but for the last bits.
                ((share * len as f64).round() as usize).min(if share < 1.0 + 1e-9 {
                    len
                } else {
                    usize::MAX
                })
            }
            Some(Extent::Share(share)) => return Err(DataError::ShareOutOfRange { share }),
        };
        if end <= start || end > len {
            return Err(DataError::SeriesSplit {
                path: table.path().to_owned(),
                series: table.id(series).to_owned(),
                part,
                rows: len,
                start,
                end,
            });
        }
        *rows = Some(start..end);
        start = end;
    }
    Ok(parts)
}
