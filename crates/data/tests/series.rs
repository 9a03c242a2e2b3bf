//! Tables of time series: what is read, refused and cut.

mod common;

use common::{data_set, loaded, message};
use proptest::prelude::*;
use regard_data::series::{
    Calendar, CalendarCycle, ConstantChannels, Extent, Frequency, RepeatedTimes, Scaler,
    SeriesColumns, SeriesOptions, SeriesSplit, Span, WindowIndex,
};
use regard_data::{DataError, SeriesTable, Source};

fn timed() -> SeriesColumns {
    SeriesColumns {
        time: Some("time".into()),
        ..SeriesColumns::default()
    }
}

fn table(content: &str) -> Result<SeriesTable, DataError> {
    with(content, &timed(), &SeriesOptions::default())
}

fn with(
    content: &str,
    columns: &SeriesColumns,
    options: &SeriesOptions,
) -> Result<SeriesTable, DataError> {
    loaded("a.csv", content, |source| {
        SeriesTable::load(source, columns, options)
    })
}

fn refusal(content: &str) -> String {
    message(table(content).unwrap_err())
}

/// All values of a series; -1 where one is missing.
fn rows(table: &SeriesTable, series: usize) -> Vec<f32> {
    let mut values = vec![0.0; table.len(series) * table.columns().len()];
    table.copy_rows(series, 0..table.len(series), &mut values);
    let shown = |value: f32| if value.is_nan() { -1.0 } else { value };
    values.into_iter().map(shown).collect()
}

#[test]
fn the_protocol_of_etth1_has_its_rows_and_test_windows() {
    let columns = SeriesColumns {
        time: Some("date".into()),
        ..SeriesColumns::default()
    };
    let source = Source::new(data_set("etth1/ETTh1.csv"));
    let table = SeriesTable::load(&source, &columns, &SeriesOptions::default()).unwrap();
    let names = ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"];
    assert_eq!(table.columns(), names);
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
        assert_eq!(index.window(0).past(), 11_520 - 512..11_520);
        assert_eq!(index.window(0).future(), 11_520..11_520 + horizon);
        assert_eq!(index.window(windows - 1).future().end, 14_400);
    }
    let train = WindowIndex::new(&table, &split.train, 512, 96, 1).unwrap();
    assert_eq!(train.len(), 8033);

    // Python 3.11: statistics.fmean and pstdev of the first 8,640 rows.
    let scaler = Scaler::fit(&table, &split.train, ConstantChannels::Refuse).unwrap();
    for (column, mean, std) in [
        (0, 7.937_742_245_659_508, 5.812_749_409_143_771),
        (6, 17.128_261_698_227_1, 9.176_491_024_944_335),
    ] {
        assert!((scaler.mean()[column] - mean).abs() < 1e-6);
        assert!((scaler.std()[column] - std).abs() < 1e-6);
    }
}

