//! `regard devices`.

use std::fmt::Write as _;

use serde_json::json;

use crate::args::ReportArgs;
use crate::device::BACKENDS;
use crate::output::Printer;

/// Lists the devices of this build.
pub fn run(args: ReportArgs, printer: &Printer) -> anyhow::Result<()> {
    let default = BACKENDS.iter().position(|backend| backend.compiled);
    let rows: Vec<_> = BACKENDS
        .iter()
        .enumerate()
        .map(|(i, backend)| {
            json!({
                "device": backend.name,
                "compiled": backend.compiled,
                "default": default == Some(i),
                "feature": backend.name,
                "description": backend.description,
            })
        })
        .collect();
    let mut text = String::new();
    for (i, backend) in BACKENDS.iter().enumerate() {
        let state = match (backend.compiled, default == Some(i)) {
            (true, true) => "yes, the default",
            (true, false) => "yes",
            (false, _) => "no",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:8} in this build: {state:17} {}",
            backend.name, backend.description
        );
    }
    let _ = writeln!(
        text,
        "\nOthers come with `--features NAME` when the program is built."
    );
    let value = json!({"schema": super::SCHEMA, "rows": rows});
    printer.report(args.format, &value, text)
}
