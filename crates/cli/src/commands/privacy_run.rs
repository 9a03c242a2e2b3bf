//! `regard privacy plan` and `regard privacy spent`.

use std::fmt::Write as _;

use regard_accounting::{Settings, Target, noise_multiplier};
use regard_trainer::config;
use regard_trainer::privacy::{PrivatePlan, spent as spent_by};
use serde_json::{Value, json};

use crate::args::{PrivacyPlanArgs, PrivacySpentArgs};
use crate::errors::{HintExt, UsageError};
use crate::output::Printer;

/// The promises whose cost is told: strong, usual, weak.
const PROMISES: [f64; 3] = [1.0, 3.0, 8.0];
/// Expected batches that are compared with the configuration's own, as multiples of it.
const BATCHES: [f64; 3] = [1.0, 2.0, 4.0];
/// More epochs make no table that a person reads; they are told evenly spread.
const MOST_ROWS: u64 = 20;

/// Tells what a private configuration promises.
pub fn plan(args: &PrivacyPlanArgs, printer: &Printer) -> anyhow::Result<()> {
    let config = config::load(&args.settings.config, &args.settings.overrides)?;
    let Some(plan) = PrivatePlan::new(&config)? else {
        let path = args.settings.config.display();
        return Err(UsageError(format!(
            "{path} has no [privacy]: it promises nothing"
        )))
        .hint("`regard init --private FILE` proposes a private configuration");
    };
    let by_epoch = by_epoch(&plan)?;
    let costs = costs(&plan)?;
    let mechanism = &plan.mechanism;
    let value = json!({
        "schema": super::SCHEMA,
        "noise_multiplier": mechanism.noise_multiplier,
        "sample_rate": mechanism.sample_rate,
        "expected_batch": mechanism.divisor,
        "dataset_size": plan.dataset_size,
        "delta": plan.delta,
        "adjacency": mechanism.adjacency.to_string(),
        "steps": plan.total_steps,
        "steps_per_epoch": plan.steps_per_epoch,
        "by_epoch": by_epoch,
        "costs": costs,
    });
    let mut text = format!(
        "{} steps of about {:.0} of {} units ({} an epoch), noise multiplier {:.4}, delta {:e}, {}\n\n  epoch   step  epsilon\n",
        plan.total_steps,
        mechanism.divisor,
        plan.dataset_size,
        plan.steps_per_epoch,
        mechanism.noise_multiplier,
        plan.delta,
        mechanism.adjacency,
    );
    for row in &by_epoch {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  {:>5.1}  {:>5}  {:>7.4}",
            number(&row["epoch"]),
            number(&row["step"]),
            rounded_up(number(&row["epsilon"])),
        );
    }
    text.push_str("\nwhat another promise would cost, for the same number of epochs\n\n  epsilon  expected batch  noise multiplier  noise on the mean\n");
    for row in &costs {
        let noise = |name: &str| match row[name].as_f64() {
            Some(noise) => format!("{noise:.4}"),
            None => "none".to_owned(),
        };
        let _ = writeln!(
            text,
            "  {:>7}  {:>14.0}  {:>16}  {:>17}",
            number(&row["epsilon"]),
            number(&row["expected_batch"]),
            noise("noise_multiplier"),
            noise("noise_on_mean"),
        );
    }
    text.push_str("\nnoise on the mean: its standard deviation in each parameter, over the bound on a unit; less is better\n");
    printer.report(args.report.format, &value, text)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::INFINITY)
}

/// Four decimals, never fewer than there are: a bound that is rounded down is none.
fn rounded_up(value: f64) -> f64 {
    (value * 1e4).ceil() / 1e4
}

/// Epsilon after each epoch.
fn by_epoch(plan: &PrivatePlan) -> anyhow::Result<Vec<Value>> {
    let epochs = plan.total_steps.div_ceil(plan.steps_per_epoch);
    let every = epochs.div_ceil(MOST_ROWS);
    let mut rows = Vec::new();
    for epoch in (1..=epochs).filter(|epoch| epoch % every == 0 || *epoch == epochs) {
        let step = (epoch * plan.steps_per_epoch).min(plan.total_steps);
        let bound = plan.bound(step)?;
        rows.push(json!({
            "epoch": step as f64 / plan.steps_per_epoch as f64,
            "step": step,
            "epsilon": bound.epsilon,
        }));
    }
    Ok(rows)
}

/// The noise that each promise takes, at several batches.
fn costs(plan: &PrivatePlan) -> anyhow::Result<Vec<Value>> {
    let mechanism = &plan.mechanism;
    let mut rows = Vec::new();
    for epsilon in PROMISES {
        for times in BATCHES {
            let rate = mechanism.sample_rate * times;
            if rate > 1.0 {
                continue;
            }
            let steps = ((plan.total_steps as f64 / times).ceil() as u64).max(1);
            let target = Target {
                epsilon,
                delta: plan.delta,
            };
            let settings = Settings {
                adjacency: mechanism.adjacency,
                ..Settings::default()
            };
            let noise = noise_multiplier(target, rate, steps, settings)?;
            let batch = mechanism.divisor * times;
            rows.push(json!({
                "epsilon": epsilon,
                "expected_batch": batch,
                "sample_rate": rate,
                "steps": steps,
                "noise_multiplier": noise,
                "noise_on_mean": noise / batch,
            }));
        }
    }
    Ok(rows)
}

/// Tells what a run has spent.
pub fn spent(args: &PrivacySpentArgs, printer: &Printer) -> anyhow::Result<()> {
    let statement = spent_by(&args.run)?;
    let value = json!(statement);
    printer.report(args.report.format, &value, statement)
}
