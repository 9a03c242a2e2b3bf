//! The arguments of `regard tune`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use regard_trainer::tune::Budget;

use super::{ComputeArgs, ReportArgs, SettingsArgs};

/// `regard tune`.
///
/// Many settings train for a short while, the best third of them three times as long, and so on
/// (random search with successive halving). What is searched stands in the configuration's
/// [tune.ranges]; without it, rates and sizes around the configuration's own are searched. The same
/// command continues a search that was stopped.
#[derive(Clone, Debug, ClapArgs)]
pub struct TuneArgs {
    /// The search's settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// What the search may take: a time (90s, 20m, 1h30m), or a number of steps in all (5000steps),
    /// which makes the same plan on every machine
    #[arg(long, value_name = "BUDGET")]
    pub budget: Budget,
    /// The seed of the settings that are tried [default: the configuration's]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The search's folder [default: runs/NAME-tune]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Where and how fast to compute.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}
