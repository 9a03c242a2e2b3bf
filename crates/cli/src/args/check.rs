//! The arguments of `regard check`.

use clap::Args as ClapArgs;

use super::{ComputeArgs, ReportArgs, SettingsArgs};

/// `regard check`.
#[derive(Clone, Debug, ClapArgs)]
pub struct CheckArgs {
    /// The run's settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}
