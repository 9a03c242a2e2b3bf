//! What can be typed, as typed: nothing here is looked up, opened or checked against anything else.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand, ValueEnum};
use regard_data::Column;

/// The most seeds that one command runs.
const MAX_SEEDS: u64 = 10_000;

/// Train, evaluate and use transformers.
#[derive(Debug, Parser)]
#[command(name = "regard", version, about, max_term_width = 100)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Args {
    /// How much is said.
    #[command(flatten)]
    pub verbosity: Verbosity,
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
}

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, Default, ClapArgs)]
pub struct Verbosity {
    /// Say nothing but results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Propose a configuration for a file of labelled texts, on stdout
    Init(InitArgs),
    /// Train a model, or continue a run where it stopped
    Train(TrainArgs),
    /// Judge a trained model on labelled data
    Eval(EvalArgs),
    /// Predict the labels of texts
    Predict(PredictArgs),
    /// List the devices of this build
    Devices(ReportArgs),
    /// Measure speed, or the spread over seeds
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Look up configuration keys
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Where and how fast to compute.
#[derive(Clone, Debug, ClapArgs)]
pub struct ComputeArgs {
    /// The device: flex (or cpu), ndarray, wgpu, wgpu:1, cuda:0; `regard devices` lists those of
    /// this build
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// The number of threads [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

/// Settings of a run, from a file and from the command line.
#[derive(Clone, Debug, ClapArgs)]
pub struct SettingsArgs {
    /// The configuration (TOML); `regard config schema` lists its keys
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// Set a key over what the configuration says; may be given more than once
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub overrides: Vec<String>,
}

/// How a command reports.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct ReportArgs {
    /// The format of the report
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: ReportFormat,
}

/// The format of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Text for people
    #[default]
    Human,
    /// One JSON object
    Json,
}

/// `regard init`.
#[derive(Clone, Debug, ClapArgs)]
pub struct InitArgs {
    /// The training file: CSV, TSV or JSON Lines
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
    /// The format of the files [default: by the file name's extension]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub input_format: Option<TableFormat>,
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

/// `regard train`.
#[derive(Clone, Debug, ClapArgs)]
pub struct TrainArgs {
    /// The run's settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// The run's folder [default: runs/NAME, the name being the configuration's or its file's stem]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `regard eval`.
#[derive(Clone, Debug, ClapArgs)]
pub struct EvalArgs {
    /// The run's folder, or a bundle
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Labelled data [default: the test data of the run's configuration]
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}

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

/// `regard bench …`.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Time one training step of a standard workload
    Step(BenchStepArgs),
    /// Train with several seeds and report the mean of the metric
    Seeds(BenchSeedsArgs),
}

/// `regard bench step`.
#[derive(Clone, Debug, ClapArgs)]
pub struct BenchStepArgs {
    /// The workload: w1 (text, small), w2 (text, base) or w3 (long); may be given more than once
    #[arg(
        long = "workload",
        value_name = "NAME",
        required = true,
        value_delimiter = ','
    )]
    pub workloads: Vec<String>,
    /// The number of steps timed
    #[arg(long, value_name = "N", default_value = "20")]
    pub steps: NonZeroUsize,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `regard bench seeds`.
#[derive(Clone, Debug, ClapArgs)]
pub struct BenchSeedsArgs {
    /// The runs' settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// The seeds: `0..4` are the five from 0 to 4, `1,5,7` are three
    #[arg(long, value_name = "SEEDS", default_value = "0..4")]
    pub seeds: Seeds,
    /// The folder of the runs, one a seed [default: runs/NAME-seeds]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `regard config …`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// List every key with its values and default
    Schema(ReportArgs),
}

/// Seeds to run, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub Vec<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| {
            let parsed = text.trim().parse::<u64>();
            parsed.map_err(|_| format!("expected a seed from 0 up, found {text:?}"))
        };
        let seeds: Vec<u64> = match text.split_once("..") {
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                if last < first {
                    return Err(format!(
                        "expected a last seed from {first} up, found {last}"
                    ));
                }
                if last - first >= MAX_SEEDS {
                    return Err(format!("expected at most {MAX_SEEDS} seeds"));
                }
                (first..=last).collect()
            }
            None => text.split(',').map(number).collect::<Result<_, _>>()?,
        };
        let mut sorted = seeds.clone();
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("seed {} stands twice", pair[0])),
            None => Ok(Self(seeds)),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_contradicts_itself_nowhere() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_training_run_takes_settings_and_a_device() {
        let args =
            parse("regard train c.toml --set a.b=1 --set c=2 --device cpu --threads 2 -v -v");
        let args = args.unwrap();
        assert_eq!(args.verbosity.verbose, 2);
        let Command::Train(train) = args.command else {
            panic!("another command");
        };
        assert_eq!(train.settings.overrides, ["a.b=1", "c=2"]);
        assert_eq!(train.compute.device.as_deref(), Some("cpu"));
        assert_eq!(train.compute.threads, NonZeroUsize::new(2));
        assert_eq!(train.report.format, ReportFormat::Human);
    }

    #[test]
    fn predictions_need_a_text_or_a_file_and_not_both() {
        for line in [
            "regard predict run t.csv",
            "regard predict run -",
            "regard predict run - --input-format csv --format json",
            "regard predict run --text hello --text you",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
        for line in [
            "regard predict run",
            "regard predict run t.csv --text hello",
            "regard predict run --text hello --input-format csv",
            "regard predict run - --format xlsx",
            "regard train c.toml --threads 0",
            "regard train c.toml -q -v",
            "regard bench step",
        ] {
            let error = parse(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn seeds_are_a_range_with_both_ends_or_a_list() {
        assert_eq!("0..4".parse(), Ok(Seeds(vec![0, 1, 2, 3, 4])));
        assert_eq!("7..7".parse(), Ok(Seeds(vec![7])));
        assert_eq!("3, 1,2".parse(), Ok(Seeds(vec![3, 1, 2])));
        for (text, message) in [
            ("", "expected a seed from 0 up, found \"\""),
            ("1..x", "expected a seed from 0 up, found \"x\""),
            ("4..0", "expected a last seed from 4 up, found 0"),
            ("1,2,1", "seed 1 stands twice"),
            ("0..10000", "expected at most 10000 seeds"),
            ("0..18446744073709551615", "expected at most 10000 seeds"),
        ] {
            assert_eq!(text.parse::<Seeds>(), Err(message.to_owned()));
        }
    }
}
