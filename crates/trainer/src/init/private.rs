//! A private configuration from the header of a file alone.
//!
//! Sizes, labels and lengths of private data are private: whoever writes them into a configuration by
//! looking has told them to everybody who reads it. So they come from the user or stay unfilled, and
//! `check` refuses a configuration that is not filled in.

use std::fmt::Write as _;
use std::fs::File;
use std::path::PathBuf;

use regard_data::series::are_values;
use regard_data::{Column, DataError, Format, Records, Source, require_regular_file};
use toml::Value;

use super::columns::{LABEL_NAMES, TEXT_NAMES};
use super::private_series::render_series;
use super::render::{format, path};
use super::series::is_ts;
use crate::config::Task;
use crate::error::TrainError;

/// What a user says of private data.
#[derive(Clone, Debug)]
pub struct PrivateInitOptions {
    /// The training file.
    pub train: PathBuf,
    /// The validation file, of which nothing is read.
    pub valid: Option<PathBuf>,
    /// The test file, of which nothing is read.
    pub test: Option<PathBuf>,
    /// What the model is to learn.
    pub task: Task,
    /// The format of the file, if its extension does not say it.
    pub format: Option<Format>,
    /// The text column, if it is not to be known by its name.
    pub text_column: Option<Column>,
    /// The label column, if it is not to be known by its name.
    pub label_column: Option<Column>,
    /// The number of units, as a public constant.
    pub dataset_size: Option<u64>,
    /// The labels.
    pub labels: Option<Vec<String>>,
    /// A tokenizer made from public texts; bytes if there is none.
    pub tokenizer: Option<PathBuf>,
    /// The longest text, in tokens, or series, in steps.
    pub max_length: Option<usize>,
}

/// Proposes a private configuration: TOML that is complete once its unfilled keys are filled in.
///
/// # Errors
///
/// If the header of the file cannot be read, looks like data, or lacks a column that was said.
pub fn propose_private(options: &PrivateInitOptions) -> Result<String, TrainError> {
    let names = match is_ts(&options.train) {
        true => Vec::new(),
        false => header(options)?,
    };
    let column = |said: &Option<Column>, known: &[&str]| {
        said.clone().or_else(|| {
            let is = |known: &&str, name: &String| name.eq_ignore_ascii_case(known);
            let found = known
                .iter()
                .find_map(|known| names.iter().find(|name| is(known, name)));
            found.map(|name| Column::Name(name.clone()))
        })
    };
    let text = column(&options.text_column, TEXT_NAMES);
    let label = column(&options.label_column, LABEL_NAMES);
    let mut toml = String::new();
    // Writing to a string cannot fail.
    let _ = match options.task {
        Task::TextClassification => render(options, text.as_ref(), label.as_ref(), &mut toml),
        Task::SeriesForecasting | Task::SeriesClassification | Task::SeriesAnomaly => {
            let label = label.filter(|_| options.task == Task::SeriesClassification);
            render_series(options, &names, label.as_ref(), &mut toml)
        }
    };
    Ok(toml)
}

/// The names of the columns: of the file its first row alone.
fn header(options: &PrivateInitOptions) -> Result<Vec<String>, TrainError> {
    require_regular_file(&options.train)?;
    let source = Source::new(&options.train).with_header(true);
    let source = match options.format {
        Some(format) => source.with_format(format),
        None => source,
    };
    let records = match source.format()? {
        Format::Folder => Records::open(&source)?,
        // As a stream: of a file of JSON Lines more than one row would be read for its keys.
        _ => {
            let file = File::open(&options.train).map_err(|source| DataError::Open {
                path: options.train.clone(),
                source,
            })?;
            Records::from_reader(file, &source)?
        }
    };
    if are_values(records.columns()) {
        return Err(TrainError::HeaderIsData {
            path: options.train.clone(),
        });
    }
    for said in [&options.text_column, &options.label_column]
        .into_iter()
        .flatten()
    {
        records.column(said)?;
    }
    Ok(records.columns().to_vec())
}

/// The validation and the test file, or a share for the one and nothing for the other.
pub(super) fn held_out(
    options: &PrivateInitOptions,
    what: &str,
    out: &mut String,
) -> std::fmt::Result {
    match &options.valid {
        Some(valid) => writeln!(out, "valid = {}", path(valid))?,
        None => writeln!(out, "valid = 0.1  # held out {what} by {what}")?,
    }
    match &options.test {
        Some(test) => writeln!(out, "test = {}", path(test)),
        None => Ok(()),
    }
}

