//! The arguments of `regard train`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{ComputeArgs, ReportArgs, SettingsArgs};

/// `regard train`.
#[derive(Clone, Debug, ClapArgs)]
pub struct TrainArgs {
    /// The run's settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// The run's folder [default: runs/NAME, the name being the configuration's or its file's stem]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Read the data, make one step, say what the run would take, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}
