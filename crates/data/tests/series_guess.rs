//! What `init` guesses of a file of series.

mod common;

use common::{data_set, loaded};
use regard_data::series::{
    GuessOptions, RepeatedTimes, SeriesForm, SeriesGuess, SeriesTask, guess, has_header,
};
use regard_data::{Column, DataError, Source};

/// What is guessed of a file, with its first row as the guess for a header says.
fn of(content: &str) -> Result<Option<SeriesGuess>, DataError> {
    asked(content, None)
}

fn asked(content: &str, task: Option<SeriesTask>) -> Result<Option<SeriesGuess>, DataError> {
    loaded("a.csv", content, |source| {
        let source = source.clone().with_header(has_header(source)?);
        let options = GuessOptions {
            task,
            ..GuessOptions::default()
        };
        guess(&source, &options)
    })
}

fn series(content: &str) -> SeriesGuess {
    of(content).unwrap().expect("it holds series")
}

/// What is wrong, without the folder of the file.
fn refused(content: &str) -> String {
    let message = of(content).unwrap_err().to_string();
    message[message.find("a.csv").unwrap_or(0)..].to_owned()
}

/// Hours of one series, `rows` of them, `row` telling what stands behind the time.
fn hours(before: &str, rows: usize, row: impl Fn(usize) -> String) -> String {
    (0..rows)
        .map(|hour| {
            let (day, of_day) = (1 + hour / 24, hour % 24);
            let (month, day) = (1 + (day - 1) / 28, 1 + (day - 1) % 28);
            format!(
                "{before}2016-{month:02}-{day:02} {of_day:02}:00,{}\n",
                row(hour)
            )
        })
        .collect()
}

fn wave(hour: usize) -> String {
    format!("{:.3}", (hour as f64 * std::f64::consts::TAU / 24.0).sin())
}

fn column(name: &str) -> Option<Column> {
    Some(Column::from(name))
}

#[test]
fn ids_are_found_however_long_each_series_is() {
    for (name, ids) in [
        ("meter", ["north", "south", "west"]),
        ("MeterID", ["17", "4", "203"]),
        ("store_nbr", ["1", "2", "3"]),
    ] {
        let rows: String = ids
            .iter()
            .map(|id| hours(&format!("{id},"), 1_200, wave))
            .collect();
        let panel = series(&format!("{name},date,x\n{rows}"));
        assert_eq!(panel.id_column, column(name));
        assert_eq!(panel.n_series, 3);
        assert_eq!(panel.repeated_times, RepeatedTimes::Refuse);
    }
}

#[test]
fn a_row_that_stands_twice_in_a_series_does_not_hide_its_id() {
    let twice = hours("b,", 1, wave);
    let rows = hours("a,", 300, wave) + &hours("b,", 300, wave) + &twice;
    let panel = series(&format!("meter,date,x\n{rows}"));
    assert_eq!(panel.id_column, column("meter"));
    assert_eq!(panel.repeated_times, RepeatedTimes::Keep);
    let sentence = sentence(&panel, "repeated_times");
    assert!(sentence.starts_with("1 row repeats a time"), "{sentence}");
}

#[test]
fn series_that_only_two_columns_tell_apart_are_refused() {
    let mut rows = String::new();
    for (store, item) in [("1", "milk"), ("1", "bread"), ("2", "milk"), ("2", "bread")] {
        rows += &hours(&format!("{store},{item},"), 200, wave);
    }
    assert_eq!(
        refused(&format!("store,item,date,sales\n{rows}")),
        "a.csv: times repeat within each value of \"store\" and of \"item\", but not within both together; give the table one column that joins the two"
    );
}

