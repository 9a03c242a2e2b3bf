//! A configuration guessed from a file: every guess by a stated rule, and explained.
//!
//! [`propose`] reads the training file once, decides which columns hold the text and the label
//! ([`ColumnGuess`]), and chooses sizes ([`Sizes`]) from the number of examples and the lengths of the
//! texts. [`Proposal::to_toml`] writes a configuration that passes validation and whose comments say
//! why each value is what it is.

mod columns;
mod private;
mod private_series;
mod render;
mod series;
mod sizes;

use std::path::{Path, PathBuf};

use regard_data::series::{GuessOptions, SeriesTask, describe_columns, has_header};
use regard_data::{Column, DataError, Format, Records, Source, require_regular_file};

pub use columns::ColumnGuess;
pub use private::{PrivateInitOptions, propose_private};
pub use series::SeriesProposal;
pub use sizes::Sizes;

use crate::config::Task;
use crate::error::TrainError;
use columns::{ColumnStatistics, ValueRoom};

/// The files to propose a configuration for.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// The training file, or folder of labels.
    pub train: PathBuf,
    /// The validation file, if there is one.
    pub valid: Option<PathBuf>,
    /// The test file, if there is one.
    pub test: Option<PathBuf>,
    /// The format of the files, if their extension does not say it.
    pub format: Option<Format>,
    /// The text column, if it is not to be guessed.
    pub text_column: Option<Column>,
    /// The label column, if it is not to be guessed.
    pub label_column: Option<Column>,
    /// What the model is to learn, if it is not to be guessed.
    pub task: Option<Task>,
    /// The processors that training may use.
    pub processors: usize,
}

/// A proposed configuration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Proposal {
    /// For labelled texts.
    Text(Box<TextProposal>),
    /// For series.
    Series(Box<SeriesProposal>),
}

impl Proposal {
    /// A configuration whose comments say why each value is what it is.
    #[must_use]
    pub fn to_toml(&self) -> String {
        match self {
            Self::Text(proposal) => proposal.to_toml(),
            Self::Series(proposal) => proposal.to_toml(),
        }
    }
}

/// A proposed configuration for labelled texts.
#[derive(Clone, Debug)]
pub struct TextProposal {
    options: InitOptions,
    columns: ColumnGuess,
    sizes: Sizes,
    n_rows: usize,
    is_folder: bool,
}

/// Proposes a configuration.
///
/// # Errors
///
/// If the file cannot be read, no column can be the text or the label, the file is not one for the task that is asked for, or
/// training would refuse it or a file of another part.
pub fn propose(options: &InitOptions) -> Result<Proposal, TrainError> {
    // It is read twice: for the header, and for everything else.
    require_regular_file(&options.train)?;
    let is_ts = series::is_ts(&options.train);
    if !is_ts && source_of(options, &options.train, true).format()? == Format::Lines {
        return Err(TrainError::PlainLines {
            path: options.train.clone(),
        });
    }
    if options.task == Some(Task::TextClassification) {
        return propose_text(options).map(|proposal| Proposal::Text(Box::new(proposal)));
    }
    match propose_series(options) {
        Ok(Some(proposal)) => return Ok(Proposal::Series(Box::new(proposal))),
        Ok(None) => {}
        // What is no number in a series may be a text like others, where columns are called so.
        Err(_) if options.task.is_none() && !is_ts && names_texts(options)? => {}
        Err(fault) => return Err(fault),
    }
    if let Some(asked) = options.task {
        return Err(TrainError::NotForTask {
            path: options.train.clone(),
            asked: asked.name(),
            wanted: series::wanted(asked),
            found: match is_ts {
                true => "whole series with a label each".to_owned(),
                false => describe_columns(&header_and_source(options)?.1)?,
            },
        });
    }
    match propose_text(options) {
        // Whoever has numbers meant something else than labels of texts.
        Err(TrainError::NoColumn {
            path,
            wanted,
            found,
        }) => Err(TrainError::NoColumn {
            wanted: match describe_columns(&header_and_source(options)?.1)? {
                columns if columns.contains("(numbers)") || columns.contains("(times)") => {
                    format!(
                        "{wanted}, or for series {}, while its columns are {columns}",
                        series::wanted(Task::SeriesForecasting)
                    )
                }
                _ => wanted,
            },
            path,
            found,
        }),
        proposed => proposed.map(|proposal| Proposal::Text(Box::new(proposal))),
    }
}

