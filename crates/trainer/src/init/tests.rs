use std::fmt::Write as _;

use super::*;
use crate::config::{self, Config};

fn propose_for(name: &str, content: &str) -> Result<(TextProposal, Config), TrainError> {
    match propose_any(name, content)? {
        (Proposal::Text(proposal), config) => Ok((*proposal, config)),
        (Proposal::Series(proposal), _) => panic!("taken for series: {proposal:?}"),
    }
}

fn propose_any(name: &str, content: &str) -> Result<(Proposal, Config), TrainError> {
    propose_task(name, content, None)
}

fn propose_task(
    name: &str,
    content: &str,
    task: Option<config::Task>,
) -> Result<(Proposal, Config), TrainError> {
    propose_parts(name, content, task, [None, None])
}

/// The validation and the test file have this content.
fn propose_parts(
    name: &str,
    content: &str,
    task: Option<config::Task>,
    parts: [Option<&str>; 2],
) -> Result<(Proposal, Config), TrainError> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let train = write(name, content);
    let [valid, test] = [("v", parts[0]), ("t", parts[1])]
        .map(|(part, content)| content.map(|content| write(&format!("{part}.{name}"), content)));
    let options = InitOptions {
        train,
        valid,
        test,
        format: None,
        text_column: None,
        label_column: None,
        task,
        processors: 2,
    };
    let proposal = propose(&options)?;
    let config = config::parse::<&str>(&proposal.to_toml(), "proposed.toml".as_ref(), &[])?;
    Ok((proposal, config))
}

fn rows(n: usize, row: impl Fn(usize) -> String) -> String {
    (0..n).fold(String::new(), |mut text, i| {
        writeln!(text, "{}", row(i)).unwrap();
        text
    })
}

#[test]
fn named_columns_are_found_by_their_names() {
    let csv = format!(
        "id,sentiment,text\n{}",
        rows(60, |i| format!(
            "{i},{},a film of some kind number {i}",
            ["bad", "good"][i % 2]
        ))
    );
    let (proposal, config) = propose_for("a.csv", &csv).unwrap();
    assert_eq!(config.data.text_column, Column::Name("text".to_owned()));
    assert_eq!(
        config.data.label_column,
        Column::Name("sentiment".to_owned())
    );
    assert_eq!(proposal.columns.ignored, ["id"]);
    assert_eq!(proposal.columns.n_labels, 2);
}

#[test]
fn a_file_without_a_header_gets_column_numbers() {
    let tsv = rows(40, |i| format!("some words about thing {i}\t{}", i % 3));
    let (_, config) = propose_for("a.tsv", &tsv).unwrap();
    assert!(!config.data.header);
    assert_eq!(config.data.text_column, Column::Number(0));
    assert_eq!(config.data.label_column, Column::Number(1));
    let labels_first = rows(40, |i| {
        format!("{}\twhat was said on day {i}", ["ham", "spam"][i % 2])
    });
    let (_, config) = propose_for("b.tsv", &labels_first).unwrap();
    assert!(!config.data.header);
    assert_eq!(config.data.label_column, Column::Number(0));
}

#[test]
fn json_lines_are_read_by_their_keys() {
    let jsonl = rows(30, |i| {
        format!(
            r#"{{"body": "story number {i} of the day", "topic": "t{}"}}"#,
            i % 5
        )
    });
    let (_, config) = propose_for("a.jsonl", &jsonl).unwrap();
    assert_eq!(config.data.text_column, Column::Name("body".to_owned()));
    assert_eq!(config.data.label_column, Column::Name("topic".to_owned()));
}

#[test]
fn texts_without_spaces_get_characters() {
    let tsv = format!(
        "label\ttext\n{}",
        rows(40, |i| format!(
            "{}\t{}",
            i % 2,
            "这是一个没有空格的句子而且它很长很长很长很长".repeat(1 + i % 2)
        ))
    );
    let (proposal, _) = propose_for("a.tsv", &tsv).unwrap();
    assert_eq!(proposal.sizes.tokenizer, "characters");
}

