//! The arguments of what helps at the shell: completions and manual pages.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap_complete::Shell;

/// `regard completions`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// `regard man`.
#[derive(Clone, Debug, ClapArgs)]
pub struct ManArgs {
    /// The folder for a page of each command; made if it is not there [default: the main page
    /// alone, on stdout]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
