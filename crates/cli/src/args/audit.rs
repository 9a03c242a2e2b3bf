//! The arguments of `regard audit`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{ComputeArgs, ReportArgs};

/// `regard audit`.
#[derive(Clone, Debug, ClapArgs)]
pub struct AuditArgs {
    /// A private configuration, whose clipping, noise and draws are put through tests on its own
    /// model and data; or the folder of a private run that was trained with
    /// `privacy.audit_canaries`, for a lower bound on its epsilon. Nothing is written
    #[arg(value_name = "CONFIG|RUN")]
    pub target: PathBuf,
    /// Set a key of the configuration, as in `--set privacy.epsilon=3`; may be given more than once
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}
