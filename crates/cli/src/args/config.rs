//! The arguments of `regard config …`.

use clap::{Args as ClapArgs, Subcommand};

use super::{ReportArgs, SettingsArgs};

/// `regard config …`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// List every key with its values and default
    Schema(ReportArgs),
    /// Show a configuration as `train` would take it, with every default filled in
    Show(ConfigShowArgs),
}

/// `regard config show`.
#[derive(Clone, Debug, ClapArgs)]
pub struct ConfigShowArgs {
    /// The settings to show.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Say of each value whether it is a default, stands in the file (and on which line) or was
    /// given by --set
    #[arg(long)]
    pub origin: bool,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}