/// What a configuration begins with.
pub(super) fn beginning(options: &PrivateInitOptions, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "# A private configuration. Of the data nothing but its header was read; what it takes to be known comes from you.\n# `regard privacy plan` tells what it promises and costs, docs/privacy.md what that means.\nversion = 1\ntask = \"{}\"\n\n[data]\ntrain = {}",
        options.task.name(),
        quoted(&options.train.display().to_string())
    )?;
    format(options.format, out)
}

/// A text as TOML has it.
pub(super) fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// A column as a configuration names it.
pub(super) fn named(column: &Column) -> String {
    match column {
        Column::Number(number) => number.to_string(),
        Column::Name(name) => quoted(name),
    }
}

pub(super) fn labels(options: &PrivateInitOptions, out: &mut String) -> std::fmt::Result {
    match &options.labels {
        Some(labels) => {
            let labels = labels.iter().map(|label| Value::String(label.clone()));
            writeln!(out, "labels = {}", Value::Array(labels.collect()))
        }
        None => writeln!(
            out,
            "# labels = [\"…\", \"…\"]  # to fill in, or --labels: all of them"
        ),
    }
}

/// `[train]` and `[privacy]`; `unit` is the line on it.
pub(super) fn training(
    options: &PrivateInitOptions,
    unit: &str,
    out: &mut String,
) -> std::fmt::Result {
    let size = options.dataset_size;
    let batch = size.map_or(1024, |size| (size / 4).clamp(64, 4096).min(size));
    writeln!(
        out,
        "\n[train]\nepochs = 20\nbatch_size = {batch}  # the expected number of units of a step: large, so that noise averages out\nmicro_batch = {}  # how many are in memory at once; changes nothing else\nlearning_rate = 1e-2\nweight_decay = 0.0\nema = 0.9  # the average of many noisy steps is less noisy",
        batch.min(128)
    )?;
    writeln!(
        out,
        "\n[privacy]\nepsilon = 3  # 1 is a strong promise, 3 a usual one, 8 a weak one"
    )?;
    match size {
        Some(size) => {
            let delta = (size as f64).powf(-1.1);
            writeln!(
                out,
                "delta = {delta:.1e}  # 1 / dataset_size^1.1\ndataset_size = {size}  # as you said: a public constant"
            )?;
        }
        None => writeln!(
            out,
            "# delta = …  # to fill in: 1 / dataset_size^1.1\n# dataset_size = …  # to fill in, or --dataset-size: a round number near that of the units to train on"
        )?,
    }
    writeln!(out, "clipping = \"auto-s\"  # no threshold to tune\n{unit}")
}

