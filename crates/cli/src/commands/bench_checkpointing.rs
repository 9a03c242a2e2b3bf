//! `regard bench gradient-checkpointing`.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
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
/// What a side says once it has warmed up.
const READY: &str = "ready";

/// What one process runs.
#[derive(Clone, Copy)]
struct Shape {
    workload: Workload,
    side: Side,
    batch: usize,
}

impl Shape {
    const fn whole(workload: Workload, side: Side) -> Self {
        Self {
            workload,
            side,
            batch: workload.batch_size(),
        }
    }
}

/// Compares the sides, each in a process of its own, since the peak of memory is a process's. The steps alternate, so that
/// whatever else runs on the machine slows both.
pub fn run(args: &BenchCheckpointingArgs, printer: &Printer) -> anyhow::Result<()> {
    let mut workloads = Vec::new();
    for name in &args.workloads {
        workloads.push(Workload::from_name(name).ok_or_else(|| {
            let names: Vec<&str> = Workload::ALL.iter().map(|known| known.name()).collect();
            UsageError(format!("--workload {name}: expected {}", names.join(", ")))
        })?);
    }
    if let (Some(side), Some(batch), [workload]) = (args.side, args.batch, &workloads[..]) {
        let shape = Shape {
            workload: *workload,
            side,
            batch: batch.get(),
        };
        return serve(shape, args);
    }
    let mut rows = Vec::new();
    let mut text = String::from(
        "workload  side         step ms  working MiB  model MiB  largest batch in 8 GiB\n",
    );
    for workload in workloads {
        let (mut sides, total) = compare(workload, args)?;
        let of = |row: &Value, name: &str| row[name].as_f64().unwrap_or(f64::NAN);
        for row in &sides {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{:8}  {:11}  {:7.1}  {:11.1}  {:9.1}  {:>22}",
                workload.name(),
                row["side"].as_str().unwrap_or_default(),
                of(row, "step_ms"),
                of(row, "working_mib"),
                of(row, "model_mib"),
                row["largest_batch_8gib"]
                    .as_u64()
                    .map_or("unknown".to_owned(), |largest| largest.to_string()),
            );
        }
        let _ = writeln!(
            text,
            "{:8}  every-block to plain: time {:.3}, working memory {:.3}",
            workload.name(),
            of(&total, "time_ratio"),
            of(&total, "working_memory_ratio"),
        );
        rows.append(&mut sides);
        rows.push(total);
    }
    let value = json!({"schema": super::SCHEMA, "rows": rows});
    printer.report(args.report.format, &value, text)
}

/// The rows of the two sides, and what they say together.
fn compare(
    workload: Workload,
    args: &BenchCheckpointingArgs,
) -> anyhow::Result<(Vec<Value>, Value)> {
    let sides = [Side::Plain, Side::EveryBlock];
    let mut processes = Vec::new();
    for side in sides {
        processes.push(OneSide::start(Shape::whole(workload, side), args)?);
    }
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..args.steps.get() {
        for (process, times) in processes.iter_mut().zip(&mut times) {
            times.push(process.step()?);
        }
    }
    let mut rows = Vec::new();
    for (process, times) in processes.into_iter().zip(&times) {
        let mut row = process.finish()?;
        row["step_ms"] = json!(median(times.clone()));
        row["step_ms_min"] = json!(times.iter().copied().reduce(f64::min));
        rows.push(row);
    }
    for (row, side) in rows.iter_mut().zip(sides) {
        let full = workload.batch_size();
        let half = Shape {
            batch: full / 2,
            ..Shape::whole(workload, side)
        };
        let half = OneSide::start(half, args)?.finish()?;
        row["largest_batch_8gib"] = json!(largest_batch(full, row, &half));
    }
    let working = |row: &Value| row["working_mib"].as_f64();
    let [plain, recomputed] = [0, 1].map(|side| working(&rows[side]));
    let ratios = times[1].iter().zip(&times[0]).map(|(a, b)| a / b);
    let total = json!({
        "workload": workload.name(),
        "time_ratio": median(ratios.collect()),
        "working_memory_ratio": plain.zip(recomputed).map(|(plain, recomputed)| recomputed / plain),
    });
    Ok((rows, total))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
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

/// Runs one side: a step for each line that is read. What is resident after steps on almost nothing is the model, its
/// gradient, the optimiser and the program; what comes on top is the working memory.
fn serve(shape: Shape, args: &BenchCheckpointingArgs) -> anyhow::Result<()> {
    let compute = Compute::open(&args.compute)?;
    let start = Start {
        shards: args.shards.get(),
        batch_size: shape.batch,
        recomputes: shape.side == Side::EveryBlock,
    };
    let mut bench = shape
        .workload
        .start_with(&compute.device, compute.workers, start)?;
    for _ in 0..2 {
        bench.step_on_almost_nothing();
    }
    let model = peak_rss_bytes();
    bench.step();
    let mut answers = std::io::stdout().lock();
    writeln!(answers, "{READY}")?;
    for line in std::io::stdin().lines() {
        line?;
        let begun = Instant::now();
        bench.step();
        writeln!(answers, "{}", begun.elapsed().as_secs_f64() * 1e3)?;
    }
    let working = match (peak_rss_bytes(), model) {
        (Some(all), Some(model)) => Some((all - model) as f64 / MIB),
        _ => None,
    };
    let row = json!({
        "workload": shape.workload.name(),
        "side": name(shape.side),
        "batch_size": shape.batch,
        "shards": args.shards,
        "working_mib": working,
        "model_mib": model.map(|bytes| bytes as f64 / MIB),
        "threads": compute.threads,
        "device": compute.name,
    });
    Ok(writeln!(answers, "{row}")?)
}

/// A process that runs one side.
struct OneSide {
    process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    name: String,
}

impl OneSide {
    /// Starts it and waits until it has warmed up.
    fn start(shape: Shape, args: &BenchCheckpointingArgs) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let mut command = Command::new(program);
        command
            .args(["bench", "gradient-checkpointing"])
            .args(["--workload", shape.workload.name()])
            .args(["--side", name(shape.side)])
            .args(["--batch", &shape.batch.to_string()])
            .args(["--shards", &args.shards.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(device) = &args.compute.device {
            command.args(["--device", device]);
        }
        if let Some(threads) = args.compute.threads {
            command.args(["--threads", &threads.to_string()]);
        }
        let mut process = command.spawn().context("cannot start this program again")?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (asks, answers) = pipes.context("no pipe to the other process")?;
        let mut side = Self {
            process,
            asks,
            answers: BufReader::new(answers),
            name: format!("{}, {}", shape.workload.name(), name(shape.side)),
        };
        let answer = side.answer()?;
        ensure!(answer == READY, "{} says `{answer}`", side.name);
        Ok(side)
    }

    /// Makes a step; gives its milliseconds.
    fn step(&mut self) -> anyhow::Result<f64> {
        writeln!(self.asks)?;
        let answer = self.answer()?;
        let time = answer.parse();
        time.with_context(|| format!("{} says `{answer}`", self.name))
    }

    fn answer(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        ensure!(!line.is_empty(), "{} ended early", self.name);
        Ok(line.trim_end().to_owned())
    }

    /// Ends it; gives what it says of its memory.
    fn finish(mut self) -> anyhow::Result<Value> {
        drop(self.asks);
        let mut rest = String::new();
        self.answers.read_to_string(&mut rest)?;
        ensure!(self.process.wait()?.success(), "{} failed", self.name);
        serde_json::from_str(&rest).with_context(|| format!("{} gave no report", self.name))
    }
}
