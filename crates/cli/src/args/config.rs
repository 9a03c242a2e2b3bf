//! The arguments of `regard config …`.

use clap::Subcommand;

use super::ReportArgs;

/// `regard config …`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// List every key with its values and default
    Schema(ReportArgs),
}
