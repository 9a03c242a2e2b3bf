//! The arguments of `regard runs`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::ReportArgs;

/// `regard runs`.
#[derive(Clone, Debug, ClapArgs)]
pub struct RunsArgs {
    /// The folder of runs, or one run [default: runs]
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}
