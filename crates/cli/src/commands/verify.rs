//! `regard verify`: every hash of a run.

use std::path::Path;

use regard_trainer::runs::{Verified, verify};
use serde_json::{Value, json};

use super::table::Table;
use crate::args::{ComputeArgs, VerifyArgs};
use crate::device::Compute;
use crate::errors::{Code, HintExt, Told, UsageError};
use crate::output::Printer;

/// Compares everything that a run has on disk with its hashes.
pub fn run(args: &VerifyArgs, printer: &Printer) -> anyhow::Result<()> {
    require_run(&args.run)?;
    // A bundle is read as it is for predictions, on whatever this build has.
    let compute = Compute::open(&ComputeArgs {
        device: None,
        threads: None,
    })?;
    let parts = verify(&args.run, &compute.device)?;
    let damaged = parts.iter().filter(|part| part.problem.is_some()).count();
    let value = json!({
        "schema": super::SCHEMA,
        "run": args.run,
        "whole": damaged == 0,
        "rows": parts.iter().map(as_json).collect::<Vec<_>>(),
    });
    let mut table = Table::new(&["part", ">bytes", "state"]);
    for part in &parts {
        table.row([
            part.path.display().to_string(),
            match part.bytes {
                0 => "-".to_owned(),
                bytes => bytes.to_string(),
            },
            part.problem.clone().unwrap_or_else(|| "whole".to_owned()),
        ]);
    }
    let text = match (parts.len(), damaged) {
        (0, _) => "nothing was saved yet\n".to_owned(),
        (all, 0) => format!("{table}\nall {all} parts are whole\n"),
        (all, damaged) => format!("{table}\n{damaged} of {all} parts are damaged\n"),
    };
    printer.report(args.report.format, &value, text)?;
    match damaged {
        0 => Ok(()),
        _ => Err(Told(Code::Model).into()),
    }
}

/// Refuses what is no run's folder.
pub fn require_run(folder: &Path) -> anyhow::Result<()> {
    if folder.join("config.toml").is_file() {
        return Ok(());
    }
    Err(UsageError(format!(
        "{}: expected a run's folder, found none with a config.toml",
        folder.display()
    )))
    .hint("`regard runs` lists the runs of a folder")
}

fn as_json(part: &Verified) -> Value {
    json!({
        "path": part.path,
        "bytes": part.bytes,
        "whole": part.problem.is_none(),
        "problem": part.problem,
    })
}
