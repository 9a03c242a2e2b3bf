//! How large a model is, what it takes and how long: shared by `check` and `train --dry-run`.

use std::fmt;

use regard_trainer::dry_run::DryRun;
use serde_json::{Value, json};

use crate::device::Compute;

/// What a dry run found, on the device that it ran on.
pub struct ModelFacts<'a> {
    run: &'a DryRun,
    compute: &'a Compute,
}

impl<'a> ModelFacts<'a> {
    pub fn new(run: &'a DryRun, compute: &'a Compute) -> Self {
        Self { run, compute }
    }

    /// The peak of this process, which is that of training only where the model lives in its memory.
    fn peak_bytes(&self) -> Option<u64> {
        self.run.peak_bytes.filter(|_| self.compute.is_cpu())
    }

    /// As JSON: the field `model`.
    pub fn to_json(&self) -> Value {
        let Self { run, compute } = self;
        let parameters = &run.parameters;
        let estimate = &run.estimate;
        let mut value = json!({
            "parameters": parameters.total(),
            "parameters_by_part": {
                "embedding": parameters.embedding,
                "blocks": parameters.blocks,
                "head": parameters.head,
            },
            "memory_mib": self.peak_bytes().map(mib),
            "memory_estimate_mib": {
                "weights": mib(estimate.weights),
                "gradients": mib(estimate.gradients),
                "moments": mib(estimate.moments),
                "activations": mib(estimate.activations),
                "total": mib(estimate.total()),
            },
            "gradient_checkpointing": run.recomputed,
            "longest_batch": {"units": run.longest_batch, "tokens": run.longest_unit},
            "steps_per_epoch": run.steps_per_epoch,
            "steps": run.total_steps,
            "seconds_per_step": run.seconds_per_step,
            "seconds_per_epoch": run.seconds_per_epoch,
            "seconds": run.seconds,
            "device": compute.name,
            "threads": compute.threads,
        });
        if self.peak_bytes().is_none() {
            value["memory_mib_reason"] = json!("the memory of this device cannot be measured");
        }
        value
    }
}

impl fmt::Display for ModelFacts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, compute } = self;
        let parameters = &run.parameters;
        let share = |part: u64| 100.0 * part as f64 / parameters.total().max(1) as f64;
        writeln!(
            f,
            "model: {} parameters ({:.0} % embedding, {:.0} % blocks, {:.0} % head)",
            grouped(parameters.total()),
            share(parameters.embedding),
            share(parameters.blocks),
            share(parameters.head),
        )?;
        let estimate = mib(run.estimate.total());
        match self.peak_bytes() {
            Some(peak) => writeln!(
                f,
                "  memory  {:.0} MiB at most with data and program (step by estimate: {estimate:.0} MiB)",
                mib(peak)
            )?,
            None => writeln!(f, "  memory  {estimate:.0} MiB by estimate")?,
        }
        writeln!(
            f,
            "          longest batch: {} {} of up to {} {}",
            run.longest_batch,
            run.task.units(),
            run.longest_unit,
            run.task.positions()
        )?;
        if let Some(recomputed) = &run.recomputed {
            writeln!(f, "          {recomputed}")?;
        }
        let epochs = run.epochs;
        writeln!(
            f,
            "  time    {} an epoch, {} for {} ({} steps)",
            duration(run.seconds_per_epoch),
            duration(run.seconds),
            match (epochs.fract() == 0.0, epochs) {
                (true, 1.0) => "1 epoch".to_owned(),
                (true, _) => format!("{epochs:.0} epochs"),
                (false, _) => format!("{epochs:.1} epochs"),
            },
            grouped(run.total_steps),
        )?;
        writeln!(
            f,
            "          on {} with {} threads, evaluations included",
            compute.name, compute.threads
        )
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A number with commas between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time that a person can picture, to two digits or so.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6_000.0 => format!("{:.0} min", s / 60.0),
        s if s < 360_000.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_to_what_matters() {
        for (seconds, text) in [
            (0.04, "0.0 s"),
            (9.94, "9.9 s"),
            (61.0, "61 s"),
            (150.0, "2 min"),
            (7_200.0, "2.0 h"),
            (864_000.0, "10 days"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }
}
