//! Models of series from a table to forecasts, classes and scores.

mod anomalies;
mod classes;
mod forecasts;
mod page;
mod parts;

use std::fmt::Write as _;

use crate::support::Sandbox;

/// 400 hours of two channels that repeat themselves every 12 hours; the second one has a jump in its last part.
fn table(sandbox: &Sandbox) {
    let mut text = "time,load,heat\n".to_owned();
    for t in 0..400_u32 {
        let (day, hour) = (1 + t / 24, t % 24);
        let wave = (f64::from(t) * std::f64::consts::TAU / 12.0).sin();
        let jump = if (300..310).contains(&t) { 8.0 } else { 0.0 };
        let _ = writeln!(
            text,
            "2024-01-{day:02}T{hour:02}:00,{:.4},{:.4}",
            10.0 + wave,
            50.0 - 3.0 * wave + jump
        );
    }
    sandbox.write("table.csv", text);
}

fn config(sandbox: &Sandbox, task: &str, more: &str) {
    let text = format!(
        "version = 1\ntask = \"{task}\"\n[data]\ntrain = \"table.csv\"\ntime_column = \"time\"\nlookback = 24\nhorizon = 6\n\
         [data.split]\ntrain = 0.5\nvalid = 0.2\ntest = 0.3\n\
         [model]\nd_model = 8\nn_layers = 1\nn_heads = 2\nd_ff = 16\ndropout = 0.0\n\
         [model.patch]\nlength = 6\nstride = 3\n\
         [train]\nepochs = 3\nlearning_rate = 5e-3\n{more}"
    );
    sandbox.write("series.toml", text);
}

/// Some of the rows of the table in a file of their own.
fn rows_of_table(sandbox: &Sandbox, name: &str, rows: std::ops::Range<usize>) {
    let text = String::from_utf8(sandbox.read("table.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let kept = [&lines[..1], &lines[1..][rows]].concat();
    sandbox.write(name, kept.join("\n") + "\n");
}

/// As [`config`], of another file, with lines on data and no split.
fn config_of_files(sandbox: &Sandbox, task: &str, [file, data]: [&str; 2], more: &str) {
    config(sandbox, task, more);
    let text = String::from_utf8(sandbox.read("series.toml")).unwrap();
    let split = "[data.split]\ntrain = 0.5\nvalid = 0.2\ntest = 0.3\n";
    assert!(text.contains(split));
    let text = text.replace(split, data).replace("table.csv", file);
    sandbox.write("series.toml", text);
}
