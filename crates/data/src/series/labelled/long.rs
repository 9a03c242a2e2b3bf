//! A table with a row a time step and a column of ids.

use super::builder::Builder;
use super::{LabelledColumns, LabelledSeries};
use crate::series::lay::lay;
use crate::series::raw::{RawRows, read_raw};
use crate::series::{SeriesColumns, SeriesOptions};
use crate::wording::excerpt;
use crate::{DataError, Labels, Records, Source};

/// Reads the rows of each id as a series, in the order of the ids' first rows.
pub(super) fn read(
    source: &Source,
    columns: &LabelledColumns,
    labels: Option<&Labels>,
) -> Result<LabelledSeries, DataError> {
    let options = SeriesOptions::default();
    let series_columns = SeriesColumns {
        time: columns.time.clone(),
        id: columns.id.clone(),
        targets: columns.values.clone(),
        label: columns.label.clone(),
        ..SeriesColumns::default()
    };
    let raw = read_raw(Records::open(source)?, &series_columns, &options, &mut Err)?;
    let label_of_series = labels_of_series(&raw)?;
    let label_column = columns
        .label
        .as_ref()
        .map_or(String::new(), ToString::to_string);
    let mut lines = vec![u64::MAX; raw.series.len()];
    for (series, line) in raw.series_of_row.iter().zip(&raw.lines) {
        let first = &mut lines[*series as usize];
        *first = (*first).min(*line);
    }
    let names = raw.label_names.clone();
    let table = lay(raw, &options)?;
    let mut builder = Builder::new(source.path(), label_column, labels);
    builder.set_channels(table.columns().to_vec());
    let mut values = Vec::new();
    for (series, line) in lines.into_iter().enumerate() {
        values.resize(table.len(series) * table.columns().len(), 0.0);
        table.copy_rows(series, 0..table.len(series), &mut values);
        let label = label_of_series
            .as_ref()
            .map(|labels| names[labels[series] as usize].as_str());
        builder.push(line, Some(table.id(series).to_owned()), &values, label)?;
    }
    builder.finish()
}

/// The label of each series, which all its rows must have.
fn labels_of_series(raw: &RawRows) -> Result<Option<Vec<u32>>, DataError> {
    let Some(labels) = &raw.label_of_row else {
        return Ok(None);
    };
    let mut of_series: Vec<Option<u32>> = vec![None; raw.series.len()];
    for ((series, label), line) in raw.series_of_row.iter().zip(labels).zip(&raw.lines) {
        let first = *of_series[*series as usize].get_or_insert(*label);
        if first != *label {
            let name = |label: u32| excerpt(&raw.label_names[label as usize]);
            return Err(DataError::LabelChanges {
                path: raw.path.clone(),
                line: *line,
                series: raw.series[*series as usize].clone(),
                label: name(*label),
                before: name(first),
            });
        }
    }
    // Every series has a row.
    Ok(Some(of_series.into_iter().flatten().collect()))
}
