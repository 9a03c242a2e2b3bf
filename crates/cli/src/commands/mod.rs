//! The commands, one file each.

mod audit;
mod bench_checkpointing;
mod bench_predict;
mod bench_privacy;
mod bench_save;
mod bench_seeds;
mod bench_step;
mod beside;
mod check;
mod completions;
mod config_schema;
mod config_show;
mod devices;
mod eval;
mod figures;
mod init;
mod inspect;
mod latency;
mod man;
mod model_facts;
mod predict;
mod predict_series;
mod privacy;
mod privacy_run;
mod prune_checkpoints;
mod report;
mod runs;
mod table;
mod tokenizer;
mod train;
mod tune;
mod tune_page;
mod verify;

use crate::args::{BenchCommand, Command, ConfigCommand, PrivacyCommand};
use crate::output::Printer;

/// The version of the reports' layout.
const SCHEMA: u32 = 1;

/// Does what was asked for.
pub fn run(command: Command, printer: &Printer) -> anyhow::Result<()> {
    match command {
        Command::Init(args) => init::run(&args, printer),
        Command::Check(args) => check::run(&args, printer),
        Command::Tokenizer(args) => tokenizer::run(&args, printer),
        Command::Train(args) => train::run(&args, printer),
        Command::Tune(args) => tune::run(&args, printer),
        Command::Eval(args) => eval::run(&args, printer),
        Command::Predict(args) => predict::run(&args, printer),
        Command::Inspect(args) => inspect::run(&args, printer),
        Command::Report(args) => report::run(&args, printer),
        Command::Runs(args) => runs::run(&args, printer),
        Command::Verify(args) => verify::run(&args, printer),
        Command::PruneCheckpoints(args) => prune_checkpoints::run(&args, printer),
        Command::Devices(args) => devices::run(args, printer),
        Command::Bench(BenchCommand::Step(args)) => bench_step::run(&args, printer),
        Command::Bench(BenchCommand::GradientCheckpointing(args)) => {
            bench_checkpointing::run(&args, printer)
        }
        Command::Bench(BenchCommand::Save(args)) => bench_save::run(&args, printer),
        Command::Bench(BenchCommand::Seeds(args)) => bench_seeds::run(&args, printer),
        Command::Bench(BenchCommand::Privacy(args)) => bench_privacy::run(&args, printer),
        Command::Bench(BenchCommand::Predict(args)) => bench_predict::run(&args, printer),
        Command::Privacy(PrivacyCommand::Epsilon(args)) => privacy::epsilon(&args, printer),
        Command::Privacy(PrivacyCommand::Noise(args)) => privacy::noise(&args, printer),
        Command::Privacy(PrivacyCommand::Plan(args)) => privacy_run::plan(&args, printer),
        Command::Privacy(PrivacyCommand::Spent(args)) => privacy_run::spent(&args, printer),
        Command::Audit(args) => audit::run(&args, printer),
        Command::Config(ConfigCommand::Schema(args)) => config_schema::run(args, printer),
        Command::Config(ConfigCommand::Show(args)) => config_show::run(&args, printer),
        Command::Completions(args) => completions::run(args, printer),
        Command::Man(args) => man::run(&args, printer),
    }
}
