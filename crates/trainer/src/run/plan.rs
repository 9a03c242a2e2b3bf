//! What a run will do, before it does anything: which steps, on what model.

use burn::tensor::Device;
use regard_bundle::Workers;
use regard_model::gradient_checkpointing::Choice;
use regard_ops::Key;

use crate::config::{Config, Optimizer, Period};
use crate::error::TrainError;
use crate::freeze::freeze;
use crate::layer_decay::LayerDecay;
use crate::memory::{BatchShape, require_memory};
use crate::optimizer::{OptimizerSettings, UpdateRule};
use crate::privacy::private_steps;
use crate::sampler::Sampler;
use crate::schedule::Schedule;
use crate::step::{StepSettings, Stepper};
use crate::task::{Split, Task};

/// The steps of a run.
pub(crate) struct Plan {
    pub sampler: Sampler,
    pub schedule: Schedule,
    pub steps_per_epoch: u64,
    pub total_steps: u64,
    pub evaluate_every: u64,
    warmup: (Period, u64),
}

impl Plan {
    pub fn new(config: &Config, task: &dyn Task) -> Self {
        let train = &config.train;
        let sampler = Sampler::new(task.lengths(Split::Train), train.batch_size, config.seed);
        let (steps_per_epoch, total_steps) = private_steps(config).unwrap_or_else(|| {
            let steps_per_epoch = sampler.n_batches_per_epoch() as u64;
            let all = train.epochs.saturating_mul(steps_per_epoch);
            let total_steps = train.max_steps.map_or(all, |most| most.min(all));
            (steps_per_epoch, total_steps)
        });
        let in_steps = |period: Period| period.steps(total_steps, steps_per_epoch);
        let warmup_steps = in_steps(train.warmup);
        Self {
            sampler,
            schedule: Schedule::new(train.schedule, warmup_steps, total_steps),
            steps_per_epoch,
            total_steps,
            evaluate_every: in_steps(config.eval.every).max(1),
            warmup: (train.warmup, warmup_steps),
        }
    }

    /// What is allowed and probably not meant. Only now is the number of steps known.
    pub fn warnings(&self) -> Vec<String> {
        let (warmup, steps) = self.warmup;
        if steps <= self.total_steps {
            return Vec::new();
        }
        let written = match warmup {
            Period::Steps(_) => String::new(),
            _ => format!(" ({warmup})"),
        };
        vec![format!(
            "train.warmup is {steps} steps{written}, the run has {}: the learning rate never reaches its height; shorten it",
            self.total_steps
        )]
    }
}

/// Which stages run again in the backward pass of the largest batch.
///
/// The choice depends on the number of threads and changes no bit of what is learned.
pub(crate) fn recomputed(
    config: &Config,
    task: &dyn Task,
    workers: Workers,
) -> Result<Choice, TrainError> {
    let train = &config.train;
    let n_units = task.n_units(Split::Train);
    let most_rows = (0..n_units)
        .map(|unit| task.n_rows(Split::Train, unit))
        .max();
    let at_once = train.micro_batch.unwrap_or(train.batch_size).min(n_units);
    let longest = task.lengths(Split::Train).into_iter().max().unwrap_or(1) as usize;
    let model = task.model();
    let shape = BatchShape {
        rows: at_once * most_rows.unwrap_or(1),
        // A length may be counted in steps of a series, of which a patch takes several.
        length: longest.min(model.embedding.max_positions()),
        shards: train.shards,
        threads: workers.count(),
        averages: train.ema().is_some(),
    };
    let policy = train.gradient_checkpointing;
    shape
        .choose(policy, &model)
        .map_err(|problem| TrainError::TooLittleMemory {
            problem,
            rows: shape.rows,
            length: shape.length,
        })
}

/// A line for a person on what was chosen; none if nothing runs again.
pub(crate) fn describe_recomputed(choice: &Choice) -> Option<String> {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let blocks = choice.segments.n_stages() - 2;
    let last = choice.segments.blocks_a_segment();
    (choice.segments.len() > 1).then(|| {
        format!(
            "gradient checkpointing: {} of {blocks} blocks run again, in groups of {last}; activations about {:.1} MiB instead of {:.1} MiB",
            blocks - last,
            mib(choice.bytes),
            mib(choice.plain_bytes)
        )
    })
}

/// A model of a task at its first step, its weights drawn at random.
pub(crate) fn stepper(
    config: &Config,
    task: &dyn Task,
    device: &Device,
    workers: Workers,
) -> Result<Stepper, TrainError> {
    let train = &config.train;
    let key = Key::new(config.seed);
    let shape = task.model();
    // The system would end the process, and say nothing.
    require_memory(shape.parameter_counts().total())?;
    let model = shape.init(key, &device.clone().autodiff())?;
    let model = freeze(task.begin(model)?, train.trainable);
    let n_stages = model.n_stages();
    Ok(Stepper::new(
        model,
        StepSettings {
            device: device.clone(),
            key,
            micro_batch: train.micro_batch,
            shards: train.shards,
            workers,
            segments: recomputed(config, task, workers)?.segments,
            mixup: train.mixup(),
            max_grad_norm: train.clip_norm(),
            optimizer: OptimizerSettings {
                rule: match train.optimizer {
                    Optimizer::AdamW => UpdateRule::AdamW,
                    Optimizer::Sgd => UpdateRule::Sgd {
                        momentum: train.momentum,
                    },
                },
                betas: train.betas,
                epsilon: train.epsilon,
                weight_decay: train.weight_decay,
                layer_decay: LayerDecay::new(train.layer_decay, n_stages),
            },
        },
    ))
}
