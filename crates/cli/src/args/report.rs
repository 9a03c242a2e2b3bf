//! The arguments of `regard report`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{ComputeArgs, ReportArgs};

/// `regard report`.
#[derive(Clone, Debug, ClapArgs)]
pub struct PageArgs {
    /// The run's folder
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Where the page is written [default: report.html in the run's folder]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}