#[test]
fn a_file_without_labels_is_refused_with_its_columns() {
    let csv = format!("a,b\n{}", rows(30, |i| format!("text {i},other {i}")));
    let error = propose_for("a.csv", &csv).unwrap_err().to_string();
    assert!(error.contains("a label column"), "{error}");
    assert!(error.contains("\"a\" (30 different values)"), "{error}");
}

#[test]
fn of_two_columns_of_one_name_the_number_is_written() {
    let csv = format!(
        "label,text,text\n{}",
        rows(40, |i| format!("{},a,some words of number {i}", i % 2))
    );
    let (_, config) = propose_for("a.csv", &csv).unwrap();
    assert_eq!(config.data.label_column, Column::Name("label".to_owned()));
    assert_eq!(config.data.text_column, Column::Number(2));
}

#[test]
fn a_table_of_numbers_is_forecast_and_a_file_of_the_archives_is_classified() {
    let table = format!(
        "time,load\n{}",
        rows(600, |i| format!(
            "2024-{:02}-{:02}T{:02}:00,{:.3}",
            1 + i / 24 / 28,
            1 + i / 24 % 28,
            i % 24,
            (i as f64 * std::f64::consts::TAU / 24.0).sin()
        ))
    );
    let (proposal, config) = propose_any("a.csv", &table).unwrap();
    assert_eq!(
        config.task,
        config::Task::SeriesForecasting,
        "{}",
        proposal.to_toml()
    );
    assert_eq!(
        config.data.time_column,
        Some(Column::Name("time".to_owned()))
    );
    assert!(config.data.lookback >= 24 && config.data.horizon >= 1);

    let series = format!(
        "@classLabel true a b\n@data\n{}",
        rows(20, |i| format!("1,2,{i}:{}", ["a", "b"][i % 2]))
    );
    let (proposal, config) = propose_any("a.ts", &series).unwrap();
    assert_eq!(
        config.task,
        config::Task::SeriesClassification,
        "{}",
        proposal.to_toml()
    );
    assert!(config.model.stem.layers > 0);
}

/// Rows of an hour each, of months of four weeks.
fn hours(n: usize, value: impl Fn(usize) -> usize) -> String {
    rows(n, |i| {
        let (month, day, hour) = (1 + i / 24 / 28, 1 + i / 24 % 28, i % 24);
        format!("2024-{month:02}-{day:02}T{hour:02}:00,{}", value(i))
    })
}

#[test]
fn a_task_that_is_asked_for_is_proposed_or_refused() {
    use config::Task::{
        SeriesAnomaly, SeriesClassification, SeriesForecasting, TextClassification,
    };
    let table = format!("time,load\n{}", hours(900, |i| i % 24));
    for task in [SeriesAnomaly, SeriesForecasting] {
        let (proposal, config) = propose_task("a.csv", &table, Some(task)).unwrap();
        assert_eq!(config.task, task, "{}", proposal.to_toml());
    }
    let (_, config) = propose_task("a.csv", &table, Some(SeriesAnomaly)).unwrap();
    assert!(!config.model.instance_norm);
    assert_eq!((config.data.horizon, config.anomaly.smooth), (24, 24));
    let refused = propose_task("a.csv", &table, Some(SeriesClassification)).unwrap_err();
    let message = refused.to_string();
    assert!(
        message.contains("series-classification needs a label for each series")
            && message.ends_with("found \"time\" (times), \"load\" (numbers)"),
        "{message}"
    );

    let texts = format!(
        "label,text\n{}",
        rows(40, |i| format!("{},some words of number {i}", i % 2))
    );
    let (_, config) = propose_task("a.csv", &texts, Some(TextClassification)).unwrap();
    assert_eq!(config.task, TextClassification);
    let refused = propose_task("a.csv", &texts, Some(SeriesForecasting)).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("series-forecasting needs a column of numbers")
    );
}

