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

use regard_data::series::SeriesTask;
use regard_data::{Column, Format, Records, Source, require_regular_file};

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
/// If the file cannot be read, no column can be the text or the label, or the file is not one for the task that is asked for.
pub fn propose(options: &InitOptions) -> Result<Proposal, TrainError> {
    // It is read twice: for the header, and for everything else.
    require_regular_file(&options.train)?;
    if options.task == Some(Task::TextClassification) {
        return propose_text(options).map(|proposal| Proposal::Text(Box::new(proposal)));
    }
    let fault = match propose_series(options) {
        Ok(Some(proposal)) => return Ok(Proposal::Series(Box::new(proposal))),
        Ok(None) if let Some(asked) = options.task => {
            return Err(not_for(options, asked, "texts, or a table without series"));
        }
        Ok(None) => None,
        Err(error) if series::is_ts(&options.train) || options.task.is_some() => return Err(error),
        // What is no number in a series may be a text like others.
        Err(error) => Some(error),
    };
    match (propose_text(options), fault) {
        (Err(TrainError::NoColumn { .. }), Some(fault)) => Err(fault),
        (proposed, _) => proposed.map(|proposal| Proposal::Text(Box::new(proposal))),
    }
}

/// Proposes a configuration for labelled texts.
fn propose_text(options: &InitOptions) -> Result<TextProposal, TrainError> {
    let header = has_header(options)?;
    let source = source_of(options, &options.train, header)?;
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
    let columns = columns::guess(options, header, &names, &statistics)?;
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
    let header = series::is_ts(&options.train) || has_header(options)?;
    let source = source_of(options, &options.train, header)?;
    let Some(guess) = regard_data::series::guess(&source, options.label_column.as_ref())? else {
        return Ok(None);
    };
    let task = match (guess.task, options.task) {
        (SeriesTask::Forecasting, Some(Task::SeriesAnomaly)) => Task::SeriesAnomaly,
        (SeriesTask::Forecasting, None | Some(Task::SeriesForecasting)) => Task::SeriesForecasting,
        (SeriesTask::Classification, None | Some(Task::SeriesClassification)) => {
            Task::SeriesClassification
        }
        (SeriesTask::Forecasting, Some(asked)) => {
            return Err(not_for(options, asked, "series without labels"));
        }
        (SeriesTask::Classification, Some(asked)) => {
            return Err(not_for(options, asked, "whole series with a label each"));
        }
    };
    Ok(Some(SeriesProposal {
        options: options.clone(),
        header,
        guess,
        task,
    }))
}

fn not_for(options: &InitOptions, asked: Task, found: &'static str) -> TrainError {
    TrainError::NotForTask {
        path: options.train.clone(),
        asked: asked.name(),
        found,
    }
}

fn source_of(options: &InitOptions, path: &Path, header: bool) -> Result<Source, TrainError> {
    let source = Source::new(path).with_header(header);
    Ok(match options.format {
        Some(format) => source.with_format(format),
        None => source,
    })
}

/// Rows that the question for a header looks at.
const LOOKED_AT: usize = 1000;

/// Whether the first row names the columns: none of its fields is a number, is long, or occurs
/// again in its column.
fn has_header(options: &InitOptions) -> Result<bool, TrainError> {
    let source = source_of(options, &options.train, false)?;
    if !matches!(source.format()?, Format::Csv | Format::Tsv) {
        return Ok(true);
    }
    let mut records = Records::open(&source)?;
    let n_columns = records.columns().len();
    let Some(first) = records.next().transpose()? else {
        return Ok(true);
    };
    let mut names = Vec::with_capacity(n_columns);
    for column in 0..n_columns {
        names.push(first.text(column)?.into_owned());
    }
    let looks_like_data = |name: &String| {
        name.trim().is_empty() || name.parse::<f64>().is_ok() || name.chars().count() > 64
    };
    if names.iter().any(looks_like_data) {
        return Ok(false);
    }
    for record in records.take(LOOKED_AT) {
        let record = record?;
        for (column, name) in names.iter().enumerate() {
            if record.text(column)? == name.as_str() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
