//! `regard bench step`.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use regard_trainer::memory::peak_rss_bytes;
use regard_trainer::workload::Workload;
use serde_json::{Value, json};

use crate::args::BenchStepArgs;
use crate::device::Compute;
use crate::errors::UsageError;
use crate::output::Printer;

/// The parts of a batch that run side by side, as `train.shards` has it by default.
const SHARDS: usize = 4;
/// Steps before the timing begins, after the first.
const WARM_UP: usize = 2;

/// Times the training step of standard workloads.
pub fn run(args: &BenchStepArgs, printer: &Printer) -> anyhow::Result<()> {
    let mut workloads = Vec::new();
    for name in &args.workloads {
        let Some(workload) = Workload::from_name(name) else {
            let names: Vec<&str> = Workload::ALL
                .iter()
                .map(|workload| workload.name())
                .collect();
            return Err(
                UsageError(format!("--workload {name}: expected {}", names.join(", "))).into(),
            );
        };
        workloads.push(workload);
    }
    let rows = match workloads[..] {
        [workload] => vec![measure(workload, args)?],
        // A process each: the peak of memory is a process's.
        _ => workloads
            .into_iter()
            .map(|workload| in_a_process(workload, args))
            .collect::<anyhow::Result<_>>()?,
    };
    let mut text = String::from(
        "workload  step ms  CPU ms  samples/s  peak MiB  first step s  threads  device\n",
    );
    for row in &rows {
        let number = |name: &str| row[name].as_f64().unwrap_or(f64::NAN);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:8}  {:7.1}  {:6.1}  {:9.1}  {:8.1}  {:12.2}  {:7}  {}",
            row["workload"].as_str().unwrap_or_default(),
            number("step_ms"),
            number("cpu_ms"),
            number("samples_per_s"),
            number("peak_rss_mib"),
            number("first_step_s"),
            number("threads"),
            row["device"].as_str().unwrap_or_default(),
        );
    }
    let value = json!({"schema": super::SCHEMA, "rows": rows});
    printer.report(args.report.format, &value, text)
}

fn measure(workload: Workload, args: &BenchStepArgs) -> anyhow::Result<Value> {
    let begun = Instant::now();
    let compute = Compute::open(&args.compute)?;
    let mut bench = workload.start(&compute.device, compute.workers, SHARDS)?;
    bench.step();
    let first_step = begun.elapsed();
    for _ in 0..WARM_UP {
        bench.step();
    }
    let steps = args.steps.get();
    let mut times = Vec::with_capacity(steps);
    let cpu = cpu_time();
    for _ in 0..steps {
        let begun = Instant::now();
        bench.step();
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let cpu_ms = match (cpu, cpu_time()) {
        (Some(before), Some(after)) => Some((after - before).as_secs_f64() * 1e3 / steps as f64),
        _ => None,
    };
    times.sort_by(f64::total_cmp);
    let step_ms = times[steps / 2];
    Ok(json!({
        "workload": workload.name(),
        "step_ms": step_ms,
        "step_ms_min": times[0],
        "cpu_ms": cpu_ms,
        "samples_per_s": workload.batch_size() as f64 / step_ms * 1e3,
        "peak_rss_mib": peak_rss_bytes().map(|bytes| bytes as f64 / f64::from(1 << 20)),
        "first_step_s": first_step.as_secs_f64(),
        "threads": compute.threads,
        "device": compute.name,
    }))
}

fn in_a_process(workload: Workload, args: &BenchStepArgs) -> anyhow::Result<Value> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(program);
    command
        .args(["bench", "step", "--format", "json", "--workload"])
        .arg(workload.name())
        .args(["--steps", &args.steps.to_string()])
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
    let mut report: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{} gave no report", workload.name()))?;
    Ok(report["rows"][0].take())
}

/// The processor time of this process, where the system tells.
fn cpu_time() -> Option<Duration> {
    // Linux counts it in hundredths of a second, whatever the kernel's own clock.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name, in parentheses, may hold spaces.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    let total = ticks(11)? + ticks(12)?;
    Some(Duration::from_secs_f64(total / TICKS_PER_SECOND))
}
