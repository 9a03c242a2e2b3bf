//! `regard bench save`.

use std::time::Instant;

use anyhow::Context;
use regard_trainer::run::{Writer, plain_store};
use regard_trainer::workload::Workload;
use serde_json::json;

use crate::args::BenchSaveArgs;
use crate::device::Compute;
use crate::output::Printer;

/// Times what a save takes of the loop, its writing and its loading.
pub fn run(args: &BenchSaveArgs, printer: &Printer) -> anyhow::Result<()> {
    let compute = Compute::open(&args.compute)?;
    let mut bench = Workload::LargeModel.start(&compute.device, compute.workers, 1)?;
    // The optimiser has its moments from here on.
    bench.step_on_almost_nothing();
    let name = format!("regard-bench-save-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let store = plain_store(&folder);
    let (mut in_loop, mut written, mut steps) = (Vec::new(), Vec::new(), 0);
    for _ in 0..args.saves.get() {
        let begun = Instant::now();
        let writer = Writer::begin(bench.snapshot(), store.clone(), 1);
        in_loop.push(begun.elapsed().as_secs_f64());
        while !writer.is_done() {
            bench.step_on_almost_nothing();
            steps += 1;
        }
        let _ = writer.wait()?;
        written.push(begun.elapsed().as_secs_f64());
    }
    let begun = Instant::now();
    let loaded = store.load_newest()?.context("a checkpoint was saved")?;
    let load_s = begun.elapsed().as_secs_f64();
    std::fs::remove_dir_all(&folder).context("cannot remove the checkpoints of the benchmark")?;
    let bytes: usize = loaded.files.iter().map(Vec::len).sum();
    let most = |times: &[f64]| times.iter().copied().fold(0.0, f64::max);
    let row = json!({
        "parameters": bench.n_parameters(),
        "checkpoint_mib": bytes as f64 / f64::from(1 << 20),
        "saves": args.saves,
        "loop_s_max": most(&in_loop),
        "written_s_max": most(&written),
        "steps_meanwhile": steps,
        "read_and_proved_s": load_s,
        "device": compute.name,
        "threads": compute.threads,
    });
    let text = format!(
        "{} parameters, {:.0} MiB: a save takes the loop {:.4} s at most and is on disk after {:.2} s, while \
         {steps} steps were made; read and proved in {load_s:.2} s\n",
        bench.n_parameters(),
        bytes as f64 / f64::from(1 << 20),
        most(&in_loop),
        most(&written),
    );
    let value = json!({"schema": super::SCHEMA, "rows": [row]});
    printer.report(args.report.format, &value, text)
}
