//! `regard audit`.

use std::fmt::Write as _;

use anyhow::bail;
use regard_trainer::privacy::audit::{AuditCheck, audit_config};
use regard_trainer::privacy::{Canaries, spent};
use regard_trainer::{config, task};
use serde_json::json;

use crate::args::AuditArgs;
use crate::device::Compute;
use crate::errors::UsageError;
use crate::output::Printer;

/// Audits a configuration. A finding is a failure.
pub fn run(args: &AuditArgs, printer: &Printer) -> anyhow::Result<()> {
    if args.target.is_dir() {
        return run_folder(args, printer);
    }
    let config = config::load(&args.target, &args.overrides)?;
    let compute = Compute::open(&args.compute)?;
    let task = task::load(&config)?;
    let audit = audit_config(&config, &*task, &compute.device, compute.workers)?;
    let value = json!({
        "schema": super::SCHEMA,
        "passed": audit.passed(),
        "epsilon_claimed": audit.epsilon_claimed,
        "delta": audit.delta,
        "checks": audit.checks,
    });
    let mut text = String::from("            check       found  at least    at most\n");
    for check in &audit.checks {
        let AuditCheck {
            name,
            passed,
            found,
            expected: [least, most],
            what,
            ..
        } = check;
        let mark = if *passed { "ok  " } else { "FAIL" };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{mark}  {name:>17}  {}  {}  {}  {what}",
            short(*found),
            short(*least),
            short(*most)
        );
    }
    let _ = writeln!(
        text,
        "\nepsilon {:.4} at delta {:e} is claimed; an audit can refute a claim, it cannot prove one",
        audit.epsilon_claimed, audit.delta
    );
    printer.report(args.report.format, &value, text)?;
    let failed: Vec<&str> = audit
        .checks
        .iter()
        .filter(|check| !check.passed)
        .map(|check| check.name)
        .collect();
    if !failed.is_empty() {
        bail!(
            "the audit refutes the promise: {}; do not train with this build",
            failed.join(", ")
        );
    }
    Ok(())
}

/// Sets the lower bound that a run's canaries give beside the epsilon that it claims.
fn run_folder(args: &AuditArgs, printer: &Printer) -> anyhow::Result<()> {
    if !args.overrides.is_empty() {
        return Err(
            UsageError("--set is for a configuration, and this is a run".to_owned()).into(),
        );
    }
    let statement = spent(&args.target)?;
    let claimed = statement.epsilon.unwrap_or(f64::INFINITY);
    let bound = Canaries::load(&args.target)?.lower_bound(statement.delta);
    let passed = bound.epsilon_lower <= claimed;
    let value = json!({
        "schema": super::SCHEMA,
        "passed": passed,
        "epsilon_lower": bound.epsilon_lower,
        "confidence": bound.confidence,
        "epsilon_claimed": statement.epsilon,
        "delta": statement.delta,
        "guesses": bound.guesses,
        "checks": [],
    });
    let text = format!(
        "epsilon is at least {:.4}, with a confidence of {} ({} of {} guesses about {} canaries were right)\nepsilon {claimed:.4} at delta {:e} is claimed; an audit can refute a claim, it cannot prove one\n",
        bound.epsilon_lower,
        bound.confidence,
        bound.guesses.right,
        bound.guesses.made,
        bound.guesses.canaries,
        statement.delta,
    );
    printer.report(args.report.format, &value, text)?;
    if !passed {
        bail!("the audit refutes the promise of this run: do not publish its model");
    }
    Ok(())
}

fn short(number: f64) -> String {
    if number == f64::MAX {
        return format!("{:>9}", "-");
    }
    if number != 0.0 && !(1e-3..1e5).contains(&number.abs()) {
        return format!("{number:>9.2e}");
    }
    format!("{number:>9.4}")
}
