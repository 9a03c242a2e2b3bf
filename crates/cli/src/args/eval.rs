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
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}
