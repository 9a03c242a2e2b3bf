//! What is reached without a model: the figures that a model must beat.

use std::cmp::Ordering;

use regard_data::series::baseline::{
    Distance, ForecastTask, forecast_baselines, level_scores, nearest_neighbour, seasonal_residual,
};
use regard_data::series::metric::{average_precision, roc_auc, smooth};
use regard_data::series::{LabelledSeries, Span, season_of};
use serde::Serialize;

use super::series_data::SeriesData;
use super::{Evaluation, Split};
use crate::config::DataConfig;
use crate::error::TrainError;

/// Beyond so many products of steps warping would take minutes, and is left out.
const MOST_WARPING: f64 = 2e10;

/// Baselines of a task, and the figure by which a model is held against them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Baselines {
    /// The figure that decides, by its name in [`Evaluation::metrics`].
    pub metric: &'static str,
    /// Whether more of it is better.
    pub higher_is_better: bool,
    /// What each reaches.
    pub all: Vec<Baseline>,
}

/// What one baseline reaches on the test part.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Baseline {
    /// What it is.
    pub name: String,
    /// What it was fitted or set to.
    pub detail: String,
    /// Its figures, some of those of a model.
    pub metrics: Vec<(&'static str, f64)>,
}

impl Baseline {
    /// A figure by name; NaN for one that it does not have.
    #[must_use]
    pub fn figure(&self, name: &str) -> f64 {
        figure(&self.metrics, name)
    }
}