#[test]
fn dates_and_times_of_day_in_two_columns_are_no_panel() {
    for (name, of_day) in [("time", ":00"), ("hour", "")] {
        let rows = |before: &str| -> String {
            (0..480)
                .map(|row| {
                    format!(
                        "{before}2016-07-{:02},{:02}{of_day},{}\n",
                        1 + row / 24,
                        row % 24,
                        wave(row)
                    )
                })
                .collect()
        };
        let wanted = format!(
            "a.csv: dates stand in \"date\" and times of day in {name:?}; join them into one column"
        );
        assert_eq!(refused(&format!("date,{name},x\n{}", rows(""))), wanted);
        let panel = rows("a,") + &rows("b,");
        assert_eq!(refused(&format!("store,date,{name},x\n{panel}")), wanted);
    }
}

#[test]
fn a_label_of_long_series_may_change_behind_the_first_thousand_rows() {
    let up = hours("a,", 1_100, |hour| format!("{},on", wave(hour)));
    let changes = up
        + &hours("b,", 1_100, |hour| {
            format!("{},{}", wave(hour), ["on", "off"][hour % 2])
        });
    // The same within each id in the first thousand rows, and not behind them.
    let panel = series(&format!("meter,date,x,state\n{changes}"));
    assert_eq!(
        (panel.task, panel.id_column),
        (SeriesTask::Forecasting, column("meter"))
    );
}

#[test]
fn a_header_is_known_by_a_word_above_numbers_or_times() {
    let header = |content: &str| loaded("a.csv", content, |source| has_header(source).unwrap());
    let indexed = |header: &str| {
        let rows: String = (0..30).map(|row| format!("{row},{row}.5,7\n")).collect();
        format!("{header}\n{rows}")
    };
    for names in [",x0,x1", "date,0,OT", "Unnamed: 0,0,1", "x,1,2"] {
        assert!(header(&indexed(names)), "{names}");
    }
    assert!(header(",0,1,2\n0,5,6,7\n1,8,9,4\n"));
    let counted: String = (0..20).map(|step| format!("{step},")).collect();
    let row = "5,".repeat(20);
    assert!(header(&format!("{counted}kind\n{row}a\n{row}b\n")));
    for data in [
        "0,1,2\n1,2,3\n",
        "a,1\nb,2\n",
        "ham,some words\nspam,other words\nham,yet more words\n",
        ",1,5,9\n1,2,3,4\n",
        "2016-07-01,5\n2016-07-02,6\n",
        "NA,5\n7,6\n",
    ] {
        assert!(!header(data), "{data}");
    }
    // Without anything that tells, names that come nowhere again are names.
    assert!(header("label,text\nham,some words\nspam,other words\n"));
}

#[test]
fn an_index_of_rows_is_no_channel() {
    for index in ["", "Unnamed: 0"] {
        let rows: String = (hours("", 200, wave).lines().enumerate())
            .map(|(row, line)| format!("{row},{line},7{}\n", row % 3))
            .collect();
        let table = series(&format!("{index},date,x0,x1\n{rows}"));
        let wanted = vec![Column::from("x0"), Column::from("x1")];
        assert_eq!(table.target_columns, Some(wanted));
        assert_eq!(table.time_column, column("date"));
    }
    // An index of times has no name, so it is told by its number.
    let table = series(&format!(",x0\n{}", hours("", 200, wave)));
    assert_eq!(table.time_column, Some(Column::from(0)));
    assert_eq!(
        (table.channels, table.target_columns),
        (vec!["x0".to_owned()], None)
    );
}

