//! `regard bench gradient-checkpointing`.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use regard_trainer::memory::peak_rss_bytes;
use regard_trainer::workload::{Start, Workload};
use serde_json::{Value, json};

use crate::args::{BenchCheckpointingArgs, Side};
use crate::device::Compute;
use crate::errors::UsageError;
use crate::output::Printer;

/// The memory whose largest batch is told.
const LIMIT_GIB: f64 = 8.0;
const MIB: f64 = (1 << 20) as f64;

/// Compares the sides, each measurement in a process of its own: the peak of memory is a process's.
pub fn run(args: &BenchCheckpointingArgs, printer: &Printer) -> anyhow::Result<()> {
    let mut workloads = Vec::new();
    for name in &args.workloads {
        workloads.push(Workload::from_name(name).ok_or_else(|| {
            let names: Vec<&str> = Workload::ALL.iter().map(|known| known.name()).collect();
            UsageError(format!("--workload {name}: expected {}", names.join(", ")))
        })?);
    }
    if let (Some(side), Some(batch), [workload]) = (args.side, args.batch, &workloads[..]) {
        let row = measure(*workload, side, batch.get(), args)?;
        return printer.report(args.report.format, &row, &row);
    }
    let mut rows = Vec::new();
    let mut text = String::from(
        "workload  side         step ms  working MiB  model MiB  largest batch in 8 GiB\n",
    );
    for workload in workloads {
        let mut sides = Vec::new();
        for side in [Side::Plain, Side::EveryBlock] {
            let full = workload.batch_size();
            let mut row = in_a_process(workload, side, full, args)?;
            let half = in_a_process(workload, side, full / 2, args)?;
            let largest = largest_batch(full, &row, &half);
            row["largest_batch_8gib"] = json!(largest);
            let number = |name: &str| row[name].as_f64().unwrap_or(f64::NAN);
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{:8}  {:11}  {:7.1}  {:11.1}  {:9.1}  {:22}",
                workload.name(),
                name(side),
                number("step_ms"),
                number("working_mib"),
                number("model_mib"),
                largest.map_or("unknown".to_owned(), |largest| largest.to_string()),
            );
            sides.push(row);
        }
        let ratio = |name: &str| {
            let [plain, recomputed] = [0, 1].map(|side| sides[side][name].as_f64());
            Some(recomputed? / plain?)
        };
        let (time, memory) = (ratio("step_ms"), ratio("working_mib"));
        let shown = |ratio: Option<f64>| ratio.map_or("unknown".to_owned(), |r| format!("{r:.3}"));
        let _ = writeln!(
            text,
            "{:8}  ratio        time {}, working memory {}",
            workload.name(),
            shown(time),
            shown(memory)
        );
        let total = json!({
            "workload": workload.name(),
            "time_ratio": time,
            "working_memory_ratio": memory,
        });
        rows.append(&mut sides);
        rows.push(total);
    }
    let value = json!({"schema": super::SCHEMA, "rows": rows});
    printer.report(args.report.format, &value, text)
}

const fn name(side: Side) -> &'static str {
    match side {
        Side::Plain => "plain",
        Side::EveryBlock => "every-block",
    }
}

/// The largest batch whose peak is within the limit, on the line through two measured ones.
fn largest_batch(full: usize, row: &Value, half: &Value) -> Option<u64> {
    let [at_full, at_half] = [row, half].map(|row| row["working_mib"].as_f64());
    let a_unit = (at_full? - at_half?) / (full - full / 2) as f64;
    let fixed = at_full? - a_unit * full as f64 + row["model_mib"].as_f64()?;
    let units = (LIMIT_GIB * 1024.0 - fixed) / a_unit;
    (a_unit > 0.0).then_some(units as u64)
}

/// Measures one side. What is resident after steps on almost nothing is the model, its gradient, the
/// optimiser and the program; what comes on top is the working memory.
fn measure(
    workload: Workload,
    side: Side,
    batch: usize,
    args: &BenchCheckpointingArgs,
) -> anyhow::Result<Value> {
    let compute = Compute::open(&args.compute)?;
    let start = Start {
        shards: args.shards.get(),
        batch_size: batch,
        recomputes: side == Side::EveryBlock,
    };
    let mut bench = workload.start_with(&compute.device, compute.workers, start)?;
    for _ in 0..2 {
        bench.step_on_almost_nothing();
    }
    let model = peak_rss_bytes();
    bench.step();
    let mut times = Vec::new();
    for _ in 0..args.steps.get() {
        let begun = Instant::now();
        bench.step();
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let working = match (peak_rss_bytes(), model) {
        (Some(all), Some(model)) => Some((all - model) as f64 / MIB),
        _ => None,
    };
    Ok(json!({
        "workload": workload.name(),
        "side": name(side),
        "batch_size": batch,
        "shards": args.shards,
        "step_ms": times[times.len() / 2],
        "step_ms_min": times[0],
        "working_mib": working,
        "model_mib": model.map(|bytes| bytes as f64 / MIB),
        "threads": compute.threads,
        "device": compute.name,
    }))
}

fn in_a_process(
    workload: Workload,
    side: Side,
    batch: usize,
    args: &BenchCheckpointingArgs,
) -> anyhow::Result<Value> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(program);
    command
        .args(["bench", "gradient-checkpointing", "--format", "json"])
        .args(["--workload", workload.name(), "--side", name(side)])
        .args(["--batch", &batch.to_string()])
        .args(["--steps", &args.steps.to_string()])
        .args(["--shards", &args.shards.to_string()])
        .stderr(Stdio::inherit());
    if let Some(device) = &args.compute.device {
        command.args(["--device", device]);
    }
    if let Some(threads) = args.compute.threads {
        command.args(["--threads", &threads.to_string()]);
    }
    let output = command
        .output()
        .context("cannot start this program again")?;
    ensure!(output.status.success(), "{} failed", workload.name());
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{} gave no report", workload.name()))
}
