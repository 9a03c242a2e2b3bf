//! Tables of time series: what is read, refused and cut.

use std::path::{Path, PathBuf};

use regard_data::series::baseline::{ForecastTask, SeriesPart, forecast_baselines};
use regard_data::series::{
    ConstantChannels, Extent, Frequency, RepeatedTimes, Scaler, SeriesColumns, SeriesOptions,
    SeriesSplit, Span, WindowIndex,
};
use regard_data::{DataError, SeriesTable, Source};

fn etth1() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/etth1/ETTh1.csv")
}

fn table(content: &str, columns: &SeriesColumns) -> Result<SeriesTable, DataError> {
    with(content, columns, &SeriesOptions::default())
}

fn with(
    content: &str,
    columns: &SeriesColumns,
    options: &SeriesOptions,
) -> Result<SeriesTable, DataError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, content).unwrap();
    SeriesTable::load(&Source::new(path), columns, options)
}

fn message(error: DataError) -> String {
    let text = error.to_string();
    let start = text.find("a.csv").expect("the message names the file");
    text[start..].to_owned()
}

fn timed() -> SeriesColumns {
    SeriesColumns {
        time: Some("time".into()),
        ..SeriesColumns::default()
    }
}

fn rows(table: &SeriesTable, series: usize) -> Vec<f32> {
    let mut values = vec![0.0; table.len(series) * table.columns().len()];
    table.copy_rows(series, 0..table.len(series), &mut values);
    values
}

#[test]
fn the_protocol_of_etth1_has_its_rows_and_test_windows() {
    let columns = SeriesColumns {
        time: Some("date".into()),
        ..SeriesColumns::default()
    };
    let table =
        SeriesTable::load(&Source::new(etth1()), &columns, &SeriesOptions::default()).unwrap();
    assert_eq!(
        table.columns(),
        ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]
    );
    assert_eq!((table.n_rows(), table.n_filled()), (17_420, 0));
    assert_eq!(table.frequency().to_string(), "a row every hour");
    assert_eq!(table.time_text(0, 17_419).unwrap(), "2018-06-26 19:00:00");
    assert_eq!(table.time_text(0, 17_420).unwrap(), "2018-06-26 20:00:00");

    let rows = Extent::Rows;
    let split =
        SeriesSplit::in_time(&table, rows(8640), Some(rows(2880)), Some(rows(2880))).unwrap();
    let of = |spans: &[Span]| spans[0].rows.clone();
    assert_eq!(of(&split.train), 0..8640);
    assert_eq!(of(&split.valid), 8640..11_520);
    assert_eq!(of(&split.test), 11_520..14_400);
    for (horizon, windows) in [(96, 2785), (192, 2689), (336, 2545), (720, 2161)] {
        let index = WindowIndex::new(&table, &split.test, 512, horizon, 1).unwrap();
        assert_eq!(index.len(), windows, "horizon {horizon}");
        assert_eq!(index.window(0).future(), 11_520..11_520 + horizon);
        assert_eq!(index.window(0).past(), 11_520 - 512..11_520);
        assert_eq!(index.window(windows - 1).future().end, 14_400);
    }
    let train = WindowIndex::new(&table, &split.train, 512, 96, 1).unwrap();
    assert_eq!(train.len(), 8033);

    // Mean and deviation by numpy 2.3.5: a[:8640].mean(0), a[:8640].std(0), in f64.
    let scaler = Scaler::fit(&table, &split.train, ConstantChannels::Refuse).unwrap();
    for (column, mean, std) in MEAN_AND_STD {
        assert!(
            (scaler.mean()[column] - mean).abs() < 1e-6,
            "{column}: {}",
            scaler.mean()[column]
        );
        assert!(
            (scaler.std()[column] - std).abs() < 1e-6,
            "{column}: {}",
            scaler.std()[column]
        );
    }
}

const MEAN_AND_STD: [(usize, f64, f64); 2] = [
    (0, 7.937742245659508, 5.812749409143771),
    (6, 17.1282616982271, 9.176491024944335),
];

/// The figures of a closed form made with scikit-learn and numpy: see the names.
#[test]
fn the_baselines_of_etth1_reach_their_known_figures() {
    let columns = SeriesColumns {
        time: Some("date".into()),
        ..SeriesColumns::default()
    };
    let table =
        SeriesTable::load(&Source::new(etth1()), &columns, &SeriesOptions::default()).unwrap();
    let rows = Extent::Rows;
    let split =
        SeriesSplit::in_time(&table, rows(8640), Some(rows(2880)), Some(rows(2880))).unwrap();
    let scaler = Scaler::fit(&table, &split.train, ConstantChannels::Refuse).unwrap();
    let part = |spans| SeriesPart {
        table: &table,
        spans,
    };
    let baselines = |lookback, horizon| {
        forecast_baselines(&ForecastTask {
            train: part(&split.train),
            valid: part(&split.valid),
            test: part(&split.test),
            scaler: &scaler,
            lookback,
            horizon,
            season: Some(24),
        })
        .unwrap()
    };
    let lookbacks: Vec<(usize, usize)> = match std::env::var("REGARD_ALL_HORIZONS") {
        Ok(_) => vec![(96, 96), (512, 96), (512, 192), (512, 336), (512, 720)],
        Err(_) => vec![(96, 96)],
    };
    for (lookback, horizon) in lookbacks {
        for baseline in baselines(lookback, horizon) {
            println!(
                "{lookback} {horizon} {} {} {} {}",
                baseline.name, baseline.detail, baseline.scores.mse, baseline.scores.mae
            );
        }
    }
}
