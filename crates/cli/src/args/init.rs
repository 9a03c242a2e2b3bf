//! The arguments of `regard init`.

use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args as ClapArgs, ValueEnum};
use regard_data::Column;
use regard_trainer::config::Task;

/// `regard init`.
#[derive(Clone, Debug, ClapArgs)]
pub struct InitArgs {
    /// The training file (CSV, TSV, JSON Lines or, for series, .ts), or a folder with one folder a label
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
    /// Propose private training; of TRAIN nothing but its header is read, of other files nothing
    #[arg(long)]
    pub private: bool,
    /// The number of units to train on, as a public constant
    #[arg(long, value_name = "N", requires = "private", value_parser = clap::value_parser!(u64).range(1..))]
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
    #[arg(long, value_name = "N", requires = "private", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub max_length: Option<usize>,
}

impl InitArgs {
    /// What was said that the task has no use for, or that cannot be.
    pub fn fault(&self) -> Option<String> {
        use Task::{SeriesClassification, TextClassification};
        let task = match self.task {
            None if self.private => TextClassification,
            None => return self.fault_of_labels(),
            Some(task) => task,
        };
        let is_text = task == TextClassification;
        let has_classes = is_text || task == SeriesClassification;
        let useless = [
            ("--text-column", self.text_column.is_some() && !is_text),
            ("--tokenizer", self.tokenizer.is_some() && !is_text),
            (
                "--label-column",
                self.label_column.is_some() && !has_classes,
            ),
            ("--labels", self.labels.is_some() && !has_classes),
            ("--max-length", self.max_length.is_some() && !has_classes),
        ];
        let useless = useless.iter().find(|(_, is_useless)| *is_useless);
        useless
            .map(|(flag, _)| format!("{flag} is of no use for {}: leave it out", task.name()))
            .or_else(|| self.fault_of_labels())
    }

    fn fault_of_labels(&self) -> Option<String> {
        let labels = self.labels.as_ref()?;
        let repeats = |(place, label): (usize, &String)| labels[..place].contains(label);
        if labels.len() < 2 {
            return Some(format!(
                "--labels needs two labels or more, parted by commas, found {}",
                labels.len()
            ));
        }
        (labels.iter().enumerate().any(repeats) || labels.iter().any(String::is_empty))
            .then(|| "--labels needs names that are not empty and differ".to_owned())
    }
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