#[test]
fn one_faulty_cell_is_an_error_with_its_line_and_changes_no_guess() {
    let rows = |time: &str, value: &str| {
        let rows = hours("", 200, wave);
        let mut lines: Vec<&str> = rows.lines().collect();
        let faulty = format!("{time},{value}");
        lines[150] = &faulty;
        format!("date,x\n{}\n", lines.join("\n"))
    };
    let message = refused(&rows("2016-01-07 06:00", "oops"));
    let wanted = "a.csv line 152: \"oops\" in column \"x\" is no number";
    assert!(message.starts_with(wanted), "{message}");
    let message = refused(&rows("yesterday", "5"));
    assert!(
        message.starts_with("a.csv line 152: \"yesterday\" in column \"date\""),
        "{message}"
    );

    let wide = |cells: [&str; 2]| {
        let header: String = (0..20).map(|step| format!("t{step},")).collect();
        let [first, rest] = cells;
        let row = |label: &str, first: &str| {
            format!(
                "{first},{}{label}\n",
                (1..20).map(|_| format!("{rest},")).collect::<String>()
            )
        };
        format!(
            "{header}label\n{}{}{}{}",
            row("a", "1"),
            row("b", "2"),
            row("a", first),
            row("b", "3")
        )
    };
    let message = refused(&wide(["oops", "5"]));
    let wanted = "a.csv line 4: \"oops\" in column \"t0\" is no number";
    assert!(message.starts_with(wanted), "{message}");
    // Steps that are missing at the end are behind the end of a series.
    let short = series(&wide(["4", ""]));
    assert_eq!((short.form, short.lookback), (Some(SeriesForm::Wide), 1));
}

#[test]
fn a_file_that_cannot_be_one_says_why() {
    assert_eq!(
        refused("date;x\n2016-07-01;1,5\n2016-07-02;2,5\n"),
        "a.csv has one column; its fields are parted by semicolons: save it with commas"
    );
    assert!(
        refused("date,x\n").starts_with("a.csv has no rows"),
        "{}",
        refused("date,x\n")
    );
    let missing = format!("date,x\n{}", hours("", 50, |_| String::new()));
    assert!(
        refused(&missing).starts_with("a.csv: the column \"x\" has no value"),
        "{}",
        refused(&missing)
    );
}

#[test]
fn a_column_of_steps_is_a_time() {
    for name in ["t", "step", "index"] {
        let rows: String = (0..600)
            .map(|row| {
                format!(
                    "c{},{},{},{}\n",
                    row / 30,
                    row % 30,
                    wave(row),
                    ["a", "b"][row / 30 % 2]
                )
            })
            .collect();
        let long = series(&format!("case,{name},x,label\n{rows}"));
        assert_eq!(
            (long.form, long.label_column),
            (Some(SeriesForm::Long), column("label"))
        );
        assert_eq!((long.time_column, long.n_series), (column(name), 20));
    }
    // A temperature is none.
    let rows: String = (0..300)
        .map(|row| format!("{},{}\n", row % 7, wave(row)))
        .collect();
    let table = series(&format!("t,x\n{rows}"));
    assert_eq!((table.time_column, table.channels.len()), (None, 2));
}

#[test]
fn a_task_that_is_said_overrides_labels() {
    let mut rows = String::new();
    for (store, region) in [("a", "south"), ("b", "north"), ("c", "south")] {
        rows += &hours(&format!("{store},"), 100, |hour| {
            format!("{},{region}", wave(hour))
        });
    }
    let content = format!("store,date,sales,region\n{rows}");
    assert_eq!(series(&content).task, SeriesTask::Classification);
    let said = asked(&content, Some(SeriesTask::Forecasting))
        .unwrap()
        .unwrap();
    assert_eq!(
        (said.task, said.id_column),
        (SeriesTask::Forecasting, column("store"))
    );
    assert_eq!(said.channels, ["sales"]);
    // Few columns of other names are steps where somebody says so.
    let features = "kind,low,high\na,1,2\nb,3,4\na,1,3\nb,3,5\n";
    assert_eq!(of(features).unwrap(), None);
    let said = asked(features, Some(SeriesTask::Classification))
        .unwrap()
        .unwrap();
    assert_eq!((said.form, said.lookback), (Some(SeriesForm::Wide), 2));
}

