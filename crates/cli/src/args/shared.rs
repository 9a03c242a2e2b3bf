//! What several commands take.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

/// Where and how fast to compute.
#[derive(Clone, Debug, ClapArgs)]
pub struct ComputeArgs {
    /// The device: flex (or cpu), ndarray, wgpu, wgpu:1, cuda:0; `regard devices` lists those of
    /// this build
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// The number of threads [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

/// Settings of a run, from a file and from the command line.
#[derive(Clone, Debug, ClapArgs)]
pub struct SettingsArgs {
    /// The configuration (TOML); `regard config schema` lists its keys
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// Set a key over what the configuration says; may be given more than once
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub overrides: Vec<String>,
}

/// How a command reports.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct ReportArgs {
    /// The format of the report
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: ReportFormat,
}

/// The format of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Text for people
    #[default]
    Human,
    /// One JSON object
    Json,
}
