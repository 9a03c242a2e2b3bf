//! A table with a row a series.

use super::builder::Builder;
use super::{LabelledColumns, LabelledSeries};
use crate::series::raw::{field, value_of};
use crate::{DataError, Labels, Records, Source};

/// Reads every row as a series of one channel.
pub(super) fn read(
    source: &Source,
    columns: &LabelledColumns,
    labels: Option<&Labels>,
) -> Result<LabelledSeries, DataError> {
    let records = Records::open(source)?;
    let names = records.columns().to_vec();
    let label = columns
        .label
        .as_ref()
        .map(|label| records.column(label))
        .transpose()?;
    let steps: Vec<usize> = if columns.values.is_empty() {
        (0..names.len())
            .filter(|place| Some(*place) != label)
            .collect()
    } else {
        columns
            .values
            .iter()
            .map(|column| records.column(column))
            .collect::<Result<_, _>>()?
    };
    let label_column = label.map_or(String::new(), |label| names[label].clone());
    let mut builder = Builder::new(records.path(), label_column, labels);
    builder.set_channels(vec!["0".to_owned()]);
    let mut values = Vec::new();
    for record in records {
        let record = record?;
        values.clear();
        for step in &steps {
            values.push(value_of(&record, *step, &names[*step])?);
        }
        while values.last().is_some_and(|value: &f32| value.is_nan()) {
            values.pop();
        }
        let label = label.map(|label| field(&record, label)).transpose()?;
        builder.push(record.line(), None, &values, label.as_deref())?;
    }
    builder.finish()
}
