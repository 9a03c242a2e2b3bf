//! The arguments of `regard init`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use regard_data::Column;
use regard_trainer::config::Task;

/// `regard init`.
#[derive(Clone, Debug, ClapArgs)]
pub struct InitArgs {
    /// The training file (CSV, TSV or JSON Lines), or a folder with one folder a label
    #[arg(value_name = "TRAIN")]
    pub train: PathBuf,
    /// The validation file [default: a share of TRAIN]
    #[arg(long, value_name = "FILE")]
    pub valid: Option<PathBuf>,
    /// The test file [default: a share of TRAIN]
    #[arg(long, value_name = "FILE")]
    pub test: Option<PathBuf>,
    /// The column of the text, by name or 0-based number [default: guessed]
    #[arg(long, value_name = "COLUMN")]
    pub text_column: Option<Column>,
    /// The column of the label, by name or 0-based number [default: guessed]
    #[arg(long, value_name = "COLUMN")]
    pub label_column: Option<Column>,
    /// What the model is to learn [default: guessed; text-classification with --private]
    #[arg(long, value_name = "TASK", value_parser = task)]
    pub task: Option<Task>,
    /// The format of the files [default: by the file name's extension]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub input_format: Option<TableFormat>,
    /// Propose private training; of TRAIN nothing but its header is read
    #[arg(long, conflicts_with_all = ["valid", "test"])]
    pub private: bool,
    /// The number of units to train on, as a public constant
    #[arg(long, value_name = "N", requires = "private")]
    pub dataset_size: Option<u64>,
    /// All labels
    #[arg(
        long,
        value_name = "LABELS",
        value_delimiter = ',',
        requires = "private"
    )]
    pub labels: Option<Vec<String>>,
    /// A tokenizer made from public texts, as `regard tokenizer` makes one [default: bytes]
    #[arg(long, value_name = "FILE", requires = "private")]
    pub tokenizer: Option<PathBuf>,
    /// The longest text, in tokens, or whole series, in steps; what exceeds it is cut off
    #[arg(long, value_name = "N", requires = "private")]
    pub max_length: Option<usize>,
}

fn task(name: &str) -> Result<Task, String> {
    let known = Task::ALL.iter().find(|task| task.name() == name);
    known.copied().ok_or_else(|| {
        let names: Vec<&str> = Task::ALL.iter().map(|task| task.name()).collect();
        format!("expected {}", names.join(", "))
    })
}

/// The format of a table of labelled texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// Comma-separated values
    Csv,
    /// Tab-separated values
    Tsv,
    /// One JSON object a line
    Jsonl,
}
