//! How evaluations are shown.

use std::fmt;

use regard_trainer::metrics::{AnomalyReport, ClassificationReport, ForecastReport};
use regard_trainer::task::{Evaluation, Report, Split};
use serde_json::{Map, Value, json};

/// An evaluation as JSON: the fields of `eval`.
pub fn to_json(task: &str, evaluation: &Evaluation) -> Value {
    let metrics: Map<String, Value> = evaluation
        .metrics()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    let mut value = json!({
        "schema": super::SCHEMA,
        "task": task,
        "split": evaluation.split.name(),
        // Each kind of figures says below how many it judged; the place is fixed.
        "n": null,
        "metrics": metrics,
    });
    match &evaluation.report {
        Report::Classes { labels, report } => add_classes(&mut value, labels, report),
        Report::Forecast(report) => add_forecast(&mut value, report),
        Report::Anomaly(report) => add_anomaly(&mut value, report),
        // A kind of figures that is newer than this function: its metrics stand above.
        _ => {}
    }
    value
}

fn add_classes(value: &mut Value, labels: &[String], report: &ClassificationReport) {
    let per_class: Vec<Value> = labels
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
    value["n"] = json!(report.n);
    value["labels"] = json!(labels);
    value["per_class"] = json!(per_class);
    value["confusion_matrix"] = json!(report.confusion);
}

fn add_forecast(value: &mut Value, report: &ForecastReport) {
    let coverage = report.coverage.iter();
    let coverage: Vec<Value> = coverage
        .map(|(quantile, share)| json!({"quantile": quantile, "share": share}))
        .collect();
    value["n"] = json!(report.n);
    value["lookback"] = json!(report.lookback);
    value["horizon"] = json!(report.horizon);
    value["channels"] = json!(report.channels);
    value["mse_by_step"] = json!(report.mse_by_step);
    value["mse_by_channel"] = json!(report.mse_by_channel);
    if !coverage.is_empty() {
        value["coverage"] = json!(coverage);
    }
}

/// An evaluation for a person.
pub struct Figures<'a> {
    /// What was evaluated, for the first line.
    pub title: &'a str,
    /// The figures.
    pub report: &'a Report,
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
            report: &evaluation.report,
        }
    }
}

impl fmt::Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.report {
            Report::Classes { labels, report } => write_classes(f, self.title, labels, report),
            Report::Forecast(report) => write_forecast(f, self.title, report),
            Report::Anomaly(report) => write_anomaly(f, self.title, report),
            _ => writeln!(f, "{}", self.title),
        }
    }
}

fn add_anomaly(value: &mut Value, report: &AnomalyReport) {
    add_forecast(value, &report.forecast);
    value["windows"] = value["n"].take();
    value["n"] = json!(report.n);
    value["threshold"] = json!(report.threshold);
    value["n_alarms"] = json!(report.n_alarms);
    if let Some(labelled) = &report.labelled {
        value["n_anomalous"] = json!(labelled.n_anomalous);
        value["n_events"] = json!(labelled.n_events);
        value["n_false_alarms"] = json!(labelled.n_false_alarms);
    }
}

fn write_anomaly(f: &mut fmt::Formatter<'_>, title: &str, report: &AnomalyReport) -> fmt::Result {
    writeln!(
        f,
        "{title}: {} steps, {} above the threshold {:.4}",
        report.n, report.n_alarms, report.threshold
    )?;
    match &report.labelled {
        None => writeln!(f, "  no labels to compare with (anomaly.windows)")?,
        Some(labelled) => {
            writeln!(
                f,
                "  labelled           {} steps in {} events",
                labelled.n_anomalous, labelled.n_events
            )?;
            writeln!(f, "  PR-AUC             {:.4}", labelled.pr_auc)?;
            writeln!(f, "  ROC-AUC            {:.4}", labelled.roc_auc)?;
            writeln!(f, "  event recall       {:.4}", labelled.event_recall)?;
            match labelled.mean_delay.is_nan() {
                true => writeln!(f, "  mean delay         –, for no event was found")?,
                false => writeln!(f, "  mean delay         {:.1} steps", labelled.mean_delay)?,
            }
            writeln!(f, "  false alarms       {}", labelled.n_false_alarms)?;
        }
    }
    writeln!(f)?;
    write_forecast(f, "its forecasts", &report.forecast)
}

fn write_forecast(f: &mut fmt::Formatter<'_>, title: &str, report: &ForecastReport) -> fmt::Result {
    writeln!(
        f,
        "{title}: {} windows, lookback {}, horizon {}, {} channel{}",
        report.n,
        report.lookback,
        report.horizon,
        report.channels.len(),
        if report.channels.len() == 1 { "" } else { "s" }
    )?;
    writeln!(f, "  MSE (scaled)       {}", error(report.mse))?;
    writeln!(f, "  MAE (scaled)       {}", error(report.mae))?;
    writeln!(f, "  MSE (data's units) {}", error(report.mse_original))?;
    writeln!(f, "  MAE (data's units) {}", error(report.mae_original))?;
    if let Some(pinball) = report.pinball {
        writeln!(f, "  pinball (scaled)   {}", error(pinball))?;
    }
    for (quantile, share) in &report.coverage {
        writeln!(
            f,
            "  at or below the forecast of quantile {quantile}: {share:.4} of values"
        )?;
    }
    if report.channels.len() > 1 && report.channels.len() <= MOST_CLASSES {
        writeln!(f)?;
        for (channel, mse) in report.channels.iter().zip(&report.mse_by_channel) {
            let channel: String = channel.chars().take(WIDEST).collect();
            writeln!(f, "  {channel:WIDEST$}  MSE {}", error(*mse))?;
        }
    }
    Ok(())
}

/// An error, which may be of any size in the units of the data; unknown where no value is known.
pub fn error(value: f64) -> String {
    match value.abs() {
        size if size.is_nan() => "–".to_owned(),
        size if size == 0.0 || (1e-3..1e7).contains(&size) => format!("{value:.4}"),
        _ => format!("{value:.3e}"),
    }
}

/// The widest a label is shown, in characters.
const WIDEST: usize = 16;
/// More classes than this make no table that a person can read.
const MOST_CLASSES: usize = 12;

fn write_classes(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    labels: &[String],
    report: &ClassificationReport,
) -> fmt::Result {
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

#[cfg(test)]
mod tests {
    use super::error;

    #[test]
    fn an_error_of_any_size_can_be_read() {
        for (value, told) in [
            (0.0, "0.0000"),
            (0.36394, "0.3639"),
            (8_123.4, "8123.4000"),
            (4.2e-9, "4.200e-9"),
            (1.25e62, "1.250e62"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(error(value), told);
        }
    }
}
