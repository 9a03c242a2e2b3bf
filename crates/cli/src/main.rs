//! The `regard` program.

mod allocator;
mod args;
mod commands;
mod device;
mod errors;
mod output;
mod signals;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;
use crate::output::Printer;

/// Makes a write beyond the limit on a file's size an error like that of a full disk; without a handler the signal would
/// kill the program before it could say so.
#[cfg(unix)]
fn survive_file_size_limits() {
    // The flag is of no interest, and if no handler can be set the limit still holds, only without words.
    let reached = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, reached);
}

fn main() -> ExitCode {
    allocator::keep_freed_memory();
    #[cfg(unix)]
    survive_file_size_limits();
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
