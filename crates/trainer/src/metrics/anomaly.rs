//! How good scores of anomalies are.

use regard_data::series::metric::{average_precision, detection, roc_auc};

use super::ForecastReport;

/// What scores of anomalies are worth.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AnomalyReport {
    /// The forecasts that the scores come from.
    pub forecast: ForecastReport,
    /// Steps with a score.
    pub n: usize,
    /// The score above which a step is called unusual.
    pub threshold: f64,
    /// Steps above it.
    pub n_alarms: usize,
    /// What labels say of the scores; none where there are no labels.
    pub labelled: Option<LabelledScores>,
}

/// Scores against labelled windows. Point-wise and never adjusted: an alarm inside an event makes only itself right.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LabelledScores {
    /// Labelled steps.
    pub n_anomalous: usize,
    /// The area under the curve of precision over recall, as average precision.
    pub pr_auc: f64,
    /// The area under the receiver operating characteristic.
    pub roc_auc: f64,
    /// Labelled events.
    pub n_events: usize,
    /// The share of events with an alarm in them.
    pub event_recall: f64,
    /// The mean number of steps from an event's first to the first alarm in it, over events that were found.
    pub mean_delay: f64,
    /// Alarms outside of all events.
    pub n_false_alarms: usize,
}

impl AnomalyReport {
    /// Judges scores, NaN = none, at a threshold; `labels` has a flag for each.
    #[must_use]
    pub fn new(
        forecast: ForecastReport,
        scores: &[f32],
        labels: Option<&[bool]>,
        threshold: f32,
    ) -> Self {
        let known = |row: &usize| !scores[*row].is_nan();
        let rows: Vec<usize> = (0..scores.len()).filter(known).collect();
        let scores: Vec<f32> = rows.iter().map(|row| scores[*row]).collect();
        let labelled = labels.map(|labels| {
            let labels: Vec<bool> = rows.iter().map(|row| labels[*row]).collect();
            let found = detection(&scores, &labels, threshold);
            LabelledScores {
                n_anomalous: labels.iter().filter(|label| **label).count(),
                pr_auc: average_precision(&scores, &labels),
                roc_auc: roc_auc(&scores, &labels),
                n_events: found.n_events,
                event_recall: found.event_recall,
                mean_delay: found.mean_delay,
                n_false_alarms: found.n_false_alarms,
            }
        });
        Self {
            forecast,
            n: scores.len(),
            threshold: f64::from(threshold),
            n_alarms: scores.iter().filter(|score| **score > threshold).count(),
            labelled,
        }
    }

    /// All figures by name, in the order of documents.
    #[must_use]
    pub fn metrics(&self) -> Vec<(&'static str, f64)> {
        let mut metrics = Vec::new();
        if let Some(labelled) = &self.labelled {
            metrics.extend([
                ("pr_auc", labelled.pr_auc),
                ("roc_auc", labelled.roc_auc),
                ("event_recall", labelled.event_recall),
                ("mean_delay", labelled.mean_delay),
            ]);
        }
        metrics.extend(self.forecast.metrics());
        metrics
    }
}
