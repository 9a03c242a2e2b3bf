//! What `check` finds in a table of series.

mod common;

use common::loaded;
use proptest::prelude::*;
use regard_data::doctor::Level;
use regard_data::series::{
    Extent, GuessOptions, RepeatedTimes, SeriesColumns, SeriesExam, SeriesOptions, SeriesSplit,
    Span, guess,
};

fn columns() -> SeriesColumns {
    SeriesColumns {
        time: Some("time".into()),
        ..SeriesColumns::default()
    }
}

fn exam(content: &str, columns: &SeriesColumns, repeated_times: RepeatedTimes) -> SeriesExam {
    let options = SeriesOptions {
        repeated_times,
        ..SeriesOptions::default()
    };
    loaded("a.csv", content, |source| {
        SeriesExam::of(source, columns, &options)
    })
}

/// Level, line and message of each problem.
fn found(exam: &SeriesExam) -> Vec<(Level, Option<u64>, &str)> {
    (exam.problems().iter())
        .map(|problem| (problem.level, problem.line, problem.message.as_str()))
        .collect()
}

#[test]
fn a_clean_table_has_no_problem() {
    let clean = exam(
        "time,x\n2016-07-01,1\n2016-07-02,2\n",
        &columns(),
        RepeatedTimes::Refuse,
    );
    assert_eq!(found(&clean), []);
    assert!(clean.table().is_some());
}

#[test]
fn rows_out_of_order_repeated_and_missing_are_found_by_their_line() {
    let content = "time,x\n2016-07-02,1\n2016-07-01,2\n2016-07-03,3\n2016-07-03,4\n2016-07-06,5\n";
    let order = (
        Level::Warning,
        Some(3),
        "1 row is earlier than the row before; all rows are sorted by time",
    );
    let refused = exam(content, &columns(), RepeatedTimes::Refuse);
    let repeated = (
        Level::Error,
        Some(5),
        "1 row repeats the time of another, 2016-07-03 00:00:00 first; training would refuse them",
    );
    assert_eq!(found(&refused), [order, repeated]);
    assert!(refused.table().is_none());

    let merged = exam(content, &columns(), RepeatedTimes::Mean);
    let repeated = (
        Level::Warning,
        Some(5),
        "1 row repeats the time of another, 2016-07-03 00:00:00 first; their mean counts",
    );
    let missing = (
        Level::Warning,
        Some(6),
        "2 rows are missing, first before this line, where there should be a row every day; they count as rows whose values are all missing",
    );
    let values = (
        Level::Note,
        None,
        "the column \"x\" lacks 2 values (33.3 % of the rows)",
    );
    assert_eq!(found(&merged), [order, repeated, missing, values]);
}

#[test]
fn irregular_steps_and_columns_that_are_left_out_are_named() {
    let content = "time,x,who\n2016-07-01,1,a\n2016-07-02,2,b\n2016-07-03 05:00,3,a\n";
    let irregular = exam(content, &columns(), RepeatedTimes::Refuse);
    let expected = [
        (
            Level::Note,
            None,
            "the columns \"who\" hold no numbers and are left out",
        ),
        (
            Level::Warning,
            Some(4),
            "the rows are irregular rows, most often a day apart; 1 step is of another length, so a window is rows and no stretch of time",
        ),
    ];
    assert_eq!(found(&irregular), expected);
    // Months that are missing are not filled in.
    let months = [1, 2, 3, 4, 5, 7, 8, 9, 10].map(|month| format!("2016-{month:02}-01,{month}\n"));
    let skips = format!("time,x\n{}", months.concat());
    let skips = exam(&skips, &columns(), RepeatedTimes::Refuse);
    let told = "there should be a row a month; 1 step is of another length";
    let [(Level::Warning, Some(7), message)] = found(&skips)[..] else {
        panic!("{:?}", found(&skips));
    };
    assert!(message.starts_with(told), "{message}");
}

#[test]
fn values_that_cannot_be_read_are_counted_by_column() {
    let content =
        "time,x,y\n2016-07-01,1,inf\n2016-07-02,2,4\nsoon,3,5\n2016-07-03,3,inf\n2016-07-04,3,5\n";
    let faulty = exam(content, &columns(), RepeatedTimes::Refuse);
    assert_eq!(
        found(&faulty)[..2],
        [
            (
                Level::Error,
                Some(4),
                "\"soon\" in column \"time\" is no time"
            ),
            (
                Level::Error,
                Some(2),
                "\"inf\" in column \"y\" is infinite, and so on in 2 rows"
            ),
        ]
    );
    assert_eq!(faulty.table().unwrap().n_rows(), 4);
}

#[test]
fn channels_that_teach_nothing_or_too_much_are_errors() {
    let content = "time,x,y,z,w\n1,1,1,7,\n2,2,2,7,\n3,4,4,7,\n";
    let leaky = SeriesColumns {
        known: vec!["y".into()],
        ..columns()
    };
    let exam = exam(content, &leaky, RepeatedTimes::Refuse);
    assert_eq!(
        found(&exam),
        [
            (
                Level::Error,
                None,
                "the column \"z\" is 7 in every row, so it has no scale and teaches nothing"
            ),
            (Level::Error, None, "the column \"w\" has no value at all"),
            (
                Level::Error,
                None,
                "the known column \"y\" is the target \"x\" in every row, so the model would be told what it is to tell"
            ),
        ]
    );
}

#[test]
fn windows_that_look_back_across_a_border_and_parts_without_windows_are_told() {
    let rows: String = (1..=10)
        .map(|day| format!("2016-07-{day:02},{}\n", day % 4))
        .collect();
    let exam = exam(
        &format!("time,x\n{rows}"),
        &columns(),
        RepeatedTimes::Refuse,
    );
    let rows = Extent::Rows;
    let split =
        SeriesSplit::in_time(exam.table().unwrap(), rows(4), Some(rows(1)), Some(rows(5))).unwrap();
    let problems = exam.judge_windows(&split, 2, 2);
    let told: Vec<_> = problems
        .iter()
        .map(|problem| (problem.level, problem.line, problem.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                Level::Error,
                None,
                "valid: 1 rows with 4 before them are too few"
            ),
            (
                Level::Note,
                Some(7),
                "2 windows of the test part's 4 look back across its first row; what they are to tell lies inside the part"
            ),
        ]
    );
}

proptest! {
    #[test]
    fn no_table_makes_the_doctor_or_a_guess_panic(content in "(time|id|label|x1|,|\n|1|2016-07-0[1-9]|31/1/2016|99999999999|NaN|a|\"| ){0,80}") {
        loaded("a.csv", &content, |source| {
            let columns = SeriesColumns { time: Some(0.into()), ..SeriesColumns::default() };
            let exam = SeriesExam::of(source, &columns, &SeriesOptions::default());
            if let Some(table) = exam.table() {
                let split = SeriesSplit { train: Span::whole(table), test: Span::whole(table), ..SeriesSplit::default() };
                let _ = exam.judge_windows(&split, 1, 1);
            }
            let _ = guess(source, &GuessOptions::default());
            let _ = guess(source, &GuessOptions { label: Some(2.into()), ..GuessOptions::default() });
        });
    }
}
