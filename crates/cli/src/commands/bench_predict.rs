//! `regard bench predict`: what a trained model costs in use.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use regard_bundle::{Bundle, TextClassifier};
use regard_trainer::memory::peak_rss_bytes;
use regard_trainer::test_texts;
use serde_json::{Value, json};

use super::latency::{Inputs, MOST_TEXTS, inputs_line, measure, report, table};
use crate::args::{BenchPredictArgs, ComputeArgs};
use crate::device::Compute;
use crate::output::Printer;

/// How many texts are made up where the run has none.
const SYNTHETIC_TEXTS: usize = 64;

/// Times a model on the test data of its run, or on texts that are made up.
pub fn run(args: &BenchPredictArgs, printer: &Printer) -> anyhow::Result<()> {
    let value = match args.batch_sizes[..] {
        [batch_size] => bench(batch_size as usize, args, printer)?,
        // A process each: the peak of memory is a process's.
        _ => {
            let reports = args.batch_sizes.iter();
            let reports = reports.map(|batch_size| in_a_process(*batch_size, args));
            let mut reports = reports.collect::<anyhow::Result<Vec<Value>>>()?;
            let rows = reports.iter_mut().map(|report| report["rows"][0].take());
            let rows: Value = rows.collect();
            let mut first = reports.swap_remove(0);
            first["rows"] = rows;
            first
        }
    };
    let rows = value["rows"].as_array().map_or(&[][..], Vec::as_slice);
    let seconds = |name: &str| value[name].as_f64().unwrap_or(f64::NAN);
    let text = format!(
        "{}loading the model: {:.3} s; first answer of a new process: {:.3} s from its start\n\n{}",
        inputs_line(&value["inputs"]),
        seconds("load_s"),
        seconds("first_answer_s"),
        table(rows)
    );
    printer.report(args.report.format, &value, text)
}

/// The whole report for one batch size.
fn bench(batch_size: usize, args: &BenchPredictArgs, printer: &Printer) -> anyhow::Result<Value> {
    let compute = Compute::open(&args.compute)?;
    let begun = Instant::now();
    let bundle = Bundle::load(&args.run, &compute.device)?;
    let load_s = begun.elapsed().as_secs_f64();
    let texts = if args.run.join("config.toml").is_file() {
        test_texts(&args.run, bundle.info(), MOST_TEXTS).unwrap_or_else(|error| {
            printer.warning(format_args!("{error}; the texts are made up instead"));
            None
        })
    } else {
        None
    };
    let classifier = bundle.into_text_classifier()?.with_workers(compute.workers);
    let inputs = match texts {
        Some(texts) => Inputs {
            from: "the test data of the run".to_owned(),
            texts,
        },
        None => made_up(&classifier)?,
    };
    let first_answer_s = first_answer(&args.run, &inputs.texts[0], &args.compute)?;
    let mut row = measure(&classifier, &inputs.texts, batch_size, args.calls as usize)?;
    row["threads"] = json!(compute.threads);
    row["device"] = json!(compute.name);
    row["peak_rss_mib"] = json!(peak_rss_bytes().map(|bytes| bytes as f64 / f64::from(1 << 20)));
    let mut value = report(&inputs.to_json(&classifier)?, &[row]);
    value["run"] = json!(args.run);
    value["load_s"] = json!(load_s);
    value["first_answer_s"] = json!(first_answer_s);
    Ok(value)
}

/// Texts out of the vocabulary, as long as the model takes them: a bundle knows no usual length, and
/// the longest is the slowest.
fn made_up(classifier: &TextClassifier) -> anyhow::Result<Inputs> {
    let tokenizer = classifier.tokenizer();
    let mut state = 1_u64;
    let mut texts = Vec::with_capacity(SYNTHETIC_TEXTS);
    for _ in 0..SYNTHETIC_TEXTS {
        let mut text = String::new();
        // Each piece is a token or more; some decode to nothing.
        for _ in 0..2 * tokenizer.max_length() {
            // Any numbers will do; these are the same everywhere.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let id = (state >> 33) % tokenizer.vocab_size() as u64;
            text.push_str(&tokenizer.decode(&[id as u32])?);
            text.push(' ');
        }
        texts.push(text);
    }
    Ok(Inputs {
        from: "made up from the vocabulary, as long as the model takes them".to_owned(),
        texts,
    })
}

/// The seconds from the start of a new process to its first answer.
fn first_answer(run: &Path, text: &str, compute: &ComputeArgs) -> anyhow::Result<f64> {
    let mut command = itself()?;
    command.args(["predict", "--format", "jsonl"]);
    add_compute(&mut command, compute);
    command.arg("--").arg(run).arg("-");
    command.stdin(Stdio::piped());
    let begun = Instant::now();
    let mut child = command.spawn().context("cannot start this program again")?;
    if let Some(mut stdin) = child.stdin.take() {
        let line = text.replace(['\n', '\r'], " ");
        writeln!(stdin, "{line}").context("cannot give the new process a text")?;
    }
    let mut answer = Vec::new();
    let mut seconds = f64::NAN;
    if let Some(mut stdout) = child.stdout.take() {
        let mut byte = [0];
        stdout
            .read_exact(&mut byte)
            .context("the new process gave no answer")?;
        seconds = begun.elapsed().as_secs_f64();
        stdout
            .read_to_end(&mut answer)
            .context("cannot read the answer")?;
    }
    let status = child.wait().context("cannot wait for the new process")?;
    ensure!(status.success(), "the new process failed");
    Ok(seconds)
}

fn in_a_process(batch_size: u64, args: &BenchPredictArgs) -> anyhow::Result<Value> {
    let mut command = itself()?;
    command.args(["bench", "predict", "--format", "json"]);
    command.args(["--batch-sizes", &batch_size.to_string()]);
    command.args(["--calls", &args.calls.to_string()]);
    add_compute(&mut command, &args.compute);
    let output = command.arg("--").arg(&args.run).output();
    let output = output.context("cannot start this program again")?;
    ensure!(output.status.success(), "batch size {batch_size} failed");
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("batch size {batch_size} gave no report"))
}

/// This program, with its results for us and everything else for the person.
fn itself() -> anyhow::Result<Command> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(program);
    command.stdout(Stdio::piped()).stderr(Stdio::inherit());
    Ok(command)
}

fn add_compute(command: &mut Command, compute: &ComputeArgs) {
    if let Some(device) = &compute.device {
        command.args(["--device", device]);
    }
    if let Some(threads) = compute.threads {
        command.args(["--threads", &threads.to_string()]);
    }
}
