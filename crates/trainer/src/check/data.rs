//! The data that a configuration names, looked at by the doctor.

use std::path::Path;

use regard_data::doctor::{Exam, Part, Problem, compare, judge_labels};
use regard_data::{DataError, Labels, MOST_LABELS, TextColumns, text_hash};

use super::PartReport;
use crate::config::{Config, DataConfig, PrivacyConfig, PrivacyUnit, Source};
use crate::error::TrainError;
use crate::task::Split;
use crate::task::held_out::{held_out, held_out_by_content, users};
use crate::task::text_parts::source;

/// What was found in the files.
#[derive(Default)]
pub(super) struct DataReport {
    pub labels: Vec<String>,
    pub parts: Vec<PartReport>,
    pub problems: Vec<Problem>,
}

/// Looks at every file, whatever is wrong with the others.
pub(super) fn look_at(config: &Config) -> DataReport {
    let data = &config.data;
    let mut report = DataReport::default();
    let declared = match declared_labels(config) {
        Ok(labels) => labels,
        Err(error) => {
            report.problems.push(super::of_error(&error));
            return report;
        }
    };
    let columns = TextColumns::new(data.text_column.clone(), data.label_column.clone());
    let exam_of =
        |path: &Path, labels: Option<&Labels>| Exam::of(&source(data, path), &columns, labels);
    let train = exam_of(&data.train, declared.as_ref());
    // Of a file that breaks off nobody knows all labels, and without any there is nothing to know.
    let knows_labels = declared.is_some() || (train.is_whole() && train.n_rows() > 0);
    let labels = knows_labels.then(|| train.labels().clone());
    let others: Vec<(Split, Exam)> = [
        (Split::Valid, data.valid.as_ref()),
        (Split::Test, data.test.as_ref()),
    ]
    .into_iter()
    .filter_map(|(split, source)| match source {
        Some(Source::Path(path)) => Some((split, exam_of(path, labels.as_ref()))),
        _ => None,
    })
    .collect();
    report.problems.extend(train.problems().iter().cloned());
    for (_, exam) in &others {
        report.problems.extend(exam.problems().iter().cloned());
    }
    let splits = match &config.privacy {
        Some(privacy) => of_units(data, privacy, &train),
        None => held_out(data, train.label_ids()),
    };
    let splits = match splits {
        Ok(splits) => splits,
        Err(error) => {
            if train.n_rows() > 0 {
                report
                    .problems
                    .push(Problem::of_error(&error).in_file(&data.train));
            }
            vec![Split::Train; train.n_rows()]
        }
    };

    let mut parts: Vec<(Split, Part<'_>)> = Vec::new();
    for split in Split::ALL {
        let rows: Vec<usize> = (0..splits.len())
            .filter(|row| splits[*row] == split)
            .collect();
        let file = others.iter().find(|(other, _)| *other == split);
        let part = match file {
            Some((_, exam)) => Part {
                name: split.name(),
                exam,
                rows: (0..exam.n_rows()).collect(),
            },
            None if split == Split::Train || !rows.is_empty() => Part {
                name: split.name(),
                exam: &train,
                rows,
            },
            None => continue,
        };
        parts.push((split, part));
    }
    // Labels of files are only comparable where they are those of the training data.
    let is_comparable = |part: &Part<'_>| labels.is_some() || std::ptr::eq(part.exam, &train);
    report.labels = train.labels().names().to_vec();
    report.parts = parts
        .iter()
        .map(|(split, part)| PartReport {
            split: *split,
            rows: part.rows.len(),
            label_counts: match is_comparable(part) {
                true => part.label_counts(),
                false => Vec::new(),
            },
            lengths: None,
        })
        .collect();
    let known: Vec<Part<'_>> = parts
        .into_iter()
        .filter(|(_, part)| is_comparable(part))
        .map(|(_, part)| part)
        .collect();
    if train.n_rows() > 0 {
        if train.is_whole() {
            report.problems.extend(judge_labels(&known));
        }
        report.problems.extend(compare(&known));
    }
    report
}

/// The part of each row of private data.
fn of_units(
    data: &DataConfig,
    privacy: &PrivacyConfig,
    train: &Exam,
) -> Result<Vec<Split>, DataError> {
    let PrivacyUnit::User(column) = &privacy.unit else {
        return Ok(held_out_by_content(data, train.text_hashes()));
    };
    let users = users(data, column)?;
    let splits = held_out_by_content(data, users.iter().map(|user| text_hash(user)));
    // Of a faulty file some rows have no users, or users no rows.
    let rest = train.n_rows().saturating_sub(splits.len());
    let splits = splits.into_iter().chain(vec![Split::Train; rest]);
    Ok(splits.take(train.n_rows()).collect())
}

fn declared_labels(config: &Config) -> Result<Option<Labels>, TrainError> {
    let Some(names) = &config.data.labels else {
        return Ok(None);
    };
    if names.len() > MOST_LABELS {
        return Err(TrainError::TooManyLabels {
            most: MOST_LABELS,
            found: names.len(),
        });
    }
    Ok(Some(Labels::new(names.clone())?))
}
