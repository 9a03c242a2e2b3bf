//! What a run will do, before it does anything: which steps, on what model.

use burn::tensor::Device;
use regard_bundle::Workers;
use regard_ops::Key;

use crate::config::{Config, Period};
use crate::error::TrainError;
use crate::layer_decay::LayerDecay;
use crate::memory::require_memory;
use crate::optimizer::AdamWSettings;
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
        let steps_per_epoch = sampler.n_batches_per_epoch() as u64;
        let all = train.epochs.saturating_mul(steps_per_epoch);
        let total_steps = train.max_steps.map_or(all, |most| most.min(all));
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

/// A model of a task at its first step.
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
    let n_stages = model.n_stages();
    Ok(Stepper::new(
        model,
        StepSettings {
            device: device.clone(),
            key,
            micro_batch: train.micro_batch,
            shards: train.shards,
            workers,
            mixup: train.mixup(),
            max_grad_norm: train.clip_norm(),
            adamw: AdamWSettings {
                betas: train.betas,
                epsilon: train.epsilon,
                weight_decay: train.weight_decay,
                layer_decay: LayerDecay::new(train.layer_decay, n_stages),
            },
        },
    ))
}
