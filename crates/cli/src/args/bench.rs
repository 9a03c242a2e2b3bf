//! The arguments of `regard bench …`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::{ComputeArgs, ReportArgs, SettingsArgs};

/// The most seeds that one command runs.
const MAX_SEEDS: u64 = 10_000;

/// The most texts that are answered together when answers are timed.
pub const MOST_TOGETHER: u64 = 4096;
/// The most calls that are timed.
pub const MOST_CALLS: u64 = 1_000_000;

/// `regard bench …`.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Time one training step of a standard workload
    Step(BenchStepArgs),
    /// Compare training with and without gradient checkpointing: memory, time, the largest batch
    GradientCheckpointing(BenchCheckpointingArgs),
    /// Time what saving a model of 26 million parameters takes of the training loop
    Save(BenchSaveArgs),
    /// Train with several seeds and report the mean of the metric
    Seeds(BenchSeedsArgs),
    /// Compare a private training step with a plain one on W1: time and memory
    Privacy(BenchPrivacyArgs),
    /// Time the answers of a trained model, its loading and its memory
    Predict(BenchPredictArgs),
}

/// `regard bench step`.
#[derive(Clone, Debug, ClapArgs)]
pub struct BenchStepArgs {
    /// The workload: w1 (text, small), w2 (text, base), w3 (long text), w4 (series), e12 (deep) or s26 (large); may be given
    /// more than once
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

/// `regard bench privacy`.
#[derive(Clone, Debug, ClapArgs)]
pub struct BenchPrivacyArgs {
    /// The number of steps of each kind timed
    #[arg(long, value_name = "N", default_value = "20")]
    pub steps: NonZeroUsize,
    /// Make steps of one kind and tell the peak of memory.
    #[arg(long, value_enum, hide = true)]
    pub only: Option<StepKind>,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// A kind of training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StepKind {
    /// Without a promise.
    Plain,
    /// With one.
    Private,
}

/// `regard bench gradient-checkpointing`.
#[derive(Clone, Debug, ClapArgs)]
pub struct BenchCheckpointingArgs {
    /// The workload: w1 to w4, or e12 (an encoder of 12 layers); may be given more than once
    #[arg(
        long = "workload",
        value_name = "NAME",
        default_value = "w2,e12",
        value_delimiter = ','
    )]
    pub workloads: Vec<String>,
    /// The number of steps timed on each side, one side after the other
    #[arg(long, value_name = "N", default_value = "5")]
    pub steps: NonZeroUsize,
    /// The parts of a batch that run side by side
    #[arg(long, value_name = "N", default_value = "1")]
    pub shards: NonZeroUsize,
    /// One side in this process, as the command itself starts it: a step for each line of the standard input
    #[arg(long, hide = true, requires = "batch")]
    pub side: Option<Side>,
    /// The units of a step of that side
    #[arg(long, hide = true, requires = "side")]
    pub batch: Option<NonZeroUsize>,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `regard bench save`.
#[derive(Clone, Debug, ClapArgs)]
pub struct BenchSaveArgs {
    /// The number of saves
    #[arg(long, value_name = "N", default_value = "5")]
    pub saves: NonZeroUsize,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// A side of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// Everything is kept.
    Plain,
    /// Every block but the last runs again.
    EveryBlock,
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

/// `regard bench predict`.
#[derive(Clone, Debug, ClapArgs)]
pub struct BenchPredictArgs {
    /// The run's folder, or a bundle; timed on the run's test data, or on texts that are made up
    /// where there are none
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The numbers of texts that are answered together
    #[arg(
        long,
        value_name = "SIZES",
        value_delimiter = ',',
        default_value = "1,8,32"
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=MOST_TOGETHER))]
    pub batch_sizes: Vec<u64>,
    /// The number of calls that are timed for each of them
    #[arg(long, value_name = "N", default_value = "200")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=MOST_CALLS))]
    pub calls: u64,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
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
    use super::*;

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