#[test]
fn parts_of_series_are_the_files_that_are_given_and_what_the_calendar_adds_is_said() {
    use config::Task::{SeriesAnomaly, SeriesForecasting};
    // Without a season, so that the lookback is short.
    let table = format!("time,load\n{}", hours(1680, |i| i * i * 31 % 1009));
    let share = |share| Some(config::Extent::Share(share));
    let parts = [37, 41].map(|seed| format!("time,load\n{}", hours(400, |i| i * i * seed % 1013)));
    for (task, own, shares) in [
        (SeriesForecasting, [false, false], [0.7, 0.1, 0.2]),
        (SeriesForecasting, [false, true], [0.9, 0.1, 0.0]),
        (SeriesForecasting, [true, false], [0.8, 0.0, 0.2]),
        (SeriesForecasting, [true, true], [1.0, 0.0, 0.0]),
        (SeriesAnomaly, [false, true], [0.97, 0.03, 0.0]),
    ] {
        let files = [0, 1].map(|part| own[part].then_some(parts[part].as_str()));
        let (proposal, config) = propose_parts("a.csv", &table, Some(task), files).unwrap();
        let text = proposal.to_toml();
        let (data, split) = (&config.data, &config.data.split);
        let is_file = |part: &Option<config::Source>, name: &str| matches!(part, Some(config::Source::Path(path)) if path.ends_with(name));
        assert_eq!(
            [
                is_file(&data.valid, "v.a.csv"),
                is_file(&data.test, "t.a.csv")
            ],
            own,
            "{text}"
        );
        let extents = shares.map(|part| share(part).filter(|_| part > 0.0));
        let found = [Some(split.train), split.valid, split.test];
        assert_eq!(found, extents, "{text}");
        let line = "# calendar = [\"week\"]  # longer than the lookback: try it";
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn windows_of_many_series_are_counted_in_each() {
    // 50 series of 100 rows.
    let many = rows(5000, |i| format!("{},{},{}", i / 100, i % 100, i % 10));
    let task = Some(config::Task::SeriesForecasting);
    let (proposal, config) = propose_task("a.csv", &format!("id,time,x\n{many}"), task).unwrap();
    let text = proposal.to_toml();
    let data = &config.data;
    let of_one = 70 - (data.lookback + data.horizon - 1);
    let windows = (50 * of_one).div_ceil(data.stride);
    let told = format!("stride = {}  # {windows} windows to train on", data.stride);
    assert!(text.contains(&told), "{told}\n{text}");
}

#[test]
fn a_table_of_numbers_is_not_taken_for_texts() {
    let table = format!(
        "kind,length,width\n{}",
        rows(40, |i| format!("{},{},{}", ["a", "b"][i % 2], i % 7, i % 5))
    );
    let refused = propose_any("a.csv", &table).unwrap_err().to_string();
    let wanted = "a column of texts beside the label column";
    assert!(refused.contains(wanted), "{refused}");
}

#[test]
fn a_file_of_another_part_that_training_would_refuse_is_refused() {
    let table = format!("time,load\n{}", hours(900, |i| i % 24));
    let other = table.replacen("load", "price", 1);
    let message = propose_parts("a.csv", &table, None, [None, Some(&other)]).unwrap_err();
    let wanted = "has no column \"load\"; its columns are \"time\", \"price\"";
    assert!(message.to_string().contains(wanted), "{message}");
    let texts = format!(
        "label,text\n{}",
        rows(40, |i| format!("{},some words of number {i}", i % 2))
    );
    let message = propose_parts("a.csv", &texts, None, [Some("label,body\na,b\n"), None]);
    let message = message.unwrap_err().to_string();
    assert!(message.contains("no column \"text\""), "{message}");
}

#[test]
fn numbers_in_comments_are_those_of_training() {
    // An hour of each fifth series is missing, and some are too short for parts or windows.
    let mut content = String::from("id,time,x\n");
    for (id, n) in [300, 300, 300, 300, 40, 12, 3, 1].into_iter().enumerate() {
        content += &rows(n, |i| format!("s{id},{i},{}", i % 24));
    }
    for task in [config::Task::SeriesForecasting, config::Task::SeriesAnomaly] {
        let (proposal, config) = propose_task("a.csv", &content, Some(task)).unwrap();
        let text = proposal.to_toml();
        let Proposal::Series(proposal) = proposal else {
            panic!("{text}");
        };
        // Read again from a file that is still there.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, &content).unwrap();
        let moved = Config {
            data: config::DataConfig {
                train: path,
                ..config.data.clone()
            },
            ..config.clone()
        };
        let task = crate::task::load(&moved).unwrap();
        let units = task.n_units(crate::task::Split::Train);
        assert!(units > 1, "{text}");
        let steps = units.div_ceil(config.train.batch_size) * config.train.epochs as usize;
        let told = format!("epochs = {}  # {steps} steps", config.train.epochs);
        assert!(text.contains(&told), "{told}\n{text}");
        assert!(text.contains("series are too short for that"), "{text}");
        drop(proposal);
    }
}

#[test]
fn series_too_short_for_parts_say_how_many_rows_are_needed() {
    for (task, n, least) in [
        (config::Task::SeriesForecasting, 3, 10),
        (config::Task::SeriesAnomaly, 5, 30),
    ] {
        let content = |n| format!("time,x\n{}", hours(n, |i| i % 5));
        let message = propose_task("a.csv", &content(n), Some(task)).unwrap_err();
        let wanted = format!("{} needs at least {least} rows", task.name());
        assert!(message.to_string().ends_with(&wanted), "{message}");
        for n in least..least + 80 {
            let proposed = propose_task("a.csv", &content(n), Some(task));
            proposed.unwrap_or_else(|error| panic!("{n} rows: {error}"));
        }
    }
}

#[test]
fn a_format_that_was_said_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let train = folder.path().join("a.data");
    std::fs::write(&train, format!("time,load\n{}", hours(300, |i| i % 24))).unwrap();
    let options = InitOptions {
        train,
        valid: None,
        test: None,
        format: Some(Format::Csv),
        text_column: None,
        label_column: None,
        task: None,
        processors: 2,
    };
    let text = propose(&options).unwrap().to_toml();
    assert!(text.contains("format = \"csv\""), "{text}");
}

#[test]
fn plain_lines_and_tables_that_are_nothing_say_what_they_lack() {
    let message = propose_any("a.txt", "time,x\n1,2\n")
        .unwrap_err()
        .to_string();
    assert!(message.contains("give --input-format"), "{message}");
    let table = format!(
        "kind,length\n{}",
        rows(40, |i| format!("{},{}", ["a", "b"][i % 2], i % 7))
    );
    let message = propose_any("a.csv", &table).unwrap_err().to_string();
    let wanted = "or for series a column of numbers, and one of times unless the rows are in time order, while its columns are \"kind\" (words), \"length\" (numbers)";
    assert!(message.contains(wanted), "{message}");
}

#[test]
fn a_column_of_times_is_no_text() {
    let table = format!("time,load\n{}", hours(400, |i| i % 24).replace('\n', "%\n"));
    let message = propose_any("a.csv", &table).unwrap_err().to_string();
    assert!(
        message.contains("a column of texts beside the label column"),
        "{message}"
    );
    assert!(message.contains("\"load\" (words)"), "{message}");
}

#[test]
fn classes_that_cannot_be_told_are_no_proposal() {
    let header: String = (0..20).map(|step| format!("t{step},")).collect();
    let row: String = (0..20).map(|step| format!("{step},")).collect();
    let of = |label: fn(usize) -> String| {
        let content = format!(
            "{header}label\n{}",
            rows(30, |i| format!("{row}{}", label(i)))
        );
        propose_any("a.csv", &content)
    };
    assert!(of(|i| ["a", "b"][i % 2].to_owned()).is_ok());
    assert!(of(|_| "a".to_owned()).is_err());
    assert!(of(|i| format!("l{i}")).is_err());
}
