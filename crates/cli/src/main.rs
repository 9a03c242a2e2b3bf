//! The `regard` program.

mod args;
mod commands;
mod device;
mod errors;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;
use crate::output::Printer;

/// Keeps freed blocks: a training step frees and takes the same large blocks again and again, and
/// giving them back to the system each time costs a tenth to a third of the step.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    let printer = Printer::new(args.verbosity);
    match commands::run(args.command, &printer) {
        Ok(()) => errors::Code::Done.into(),
        Err(error) => errors::tell(&error, &printer).into(),
    }
}
