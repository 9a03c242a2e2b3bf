//! A private configuration for series from the header of a file alone.

use std::fmt::Write as _;

use regard_data::Column;

use super::private::{PrivateInitOptions, beginning, held_out, labels, named, quoted, training};
use super::render::path;
use super::series::is_ts;
use crate::config::Task;

/// Names that people give to a column of times, the surest first.
const TIME_NAMES: &[&str] = &[
    "time",
    "timestamp",
    "datetime",
    "date",
    "ts",
    "ds",
    "hour",
    "day",
];
/// Names that people give to a column that says whose row it is, the surest first.
const ID_NAMES: &[&str] = &[
    "id",
    "series",
    "user",
    "person",
    "patient",
    "household",
    "customer",
    "meter",
    "device",
    "sensor",
    "station",
    "unique_id",
];

/// Steps of a window: of the series nothing is known.
const LOOKBACK: usize = 48;
const HORIZON: usize = 12;

/// Writes the configuration; `names` are the file's columns.
pub(super) fn render_series(
    options: &PrivateInitOptions,
    names: &[String],
    label: Option<&Column>,
    out: &mut String,
) -> std::fmt::Result {
    beginning(options, out)?;
    let is_classifier = options.task == Task::SeriesClassification;
    if !is_ts(&options.train) {
        columns(names, label, is_classifier, out)?;
    }
    if is_classifier {
        labels(options, out)?;
        match options.max_length {
            Some(steps) => writeln!(out, "max_steps = {steps}  # as you said")?,
            None => writeln!(
                out,
                "# max_steps = …  # to fill in, or --max-length: the steps of a series that count"
            )?,
        }
        held_out(options, "series", out)?;
    } else {
        windows(options, out)?;
    }
    writeln!(
        out,
        "\n[model]  # small: noise grows with the number of parameters\nd_model = 16\nn_layers = 1\nn_heads = 2\nd_ff = 32\ndropout = 0.0  # noise is enough"
    )?;
    match is_classifier {
        true => writeln!(
            out,
            "instance_norm = true  # each series on a scale of its own"
        )?,
        false => writeln!(out, "patch = {{length = 12, stride = 12}}")?,
    }
    let unit = match is_classifier {
        true => "unit = \"series\"  # a series with its label",
        false => {
            "unit = \"series\"  # all that one id has\nmax_rows_per_unit = 4  # windows of a series in a step"
        }
    };
    training(options, unit, out)?;
    if options.task == Task::SeriesAnomaly {
        writeln!(
            out,
            "public = [\"valid\"]  # a threshold found on private data would tell something of it"
        )?;
    }
    Ok(())
}

/// Windows, and the parts that they are of.
fn windows(options: &PrivateInitOptions, out: &mut String) -> std::fmt::Result {
    let is_anomaly = options.task == Task::SeriesAnomaly;
    let files = [("valid", 10, &options.valid), ("test", 20, &options.test)];
    for (key, _, file) in &files {
        match file {
            Some(file) if is_anomaly && *key == "valid" => writeln!(
                out,
                "valid = {}  # you say that it is public: the threshold is found on it",
                path(file)
            )?,
            Some(file) => writeln!(out, "{key} = {}", path(file))?,
            None if is_anomaly && *key == "valid" => writeln!(
                out,
                "# valid = \"…\"  # to fill in, or --valid: a public file of the same columns, to find the threshold on"
            )?,
            None => {}
        }
    }
    let held_out: Vec<_> = files
        .iter()
        .filter(|(key, _, file)| file.is_none() && !(is_anomaly && *key == "valid"))
        .collect();
    let train = 100
        - held_out
            .iter()
            .map(|(_, percent, _)| percent)
            .sum::<usize>();
    writeln!(
        out,
        "lookback = {LOOKBACK}  # steps that are seen; with those that are told they need series of {} rows or more\nhorizon = {HORIZON}  # steps that are told\nstride = {HORIZON}  # from one training window to the next",
        (100 * (LOOKBACK + HORIZON)).div_ceil(train)
    )?;
    if train == 100 {
        return Ok(());
    }
    writeln!(
        out,
        "\n[data.split]  # in time order, in each series\ntrain = {}",
        train as f64 / 100.0
    )?;
    for (key, percent, _) in held_out {
        writeln!(out, "{key} = {}", *percent as f64 / 100.0)?;
    }
    Ok(())
}

