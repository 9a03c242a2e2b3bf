//! `regard man`.

use std::fs;
use std::path::Path;

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::args::{Args, ManArgs};
use crate::output::Printer;

/// Writes the main page on stdout, or a page of each command into a folder.
pub fn run(args: &ManArgs, printer: &Printer) -> anyhow::Result<()> {
    let mut command = Args::command();
    // Gives each command its full name, `regard-bench-step`, and the options that all share.
    command.build();
    let Some(folder) = &args.out else {
        let page = String::from_utf8(page(&command)?.1).context("the page is not UTF-8")?;
        return printer.result(&page);
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let count = write_pages(&command, folder)?;
    printer.note(format_args!(
        "{count} pages in {}: `man -l {}`",
        folder.display(),
        folder.join("regard.1").display()
    ));
    Ok(())
}

/// The pages of a command and of those below it; gives their number.
fn write_pages(command: &Command, folder: &Path) -> anyhow::Result<usize> {
    let (name, page) = page(command)?;
    let path = folder.join(name);
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    let below = command
        .get_subcommands()
        .filter(|below| !below.is_hide_set());
    below
        .map(|below| write_pages(below, folder))
        .sum::<anyhow::Result<usize>>()
        .map(|n| n + 1)
}

/// The file name of a command's page, and the page.
fn page(command: &Command) -> anyhow::Result<(String, Vec<u8>)> {
    let man = Man::new(command.clone()).source(concat!("regard ", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.render(&mut page).context("cannot render the page")?;
    Ok((man.get_filename(), page))
}