#[test]
fn channels_without_a_scale_are_left_out() {
    let rows = hours("", 200, |hour| {
        let late = if hour < 160 { 0 } else { hour };
        format!("7,{},,{late}", wave(hour))
    });
    let table = series(&format!("date,x0,x1,x2,x3\n{rows}"));
    assert_eq!(table.target_columns, Some(vec![Column::from("x1")]));
    assert_eq!(table.season, Some(24));
    let sentences: Vec<&str> = (table.reasons.iter())
        .filter(|reason| reason.what == "target_columns")
        .map(|reason| reason.sentence.as_str())
        .collect();
    assert_eq!(
        sentences,
        [
            "Left out, with no value in the training rows: \"x2\".",
            "Left out, with one value alone in the training rows: \"x0\", \"x3\".",
            "1 column of numbers: \"x1\"."
        ]
    );
    assert_eq!(
        sentence(&table, "task"),
        "\"date\" holds times and 4 columns hold numbers, so their next values are to be forecast."
    );
}

#[test]
fn sizes_are_of_a_series_as_most_rows_have_one() {
    // One long series among many short ones, and one short among long ones.
    let panel = |lengths: &[usize]| {
        let rows: String = (lengths.iter().enumerate())
            .map(|(id, rows)| hours(&format!("m{id},"), *rows, wave))
            .collect();
        series(&format!("meter,date,x\n{rows}")).rows_of_series
    };
    assert_eq!(panel(&[[100; 20].as_slice(), &[600]].concat()), 100);
    assert_eq!(panel(&[300, 300, 3, 1]), 300);
}

fn guessed(source: &Source) -> SeriesGuess {
    guess(source, &GuessOptions::default())
        .unwrap()
        .expect("it holds series")
}

fn sentence<'a>(guess: &'a SeriesGuess, what: &str) -> &'a str {
    let reason = guess.reasons.iter().find(|reason| reason.what == what);
    &reason.expect("a reason").sentence
}

#[test]
fn the_data_sets_at_hand_are_known_for_what_they_are() {
    let ett = guessed(&Source::new(data_set("etth1/ETTh1.csv")));
    assert_eq!(
        (ett.task, ett.time_column.clone()),
        (SeriesTask::Forecasting, Some(Column::from("date")))
    );
    assert_eq!((ett.season, ett.horizon, ett.lookback), (Some(24), 96, 336));
    assert_eq!(ett.channels.len(), 7);
    assert!(
        sentence(&ett, "season").contains("24 apart, a day, correlate at"),
        "{:?}",
        ett.reasons
    );

    let taxi = guessed(&Source::new(data_set("nab/nyc_taxi.csv")));
    assert_eq!(
        (taxi.season, taxi.repeated_times),
        (Some(336), RepeatedTimes::Refuse)
    );
    assert!(taxi.lookback + taxi.horizon < taxi.rows * 7 / 10 && taxi.horizon <= taxi.rows / 10);
    let machine = guessed(&Source::new(data_set(
        "nab/machine_temperature_system_failure.csv",
    )));
    assert_eq!(machine.repeated_times, RepeatedTimes::Keep);
    assert!(sentence(&machine, "repeated_times").contains("12 rows repeat a time"));
    // Texts with labels are no series.
    assert_eq!(
        guess(
            &Source::new(data_set("sms-spam/train.tsv")),
            &GuessOptions::default()
        )
        .unwrap(),
        None
    );
}

#[test]
fn labels_make_a_file_one_of_whole_series() {
    let of = |name: &str, content: &str| {
        loaded(name, content, |source| {
            guess(source, &GuessOptions::default()).unwrap()
        })
    };
    let ts = of(
        "a.ts",
        "@univariate true\n@classLabel true a b\n@data\n1,2:a\n3,4,5:b\n",
    )
    .unwrap();
    assert_eq!(
        (ts.task, ts.form, ts.lookback),
        (SeriesTask::Classification, Some(SeriesForm::Ts), 3)
    );

    let header: String = (0..20).map(|step| format!("t{step},")).collect();
    let row: String = (0..20).map(|step| format!("{step},")).collect();
    let wide = of(
        "a.csv",
        &format!("{header}label\n{row}a\n{row}b\n{row}a\n{row}b\n"),
    )
    .unwrap();
    assert_eq!(
        (wide.form, wide.label_column),
        (Some(SeriesForm::Wide), Some(Column::from("label")))
    );

    let long = "id,time,x,kind\n1,2016-07-01,5,up\n1,2016-07-02,6,up\n2,2016-07-01,7,down\n2,2016-07-02,8,down\n3,2016-07-01,7,up\n";
    let long = of("a.csv", long).unwrap();
    assert_eq!(
        (long.form, long.label_column, long.id_column),
        (
            Some(SeriesForm::Long),
            Some(Column::from("kind")),
            Some(Column::from("id"))
        )
    );

    // Flowers and their kinds, texts with times, and a table of words.
    assert_eq!(
        of("a.csv", "length,width,kind\n5,3,a\n4,2,b\n5,1,a\n4,4,b\n"),
        None
    );
    assert_eq!(
        of(
            "a.csv",
            "time,text\n2016-07-01,the first of many words\n2016-07-02,the second of many words\n"
        ),
        None
    );
    assert_eq!(of("a.csv", "a,b\nx,y\nx,y\nx,y\nz,y\n"), None);
}

