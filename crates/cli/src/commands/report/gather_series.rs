//! What a run of series left behind, as the plain data of its report.

use std::path::Path;

use regard_report::SeriesReport;
use regard_report::series::{Attention, Course, Fan, Rival};
use regard_report::training::Cost;
use regard_trainer::log::History;
use regard_trainer::metrics::{AnomalyReport, ForecastReport};
use regard_trainer::task::Report;
use regard_trainer::{ScoreCourse, SeriesDescription, ToldWindow};

use super::gather::{blocks, cost, curves, name, origin, promise, sentence};
use crate::device::Compute;

/// Channels of a window that are shown.
const MOST_CHANNELS: usize = 3;
/// Series whose scores are shown.
const MOST_COURSES: usize = 4;
/// Channels whose error is told.
const MOST_ERRORS: usize = 40;

/// Brings together what `described` says and what the run's folder holds.
pub fn gather(
    described: &SeriesDescription,
    folder: &Path,
    compute: &Compute,
) -> anyhow::Result<SeriesReport> {
    let history = History::read(&folder.join("events.jsonl"))?;
    let (config, info) = (&described.config, &described.info);
    let (forecast, anomaly) = match &described.evaluation.report {
        Report::Forecast(report) => (report, None),
        Report::Anomaly(report) => (&report.forecast, Some(report)),
        _ => anyhow::bail!("only a run that forecasts is described"),
    };
    let baselines = described.baselines.as_ref();
    let verdict = baselines.and_then(|baselines| sentence(&described.evaluation, baselines));
    let by_channel = forecast.channels.iter().zip(&forecast.mse_by_channel);
    let (compared, rivals) = rivals(described);
    let cost = Cost {
        model: blocks(info),
        ..cost(described.n_parameters, &history)
    };
    let training_seconds = cost.training_seconds;
    Ok(SeriesReport {
        name: name(config, folder),
        what: what(forecast, anomaly),
        verdict,
        tiles: tiles(forecast, anomaly, training_seconds),
        fans: described.windows.iter().flat_map(fans).collect(),
        attention: attention(described),
        mse_by_step: forecast.mse_by_step.clone(),
        mse_by_channel: (by_channel.take(MOST_ERRORS))
            .map(|(channel, mse)| (channel.clone(), *mse))
            .collect(),
        courses: (described.courses.iter().take(MOST_COURSES))
            .map(|course| of_course(course, described.courses.len()))
            .collect(),
        compared,
        rivals,
        data: described.data.clone(),
        curves: curves(config, info, &history),
        cost,
        promise: promise(folder)?,
        warnings: history.warnings.clone(),
        origin: origin(config, info, folder, compute)?,
    })
}

fn what(forecast: &ForecastReport, anomaly: Option<&AnomalyReport>) -> String {
    let channels = match forecast.channels.as_slice() {
        [one] => one.clone(),
        all => format!("{} channels", all.len()),
    };
    let (lookback, horizon) = (forecast.lookback, forecast.horizon);
    let forecaster = format!(
        "A transformer that tells {horizon} steps of {channels} from the {lookback} before them, judged on {} windows \
         that it never learned from",
        forecast.n
    );
    match anomaly {
        None => format!("{forecaster}."),
        Some(report) => format!(
            "{forecaster}; its errors are the scores of {} steps.",
            report.n
        ),
    }
}

fn tiles(
    forecast: &ForecastReport,
    anomaly: Option<&AnomalyReport>,
    training_seconds: f64,
) -> Vec<[String; 3]> {
    let tile = |name: &str, value: f64, note: &str| {
        [name.to_owned(), format!("{value:.4}"), note.to_owned()]
    };
    let mut tiles = Vec::new();
    if let Some(labelled) = anomaly.and_then(|report| report.labelled.as_ref()) {
        let events = format!("of {} events", labelled.n_events);
        tiles.push(tile("PR-AUC", labelled.pr_auc, "point by point"));
        tiles.push(tile("ROC-AUC", labelled.roc_auc, "0.5: chance"));
        tiles.push(tile("Event recall", labelled.event_recall, &events));
    }
    let windows = format!("{} windows, lookback {}", forecast.n, forecast.lookback);
    tiles.push(tile("MSE", forecast.mse, &format!("scaled; {windows}")));
    tiles.push(tile("MAE", forecast.mae, "scaled"));
    if anomaly.is_none() {
        tiles.push(tile("MSE", forecast.mse_original, "in the data's units"));
    }
    tiles.push(tile("MAE", forecast.mae_original, "in the data's units"));
    tiles.extend(
        forecast
            .pinball
            .map(|pinball| tile("Pinball loss", pinball, "scaled")),
    );
    for (quantile, share) in &forecast.coverage {
        let note = format!("of values at or below quantile {quantile}");
        tiles.push(tile("Coverage", *share, &note));
    }
    if anomaly.is_none() {
        let time = regard_report::number::duration(training_seconds);
        tiles.push(["Training time".to_owned(), time, "all steps".to_owned()]);
    }
    tiles
}