fn columns(
    names: &[String],
    label: Option<&Column>,
    is_classifier: bool,
    out: &mut String,
) -> std::fmt::Result {
    let found = |known: &[&str]| {
        let of = |known: &&str| names.iter().find(|name| name.eq_ignore_ascii_case(known));
        known.iter().find_map(of)
    };
    let (time, id) = (found(TIME_NAMES), found(ID_NAMES));
    match time {
        Some(name) => writeln!(out, "time_column = {}", quoted(name))?,
        None => writeln!(
            out,
            "# time_column = \"…\"  # unless rows stand in time order"
        )?,
    }
    match (id, is_classifier) {
        (Some(name), _) => writeln!(out, "id_column = {}", quoted(name))?,
        (None, true) => writeln!(
            out,
            "# id_column = \"…\"  # to fill in, unless each row is a whole series"
        )?,
        (None, false) => writeln!(
            out,
            "# id_column = \"…\"  # to fill in: whose row it is, which is what is protected"
        )?,
    }
    match label {
        Some(column) => writeln!(out, "label_column = {}", named(column))?,
        None if is_classifier => {
            writeln!(
                out,
                "# label_column = \"…\"  # to fill in, or --label-column"
            )?;
        }
        None => {}
    }
    let is_label = |place: usize, name: &str| match label {
        Some(Column::Name(label)) => label == name,
        Some(Column::Number(number)) => *number == place,
        None => false,
    };
    let rest = names.iter().enumerate().filter(|(place, name)| {
        Some(*name) != time && Some(*name) != id && !is_label(*place, name)
    });
    let rest: Vec<String> = rest.map(|(_, name)| quoted(name)).collect();
    if is_classifier && id.is_none() {
        // Each row is a whole series, and every column but the label a step.
        return Ok(());
    }
    writeln!(
        out,
        "target_columns = [{}]  # all that are left: take out those that are no numbers",
        rest.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::propose_private;
    use super::*;
    use crate::config;

    fn options(train: std::path::PathBuf, task: Task) -> PrivateInitOptions {
        PrivateInitOptions {
            train,
            valid: None,
            test: None,
            task,
            format: None,
            text_column: None,
            label_column: None,
            dataset_size: Some(1000),
            tokenizer: None,
            labels: Some(vec!["down".to_owned(), "up".to_owned()]),
            max_length: Some(20),
        }
    }

    #[test]
    fn a_header_and_what_the_user_says_make_a_proposal() {
        let folder = tempfile::tempdir().unwrap();
        let train = folder.path().join("t.csv");
        std::fs::write(&train, "hour,user,class,load,price\n").unwrap();
        let parse = |task| {
            let proposal = propose_private(&options(train.clone(), task)).unwrap();
            let parsed = config::parse::<&str>(&proposal, "p.toml".as_ref(), &[]);
            parsed.unwrap_or_else(|error| panic!("{error}\n{proposal}"))
        };
        let name = |name: &str| Column::Name(name.to_owned());
        let forecast = parse(Task::SeriesForecasting);
        assert_eq!(forecast.data.time_column, Some(name("hour")));
        assert_eq!(forecast.data.id_column, Some(name("user")));
        let targets = forecast.data.target_columns.unwrap();
        assert_eq!(targets, [name("class"), name("load"), name("price")]);
        let classes = parse(Task::SeriesClassification);
        assert_eq!(classes.data.label_column, name("class"));
        assert_eq!(classes.data.max_steps, Some(20));
        let targets = classes.data.target_columns.unwrap();
        assert_eq!(targets, [name("load"), name("price")]);
        // Rows that are whole series have steps and no channels.
        std::fs::write(&train, "class,t1,t2,t3\n").unwrap();
        let wide = parse(Task::SeriesClassification);
        assert_eq!(wide.data.target_columns, None);
    }

    #[test]
    fn what_only_the_data_tells_stays_to_be_filled_in() {
        let folder = tempfile::tempdir().unwrap();
        let train = folder.path().join("t.csv");
        std::fs::write(&train, "when,who,load\n1,7,canary\n").unwrap();
        for (task, unfilled) in [
            (Task::SeriesForecasting, &["`data.id_column`"][..]),
            (
                Task::SeriesAnomaly,
                &["`data.id_column`", "a file as `data.valid`"],
            ),
            (
                Task::SeriesClassification,
                &["`data.labels`", "`data.max_steps`"],
            ),
        ] {
            let proposal = propose_private(&PrivateInitOptions {
                labels: None,
                max_length: None,
                dataset_size: None,
                ..options(train.clone(), task)
            });
            let proposal = proposal.unwrap();
            assert!(!proposal.contains("canary"));
            let refused = config::parse::<&str>(&proposal, "p.toml".as_ref(), &[]).unwrap_err();
            let message = refused.to_string();
            for key in unfilled
                .iter()
                .chain(&["`privacy.delta`", "`privacy.dataset_size`"])
            {
                assert!(message.contains(key), "{key}: {message}");
            }
        }
    }

    #[test]
    fn parts_of_private_series_are_the_files_that_are_given_and_shares_of_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let train = folder.path().join("t.csv");
        std::fs::write(&train, "hour,user,load\n").unwrap();
        let share = |share| Some(config::Extent::Share(share));
        let file = |name: &str| Some(config::Source::Path(name.into()));
        for (task, [valid, test], parts) in [
            (
                Task::SeriesAnomaly,
                [Some("v.csv"), None],
                [share(0.8), None, share(0.2)],
            ),
            (
                Task::SeriesAnomaly,
                [Some("v.csv"), Some("w.csv")],
                [share(1.0), None, None],
            ),
            (
                Task::SeriesForecasting,
                [None, None],
                [share(0.7), share(0.1), share(0.2)],
            ),
            (
                Task::SeriesForecasting,
                [Some("v.csv"), None],
                [share(0.8), None, share(0.2)],
            ),
            (
                Task::SeriesForecasting,
                [None, Some("w.csv")],
                [share(0.9), share(0.1), None],
            ),
        ] {
            let proposal = propose_private(&PrivateInitOptions {
                valid: valid.map(Into::into),
                test: test.map(Into::into),
                ..options(train.clone(), task)
            });
            let proposal = proposal.unwrap();
            let parsed = config::parse::<&str>(&proposal, "p.toml".as_ref(), &[]);
            let data = parsed
                .unwrap_or_else(|error| panic!("{error}\n{proposal}"))
                .data;
            assert_eq!(
                (data.valid, data.test),
                (valid.and_then(file), test.and_then(file))
            );
            let split = [Some(data.split.train), data.split.valid, data.split.test];
            assert_eq!(split, parts, "{proposal}");
        }
    }
}