#[test]
fn steps_are_counted_or_times_and_a_label_may_be_said() {
    // A day a row, under the times of its half-hours; which day of the week it is reads as a number of times.
    let half_hours: Vec<String> = (0..48)
        .map(|step| format!("{:02}:{:02}", step / 2, step % 2 * 30))
        .collect();
    let table = |names: &[String], labels: [&str; 4]| {
        let rows = labels.map(|label| format!("{label}{}\n", ",5".repeat(names.len())));
        format!("day,{}\n{}", names.join(","), rows.concat())
    };
    let of = |content: &str, label: Option<&str>| {
        let label = label.map(Column::from);
        loaded("a.csv", content, |source| {
            guess(
                source,
                &GuessOptions {
                    label,
                    ..GuessOptions::default()
                },
            )
            .unwrap()
        })
    };
    let words = of(
        &table(&half_hours, ["sunday", "monday", "sunday", "monday"]),
        None,
    );
    let words = words.expect("it holds series");
    assert_eq!(
        (words.form, words.label_column, words.lookback),
        (Some(SeriesForm::Wide), Some(Column::from("day")), 48)
    );
    let numbers = table(&half_hours, ["1", "2", "1", "2"]);
    let said = of(&numbers, Some("day")).expect("it holds series");
    assert_eq!(
        (said.form, said.label_column),
        (Some(SeriesForm::Wide), Some(Column::from("day")))
    );
    // Features of other names are no steps.
    let mut mixed = half_hours.clone();
    mixed.swap(3, 4);
    assert_eq!(of(&table(&mixed, ["a", "b", "a", "b"]), None), None);
    // A label that no row of a table has, and one that changes within a series.
    assert_eq!(of(&numbers, Some("kind")), None);
    let forecast = "time,x\n2016-07-01,5\n2016-07-02,6\n2016-07-03,5\n2016-07-04,5\n";
    assert!(of(forecast, None).is_some());
    assert_eq!(of(forecast, Some("x")), None);
}

#[test]
fn several_series_and_a_file_without_times_are_forecast() {
    let of = |content: &str| {
        loaded("a.csv", content, |source| {
            guess(source, &GuessOptions::default()).unwrap().unwrap()
        })
    };
    let mut panel = String::from("store,date,sales\n");
    for day in 1..=20 {
        for store in ["a", "b"] {
            panel.push_str(&format!("{store},2016-07-{day:02},{}\n", day % 7));
        }
    }
    let panel = of(&panel);
    assert_eq!(
        (panel.task, panel.id_column),
        (SeriesTask::Forecasting, Some(Column::from("store")))
    );
    assert_eq!(
        (panel.frequency.to_string(), panel.channels),
        ("a row every day".to_owned(), vec!["sales".to_owned()])
    );
    let plain: String = (0..100).map(|row| format!("{}\n", row % 10)).collect();
    let plain = of(&format!("x\n{plain}"));
    assert_eq!(
        (plain.time_column, plain.season, plain.horizon),
        (None, Some(10), 10)
    );
}
