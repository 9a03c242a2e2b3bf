//! `regard report`: a finished run as a page.

mod gather;
mod gather_series;

use std::path::Path;

use anyhow::Context;
use regard_bundle::Bundle;
use regard_model::HeadConfig;
use regard_trainer::files::write_whole;
use regard_trainer::{Requests, RunSettings, describe_run, describe_series};
use serde_json::json;

use crate::args::PageArgs;
use crate::device::Compute;
use crate::errors::{HintExt, UsageError};
use crate::output::Printer;

/// The page's name in a run's folder.
pub const FILE: &str = "report.html";

/// Makes the report of a finished run.
pub fn run(args: &PageArgs, printer: &Printer) -> anyhow::Result<()> {
    let compute = Compute::open(&args.compute)?;
    if !args.run.join("config.toml").is_file() {
        // A bundle by itself knows no run; and what is no bundle gets its own message.
        Bundle::load(&args.run, &compute.device)?;
        return Err(UsageError(format!(
            "{} is a bundle, which knows neither its data nor its training",
            args.run.display()
        )))
        .hint("give the folder of the run");
    }
    let settings = RunSettings {
        folder: args.run.clone(),
        device: compute.device.clone(),
        workers: compute.workers,
        requests: Requests::default(),
    };
    let path = args.out.clone().unwrap_or_else(|| args.run.join(FILE));
    let bytes = write(&settings, &compute, &path)?;
    let value = json!({
        "schema": super::SCHEMA,
        "run": args.run,
        "report": path,
        "bytes": bytes,
    });
    let text = format!("report: {}\n", path.display());
    printer.report(args.report.format, &value, text)
}

/// Writes the report of the run in the settings' folder to `path`: whole, or not at all. Gives its size.
pub fn write(settings: &RunSettings, compute: &Compute, path: &Path) -> anyhow::Result<usize> {
    let folder = &settings.folder;
    let head = Bundle::load(folder, &compute.device)?
        .info()
        .model
        .head
        .clone();
    let forecasts = matches!(head, HeadConfig::Forecast { .. });
    let html = match forecasts {
        true => gather_series::gather(&describe_series(settings)?, folder, compute)?.to_html(),
        false => gather::gather(&describe_run(settings)?, folder, compute)?.to_html(),
    };
    write_whole(path, html.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(html.len())
}
