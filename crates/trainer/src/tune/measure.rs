//! How fast this machine is, found by a short run of the configuration as it stands.

use std::path::Path;
use std::time::Instant;

use super::cost::{DataSizes, Speed, on_rung};
use super::search::TuneSettings;
use crate::config::Config;
use crate::error::TrainError;
use crate::files::at;
use crate::run::{Progress, RunSettings, train};

/// Steps of the first look.
const FEW_STEPS: u64 = 5;
/// The most steps of the second one.
const MANY_STEPS: u64 = 60;
/// The share of the budget that the second look may take.
const SHARE: f64 = 0.03;
/// A rate at which nothing diverges: speed does not depend on it.
const HARMLESS_RATE: f64 = 1e-12;

/// Measures in a folder that is removed again.
pub(super) fn measure(
    base: &Config,
    sizes: &DataSizes,
    settings: &TuneSettings,
    budget_seconds: f64,
) -> Result<Speed, TrainError> {
    let folder = settings.folder.join("measure");
    let speed = measure_in(&folder, base, sizes, settings, budget_seconds);
    clear(&folder)?;
    speed
}

fn measure_in(
    folder: &Path,
    base: &Config,
    sizes: &DataSizes,
    settings: &TuneSettings,
    budget_seconds: f64,
) -> Result<Speed, TrainError> {
    let first = look(folder, base, sizes, settings, FEW_STEPS)?;
    // Batches of short and of long texts differ; more of them tell more, where there is time.
    let steps = SHARE * budget_seconds - first.seconds_per_run - first.seconds_per_evaluation;
    let steps = (steps / first.seconds_per_step).min(MANY_STEPS as f64);
    if steps < 2.0 * FEW_STEPS as f64 {
        return Ok(first);
    }
    look(folder, base, sizes, settings, steps as u64)
}

fn look(
    folder: &Path,
    base: &Config,
    sizes: &DataSizes,
    settings: &TuneSettings,
    steps: u64,
) -> Result<Speed, TrainError> {
    // What a process that was killed while it measured has left is no run to continue.
    clear(folder)?;
    let mut config = on_rung(base, base, steps.min(sizes.total_steps(base)), sizes);
    config.train.learning_rate = HARMLESS_RATE;
    let run = RunSettings {
        folder: folder.to_owned(),
        device: settings.device.clone(),
        workers: settings.workers,
        requests: settings.requests.clone(),
    };
    let begun = Instant::now();
    let mut times: Vec<f64> = Vec::new();
    let mut evaluation = 0.0;
    let mut last = 0.0;
    train(&config, &run, &mut |progress| {
        let now = begun.elapsed().as_secs_f64();
        match progress {
            Progress::Begin { .. } => last = now,
            Progress::Step { .. } => {
                times.push(now - last);
                last = now;
            }
            Progress::Evaluated { .. } if evaluation == 0.0 => evaluation = now - last,
            _ => {}
        }
    })?;
    let all = begun.elapsed().as_secs_f64();
    // The first step also warms up caches and, on a GPU, compiles.
    let warm = if times.len() > 1 { &times[1..] } else { &times };
    let step = warm.iter().sum::<f64>() / warm.len().max(1) as f64;
    let rest = all - evaluation - step * times.len() as f64;
    Ok(Speed {
        seconds_per_run: rest.max(0.0),
        // A clock too coarse for a step must not make steps free.
        seconds_per_step: step.max(1e-6),
        seconds_per_evaluation: evaluation,
    })
}

fn clear(folder: &Path) -> Result<(), TrainError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(folder)(error)),
        _ => Ok(()),
    }
}