/// Proposes a configuration for labelled texts.
fn propose_text(options: &InitOptions) -> Result<TextProposal, TrainError> {
    let (header, source) = header_and_source(options)?;
    let records = Records::open(&source)?;
    let names = records.columns().to_vec();
    let is_folder = records.is_folder();
    let mut statistics: Vec<ColumnStatistics> =
        names.iter().map(|_| ColumnStatistics::default()).collect();
    let mut room = ValueRoom::new();
    let mut n_rows = 0;
    for record in records {
        let record = record?;
        for (column, statistics) in statistics.iter_mut().enumerate() {
            // A JSON row may lack a key or hold a list; such a column is a poor guess, no error.
            match record.text(column) {
                Ok(text) => statistics.add(&text, &mut room),
                Err(_) => statistics.add_missing(),
            }
        }
        n_rows += 1;
    }
    if n_rows == 0 {
        return Err(DataError::NoRows {
            path: options.train.clone(),
        }
        .into());
    }
    let columns = columns::guess(options, header, &names, &statistics)?;
    for path in [&options.valid, &options.test].into_iter().flatten() {
        let records = Records::open(&source_of(options, path, header))?;
        if !records.is_folder() {
            records.column(&columns.text)?;
            records.column(&columns.label)?;
        }
    }
    let sizes = Sizes::choose(
        n_rows,
        columns.n_labels,
        &statistics[columns.text_index],
        options.processors,
    );
    Ok(TextProposal {
        options: options.clone(),
        columns,
        sizes,
        n_rows,
        is_folder,
    })
}

/// A proposal for a file of series, if it is one and nobody named a column of texts.
fn propose_series(options: &InitOptions) -> Result<Option<SeriesProposal>, TrainError> {
    if options.text_column.is_some() || options.train.is_dir() {
        return Ok(None);
    }
    let (header, source) = header_and_source(options)?;
    let guess_options = GuessOptions {
        label: options.label_column.clone(),
        task: options.task.map(|task| match task {
            Task::SeriesClassification => SeriesTask::Classification,
            _ => SeriesTask::Forecasting,
        }),
        train_share: series::train_percent(options) as f64 / 100.0,
    };
    let Some(guess) = regard_data::series::guess(&source, &guess_options)? else {
        return Ok(None);
    };
    let task = match (guess.task, options.task) {
        (SeriesTask::Classification, _) => Task::SeriesClassification,
        (SeriesTask::Forecasting, Some(Task::SeriesAnomaly)) => Task::SeriesAnomaly,
        (SeriesTask::Forecasting, _) => Task::SeriesForecasting,
    };
    SeriesProposal::new(options, header, guess, task).map(Some)
}

/// Whether there are columns that are called texts and labels.
fn names_texts(options: &InitOptions) -> Result<bool, TrainError> {
    let records = Records::open(&header_and_source(options)?.1)?;
    let is_there = |known: &[&str]| {
        let mut names = records.columns().iter();
        names.any(|name| known.iter().any(|known| name.eq_ignore_ascii_case(known)))
    };
    Ok(is_there(columns::TEXT_NAMES) && is_there(columns::LABEL_NAMES))
}

/// The training file, and whether its first row names the columns.
fn header_and_source(options: &InitOptions) -> Result<(bool, Source), TrainError> {
    let source = source_of(options, &options.train, true);
    let header = series::is_ts(&options.train) || has_header(&source)?;
    Ok((header, source.with_header(header)))
}

fn source_of(options: &InitOptions, path: &Path, header: bool) -> Source {
    let source = Source::new(path).with_header(header);
    match options.format {
        Some(format) => source.with_format(format),
        None => source,
    }
}

#[cfg(test)]
mod tests;