#[test]
fn times_are_read_in_many_forms() {
    let cases = [
        ("2016-07-01", "2016-07-01 00:00:00"),
        ("20160701", "2016-07-01 00:00:00"),
        ("2016-07", "2016-07-01 00:00:00"),
        ("2016-07-01 05:30", "2016-07-01 05:30:00"),
        ("2016-07-01T05:30:10.25", "2016-07-01 05:30:10.25"),
        ("2016/7/1 5:30", "2016-07-01 05:30:00"),
        ("31.07.2016", "2016-07-31 00:00:00"),
        ("31/7/2016 1:05 pm", "2016-07-31 13:05:00"),
        ("7/31/2016 12:05:01 AM", "2016-07-31 00:05:01"),
        ("2016-07-01T00:00:00Z", "2016-07-01 00:00:00Z"),
        ("2016-07-01 00:00:00+02:00", "2016-07-01 00:00:00+02:00"),
        ("2016-07-01T00:00-03:30", "2016-07-01 00:00:00-03:30"),
        ("1467331200", "2016-07-01 00:00:00Z"),
        ("1467331200.5", "2016-07-01 00:00:00.5Z"),
        ("1467331200000", "2016-07-01 00:00:00Z"),
        ("1467331200000000", "2016-07-01 00:00:00Z"),
        ("1467331200000000000", "2016-07-01 00:00:00Z"),
        ("1949", "1949"),
        ("0.5", "0.5"),
    ];
    for (text, expected) in cases {
        let table = table(&format!("time,x\n{text},1\n")).unwrap();
        assert_eq!(table.time_text(0, 0).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn one_day_above_twelve_settles_which_number_is_the_month() {
    let slashes = table("time,x\n01/07/2016,1\n02/07/2016,2\n13/07/2016,3\n").unwrap();
    assert_eq!(slashes.time_text(0, 0).unwrap(), "2016-07-01 00:00:00");
    assert_eq!(
        refusal("time,x\n01/07/2016,1\n02/07/2016,2\n"),
        "a.csv: every time in column \"time\", \"01/07/2016\" for instance, can be read as day/month/year, month/day/year; write dates as 2016-07-31, or name the form"
    );
    let options = SeriesOptions {
        time_form: Some(regard_data::series::TimeForm::MonthFirst),
        ..SeriesOptions::default()
    };
    let named = with("time,x\n01/07/2016,1\n02/07/2016,2\n", &timed(), &options).unwrap();
    assert_eq!(named.time_text(0, 1).unwrap(), "2016-02-07 00:00:00");
}

#[test]
fn faulty_values_and_times_are_refused_by_their_line() {
    assert_eq!(
        refusal("time,x\n2016-07-01,1\nyesterday,2\n"),
        "a.csv line 3: \"yesterday\" in column \"time\" is no time; tried ISO 8601 (2016-07-01 00:00:00)"
    );
    let first = refusal("time,x\nyesterday,2\n");
    assert!(first.contains("tried ISO 8601 with a zone"), "{first}");
    assert!(first.contains("milliseconds since 1970"), "{first}");
    assert_eq!(
        refusal("time,x\n2016-07-01,1\n2016-07-02,-inf\n"),
        "a.csv line 3: \"-inf\" in column \"x\" is infinite; leave the field empty if the value is missing"
    );
    let targets = SeriesColumns {
        targets: vec!["x".into()],
        ..timed()
    };
    let options = SeriesOptions::default();
    let error = with("time,x\n2016-07-01,12 kW\n", &targets, &options).unwrap_err();
    assert_eq!(
        message(error),
        "a.csv line 2: \"12 kW\" in column \"x\" is no number; a missing value is an empty field, NA, NaN, null or ?"
    );
    assert_eq!(
        refusal("time,x\n2016-07-01,high\n"),
        "a.csv has no column of numbers; its other columns are \"x\""
    );
    let known = SeriesColumns {
        targets: vec!["x".into()],
        known: vec!["x".into()],
        ..timed()
    };
    let error = with("time,x\n2016-07-01,1\n", &known, &options).unwrap_err();
    assert_eq!(
        message(error),
        "a.csv: the column \"x\" is named twice among time, id, target and known columns; a target that is known ahead would be told to the model"
    );
    assert!(matches!(
        with("day,x\n1,1\n", &timed(), &options),
        Err(DataError::MissingColumn { .. })
    ));
}

#[test]
fn repeated_times_are_refused_or_become_what_is_asked_for() {
    let content = "time,x,y\n2016-07-01,1,\n2016-07-02,2,5\n2016-07-01,3,7\n2016-07-01,5,\n";
    assert_eq!(
        refusal(content),
        "a.csv line 4: the time 2016-07-01 00:00:00 stands on line 2 already, and 2 rows repeat a time; remove them, or say what counts: first, last, mean, or keep for all rows as they stand"
    );
    for (repeated_times, expected) in [
        (RepeatedTimes::First, vec![1.0, -1.0, 2.0, 5.0]),
        (RepeatedTimes::Last, vec![5.0, -1.0, 2.0, 5.0]),
        (RepeatedTimes::Mean, vec![3.0, 7.0, 2.0, 5.0]),
        (
            RepeatedTimes::Keep,
            vec![1.0, -1.0, 2.0, 5.0, 3.0, 7.0, 5.0, -1.0],
        ),
    ] {
        let options = SeriesOptions {
            repeated_times,
            ..SeriesOptions::default()
        };
        let table = with(content, &timed(), &options).unwrap();
        assert_eq!(rows(&table, 0), expected, "{repeated_times:?}");
        assert_eq!(table.n_records(), 4);
        let last = if repeated_times == RepeatedTimes::Keep {
            3
        } else {
            0
        };
        assert_eq!(table.place_of_record(3), (0, last));
    }
}

#[test]
fn rows_that_are_missing_from_the_grid_are_there_with_missing_values() {
    let gap =
        "time,x\n2016-07-01 02:00,3\n2016-07-01 00:00,1\n2016-07-01 01:00,2\n2016-07-01 04:00,5\n";
    let table = table(gap).unwrap();
    let hour = 3_600_000_000;
    assert_eq!(table.frequency(), Frequency::Every { microseconds: hour });
    assert_eq!(rows(&table, 0), [1.0, 2.0, 3.0, -1.0, 5.0]);
    assert_eq!((table.n_records(), table.n_filled()), (4, 1));
    let places: Vec<usize> = (0..4)
        .map(|record| table.place_of_record(record).1)
        .collect();
    assert_eq!(places, [2, 0, 1, 4]);
    assert_eq!(table.time_text(0, 3).unwrap(), "2016-07-01 03:00:00");
    assert_eq!(table.time_text(0, 6).unwrap(), "2016-07-01 06:00:00");
}

#[test]
fn series_are_told_apart_by_their_id_whatever_the_order_format_and_memory() {
    let columns = SeriesColumns {
        id: Some("id".into()),
        ..timed()
    };
    let options = SeriesOptions::default();
    let csv = "time,id,x\n1,b,1\n1,a,10\n2,a,20\n2,b,NA\n4,a,40\n3,b,3\n";
    let table = with(csv, &columns, &options).unwrap();
    assert_eq!((table.id(0), table.id(1)), ("b", "a"));
    assert_eq!(rows(&table, 0), [1.0, -1.0, 3.0]);
    assert_eq!(rows(&table, 1), [10.0, 20.0, -1.0, 40.0]);
    assert_eq!(table.place_of_record(4), (1, 3));

    let sorted = "time,id,x\n1,b,1\n2,b,?\n3,b,3\n1,a,10\n2,a,20\n4,a,40\n";
    let sorted = with(sorted, &columns, &options).unwrap();
    let json = r#"{"time":1,"id":"b","x":1}
{"id":"b","x":null,"time":2}
{"time":3,"id":"b","x":3.0}
{"time":1,"id":"a","x":10}
{"time":2,"id":"a","x":20}
{"time":4,"id":"a","x":"40"}
"#;
    let json = loaded("a.jsonl", json, |source| {
        SeriesTable::load(source, &columns, &options)
    });
    let mapped = SeriesOptions {
        memory_bytes: 0,
        ..options
    };
    let mapped = with(csv, &columns, &mapped).unwrap();
    assert!(mapped.is_mapped() && !table.is_mapped());
    assert_eq!(rows(&mapped, 1), rows(&table, 1));
    for other in [sorted, json.unwrap(), mapped] {
        assert_eq!(other.fingerprint(), table.fingerprint());
    }
    let changed = with(&csv.replace("40", "41"), &columns, &options).unwrap();
    assert_ne!(changed.fingerprint(), table.fingerprint());
}

#[test]
fn a_scaler_is_of_the_training_rows_alone_and_leaves_out_what_is_missing() {
    let content = "time,x,y\n1,1,5\n2,NA,7\n3,3,5\n4,100,7\n";
    let table = table(content).unwrap();
    let split = SeriesSplit::in_time(&table, Extent::Share(0.75), None, Some(Extent::Rows(1)));
    let scaler = Scaler::fit(&table, &split.unwrap().train, ConstantChannels::Refuse).unwrap();
    assert_eq!((scaler.mean()[0], scaler.std()[0]), (2.0, 1.0));
    assert_eq!(
        (scaler.scale(0, 100.0), scaler.unscale(0, 98.0)),
        (98.0, 100.0)
    );
    let mut row = [3.0, 5.0, f32::NAN, 5.0];
    scaler.scale_rows(&mut row);
    assert!(row[0] == 1.0 && row[2].is_nan());
    let json = serde_json::to_string(&scaler).unwrap();
    assert_eq!(serde_json::from_str::<Scaler>(&json).unwrap(), scaler);
}

#[test]
fn channels_without_a_scale_are_refused() {
    let fit = |content: &str, constant| {
        let table = table(content).unwrap();
        Scaler::fit(&table, &Span::whole(&table), constant)
    };
    let constant = "time,x\n1,0.1\n2,0.1\n3,0.1\n";
    assert_eq!(
        message(fit(constant, ConstantChannels::Refuse).unwrap_err()),
        "a.csv: the column \"x\" is 0.1 in all training rows, so it has no scale; leave it out of the columns: name the others as data.target_columns"
    );
    let centred = fit(constant, ConstantChannels::Center).unwrap();
    assert_eq!((centred.std()[0], centred.scale(0, 0.1)), (1.0, 0.0));
    assert_eq!(
        message(fit("time,x\n1,NA\n2,\n", ConstantChannels::Center).unwrap_err()),
        "a.csv: the column \"x\" has no value in the training rows; leave it out of the columns: name the others as data.target_columns"
    );
}

#[test]
fn a_series_too_short_for_all_parts_is_for_training_alone() {
    let rows = |id: &str, n: usize| -> String {
        (0..n).map(|row| format!("{id},{row},{row}\n")).collect()
    };
    let content = format!(
        "id,time,x\n{}{}{}",
        rows("a", 2),
        rows("b", 10),
        rows("c", 1)
    );
    let columns = SeriesColumns {
        id: Some("id".into()),
        ..timed()
    };
    let table = with(&content, &columns, &SeriesOptions::default()).unwrap();
    let share = |share| Some(Extent::Share(share));
    let split = SeriesSplit::in_time(&table, Extent::Share(0.7), share(0.1), share(0.2)).unwrap();
    let of = |spans: &[Span]| -> Vec<_> {
        (spans.iter())
            .map(|span| (span.series, span.rows.clone()))
            .collect()
    };
    assert_eq!(of(&split.train), [(0, 0..2), (1, 0..7), (2, 0..1)]);
    assert_eq!(
        (of(&split.valid), of(&split.test)),
        (vec![(1, 7..8)], vec![(1, 8..10)])
    );
}

#[test]
fn splits_and_windows_that_do_not_fit_say_what_they_need() {
    let table = table("time,x\n1,1\n2,2\n3,3\n4,4\n5,5\n").unwrap();
    let share = |share| Some(Extent::Share(share));
    let split =
        SeriesSplit::in_time(&table, Extent::Share(0.7), share(0.1), share(0.2)).unwrap_err();
    assert_eq!(
        message(split),
        "a.csv: the valid part would be rows 4 to 4 of 5; each part needs rows, and all must fit: give other lengths or shares"
    );
    let split =
        SeriesSplit::in_time(&table, Extent::Rows(3), Some(Extent::Rows(1)), share(0.2)).unwrap();
    assert_eq!(split.test[0].rows, 4..5);
    let index = WindowIndex::new(&table, &split.train, 3, 1, 1).unwrap_err();
    assert_eq!(
        message(index),
        "a.csv: 3 rows with 0 before them are too few; a window needs 4 rows, 3 to look back and 1 ahead: give more rows or a shorter data.lookback or data.horizon"
    );
    assert_eq!(
        WindowIndex::new(&table, &split.test, 3, 1, 1)
            .unwrap()
            .len(),
        1
    );
    let columns = ["x".to_owned(), "z".to_owned()];
    assert_eq!(
        message(table.require_columns(&columns).unwrap_err()),
        "a.csv: the columns \"z\" are missing; the model was trained on \"x\", \"z\""
    );
}

#[test]
fn series_are_split_by_their_ids() {
    let columns = SeriesColumns {
        id: Some("id".into()),
        ..timed()
    };
    let table = with(
        "time,id,x\n1,a,1\n1,b,2\n1,c,3\n",
        &columns,
        &SeriesOptions::default(),
    )
    .unwrap();
    let ids = |ids: &[&str]| -> Vec<String> { ids.iter().map(|id| (*id).to_owned()).collect() };
    let split = SeriesSplit::by_id(&table, &ids(&["c"]), &ids(&["a"])).unwrap();
    let series = |spans: &[Span]| spans.iter().map(|span| span.series).collect::<Vec<_>>();
    assert_eq!(
        (
            series(&split.train),
            series(&split.valid),
            series(&split.test)
        ),
        (vec![1], vec![2], vec![0])
    );
    let refusal = |valid: &[&str], test: &[&str]| {
        message(SeriesSplit::by_id(&table, &ids(valid), &ids(test)).unwrap_err())
    };
    assert_eq!(
        refusal(&["d"], &[]),
        "a.csv: no series has the id \"d\"; look at the column of ids"
    );
    assert_eq!(
        refusal(&["a"], &["a"]),
        "a.csv: the series \"a\" is named for two parts; name it once"
    );
    assert_eq!(
        refusal(&["a"], &["b", "c"]),
        "a.csv: all 3 series are for validation or test; leave some to train on"
    );
}

#[test]
fn whole_series_are_split_in_a_given_order() {
    let columns = SeriesColumns {
        id: Some("id".into()),
        ..timed()
    };
    let rows: String = (0..10).map(|id| format!("1,s{id},0\n")).collect();
    let table = with(
        &format!("time,id,x\n{rows}"),
        &columns,
        &SeriesOptions::default(),
    )
    .unwrap();
    let order = [9, 3, 5, 0, 1, 2, 4, 6, 8, 7];
    let split = |train, valid, test| SeriesSplit::in_order(&table, &order, train, valid, test);
    let series = |spans: &[Span]| spans.iter().map(|span| span.series).collect::<Vec<_>>();
    let found = split(0.65, Some(0.1), Some(0.25)).unwrap();
    assert_eq!(series(&found.train), [0, 1, 2, 3, 4, 5, 9]);
    assert_eq!(series(&found.valid), [6]);
    assert_eq!(series(&found.test), [7, 8]);
    assert_eq!(
        series(&split(0.5, None, Some(0.5)).unwrap().test),
        [2, 4, 6, 7, 8]
    );
    assert_eq!(
        message(split(0.9, Some(0.01), None).unwrap_err()),
        "a.csv: a share of 0.01 of 10 series for the valid part, 0.91 with those before it, is none or too many; each part needs a series: give other shares, or split in time"
    );
    assert!(message(split(0.9, Some(0.3), None).unwrap_err()).contains("1.2 with those"));
    assert!(matches!(
        split(0.5, Some(0.0), None),
        Err(DataError::ShareOutOfRange { .. })
    ));
}

#[test]
fn a_calendar_needs_regular_times() {
    let calendar = Calendar::new(vec![CalendarCycle::Day]);
    assert!(
        calendar
            .require_regular(&table("time,x\n2016-07-04 00:00,1\n2016-07-04 06:00,2\n").unwrap())
            .is_ok()
    );
    let irregular = table(
        "time,x\n2016-07-04 00:00,1\n2016-07-04 06:00,2\n2016-07-04 06:07,3\n2016-07-09 01:02,3\n",
    )
    .unwrap();
    let refused = message(calendar.require_regular(&irregular).unwrap_err());
    assert!(refused.starts_with("a.csv: the calendar of steps to come needs rows at regular times, and these are irregular rows"), "{refused}");
    assert!(Calendar::default().require_regular(&irregular).is_ok());
    let numbers = table("time,x\n1,1\n2,2\n").unwrap();
    assert!(matches!(
        calendar.require_regular(&numbers),
        Err(DataError::NoCalendar {
            are_numbers: true,
            ..
        })
    ));
    let columns = SeriesColumns::default();
    let rows = with("x\n1\n2\n", &columns, &SeriesOptions::default()).unwrap();
    assert!(matches!(
        calendar.require_regular(&rows),
        Err(DataError::NoTimeColumn { .. })
    ));
}

#[test]
fn the_calendar_knows_the_hour_also_of_rows_to_come() {
    let table = table("time,x\n2016-07-04 00:00,1\n2016-07-04 06:00,2\n").unwrap();
    let calendar = Calendar::new(vec![CalendarCycle::Day, CalendarCycle::Week]);
    assert_eq!(
        calendar.names(),
        ["day_sin", "day_cos", "week_sin", "week_cos"]
    );
    let mut features = [0.0; 12];
    calendar.fill(&table, 0, 0..3, &mut features).unwrap();
    let quarter = (std::f64::consts::TAU * 0.25 / 7.0).sin_cos();
    let expected = [
        [0.0, 1.0, 0.0, 1.0],
        [1.0, 0.0, quarter.0 as f32, quarter.1 as f32],
        // Noon, which the file does not reach; 4 July 2016 is a Monday.
        [
            0.0,
            -1.0,
            (2.0 * quarter.0 * quarter.1) as f32,
            (1.0 - 2.0 * quarter.0.powi(2)) as f32,
        ],
    ];
    for (feature, expected) in features.iter().zip(expected.iter().flatten()) {
        assert!((feature - expected).abs() < 1e-6, "{features:?}");
    }
    let hours = Frequency::Every {
        microseconds: 3_600_000_000,
    };
    let all = Calendar::beyond(12, hours, 20_000);
    assert_eq!(all.width(), 6);
    // Two days hold each hour of a day twice already, and less than two years no day of a year.
    let week = Calendar::beyond(48, hours, 17_519);
    assert_eq!(week.cycles(), [CalendarCycle::Week]);
    assert!(Calendar::beyond(12, Frequency::Rows, 20_000).is_empty());
    let months = Frequency::Months { months: 1 };
    assert_eq!(
        Calendar::beyond(6, months, 36).names(),
        ["year_sin", "year_cos"]
    );
    let numbers = self::table("time,x\n1,1\n2,2\n").unwrap();
    assert_eq!(
        message(all.fill(&numbers, 0, 0..1, &mut [0.0; 6]).unwrap_err()),
        "a.csv: the times are numbers that name no date, so there is no calendar; switch the calendar off"
    );
    let no_time = with(
        "x\n1\n",
        &SeriesColumns::default(),
        &SeriesOptions::default(),
    )
    .unwrap();
    assert_eq!(
        message(all.fill(&no_time, 0, 0..1, &mut [0.0; 6]).unwrap_err()),
        "a.csv: the calendar needs the times of the rows; name their column as data.time_column"
    );
}

proptest! {
    #[test]
    fn windows_are_those_that_a_loop_finds(
        spans in prop::collection::vec((0_usize..40, 0_usize..40), 1..5),
        lookback in 1_usize..9, horizon in 0_usize..9, stride in 1_usize..5,
    ) {
        let spans: Vec<Span> = spans.into_iter().enumerate()
            .map(|(series, (start, len))| Span { series, rows: start..start + len })
            .collect();
        let mut naive = Vec::new();
        for span in &spans {
            let fits = |begin: &usize| {
                let first_told = begin + lookback;
                first_told + horizon <= span.rows.end
                    && if horizon == 0 { first_told > span.rows.start } else { first_told >= span.rows.start }
            };
            let all: Vec<usize> = (0..span.rows.end).filter(fits).collect();
            let last = all.len().saturating_sub(1);
            naive.extend(all.iter().enumerate()
                .filter(|(place, _)| place % stride == 0 || *place == last)
                .map(|(_, begin)| (span.series, *begin)));
        }
        let index = WindowIndex::of_spans(&spans, lookback, horizon, stride);
        let found: Vec<_> = index.iter().map(|window| (window.series, window.start)).collect();
        prop_assert_eq!(found, naive);
    }

    #[test]
    fn no_file_of_series_makes_the_reader_panic(content in "(time|id|x|,|\n|1|2016-07-0[1-9]|31/1/2016|NaN|inf|\"|é| ){0,60}") {
        let columns = SeriesColumns { time: Some(0.into()), ..SeriesColumns::default() };
        for repeated_times in [RepeatedTimes::Refuse, RepeatedTimes::Mean, RepeatedTimes::Keep] {
            let options = SeriesOptions { repeated_times, memory_bytes: 8, ..SeriesOptions::default() };
            if let Ok(table) = with(&content, &columns, &options) {
                let rows: usize = (0..table.n_series()).map(|series| table.len(series)).sum();
                prop_assert_eq!(rows, table.n_rows());
                prop_assert!(table.n_rows() <= 2 * table.n_records());
            }
        }
    }
}

/// The times and values of each series, by its id.
fn laid_out(content: &str, each_by_itself: bool) -> Vec<(String, Vec<(String, f32)>)> {
    let columns = SeriesColumns {
        time: Some("time".into()),
        id: Some("id".into()),
        ..SeriesColumns::default()
    };
    let options = SeriesOptions {
        each_by_itself,
        ..SeriesOptions::default()
    };
    let table = loaded("a.csv", content, |source| {
        SeriesTable::load(source, &columns, &options).unwrap()
    });
    let row = |series, row| {
        let time = table.time_text(series, row).unwrap();
        (time, table.value(series, row, 0))
    };
    (0..table.n_series())
        .map(|series| {
            let rows = (0..table.len(series)).map(|place| row(series, place));
            (table.id(series).to_owned(), rows.collect())
        })
        .collect()
}

#[test]
fn a_series_that_is_laid_out_by_itself_is_changed_by_no_other() {
    // Hours with a gap; another series has minutes of its own, and another clock.
    let gap = "id,time,x\na,2024-01-01T00:00+01:00,1\na,2024-01-01T01:00+01:00,2\na,2024-01-01T03:00+01:00,3\na,2024-01-01T04:00+01:00,4\n";
    let more = format!("{gap}b,2024-01-01T00:00+02:00,5\nb,2024-01-01T00:07+02:00,6\n");
    let (alone, beside) = (laid_out(gap, true), laid_out(&more, true));
    assert_eq!(alone[0], beside[0]);
    assert_eq!(alone[0].1.len(), 4, "{alone:?}");
    assert_eq!(alone[0].1[0].0, "2023-12-31 23:00:00Z");
    // On a grid of all, one series decides over the others.
    assert_eq!(laid_out(gap, false)[0].1.len(), 5);
    assert_eq!(laid_out(&more, false)[0].1.len(), 4);
}
