//! How evaluations are shown.

use std::fmt;

use regard_trainer::metrics::ClassificationReport;
use regard_trainer::task::{Evaluation, Split};
use serde_json::{Map, Value, json};

/// An evaluation as JSON: the fields of `eval`.
pub fn to_json(task: &str, evaluation: &Evaluation) -> Value {
    let report = &evaluation.report;
    let metrics: Map<String, Value> = evaluation
        .metrics()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    let per_class: Vec<Value> = evaluation
        .labels
        .iter()
        .zip(&report.per_class)
        .map(|(label, scores)| {
            json!({
                "label": label,
                "precision": scores.precision,
                "recall": scores.recall,
                "f1": scores.f1,
                "support": scores.support,
            })
        })
        .collect();
    json!({
        "schema": super::SCHEMA,
        "task": task,
        "split": evaluation.split.name(),
        "n": report.n,
        "metrics": metrics,
        "labels": evaluation.labels,
        "per_class": per_class,
        "confusion_matrix": report.confusion,
    })
}

/// An evaluation for a person.
pub struct Figures<'a> {
    /// What was evaluated, for the first line.
    pub title: &'a str,
    /// The names of the classes.
    pub labels: &'a [String],
    /// The figures.
    pub report: &'a ClassificationReport,
}

impl<'a> Figures<'a> {
    /// The figures of an evaluation.
    pub fn of(evaluation: &'a Evaluation) -> Self {
        Self {
            title: match evaluation.split {
                Split::Train => "training data",
                Split::Valid => "validation data",
                Split::Test => "test data",
            },
            labels: &evaluation.labels,
            report: &evaluation.report,
        }
    }
}

/// The widest a label is shown, in characters.
const WIDEST: usize = 16;
/// More classes than this make no table that a person can read.
const MOST_CLASSES: usize = 12;

impl fmt::Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            title,
            labels,
            report,
        } = self;
        writeln!(f, "{title}: {} examples", report.n)?;
        writeln!(f, "  accuracy           {:.4}", report.accuracy)?;
        writeln!(f, "  macro F1           {:.4}", report.macro_f1)?;
        writeln!(f, "  Matthews (MCC)     {:.4}", report.mcc)?;
        writeln!(f, "  log loss           {:.4}", report.loss)?;
        writeln!(f, "  Brier score        {:.4}", report.brier)?;
        writeln!(f, "  calibration error  {:.4}", report.ece)?;
        let names: Vec<String> = labels
            .iter()
            .map(|label| label.chars().take(WIDEST).collect())
            .collect();
        let first = names
            .iter()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or(0)
            .max("class".len());
        writeln!(f)?;
        writeln!(
            f,
            "  {:first$}  precision  recall      F1  support",
            "class"
        )?;
        for (name, scores) in names.iter().zip(&report.per_class) {
            writeln!(
                f,
                "  {name:first$}  {:>9.4}  {:>6.4}  {:>6.4}  {:>7}",
                scores.precision, scores.recall, scores.f1, scores.support
            )?;
        }
        if names.len() > MOST_CLASSES {
            return Ok(());
        }
        let width = names
            .iter()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or(0)
            .max(6);
        writeln!(f)?;
        writeln!(f, "  confusion matrix (row: true class, column: predicted)")?;
        write!(f, "  {:first$}", "")?;
        for name in &names {
            write!(f, "  {name:>width$}")?;
        }
        writeln!(f)?;
        for (name, row) in names.iter().zip(&report.confusion) {
            write!(f, "  {name:first$}")?;
            for count in row {
                write!(f, "  {count:>width$}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