/// The names of the figures that baselines have, and who reaches what.
fn rivals(described: &SeriesDescription) -> (Vec<String>, Vec<Rival>) {
    let Some(baselines) = &described.baselines else {
        return (Vec::new(), Vec::new());
    };
    let metrics = described.evaluation.metrics();
    let first = baselines.all.first().into_iter();
    let names: Vec<&str> = first
        .flat_map(|baseline| baseline.metrics.iter().map(|(name, _)| *name))
        .collect();
    let of_model = |name: &&str| {
        let found = metrics.iter().find(|(other, _)| other == name);
        found.map_or(f64::NAN, |(_, value)| *value)
    };
    let model = Rival {
        name: "the model".to_owned(),
        detail: String::new(),
        figures: names.iter().map(of_model).collect(),
    };
    let others = baselines.all.iter().map(|baseline| Rival {
        name: baseline.name.clone(),
        detail: baseline.detail.clone(),
        figures: names.iter().map(|name| baseline.figure(name)).collect(),
    });
    let rivals = std::iter::once(model).chain(others).collect();
    (names.into_iter().map(str::to_owned).collect(), rivals)
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

fn fans(window: &ToldWindow) -> Vec<Fan> {
    let quantiles = &window.quantiles;
    (window.channels.iter().take(MOST_CHANNELS))
        .map(|channel| {
            // Twice as much as is told shows where it comes from.
            let shown = channel.past.len().min((2 * channel.truth.len()).max(24));
            let pair = |low: usize| {
                let high = quantiles.len() - 1 - low;
                let name = format!("{} to {}", quantiles[low], quantiles[high]);
                (name, wide(&channel.told[low]), wide(&channel.told[high]))
            };
            Fan {
                rank: window.rank.to_owned(),
                channel: channel.name.clone(),
                begins: window.begins.clone(),
                mse: window.mse,
                past: wide(&channel.past[channel.past.len() - shown..]),
                truth: wide(&channel.truth),
                told: wide(&channel.told[channel.told.len() / 2]),
                bands: (0..quantiles.len() / 2).map(pair).collect(),
            }
        })
        .collect()
}

fn attention(described: &SeriesDescription) -> Option<Attention> {
    let (attention, window) = (described.attention.as_ref()?, described.windows.last()?);
    let lookback = window.channels.first()?.past.len() as i64;
    let before = |step: usize| step as i64 - lookback;
    Some(Attention {
        channel: attention.channel.clone(),
        begins: window.begins.clone(),
        patches: (attention.patches.iter())
            .map(|patch| (before(patch.start), before(patch.end)))
            .collect(),
        heads: (attention.heads.iter())
            .map(|head| {
                let name = format!("layer {}, head {}", head.layer, head.head);
                (name, head.weights.clone())
            })
            .collect(),
        reach: attention.reach.clone(),
    })
}

fn of_course(course: &ScoreCourse, n_series: usize) -> Course {
    let [begins, ends] = course.ends.clone();
    Course {
        series: if n_series > 1 {
            course.series.clone()
        } else {
            String::new()
        },
        channel: course.channel.clone(),
        begins,
        ends,
        values: wide(&course.values),
        scores: wide(&course.scores),
        labelled: course
            .labelled
            .iter()
            .map(|rows| (rows.start, rows.end))
            .collect(),
        threshold: course.threshold,
    }
}
