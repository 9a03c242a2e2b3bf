//! `regard completions`.

use anyhow::Context;
use clap::CommandFactory;

use crate::args::{Args, CompletionsArgs};
use crate::output::Printer;

/// Writes what a shell needs to complete this program's arguments.
pub fn run(args: CompletionsArgs, printer: &Printer) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "regard", &mut script);
    let script = String::from_utf8(script).context("the completions are not UTF-8")?;
    printer.result(&script)
}
