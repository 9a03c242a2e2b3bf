//! `regard privacy epsilon` and `regard privacy noise`.

use regard_accounting::{Accountant, Adjacency, Bound, Event, Settings, Target, noise_multiplier};
use serde_json::{Value, json};

use crate::args::{
    AccountantName, AdjacencyName, PrivacyEpsilonArgs, PrivacyNoiseArgs, PrivateTrainingArgs,
};
use crate::output::Printer;

/// Tells the epsilon of a training.
pub fn epsilon(args: &PrivacyEpsilonArgs, printer: &Printer) -> anyhow::Result<()> {
    let training = &args.training;
    let event = Event::dp_sgd(training.sample_rate, args.noise_multiplier, training.steps);
    let adjacency = adjacency(training.adjacency);
    let bound = match args.accountant.map(accountant) {
        None => Bound::of(&event, adjacency, training.delta)?,
        Some(accountant) => Bound {
            epsilon: accountant.epsilon(&event, adjacency, training.delta)?,
            delta: training.delta,
            adjacency,
            accountant,
        },
    };
    let value = as_json(&bound, args.noise_multiplier, training);
    let text = format!(
        "{}\n{}\n",
        promise(&bound),
        described(args.noise_multiplier, training)
    );
    printer.report(args.report.format, &value, text)
}

/// Tells the least noise that keeps an epsilon.
pub fn noise(args: &PrivacyNoiseArgs, printer: &Printer) -> anyhow::Result<()> {
    let training = &args.training;
    let settings = Settings {
        accountant: accountant(args.accountant),
        adjacency: adjacency(training.adjacency),
    };
    let target = Target {
        epsilon: args.epsilon,
        delta: training.delta,
    };
    let noise = noise_multiplier(target, training.sample_rate, training.steps, settings)?;
    let event = Event::dp_sgd(training.sample_rate, noise, training.steps);
    let bound = Bound {
        epsilon: settings
            .accountant
            .epsilon(&event, settings.adjacency, training.delta)?,
        delta: training.delta,
        adjacency: settings.adjacency,
        accountant: settings.accountant,
    };
    let mut value = as_json(&bound, noise, training);
    value["target_epsilon"] = json!(args.epsilon);
    let text = format!(
        "noise multiplier {}\n{}\n{}\n",
        rounded_up(noise),
        promise(&bound),
        described(noise, training)
    );
    printer.report(args.report.format, &value, text)
}

fn accountant(name: AccountantName) -> Accountant {
    match name {
        AccountantName::Pld => Accountant::Pld,
        AccountantName::Rdp => Accountant::Rdp,
    }
}

fn adjacency(name: AdjacencyName) -> Adjacency {
    match name {
        AdjacencyName::AddRemove => Adjacency::AddRemove,
        AdjacencyName::ZeroOut => Adjacency::ZeroOut,
        AdjacencyName::ReplaceOne => Adjacency::ReplaceOne,
    }
}

fn as_json(bound: &Bound, noise: f64, training: &PrivateTrainingArgs) -> Value {
    let mut value = json!({
        "schema": super::SCHEMA,
        // Infinity, which JSON lacks, is null.
        "epsilon": bound.epsilon,
        "delta": bound.delta,
        "noise_multiplier": noise,
        "sample_rate": training.sample_rate,
        "steps": training.steps,
        "sampler": "poisson",
        "adjacency": bound.adjacency.to_string(),
        "accountant": bound.accountant.to_string(),
    });
    if let Some(reason) = unbounded(bound, noise) {
        value["epsilon_reason"] = json!(reason);
    }
    value
}

/// Why nothing is promised.
fn unbounded(bound: &Bound, noise: f64) -> Option<&'static str> {
    if bound.epsilon < f64::INFINITY {
        None
    } else if noise == 0.0 {
        Some("without noise nothing is promised")
    } else if bound.delta == 0.0 {
        Some("Gaussian noise promises nothing at delta 0")
    } else {
        Some("the noise is too small for any bound")
    }
}

/// One line: epsilon, and who says so.
fn promise(bound: &Bound) -> String {
    let Bound {
        delta,
        adjacency,
        accountant,
        ..
    } = bound;
    let epsilon = if bound.epsilon < f64::INFINITY {
        rounded_up(bound.epsilon)
    } else {
        "infinite: nothing is promised".to_owned()
    };
    format!("epsilon {epsilon} at delta {delta:e} ({adjacency}, by {accountant})")
}

fn described(noise: f64, training: &PrivateTrainingArgs) -> String {
    format!(
        "{} steps on Poisson samples of rate {}, noise multiplier {}",
        training.steps,
        training.sample_rate,
        rounded_up(noise)
    )
}

/// Four decimals, never fewer than there are: a bound that is rounded down is none.
fn rounded_up(value: f64) -> String {
    let up = (value * 1e4).ceil() / 1e4;
    if up.is_finite() && up >= value {
        format!("{up:.4}")
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_never_less_than_what_holds() {
        assert_eq!(rounded_up(1.000_01), "1.0001");
        assert_eq!(rounded_up(2.0), "2.0000");
        assert_eq!(rounded_up(0.0), "0.0000");
        assert_eq!(rounded_up(1e-9), "0.0001");
    }
}
