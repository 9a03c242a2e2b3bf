//! Channels on one scale.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{LabelledSeries, SeriesTable, Span};
use crate::DataError;

/// What a channel of one single value is worth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConstantChannels {
    /// Nothing: the table is refused.
    #[default]
    Refuse,
    /// It is centred and keeps its unit: its deviation counts as 1.
    Center,
}

/// The mean and the population standard deviation of each channel of the training rows, missing values left out.
///
/// ```text
/// scaled = (value - mean) / std        value = scaled * std + mean
/// ```
///
/// It is fitted on the training rows alone, and whatever is scaled later is scaled by it. scikit-learn equivalent:
/// `StandardScaler`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaler {
    columns: Vec<String>,
    mean: Vec<f64>,
    std: Vec<f64>,
}

/// Rows that are read at once.
const CHUNK_ROWS: usize = 4_096;

impl Scaler {
    /// Fits a scaler on the spans of the training part.
    ///
    /// # Errors
    /// [`DataError::AllMissing`] for a channel without a value there, [`DataError::ConstantChannel`] for one of a single
    /// value unless those are to be centred.
    pub fn fit(
        table: &SeriesTable,
        train: &[Span],
        constant: ConstantChannels,
    ) -> Result<Self, DataError> {
        Self::of_values(table.path(), table.columns(), constant, |visit| {
            for_each_value(table, train, visit);
        })
    }

    /// A scaler that leaves the channels `columns` as they are.
    #[must_use]
    pub fn identity(columns: &[String]) -> Self {
        Self {
            columns: columns.to_vec(),
            mean: vec![0.0; columns.len()],
            std: vec![1.0; columns.len()],
        }
    }

    /// Fits a scaler on some of the series of a file at `path`. A channel of one single value is centred: what it says of
    /// the others' classes is nothing, and files of the archives have such.
    ///
    /// # Errors
    /// [`DataError::AllMissing`] for a channel without a value there.
    pub fn fit_series(
        series: &LabelledSeries,
        train: &[usize],
        path: &Path,
    ) -> Result<Self, DataError> {
        let width = series.channels().len();
        Self::of_values(path, series.channels(), ConstantChannels::Center, |visit| {
            let values = train
                .iter()
                .flat_map(|row| series.values(*row).iter().enumerate());
            for (i, value) in values.filter(|(_, value)| !value.is_nan()) {
                visit(i % width, f64::from(*value));
            }
        })
    }

    /// Fits a scaler on the values that `each` visits, the same ones each time.
    fn of_values(
        path: &Path,
        columns: &[String],
        constant: ConstantChannels,
        each: impl Fn(&mut dyn FnMut(usize, f64)),
    ) -> Result<Self, DataError> {
        let width = columns.len();
        let (mut counts, mut sums) = (vec![0_u64; width], vec![0.0; width]);
        each(&mut |column, value| {
            counts[column] += 1;
            sums[column] += value;
        });
        if let Some(column) = counts.iter().position(|count| *count == 0) {
            return Err(DataError::AllMissing {
                path: path.to_owned(),
                column: columns[column].clone(),
            });
        }
        let mean: Vec<f64> = sums
            .iter()
            .zip(&counts)
            .map(|(sum, count)| sum / *count as f64)
            .collect();
        // In a second pass: the difference of two large sums would lose the deviation of a channel far from zero.
        let mut squares = vec![0.0; width];
        each(&mut |column, value| {
            squares[column] += (value - mean[column]).powi(2);
        });
        let mut std: Vec<f64> = squares
            .iter()
            .zip(&counts)
            .map(|(sum, count)| (sum / *count as f64).sqrt())
            .collect();
        for (column, std) in std.iter_mut().enumerate() {
            // The mean of equal values may be off by its last bits, and so may they from it.
            if *std <= 1e-12 * mean[column].abs() || *std == 0.0 {
                if constant == ConstantChannels::Refuse {
                    return Err(DataError::ConstantChannel {
                        path: path.to_owned(),
                        column: columns[column].clone(),
                        value: mean[column] as f32,
                    });
                }
                *std = 1.0;
            }
        }
        Ok(Self {
            columns: columns.to_vec(),
            mean,
            std,
        })
    }

    /// The names of the channels.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The mean of each channel.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The population standard deviation of each channel.
    #[must_use]
    pub fn std(&self) -> &[f64] {
        &self.std
    }

    /// A value in scaled units.
    ///
    /// # Panics
    /// If there is no such channel, as all functions of a scaler.
    #[must_use]
    pub fn scale(&self, column: usize, value: f32) -> f32 {
        ((f64::from(value) - self.mean[column]) / self.std[column]) as f32
    }

    /// A scaled value in its own unit.
    #[must_use]
    pub fn unscale(&self, column: usize, value: f32) -> f32 {
        (f64::from(value) * self.std[column] + self.mean[column]) as f32
    }

    /// Scales rows `[rows, columns]` in place.
    ///
    /// # Panics
    /// If the values are not whole rows.
    pub fn scale_rows(&self, rows: &mut [f32]) {
        assert!(
            rows.len().is_multiple_of(self.mean.len()),
            "rows have {} columns",
            self.mean.len()
        );
        for row in rows.chunks_exact_mut(self.mean.len()) {
            for (column, value) in row.iter_mut().enumerate() {
                *value = self.scale(column, *value);
            }
        }
    }
}

/// Every value that is not missing, with its column.
fn for_each_value(table: &SeriesTable, spans: &[Span], mut visit: impl FnMut(usize, f64)) {
    let width = table.columns().len();
    let mut chunk = vec![0.0; CHUNK_ROWS * width];
    for Span { series, rows } in spans {
        for start in rows.clone().step_by(CHUNK_ROWS) {
            let end = rows.end.min(start + CHUNK_ROWS);
            let values = &mut chunk[..(end - start) * width];
            table.copy_rows(*series, start..end, values);
            for row in values.chunks_exact(width) {
                for (column, value) in row.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
                    visit(column, f64::from(*value));
                }
            }
        }
    }
}