fn render(
    options: &PrivateInitOptions,
    text: Option<&Column>,
    label: Option<&Column>,
    out: &mut String,
) -> std::fmt::Result {
    beginning(options, out)?;
    held_out(options, "text", out)?;
    for (key, column, flag) in [
        ("text_column", text, "--text-column"),
        ("label_column", label, "--label-column"),
    ] {
        match column {
            Some(column) => writeln!(out, "{key} = {}", named(column))?,
            None => writeln!(out, "# {key} = \"…\"  # to fill in, or {flag}")?,
        }
    }
    labels(options, out)?;
    match &options.tokenizer {
        Some(file) => writeln!(
            out,
            "\n[tokenizer]\nkind = \"bpe\"\nfile = {}  # you say that it was made from public texts",
            quoted(&file.display().to_string())
        )?,
        None => writeln!(
            out,
            "\n[tokenizer]  # a vocabulary of public texts learns more: `regard tokenizer`, and --tokenizer\nkind = \"bytes\"  # learns nothing from private texts\nlowercase = false  # capitals tell something, and cost no vocabulary here"
        )?,
    }
    match options.max_length {
        Some(most) => writeln!(out, "max_length = {most}")?,
        None => writeln!(
            out,
            "max_length = 256  # tokens; --max-length, if you know better"
        )?,
    }
    writeln!(
        out,
        "\n[model]  # small: noise grows with the number of parameters\nd_model = 32\nn_layers = 1\nn_heads = 2\nd_ff = 32\nposition = \"none\"  # fewer numbers to put noise on\ndropout = 0.0  # noise is enough"
    )?;
    let unit = "unit = \"record\"  # or \"user:COLUMN\", if people have several records";
    training(options, unit, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn options(train: PathBuf) -> PrivateInitOptions {
        PrivateInitOptions {
            train,
            valid: None,
            test: None,
            task: Task::TextClassification,
            format: None,
            text_column: None,
            label_column: None,
            dataset_size: None,
            tokenizer: None,
            labels: None,
            max_length: None,
        }
    }

    #[test]
    fn nothing_of_the_data_but_its_header_is_in_a_proposal() {
        let folder = tempfile::tempdir().unwrap();
        let train = folder.path().join("t.tsv");
        std::fs::write(&train, "id\tlabel\tmessage\n7\tcanary-label\tcanary text\n").unwrap();
        let one = propose_private(&options(train.clone())).unwrap();
        // Ten thousand other rows give the same proposal.
        let other = "8\tother\tother words\n".repeat(10_000);
        std::fs::write(&train, format!("id\tlabel\tmessage\n{other}")).unwrap();
        assert_eq!(propose_private(&options(train.clone())).unwrap(), one);
        assert!(!one.contains("canary"));
        assert!(one.contains("text_column = \"message\""), "{one}");
        let refused = config::parse::<&str>(&one, "p.toml".as_ref(), &[]).unwrap_err();
        let message = refused.to_string();
        for unfilled in ["`data.labels`", "`privacy.delta`", "`privacy.dataset_size`"] {
            assert!(message.contains(unfilled), "{message}");
        }
    }

    #[test]
    fn what_the_user_says_makes_a_proposal_whole() {
        let folder = tempfile::tempdir().unwrap();
        let train = folder.path().join("t.csv");
        std::fs::write(&train, "label,text\na,b\n").unwrap();
        let proposal = propose_private(&PrivateInitOptions {
            dataset_size: Some(4000),
            labels: Some(vec!["ham".to_owned(), "spam".to_owned()]),
            max_length: Some(160),
            ..options(train)
        });
        let config = config::parse::<&str>(&proposal.unwrap(), "p.toml".as_ref(), &[]).unwrap();
        assert_eq!(
            (config.train.batch_size, config.tokenizer.max_length),
            (1000, 160)
        );
        assert!(config.privacy.is_some());
    }

    #[test]
    fn a_first_row_of_data_is_refused_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let train = folder.path().join("t.csv");
        for data in ["2024-01-01 00:00:00,5", "canary,0.1288", "1,2,3"] {
            std::fs::write(&train, format!("{data}\n")).unwrap();
            for task in Task::ALL {
                let options = PrivateInitOptions {
                    task: *task,
                    ..options(train.clone())
                };
                let message = propose_private(&options).unwrap_err().to_string();
                let advice = "looks like data and not like names";
                assert!(message.contains(advice), "{message}");
                assert!(!message.contains("canary") && !message.contains("2024"));
            }
        }
        // Names may be numbers beside words.
        std::fs::write(&train, "date,0,1\n").unwrap();
        assert!(propose_private(&options(train)).is_ok());
    }

    #[test]
    fn a_column_that_the_header_lacks_is_refused_and_other_files_are_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let train = folder.path().join("t.csv");
        std::fs::write(&train, "label,text\na,b\n").unwrap();
        let options = options(train);
        let refused = propose_private(&PrivateInitOptions {
            label_column: Some("nope".into()),
            ..options.clone()
        });
        let message = refused.unwrap_err().to_string();
        assert!(message.contains("no column \"nope\""), "{message}");
        let proposal = propose_private(&PrivateInitOptions {
            valid: Some("v.csv".into()),
            test: Some("t.csv".into()),
            ..options
        });
        let proposal = proposal.unwrap();
        assert!(
            proposal.contains("valid = \"v.csv\"\ntest = \"t.csv\"\n"),
            "{proposal}"
        );
    }

    #[test]
    fn of_json_lines_the_first_row_alone_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let train = folder.path().join("t.jsonl");
        std::fs::write(&train, "{\"time\": 1}\n{\"canary\": 1}\n").unwrap();
        let proposal = propose_private(&PrivateInitOptions {
            task: Task::SeriesForecasting,
            ..options(train)
        });
        assert!(!proposal.unwrap().contains("canary"));
    }
}
