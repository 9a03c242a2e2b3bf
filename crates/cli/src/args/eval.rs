//! The arguments of `regard eval`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{ComputeArgs, ReportArgs};

/// `regard eval`.
#[derive(Clone, Debug, ClapArgs)]
pub struct EvalArgs {
    /// The run's folder, or a bundle
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Labelled data, a file or a folder of labels [default: the test data of the run's configuration]
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Hold the model against what is reached without one (series): the last value, the last season and a ridge; the
    /// nearest neighbour; the level and the last season
    #[arg(long, conflicts_with = "data")]
    pub baselines: bool,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}
