//! The `regard` program.

mod allocator;
mod args;
mod commands;
mod device;
mod errors;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;
use crate::output::Printer;

fn main() -> ExitCode {
    allocator::keep_freed_memory();
    let args = Args::parse();
    let printer = Printer::new(args.verbosity);
    match commands::run(args.command, &printer) {
        Ok(()) => errors::Code::Done.into(),
        Err(error) => errors::tell(&error, &printer).into(),
    }
}
