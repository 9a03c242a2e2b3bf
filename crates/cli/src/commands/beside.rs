//! A model beside what is reached without one.

use std::fmt::Write as _;

use regard_trainer::task::{Baselines, Evaluation};
use serde_json::{Map, Value, json};

use super::figures::error;

/// The widest a name is shown, in characters.
const WIDEST: usize = 18;

/// Whether the model is better than every baseline, in a sentence; none where no baseline has a figure.
pub fn verdict(evaluation: &Evaluation, baselines: &Baselines) -> Option<String> {
    let metric = baselines.metric;
    let (best, is_beaten) = baselines.best(evaluation)?;
    let model = figure(&evaluation.metrics(), metric);
    let name = &best.name;
    let beside = format!(
        "{metric} {}, {name} {}",
        error(model),
        error(best.figure(metric))
    );
    Some(match is_beaten {
        true => format!("the model beats every baseline: {beside}"),
        false => format!("the model does not beat {name}: {beside}"),
    })
}

fn figure(metrics: &[(&'static str, f64)], name: &str) -> f64 {
    let found = metrics.iter().find(|(other, _)| *other == name);
    found.map_or(f64::NAN, |(_, value)| *value)
}

/// The figures of a model with those of the baselines behind them, and the verdict before.
pub fn with_baselines(
    figures: &str,
    evaluation: &Evaluation,
    baselines: &Baselines,
    value: &mut Value,
) -> String {
    let best = baselines.best(evaluation);
    value["beats_baselines"] = json!(best.map(|(_, is_beaten)| is_beaten));
    let all: Vec<Value> = (baselines.all.iter())
        .map(|baseline| {
            let metrics: Map<String, Value> = (baseline.metrics.iter())
                .map(|(name, figure)| ((*name).to_owned(), json!(figure)))
                .collect();
            json!({"name": baseline.name, "detail": baseline.detail, "metrics": metrics})
        })
        .collect();
    value["baselines"] = json!(all);

    let mut text = String::new();
    if let Some(verdict) = verdict(evaluation, baselines) {
        let _ = writeln!(text, "{verdict}\n");
    }
    let _ = writeln!(text, "{figures}\nwithout a model, on the same data");
    let names: Vec<&str> = (baselines.all.first().into_iter())
        .flat_map(|baseline| baseline.metrics.iter().map(|(name, _)| *name))
        .collect();
    let mut row = |name: &str, cells: Vec<String>, detail: &str| {
        let mut line = format!("  {name:WIDEST$}");
        for (cell, name) in cells.iter().zip(&names) {
            let width = name.len().max(8);
            let _ = write!(line, "  {cell:>width$}");
        }
        let _ = writeln!(text, "{}", format!("{line}  {detail}").trim_end());
    };
    let titles = names.iter().map(|name| (*name).to_owned()).collect();
    row("", titles, "");
    let metrics = evaluation.metrics();
    let of_model = names.iter().map(|name| error(figure(&metrics, name)));
    row("the model", of_model.collect(), "");
    for baseline in &baselines.all {
        let cells = names.iter().map(|name| error(baseline.figure(name)));
        row(&baseline.name, cells.collect(), &baseline.detail);
    }
    text
}
