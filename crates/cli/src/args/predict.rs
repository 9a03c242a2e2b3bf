//! The arguments of `regard predict`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::ComputeArgs;
use super::bench::{MOST_CALLS, MOST_TOGETHER};

/// `regard predict`.
#[derive(Clone, Debug, ClapArgs)]
pub struct PredictArgs {
    /// The run's folder, or a bundle
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The file of texts; `-` is standard input, one text a line unless --input-format
    #[arg(value_name = "FILE", required_unless_present = "text")]
    pub file: Option<PathBuf>,
    /// A text; may be given more than once
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["file", "input_format"])]
    pub text: Vec<String>,
    /// The format of the predictions [default: the input's, and human for --text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<PredictionFormat>,
    /// Time the answers to these texts instead of giving them; --format is human or json
    #[arg(long)]
    pub latency: bool,
    /// With --latency, the numbers of texts that are answered together
    #[arg(
        long,
        value_name = "SIZES",
        value_delimiter = ',',
        default_value = "1,8,32"
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=MOST_TOGETHER), requires = "latency")]
    pub batch_sizes: Vec<u64>,
    /// With --latency, the number of calls that are timed for each of them
    #[arg(long, value_name = "N", default_value = "200", requires = "latency")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=MOST_CALLS))]
    pub calls: u64,
    /// The format of the input [default: by the file name's extension]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub input_format: Option<InputFormat>,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
}

/// The format of predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PredictionFormat {
    /// Text for people
    Human,
    /// Comma-separated values
    Csv,
    /// Tab-separated values
    Tsv,
    /// One JSON object a line
    #[value(alias = "json")]
    Jsonl,
}

/// The format of texts to predict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// Comma-separated values
    Csv,
    /// Tab-separated values
    Tsv,
    /// One JSON object a line
    Jsonl,
    /// One text a line
    Lines,
}
