//! The `regard` program.

mod allocator;
mod args;
mod commands;
mod device;
mod errors;
mod output;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;
use crate::output::Printer;

fn main() -> ExitCode {
    allocator::keep_freed_memory();
    let args = Args::parse();
    let printer = Printer::new(args.verbosity);
    // Burn's operations panic on what they cannot do. That is a bug of ours, since everything is to
    // be checked before; the person at the terminal gets an error all the same, after the panic's
    // own message.
    match catch_unwind(AssertUnwindSafe(|| commands::run(args.command, &printer))) {
        Ok(Ok(())) => errors::Code::Done.into(),
        Ok(Err(error)) => errors::tell(&error, &printer).into(),
        Err(_) => {
            printer.error("this is a bug in regard; what was saved before is whole");
            printer.hint("please report the message above with the command and configuration");
            errors::Code::Failed.into()
        }
    }
}
