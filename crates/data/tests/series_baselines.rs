//! What forecasts without a model reach on ETTh1.

mod common;

use common::data_set;
use regard_data::series::baseline::{
    ForecastTask, Ridge, RidgeBase, RidgeConfig, SeriesPart, forecast_baselines,
};
use regard_data::series::metric::{coverage, pinball};
use regard_data::series::{
    ConstantChannels, Extent, Scaler, SeriesColumns, SeriesOptions, SeriesSplit,
};
use regard_data::{SeriesTable, Source};

struct Etth1 {
    table: SeriesTable,
    split: SeriesSplit,
    scaler: Scaler,
}

impl Etth1 {
    fn load() -> Self {
        let columns = SeriesColumns {
            time: Some("date".into()),
            ..SeriesColumns::default()
        };
        let source = Source::new(data_set("etth1/ETTh1.csv"));
        let table = SeriesTable::load(&source, &columns, &SeriesOptions::default()).unwrap();
        let rows = Extent::Rows;
        let split =
            SeriesSplit::in_time(&table, rows(8640), Some(rows(2880)), Some(rows(2880))).unwrap();
        let scaler = Scaler::fit(&table, &split.train, ConstantChannels::Refuse).unwrap();
        Self {
            table,
            split,
            scaler,
        }
    }

    fn parts(&self) -> [SeriesPart<'_>; 3] {
        let SeriesSplit { train, valid, test } = &self.split;
        [train, valid, test].map(|spans| SeriesPart {
            table: &self.table,
            spans,
        })
    }

    /// Name, MSE and MAE of each baseline.
    fn figures(&self, lookback: usize, horizon: usize) -> Vec<(&'static str, f64, f64)> {
        let [train, valid, test] = self.parts();
        let baselines = forecast_baselines(&ForecastTask {
            train,
            valid,
            test,
            scaler: &self.scaler,
            lookback,
            horizon,
            season: Some(24),
        });
        (baselines.unwrap().into_iter())
            .map(|baseline| {
                assert_eq!(baseline.scores.n_windows, 2881 - horizon as u64);
                (baseline.name, baseline.scores.mse, baseline.scores.mae)
            })
            .collect()
    }
}

/// Figures of `tests/golden/series_figures.py`, to four places.
fn assert_figures(found: &[(&str, f64, f64)], expected: &[(&str, f64, f64)]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.0, expected.0);
        let near = |a: f64, b: f64| (a - b).abs() < 1e-4;
        assert!(
            near(found.1, expected.1) && near(found.2, expected.2),
            "{found:?} {expected:?}"
        );
    }
}

#[test]
fn the_baselines_of_etth1_reach_their_known_figures() {
    let last = ("repeat-last", 1.2944, 0.7132);
    let seasonal = ("seasonal-naive", 0.5122, 0.4333);
    let ridge = ("ridge", 0.3831, 0.3920);
    assert_figures(&Etth1::load().figures(96, 96), &[last, seasonal, ridge]);
}

#[test]
#[ignore = "minutes without optimisation: cargo test --release -p regard-data --test series_baselines -- --ignored"]
fn the_ridge_reaches_its_known_figures_at_all_horizons() {
    let etth1 = Etth1::load();
    for (horizon, mse, mae) in [
        (96, 0.3634, 0.3912),
        (192, 0.3966, 0.4113),
        (336, 0.4210, 0.4344),
        (720, 0.4412, 0.4629),
    ] {
        let found = etth1.figures(512, horizon);
        assert_figures(&found[2..], &[("ridge", mse, mae)]);
    }
}

#[test]
fn the_penalty_is_that_of_the_least_error_on_the_validation_rows() {
    let etth1 = Etth1::load();
    let [train, valid, _] = etth1.parts();
    for (base, lambda, mse) in [
        (RidgeBase::Zero, 0.001, 0.6601),
        (RidgeBase::Last, 1000.0, 0.6983),
        (RidgeBase::Mean, 0.001, 0.6985),
    ] {
        let config = RidgeConfig {
            base,
            ..RidgeConfig::new(96, 96)
        };
        let ridge = Ridge::fit(config, train, valid, &etth1.scaler).unwrap();
        assert_eq!(ridge.lambda(3), lambda, "{base:?}");
        assert!(
            (ridge.valid_mse(3) - mse).abs() < 1e-4,
            "{base:?}: {}",
            ridge.valid_mse(3)
        );
    }
}

/// What a window is told by the map as one matrix: `W window + b`.
fn by_matrix(ridge: &Ridge, window: &[f32]) -> Vec<f32> {
    let (weights, intercept) = ridge.matrix(0);
    let rows = weights.chunks(window.len()).zip(intercept);
    rows.map(|(row, b)| row.iter().zip(window).map(|(w, x)| w * x).sum::<f32>() + b)
        .collect()
}

#[test]
fn a_map_is_one_matrix_whatever_is_subtracted_and_without_an_intercept_it_scales() {
    let etth1 = Etth1::load();
    let [train, valid, _] = etth1.parts();
    let window: Vec<f32> = (0..48_i16).map(|row| f32::from(row % 7) - 2.0).collect();
    let tripled: Vec<f32> = window.iter().map(|value| 3.0 * value).collect();
    for base in [RidgeBase::Zero, RidgeBase::Last, RidgeBase::Mean] {
        for has_intercept in [true, false] {
            let config = RidgeConfig {
                base,
                has_intercept,
                ..RidgeConfig::new(48, 12)
            };
            let ridge = Ridge::fit(config, train, valid, &etth1.scaler).unwrap();
            let expected = ridge.forecast(0, &window);
            for (found, expected) in by_matrix(&ridge, &window).iter().zip(&expected) {
                assert!(
                    (found - expected).abs() < 1e-4,
                    "{base:?}: {found}, {expected}"
                );
            }
            let of_tripled = ridge.forecast(0, &tripled);
            let scales = (of_tripled.iter().zip(&expected))
                .all(|(tripled, once)| (tripled - 3.0 * once).abs() < 1e-4);
            assert_eq!(scales, !has_intercept, "{base:?}");
        }
    }
}

#[test]
fn the_pinball_loss_weighs_both_sides_and_coverage_counts() {
    let (forecast, truth) = ([1.0, 2.0, 3.0, 0.0], [2.0, 2.0, 1.0, f32::NAN]);
    // `tests/golden/series_figures.py`.
    assert!((pinball(0.9, &forecast, &truth) - 0.366_666_666_666_666_64).abs() < 1e-12);
    assert!((coverage(&forecast, &truth) - 2.0 / 3.0).abs() < 1e-12);
    assert!(pinball(0.5, &[1.0], &[f32::NAN]).is_nan());
}
