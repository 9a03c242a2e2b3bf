//! `regard bench privacy`.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use regard_trainer::memory::peak_rss_bytes;
use regard_trainer::workload::{Bench, Workload};
use serde_json::{Value, json};

use crate::args::{BenchPrivacyArgs, StepKind};
use crate::device::Compute;
use crate::output::Printer;

/// The parts of a batch that run side by side, as `train.shards` has it by default.
const SHARDS: usize = 4;
/// Steps before the timing begins.
const WARM_UP: usize = 2;

/// Compares a whole private step with a plain one on W1.
pub fn run(args: &BenchPrivacyArgs, printer: &Printer) -> anyhow::Result<()> {
    let compute = Compute::open(&args.compute)?;
    if let Some(kind) = args.only {
        let mut bench = start(&compute)?;
        for _ in 0..args.steps.get() {
            step(&mut bench, kind)?;
        }
        let value = json!({"schema": super::SCHEMA, "peak_rss_mib": peak_mib()});
        return printer.report(args.report.format, &value, format!("{value}\n"));
    }
    let (mut plain, mut private) = (start(&compute)?, start(&compute)?);
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..WARM_UP + args.steps.get() {
        // One after the other, so that whatever else runs on the machine slows both.
        for (kind, bench) in [
            (StepKind::Plain, &mut plain),
            (StepKind::Private, &mut private),
        ] {
            let begun = Instant::now();
            step(bench, kind)?;
            if round >= WARM_UP {
                times[kind as usize].push(begun.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    let [plain_ms, private_ms] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    let (plain_mib, private_mib) = (
        peak_alone(StepKind::Plain, args)?,
        peak_alone(StepKind::Private, args)?,
    );
    let ratio = private_ms / plain_ms;
    let more_mib = private_mib.zip(plain_mib).map(|(a, b)| a - b);
    let value = json!({
        "schema": super::SCHEMA,
        "rows": [{
            "workload": Workload::SmallText.name(),
            "plain_step_ms": plain_ms,
            "private_step_ms": private_ms,
            "ratio": ratio,
            "plain_peak_rss_mib": plain_mib,
            "private_peak_rss_mib": private_mib,
            "more_mib": more_mib,
            "threads": compute.threads,
            "device": compute.name,
        }],
    });
    let mib = |mib: Option<f64>| mib.map_or("unknown".to_owned(), |mib| format!("{mib:.0} MiB"));
    let text = format!(
        "{}, a whole step: draw, forward, backward, bound, noise, update ({} threads on {})\n  plain    {plain_ms:8.1} ms  peak {}\n  private  {private_ms:8.1} ms  peak {}\n  ratio    {ratio:8.2}     more {}\n",
        Workload::SmallText.name(),
        compute.threads,
        compute.name,
        mib(plain_mib),
        mib(private_mib),
        mib(more_mib),
    );
    printer.report(args.report.format, &value, text)
}

fn start(compute: &Compute) -> anyhow::Result<Bench> {
    Ok(Workload::SmallText.start(&compute.device, compute.workers, SHARDS)?)
}

fn step(bench: &mut Bench, kind: StepKind) -> anyhow::Result<()> {
    match kind {
        StepKind::Plain => bench.step(),
        StepKind::Private => bench.private_step()?,
    };
    Ok(())
}

fn peak_mib() -> Option<f64> {
    peak_rss_bytes().map(|bytes| bytes as f64 / f64::from(1 << 20))
}

/// The peak of memory is a process's, so each kind of step gets one.
fn peak_alone(kind: StepKind, args: &BenchPrivacyArgs) -> anyhow::Result<Option<f64>> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(program);
    command
        .args([
            "bench", "privacy", "--format", "json", "--steps", "3", "--only",
        ])
        .arg(match kind {
            StepKind::Plain => "plain",
            StepKind::Private => "private",
        })
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
    ensure!(output.status.success(), "the measurement of memory failed");
    let report: Value = serde_json::from_slice(&output.stdout)
        .context("the measurement of memory gave no report")?;
    Ok(report["peak_rss_mib"].as_f64())
}
