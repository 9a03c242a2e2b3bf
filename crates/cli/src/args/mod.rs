//! What can be typed, as typed: nothing here is looked up, opened or checked against anything else.

mod audit;
mod bench;
mod check;
mod checkpoints;
mod config;
mod eval;
mod init;
mod inspect;
mod predict;
mod privacy;
mod report;
mod runs;
mod shared;
mod shell;
mod tokenizer;
mod train;
mod tune;

use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand};

pub use audit::AuditArgs;
pub use bench::{
    BenchCheckpointingArgs, BenchCommand, BenchPredictArgs, BenchPrivacyArgs, BenchSaveArgs,
    BenchSeedsArgs, BenchStepArgs, Side, StepKind,
};
pub use check::CheckArgs;
pub use checkpoints::{PruneArgs, VerifyArgs};
pub use config::{ConfigCommand, ConfigShowArgs};
pub use eval::EvalArgs;
pub use init::{InitArgs, TableFormat};
pub use inspect::InspectArgs;
pub use predict::{InputFormat, PredictArgs, PredictionFormat};
pub use privacy::{
    AccountantName, AdjacencyName, PrivacyCommand, PrivacyEpsilonArgs, PrivacyNoiseArgs,
    PrivacyPlanArgs, PrivacySpentArgs, PrivateTrainingArgs,
};
pub use report::PageArgs;
pub use runs::RunsArgs;
pub use shared::{ComputeArgs, ReportArgs, ReportFormat, SettingsArgs};
pub use shell::{CompletionsArgs, ManArgs};
pub use tokenizer::TokenizerArgs;
pub use train::TrainArgs;
pub use tune::TuneArgs;

/// Train, evaluate and use transformers.
#[derive(Debug, Parser)]
#[command(name = "regard", version, about, max_term_width = 100)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Args {
    /// How much is said.
    #[command(flatten)]
    pub verbosity: Verbosity,
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
}

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, Default, ClapArgs)]
pub struct Verbosity {
    /// Say nothing but results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Propose a configuration for a file of labelled texts or of series, on stdout
    Init(InitArgs),
    /// Look at settings, data and model before training; writes nothing
    Check(CheckArgs),
    /// Train a tokenizer on texts, for `tokenizer.file`
    Tokenizer(TokenizerArgs),
    /// Train a model, or continue a run where it stopped
    Train(TrainArgs),
    /// Search for better settings within a budget, or continue a search where it stopped
    Tune(TuneArgs),
    /// Judge a trained model on labelled data
    Eval(EvalArgs),
    /// Predict the labels of texts
    Predict(PredictArgs),
    /// Look inside a model: what it attends to, which words decide, where numbers break
    Inspect(InspectArgs),
    /// Make the report of a finished run again
    Report(PageArgs),
    /// List the runs in a folder: how far they are and how good
    Runs(RunsArgs),
    /// Compare everything that a run has on disk with its hashes
    Verify(VerifyArgs),
    /// Remove the checkpoints of a run that nobody needs
    PruneCheckpoints(PruneArgs),
    /// List the devices of this build
    Devices(ReportArgs),
    /// Measure speed, or the spread over seeds
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Account for private training: epsilon from noise, or noise from epsilon
    #[command(subcommand)]
    Privacy(PrivacyCommand),
    /// Test that private training does what it promises
    Audit(AuditArgs),
    /// Look up configuration keys, or show a configuration as it would be used
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write the completions of a shell on stdout
    Completions(CompletionsArgs),
    /// Write the manual pages
    Man(ManArgs),
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_contradicts_itself_nowhere() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_training_run_takes_settings_and_a_device() {
        let args =
            parse("regard train c.toml --set a.b=1 --set c=2 --device cpu --threads 2 -v -v");
        let args = args.unwrap();
        assert_eq!(args.verbosity.verbose, 2);
        let Command::Train(train) = args.command else {
            panic!("another command");
        };
        assert_eq!(train.settings.overrides, ["a.b=1", "c=2"]);
        assert_eq!(train.compute.device.as_deref(), Some("cpu"));
        assert_eq!(train.compute.threads, NonZeroUsize::new(2));
        assert_eq!(train.report.format, ReportFormat::Human);
    }

    #[test]
    fn predictions_need_a_text_or_a_file_and_not_both() {
        for line in [
            "regard predict run t.csv",
            "regard predict run -",
            "regard predict run - --input-format csv --format json",
            "regard predict run --text hello --text you",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
        for line in [
            "regard predict run",
            "regard predict run t.csv --text hello",
            "regard predict run --text hello --input-format csv",
            "regard predict run - --format xlsx",
            "regard train c.toml --threads 0",
            "regard train c.toml -q -v",
            "regard bench step",
        ] {
            let error = parse(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
