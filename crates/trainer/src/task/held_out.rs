//! Which part of the data a row of the training file is in.

use std::path::Path;

use regard_data::{Column, DataError, Fingerprint, Record, Records, stratified};
use regard_ops::Key;

use super::Split;
use super::text_parts::source;
use crate::config::{self, DataConfig};
use crate::error::TrainError;

/// The part of each row of the training file, by its labels.
///
/// Shares are drawn one after the other from what is left: the test share first, so that it does not depend on whether
/// there is a validation share.
pub(crate) fn held_out(data: &DataConfig, labels: &[u32]) -> Result<Vec<Split>, DataError> {
    let mut splits = vec![Split::Train; labels.len()];
    let sources = [
        (Split::Test, data.test.as_ref()),
        (Split::Valid, data.valid.as_ref()),
    ];
    for (split, source) in sources {
        if let Some(config::Source::Share(share)) = source {
            hold_out(split, *share, labels, &mut splits)?;
        }
    }
    Ok(splits)
}

/// The part of each unit of private data, by 64 bits of what it is: the hash of a text, of a user's name, of a series.
///
/// A unit's part follows from itself alone. A draw that looks at the labels, or at its place in the file, would move other
/// units when one is taken out, and the training data of two neighbours would differ by more than one unit. The same
/// text stands in one part only, and so do all records of a user.
pub(crate) fn held_out_by_content(
    data: &DataConfig,
    units: impl IntoIterator<Item = u64>,
) -> Vec<Split> {
    let share = |source: Option<&config::Source>| match source {
        Some(config::Source::Share(share)) => *share,
        _ => 0.0,
    };
    let test = share(data.test.as_ref());
    let valid = test + share(data.valid.as_ref());
    let key = Key::new(0).stream("held-out-by-content");
    let split = |unit| match key.uniform(unit) {
        place if place < test => Split::Test,
        place if place < valid => Split::Valid,
        _ => Split::Train,
    };
    units.into_iter().map(split).collect()
}

/// Whether the file of a part has other rows than those of the parts before.
///
/// # Errors
///
/// [`TrainError::SamePart`]: what a model has learned by heart would look like what it understands, and private data like public.
pub(crate) fn require_other_rows<'a>(
    mut others: impl Iterator<Item = &'a Fingerprint>,
    found: &Fingerprint,
    split: Split,
    path: &Path,
) -> Result<(), TrainError> {
    match others.any(|other| other == found) {
        true => Err(TrainError::SamePart {
            path: path.to_owned(),
            part: split.name(),
        }),
        false => Ok(()),
    }
}

/// The user of each record of the training file.
///
/// # Errors
///
/// If the column that names the users cannot be read.
pub(crate) fn users(data: &DataConfig, column: &Column) -> Result<Vec<String>, DataError> {
    let records = Records::open(&source(data, &data.train))?;
    let place = records.column(column)?;
    let user = |record: Result<Record, DataError>| Ok(record?.text(place)?.into_owned());
    records.map(user).collect()
}

/// Draws a share of all rows for `split` out of those that are still to train on.
fn hold_out(
    split: Split,
    share: f64,
    labels: &[u32],
    splits: &mut [Split],
) -> Result<(), DataError> {
    let rest: Vec<usize> = (0..splits.len())
        .filter(|row| splits[*row] == Split::Train)
        .collect();
    let classes: Vec<u32> = rest.iter().map(|row| labels[*row]).collect();
    // A share is of the whole file, whatever was drawn from it before.
    let of_rest = share * labels.len() as f64 / rest.len() as f64;
    let as_written = |held_out| DataError::EmptySplit {
        share,
        rows: labels.len(),
        held_out,
    };
    let drawn = stratified(&classes, of_rest).map_err(|error| match error {
        DataError::EmptySplit { held_out, .. } => as_written(held_out),
        DataError::ShareOutOfRange { .. } => as_written(rest.len()),
        error => error,
    })?;
    for place in drawn.held_out {
        splits[rest[place]] = split;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use regard_data::text_hash;

    use super::*;

    #[test]
    fn a_unit_less_moves_no_other_and_shares_are_about_what_they_are_called() {
        let text = "version = 1\ntask = \"text-classification\"\n[data]\ntrain = \"t.csv\"\nvalid = 0.1\ntest = 0.2";
        let config = config::parse::<&str>(text, Path::new("c.toml"), &[]).unwrap();
        let hashes: Vec<u64> = (0..10_000)
            .map(|unit: u32| text_hash(&format!("text {unit}")))
            .collect();
        let all = held_out_by_content(&config.data, hashes.clone());
        for (split, share) in [(Split::Train, 0.7), (Split::Valid, 0.1), (Split::Test, 0.2)] {
            let n = all.iter().filter(|found| **found == split).count();
            assert!((n as f64 / 1e4 - share).abs() < 0.02, "{split:?}: {n}");
        }
        for taken_out in [0, 4711, 9_999] {
            let mut fewer = hashes.clone();
            fewer.remove(taken_out);
            let mut expected = all.clone();
            expected.remove(taken_out);
            assert_eq!(held_out_by_content(&config.data, fewer), expected);
        }
    }
}
