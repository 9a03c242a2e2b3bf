//! The arguments of `regard inspect`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{ComputeArgs, ReportArgs};

/// `regard inspect`.
#[derive(Clone, Debug, ClapArgs)]
pub struct InspectArgs {
    /// The run's folder, or a bundle
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// A text; may be given more than once
    #[arg(long, value_name = "TEXT", required = true)]
    pub text: Vec<String>,
    /// Write the attention maps as a page for a browser
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}
