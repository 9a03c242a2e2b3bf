//! Memory: of this process, of this machine, of a model in training.

use regard_model::gradient_checkpointing::{Choice, GradientCheckpointing, TooLittleMemory};
use regard_model::{BatchSize, TransformerConfig};

use crate::error::TrainError;

/// A weight, its gradient and two moments of the optimiser, in bytes: the least that training takes a parameter.
const BYTES_PER_PARAMETER: u64 = 16;
const FLOAT_BYTES: f64 = 4.0;

/// The most resident memory that this process has had, in bytes, where the system tells.
#[must_use]
pub fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    kib(line)
}

/// The memory of this machine, or of the container that this process may fill, in bytes, where the system tells.
#[must_use]
pub fn machine_bytes() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let total = kib(line)?;
    let limits = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ];
    let limits = limits.iter().filter_map(|path| {
        // The text "max" is no limit.
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    });
    Some(limits.fold(total, u64::min))
}

fn kib(line: &str) -> Option<u64> {
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Refuses a model that cannot be trained in the memory of this machine.
///
/// # Errors
///
/// [`TrainError::TooLarge`], with the numbers.
pub(crate) fn require_memory(parameters: u64) -> Result<(), TrainError> {
    match machine_bytes() {
        Some(machine_bytes) => require_within(parameters, machine_bytes),
        None => Ok(()),
    }
}

fn require_within(parameters: u64, machine_bytes: u64) -> Result<(), TrainError> {
    let needed_bytes = parameters.saturating_mul(BYTES_PER_PARAMETER);
    if needed_bytes <= machine_bytes {
        return Ok(());
    }
    Err(TrainError::TooLarge {
        parameters,
        needed_bytes,
        machine_bytes,
    })
}

/// The memory that a training step takes, in bytes, by rule of thumb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryEstimate {
    /// The weights, and their moving average where there is one.
    pub weights: u64,
    /// The gradients: one of each shard, and their sum.
    pub gradients: u64,
    /// The optimiser's two moments.
    pub moments: u64,
    /// What the forward pass keeps for the backward pass, and the backward pass beside it.
    pub activations: u64,
}

/// How a batch is cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchShape {
    pub rows: usize,
    pub length: usize,
    pub shards: usize,
    pub threads: usize,
    pub averages: bool,
}

impl BatchShape {
    fn n_shards(self) -> usize {
        self.shards.min(self.rows).max(1)
    }

    /// What runs at once: shards beyond the number of threads wait, and keep nothing.
    fn at_once(self) -> BatchSize {
        let shards = self.n_shards();
        BatchSize {
            rows: self.rows.div_ceil(shards) * shards.min(self.threads),
            length: self.length,
        }
    }

    /// The stages that run again.
    ///
    /// # Errors
    ///
    /// If a limit on memory cannot be kept.
    pub fn choose(
        self,
        policy: GradientCheckpointing,
        model: &TransformerConfig,
    ) -> Result<Choice, TooLittleMemory> {
        policy.choose(model, self.at_once())
    }
}

impl MemoryEstimate {
    /// For a batch of rows that are all of one length, with its activations as they were chosen.
    pub(crate) fn of(model: &TransformerConfig, batch: BatchShape, activations: &Choice) -> Self {
        let parameters = model.parameter_counts().total() as f64;
        let shards = batch.n_shards();
        // `as` saturates.
        let bytes = |numbers: f64| (numbers * FLOAT_BYTES) as u64;
        Self {
            weights: bytes(parameters * (1.0 + f64::from(u8::from(batch.averages)))),
            gradients: bytes(parameters * (shards + 1) as f64),
            moments: bytes(2.0 * parameters),
            activations: activations.bytes,
        }
    }

    /// All of it.
    #[must_use]
    pub fn total(&self) -> u64 {
        [self.gradients, self.moments, self.activations]
            .into_iter()
            .fold(self.weights, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use regard_model::HeadConfig;

    use super::*;

    #[test]
    fn a_model_beyond_the_machine_is_refused_with_the_numbers() {
        assert!(require_within(1_000, 16_000).is_ok());
        let error = require_within(1_500_000_000, 16 << 30).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the model has 1500000000 parameters; weights, gradient and the optimiser's moments alone take 22.4 GiB, \
             this machine has 16.0 GiB; lower model.d_model, model.n_layers, model.d_ff or tokenizer.vocab_size"
        );
        assert!(require_within(u64::MAX, u64::MAX - 1).is_err());
    }

    #[test]
    fn an_estimate_grows_with_what_is_in_memory_at_once() {
        let model = TransformerConfig::text(100, 64, HeadConfig::classification(2));
        let of = |policy: GradientCheckpointing, rows, length, shards, threads| {
            let shape = BatchShape {
                rows,
                length,
                shards,
                threads,
                averages: false,
            };
            MemoryEstimate::of(&model, shape, &shape.choose(policy, &model).unwrap())
        };
        let estimate = |rows, length, shards, threads| {
            of(GradientCheckpointing::None, rows, length, shards, threads)
        };
        let base = estimate(32, 64, 4, 4);
        assert_eq!(base.moments, 2 * base.weights);
        assert_eq!(base.gradients, 5 * base.weights);
        assert_eq!(estimate(64, 64, 4, 4).activations, 2 * base.activations);
        assert_eq!(estimate(32, 64, 4, 2).activations, base.activations / 2);
        assert!(estimate(32, 128, 4, 4).activations > 2 * base.activations);
        let recomputed = of(GradientCheckpointing::EveryBlock, 32, 64, 4, 4);
        assert!(recomputed.activations < base.activations);
        assert_eq!(recomputed.gradients, base.gradients);
    }
}
