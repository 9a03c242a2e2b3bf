//! The arguments of `regard verify` and `regard prune-checkpoints`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::ReportArgs;

/// `regard verify`.
#[derive(Clone, Debug, ClapArgs)]
pub struct VerifyArgs {
    /// The folder of the run
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `regard prune-checkpoints`.
#[derive(Clone, Debug, ClapArgs)]
pub struct PruneArgs {
    /// The folder of the run
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// How many of the newest checkpoints stay, beside the best one [default: the run's checkpoint.keep]
    #[arg(long, value_name = "N")]
    pub keep: Option<NonZeroUsize>,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}
