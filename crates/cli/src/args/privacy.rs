//! The arguments of `regard privacy …`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::{ReportArgs, SettingsArgs};

/// `regard privacy …`.
#[derive(Debug, Subcommand)]
pub enum PrivacyCommand {
    /// What a private training would promise: epsilon from noise, sample rate and steps
    Epsilon(PrivacyEpsilonArgs),
    /// The least noise that keeps an epsilon
    Noise(PrivacyNoiseArgs),
    /// What a private configuration would promise, epoch by epoch, and what other promises would
    /// cost; looks at no data
    Plan(PrivacyPlanArgs),
    /// What a private run or its model has spent, as a statement
    Spent(PrivacySpentArgs),
}

/// `regard privacy plan`.
#[derive(Clone, Debug, ClapArgs)]
pub struct PrivacyPlanArgs {
    /// The run's settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `regard privacy spent`.
#[derive(Clone, Debug, ClapArgs)]
pub struct PrivacySpentArgs {
    /// The run's folder, finished or not, or a bundle
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `regard privacy epsilon`.
#[derive(Clone, Debug, ClapArgs)]
pub struct PrivacyEpsilonArgs {
    /// The standard deviation of the noise on the sum, divided by the clipping bound
    #[arg(long, value_name = "NOISE", allow_negative_numbers = true)]
    pub noise_multiplier: f64,
    /// The training.
    #[command(flatten)]
    pub training: PrivateTrainingArgs,
    /// Who accounts [default: whichever gives the smaller bound]
    #[arg(long, value_enum, value_name = "NAME")]
    pub accountant: Option<AccountantName>,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `regard privacy noise`.
#[derive(Clone, Debug, ClapArgs)]
pub struct PrivacyNoiseArgs {
    /// The largest epsilon allowed
    #[arg(long, value_name = "EPSILON", allow_negative_numbers = true)]
    pub epsilon: f64,
    /// The training.
    #[command(flatten)]
    pub training: PrivateTrainingArgs,
    /// Who accounts
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    pub accountant: AccountantName,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// A private training, its noise aside.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct PrivateTrainingArgs {
    /// The probability with which a step draws a unit: the expected batch divided by the number of
    /// units
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub sample_rate: f64,
    /// The number of steps
    #[arg(long, value_name = "N")]
    pub steps: u64,
    /// The probability with which the promise may fail; well below 1 / the number of units
    #[arg(long, value_name = "DELTA", allow_negative_numbers = true)]
    pub delta: f64,
    /// Which two datasets must be hard to tell apart: one unit more or less, one emptied, or one
    /// replaced
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    pub adjacency: AdjacencyName,
}

/// An accountant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AccountantName {
    /// Privacy loss distributions: tight
    #[default]
    Pld,
    /// Rényi differential privacy: what other programs report
    Rdp,
}

/// An adjacency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AdjacencyName {
    /// One unit more or less
    #[default]
    AddRemove,
    /// One unit that contributes nothing; the number of units is public
    ZeroOut,
    /// One unit replaced by another; the number of units is public
    ReplaceOne,
}
