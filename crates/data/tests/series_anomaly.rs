//! Labelled windows, and what scores without a model reach on two series of the Numenta Anomaly Benchmark.

mod common;

use std::path::Path;

use common::{data_set, loaded, message};
use regard_data::series::baseline::{level_scores, seasonal_residual};
use regard_data::series::metric::{average_precision, detection, roc_auc, smooth};
use regard_data::series::{AnomalyWindows, RepeatedTimes, SeriesColumns, SeriesOptions};
use regard_data::{DataError, SeriesTable, Source};

/// The values of a series, whether each is anomalous, and where the first 15 % end.
fn of_nab(name: &str) -> (Vec<f32>, Vec<bool>, usize) {
    let path = data_set(&format!("nab/{name}.csv"));
    let columns = SeriesColumns {
        time: Some("timestamp".into()),
        ..SeriesColumns::default()
    };
    let options = SeriesOptions {
        repeated_times: RepeatedTimes::Keep,
        ..SeriesOptions::default()
    };
    let table = SeriesTable::load(&Source::new(&path), &columns, &options).unwrap();
    let windows = AnomalyWindows::load(&data_set("nab/combined_windows.json"), &path).unwrap();
    let marked = windows.mark(&table, 0).unwrap();
    assert_eq!((marked.n_empty, marked.events().len()), (0, windows.len()));
    let mut values = vec![0.0; table.n_rows()];
    table.copy_rows(0, 0..table.n_rows(), &mut values);
    let probation = table.n_rows() * 15 / 100;
    (values, marked.is_anomalous, probation)
}

/// ROC-AUC and PR-AUC behind the first 15 %, to four places.
fn areas(scores: &[f32], flags: &[bool], probation: usize) -> (f64, f64) {
    let rounded = |area: f64| (area * 1e4).round() / 1e4;
    let (scores, flags) = (&scores[probation..], &flags[probation..]);
    (
        rounded(roc_auc(scores, flags)),
        rounded(average_precision(scores, flags)),
    )
}

/// Holds the level score, the seasonal residual and the smoothed one against their areas.
fn assert_areas(
    name: &str,
    season: usize,
    n_events: usize,
    sizes: [usize; 2],
    expected: [(f64, f64); 3],
) {
    let (values, flags, probation) = of_nab(name);
    let in_evaluation = &flags[probation..];
    let anomalous = in_evaluation.iter().filter(|flag| **flag).count();
    assert_eq!([in_evaluation.len(), anomalous], sizes, "{name}");
    let level = level_scores(&values, &values[..probation]);
    let residual = seasonal_residual(&values, season);
    let smoothed = smooth(&residual, 48);
    let found = [&level, &residual, &smoothed].map(|scores| areas(scores, &flags, probation));
    assert_eq!(found, expected, "{name}");
    let found = detection(&level, &flags, f32::NEG_INFINITY);
    assert_eq!((found.n_detected, found.mean_delay), (n_events, 0.0));
}

/// The areas are those of `tests/golden/series_figures.py`.
#[test]
fn scores_without_a_model_reach_their_known_figures() {
    let taxi = [(0.5084, 0.1555), (0.7411, 0.3616), (0.8484, 0.5288)];
    assert_areas("nyc_taxi", 336, 5, [8772, 1035], taxi);
    let machine = [(0.8379, 0.6239), (0.8289, 0.3393), (0.8585, 0.3606)];
    let name = "machine_temperature_system_failure";
    assert_areas(name, 288, 4, [19_291, 1701], machine);
}

fn windows(name: &str, content: &str, data: &str) -> Result<AnomalyWindows, DataError> {
    loaded(name, content, |source| {
        AnomalyWindows::load(source.path(), Path::new(data))
    })
}

#[test]
fn windows_are_found_by_the_data_files_name_in_any_form() {
    let json =
        r#"{"x/b.csv": [["2016-07-01 00:00:00", "2016-07-02"]], "y/b.csv": [], "c.csv": []}"#;
    assert_eq!(windows("a.json", json, "/data/x/b.csv").unwrap().len(), 1);
    assert_eq!(windows("a.json", json, "y/b.csv").unwrap().len(), 0);
    assert_eq!(
        windows("a.json", r#"[["2016-07-01", "2016-07-02"]]"#, "b.csv")
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        windows("a.csv", "start,end\n2016-07-01,2016-07-02\n", "b.csv")
            .unwrap()
            .len(),
        1
    );
    let refusal = |name, content, data| message(windows(name, content, data).unwrap_err());
    let invalid = |what: &str| format!("a.json: no valid file of labelled windows: {what}");
    assert_eq!(
        refusal("a.json", json, "d.csv"),
        invalid("it names no data file \"d.csv\"")
    );
    assert_eq!(
        refusal("a.json", r#"[["2016-07-02", "2016-07-01"]]"#, "b.csv"),
        invalid("the window [\"2016-07-02\", \"2016-07-01\"] ends before it starts")
    );
    assert_eq!(
        refusal("a.json", r#"[["soon", "2016-07-01"]]"#, "b.csv"),
        invalid("\"soon\" is no time, or written unlike the others")
    );
    assert_eq!(
        refusal("a.json", "[1]", "b.csv"),
        invalid("each window is a list of its start and its end, as texts or numbers")
    );
    assert_eq!(
        refusal("a.json", "1", "b.csv"),
        invalid("a list of [start, end] was expected")
    );
}

#[test]
fn both_ends_of_a_window_are_in_it() {
    let columns = SeriesColumns {
        time: Some("time".into()),
        ..SeriesColumns::default()
    };
    let rows = "time,x\n2016-07-01,1\n2016-07-02,2\n2016-07-03,3\n2016-07-04,4\n";
    let table = loaded("b.csv", rows, |source| {
        SeriesTable::load(source, &columns, &SeriesOptions::default())
    })
    .unwrap();
    let list = "start,end\n2016-07-02,2016-07-03\n2017-01-01,2017-01-02\n";
    let marked = windows("a.csv", list, "b.csv")
        .unwrap()
        .mark(&table, 0)
        .unwrap();
    assert_eq!(marked.is_anomalous, [false, true, true, false]);
    assert_eq!((marked.n_empty, marked.events().len()), (1, 1));
    assert_eq!(marked.events()[0], 1..3);
    let zoned = windows(
        "a.csv",
        "start,end\n2016-07-02T00:00Z,2016-07-03T00:00Z\n",
        "b.csv",
    )
    .unwrap();
    let refusal = message(zoned.mark(&table, 0).unwrap_err());
    assert!(
        refusal.contains("only one of these times and those of"),
        "{refusal}"
    );
}
