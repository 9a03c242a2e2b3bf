//! One step on the real model, which leaves nothing behind: how large, how much memory, how long.

use std::time::{Duration, Instant};

use burn::module::Module;
use burn::tensor::Device;
use regard_bundle::Workers;
use regard_model::{ParameterCounts, Transformer};
use regard_ops::{Context, Key};

use crate::config::{Config, Task as TaskName};
use crate::error::TrainError;
use crate::evaluate;
use crate::memory::{BatchShape, MemoryEstimate, peak_rss_bytes};
use crate::privacy::{Entropy, PrivatePlan};
use crate::run::{Plan, TaskSource, describe_recomputed, recomputed, start_from, stepper};
use crate::sampler::Draw;
use crate::step::Stepper;
use crate::task::{Split, Task};

/// Ordinary steps are timed until there are this many of them, or this time has passed.
const TIMED_STEPS: usize = 8;
const TIMED_FOR: Duration = Duration::from_secs(3);

/// What a run would be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DryRun {
    /// Trainable numbers.
    pub parameters: ParameterCounts,
    /// The memory that a step takes by rule of thumb.
    pub estimate: MemoryEstimate,
    /// What runs again in the backward pass, in words, if anything does.
    pub recomputed: Option<String>,
    /// The most memory that this process has had, the step on the longest batch included, where the system tells.
    pub peak_bytes: Option<u64>,
    /// What the model learns.
    pub task: TaskName,
    /// Units of the longest batch.
    pub longest_batch: usize,
    /// Tokens of its longest unit.
    pub longest_unit: usize,
    /// Steps of an epoch.
    pub steps_per_epoch: u64,
    /// Steps of the whole run.
    pub total_steps: u64,
    /// How often the run sees each unit, on average.
    pub epochs: f64,
    /// The mean time of an ordinary step.
    pub seconds_per_step: f64,
    /// The time of an epoch, its evaluations included.
    pub seconds_per_epoch: f64,
    /// The time of the whole run, if nothing ends it early.
    pub seconds: f64,
    /// What is allowed and probably not meant.
    pub warnings: Vec<String>,
}

/// Makes one step on the longest batch that the run has, and times some ordinary ones. Nothing is written.
///
/// # Errors
///
/// If the model is too large for this machine, or its first loss is not finite.
pub fn dry_run(
    config: &Config,
    task: &dyn Task,
    device: &Device,
    workers: Workers,
) -> Result<DryRun, TrainError> {
    let plan = Plan::new(config, task);
    let private = PrivatePlan::new(config)?;
    let mut stepper = stepper(config, task, device, workers)?;
    if let Some(from) = &config.train.init_from {
        start_from(&mut stepper, task, from, device)?;
    }
    let lengths = task.lengths(Split::Train);
    let longest = longest(&lengths, config.train.batch_size);
    let (rows, length) = (longest.units.len(), lengths[longest.units[0]] as usize);
    step(
        config,
        task,
        (&plan, private.as_ref()),
        &mut stepper,
        &longest,
    )?;
    // Before anything else takes memory.
    let peak_bytes = peak_rss_bytes();

    let n_draws = plan.sampler.n_batches_per_epoch();
    let begun = Instant::now();
    let mut timed = 0;
    while timed < TIMED_STEPS.min(n_draws) && (timed == 0 || begun.elapsed() < TIMED_FOR) {
        // Spread over the epoch, since lengths differ.
        let draw = plan
            .sampler
            .draw(0, timed * n_draws / TIMED_STEPS.min(n_draws));
        step(config, task, (&plan, private.as_ref()), &mut stepper, &draw)?;
        timed += 1;
    }
    let seconds_per_step = begun.elapsed().as_secs_f64() / timed as f64;
    let evaluation = seconds_of_evaluation(&stepper.model().valid(), task, device, workers);
    let seconds =
        |steps: u64, evaluations: f64| steps as f64 * seconds_per_step + evaluations * evaluation;
    let per_epoch = plan.steps_per_epoch.min(plan.total_steps);
    let evaluations = plan.total_steps.div_ceil(plan.evaluate_every) as f64;
    let share = per_epoch as f64 / plan.total_steps.max(1) as f64;
    let shape = BatchShape {
        rows: config.train.micro_batch.map_or(rows, |most| most.min(rows)),
        length,
        shards: config.train.shards,
        threads: workers.count(),
        averages: config.train.ema().is_some(),
    };
    let chosen = recomputed(config, task, workers)?;
    let steps = plan.total_steps as f64;
    let epochs = match &private {
        // Steps of an epoch are no whole number there.
        Some(private) => (1e6 * steps * private.mechanism.sample_rate).round() / 1e6,
        None => steps / plan.steps_per_epoch.max(1) as f64,
    };
    Ok(DryRun {
        epochs,
        task: config.task,
        parameters: task.model().parameter_counts(),
        estimate: MemoryEstimate::of(&task.model(), shape, &chosen),
        recomputed: describe_recomputed(&chosen),
        peak_bytes,
        longest_batch: rows,
        longest_unit: length,
        steps_per_epoch: plan.steps_per_epoch,
        total_steps: plan.total_steps,
        seconds_per_step,
        seconds_per_epoch: seconds(per_epoch, evaluations * share),
        seconds: seconds(plan.total_steps, evaluations),
        warnings: plan.warnings(),
    })
}

/// The longest units together, the longest first: the sampler brings units of like length into one batch.
fn longest(lengths: &[u32], batch_size: usize) -> Draw {
    let mut units: Vec<usize> = (0..lengths.len()).collect();
    units.sort_by_key(|unit| std::cmp::Reverse(lengths[*unit]));
    units.truncate(batch_size);
    Draw {
        divisor: units.len() as f64,
        units,
    }
}

fn step(
    config: &Config,
    task: &dyn Task,
    (plan, private): (&Plan, Option<&PrivatePlan>),
    stepper: &mut Stepper,
    draw: &Draw,
) -> Result<(), TrainError> {
    let source = TaskSource {
        task,
        draw,
        key: Key::new(config.seed).stream("batch").fold(0),
    };
    let learning_rate = config.train.learning_rate * plan.schedule.multiplier(0);
    if let Some(private) = private {
        let mut entropy = Entropy::from_system()?;
        stepper.rehearse_private(&source)?;
        stepper.private_step(&private.mechanism, &source, &mut entropy, learning_rate);
        return Ok(());
    }
    let made = stepper.step(0, &source, draw.divisor, learning_rate);
    made.map(|_| ()).map_err(|problem| TrainError::Diverged {
        what: problem.what,
        value: problem.value,
        step: 1,
        epoch: 0,
        batch: 0,
        last_checkpoint: None,
    })
}

/// The time of an evaluation on the validation data, from some of its batches.
fn seconds_of_evaluation(
    model: &Transformer,
    task: &dyn Task,
    device: &Device,
    workers: Workers,
) -> f64 {
    let lengths = task.lengths(Split::Valid);
    let mut units: Vec<usize> = (0..lengths.len()).collect();
    units.sort_by_key(|unit| lengths[*unit]);
    let batches: Vec<&[usize]> = units.chunks(evaluate::BATCH).collect();
    let timed = batches.len().min(4 * workers.count());
    let begun = Instant::now();
    workers.map(timed, |index| {
        let units = batches[index * batches.len() / timed];
        let batch = task.batch(Split::Valid, units, None, device);
        let output = model.forward(&batch.input, &mut Context::evaluation());
        // Devices work ahead until somebody wants to see the result.
        output.into_data()
    });
    begun.elapsed().as_secs_f64() * batches.len() as f64 / timed.max(1) as f64
}
