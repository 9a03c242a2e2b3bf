//! `regard prune-checkpoints`.

use std::num::NonZeroUsize;

use regard_trainer::runs::prune;
use serde_json::json;

use super::verify::require_run;
use crate::args::PruneArgs;
use crate::output::Printer;

/// Removes the checkpoints of a run that nobody needs.
pub fn run(args: &PruneArgs, printer: &Printer) -> anyhow::Result<()> {
    require_run(&args.run)?;
    let removed = prune(&args.run, args.keep.map(NonZeroUsize::get))?;
    let value = json!({
        "schema": super::SCHEMA,
        "run": args.run,
        "removed": removed,
    });
    let mut text = String::new();
    for path in &removed {
        text.push_str(&format!("removed {}\n", path.display()));
    }
    if removed.is_empty() {
        text.push_str("nothing to remove\n");
    }
    printer.report(args.report.format, &value, text)
}