fn figure(metrics: &[(&'static str, f64)], name: &str) -> f64 {
    let found = metrics.iter().find(|(other, _)| *other == name);
    found.map_or(f64::NAN, |(_, value)| *value)
}

impl Baselines {
    /// The baseline that comes first, and whether a model is better than it, and so than all; none if there is none.
    #[must_use]
    pub fn best(&self, evaluation: &Evaluation) -> Option<(&Baseline, bool)> {
        let order = |a: f64, b: f64| match self.higher_is_better {
            true => a.total_cmp(&b),
            false => b.total_cmp(&a),
        };
        let of = |baseline: &Baseline| baseline.figure(self.metric);
        let known = self.all.iter().filter(|baseline| !of(baseline).is_nan());
        let best = known.max_by(|a, b| order(of(a), of(b)))?;
        let model = figure(&evaluation.metrics(), self.metric);
        Some((best, order(model, of(best)) == Ordering::Greater))
    }
}

/// The last value, the last season and a ridge, on every window of the test part.
pub(super) fn of_forecasts(
    data: &SeriesData,
    settings: &DataConfig,
) -> Result<Option<Baselines>, TrainError> {
    let task = ForecastTask {
        train: data.part(Split::Train),
        valid: data.part(Split::Valid),
        test: data.part(Split::Test),
        scaler: &data.scaler,
        lookback: settings.lookback,
        horizon: settings.horizon,
        season: season_of(data.table(Split::Train)).map(|season| season.rows),
    };
    let all = forecast_baselines(&task)?.into_iter().map(|baseline| {
        let scores = baseline.scores;
        Baseline {
            name: baseline.name.to_owned(),
            detail: baseline.detail,
            metrics: vec![
                ("mse", scores.mse),
                ("mae", scores.mae),
                ("mse_original", scores.mse_original),
                ("mae_original", scores.mae_original),
            ],
        }
    });
    Ok(Some(Baselines {
        metric: "mse",
        higher_is_better: false,
        all: all.collect(),
    }))
}

/// How far each step is from the usual level, and from the season before, by itself and smoothed over as many steps as
/// scores of the model are. Of several channels the mean. None without labels.
pub(super) fn of_anomalies(
    data: &SeriesData,
    labels: Option<&[Vec<bool>]>,
    smoothed: usize,
) -> Option<Baselines> {
    let labels = labels?;
    let season = season_of(data.table(Split::Train)).map(|season| season.rows);
    let kinds = [
        Some((
            "level",
            "deviations from the mean before the test part".to_owned(),
            None,
            1,
        )),
        season.map(|rows| ("season", format!("season {rows}"), Some(rows), 1)),
        season.filter(|_| smoothed > 1).map(|rows| {
            let detail = format!("season {rows}, mean of {smoothed} steps around");
            ("season, smoothed", detail, Some(rows), smoothed)
        }),
    ];
    let all = kinds
        .into_iter()
        .flatten()
        .map(|(name, detail, season, width)| {
            let (mut scores, mut flags) = (Vec::new(), Vec::new());
            for span in data.spans(Split::Test) {
                let found = scores_of_series(data, span.series, season, span.rows.start);
                let found = smooth(&found, width);
                scores.extend_from_slice(&found[span.rows.clone()]);
                flags.extend_from_slice(&labels[span.series][span.rows.clone()]);
            }
            Baseline {
                name: name.to_owned(),
                detail,
                metrics: vec![
                    ("pr_auc", average_precision(&scores, &flags)),
                    ("roc_auc", roc_auc(&scores, &flags)),
                ],
            }
        });
    Some(Baselines {
        metric: "pr_auc",
        higher_is_better: true,
        all: all.collect(),
    })
}

/// The score of every row of a series of the test part's table, the mean over its channels in scaled units; its `first`
/// rows tell what is usual, or the training part where there are none.
fn scores_of_series(
    data: &SeriesData,
    series: usize,
    season: Option<usize>,
    first: usize,
) -> Vec<f32> {
    let n = data.n_channels();
    let scaled = |split: Split, span: &Span| {
        let mut values = vec![0.0; span.rows.len() * n];
        let table = data.table(split);
        table.copy_rows(span.series, span.rows.clone(), &mut values);
        data.scaler.scale_rows(&mut values);
        values
    };
    let n_rows = data.table(Split::Test).len(series);
    let whole = Span {
        series,
        rows: 0..n_rows,
    };
    let values = scaled(Split::Test, &whole);
    let trained: Vec<f32> = match first {
        0 => (data.spans(Split::Train).iter())
            .flat_map(|span| scaled(Split::Train, span))
            .collect(),
        _ => Vec::new(),
    };
    let mut sums = vec![0.0; n_rows];
    for channel in 0..n {
        let of_channel = |values: &[f32]| -> Vec<f32> {
            values.iter().skip(channel).step_by(n).copied().collect()
        };
        let values = of_channel(&values);
        let usual = match first {
            0 => of_channel(&trained),
            first => values[..first].to_vec(),
        };
        let scores = match season {
            None => level_scores(&values, &usual),
            Some(season) => seasonal_residual(&values, season),
        };
        for (sum, score) in sums.iter_mut().zip(scores) {
            *sum += score / n as f32;
        }
    }
    sums
}

/// The label of the nearest training series.
pub(super) fn of_classes(
    files: &[LabelledSeries],
    parts: &[Vec<(usize, usize)>; 3],
) -> Option<Baselines> {
    let part = |split: Split| &parts[split as usize];
    let values = |(file, row): &(usize, usize)| files[*file].values(*row);
    let label = |(file, row): &(usize, usize)| files[*file].label_ids()[*row];
    let train: Vec<(&[f32], u32)> = part(Split::Train)
        .iter()
        .map(|place| (values(place), label(place)))
        .collect();
    let test: Vec<&[f32]> = part(Split::Test).iter().map(values).collect();
    if test.is_empty() {
        return None;
    }
    const BAND: f64 = 0.1;
    let channels = files[0].channels().len();
    let longest = files.iter().map(LabelledSeries::longest).max().unwrap_or(1) as f64;
    let warping = (train.len() * test.len()) as f64 * BAND * longest * longest * channels as f64;
    let mut kinds = vec![(
        "1-NN, Euclidean",
        "the sum of squared differences".to_owned(),
        Distance::Euclidean,
    )];
    if warping <= MOST_WARPING {
        let detail = format!("dynamic time warping, a band of {:.0} %", 100.0 * BAND);
        kinds.push(("1-NN, DTW", detail, Distance::Warping { band: BAND }));
    }
    let all = kinds.into_iter().map(|(name, detail, distance)| {
        let found = nearest_neighbour(&train, &test, channels, distance);
        let places = part(Split::Test).iter();
        let right = places
            .zip(found)
            .filter(|(place, found)| label(place) == *found);
        Baseline {
            name: name.to_owned(),
            detail,
            metrics: vec![("accuracy", right.count() as f64 / test.len() as f64)],
        }
    });
    Some(Baselines {
        metric: "accuracy",
        higher_is_better: true,
        all: all.collect(),
    })
}
