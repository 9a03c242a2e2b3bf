//! Keys of series.

use super::*;

/// A configuration of series with these lines behind it.
fn series(lines: &str) -> Result<Config, ConfigError> {
    let smallest = "version = 1\ntask = \"series-forecasting\"\n[data]\ntrain = \"t.csv\"\n";
    read(&format!("{smallest}{lines}"))
}

#[test]
fn a_key_that_the_task_does_not_have_is_refused_and_not_written() {
    let message = series("text_column = \"a\"\n[train]\nword_dropout = 0.1\nmixup = 0.2\n")
        .expect_err("keys of texts")
        .to_string();
    for part in [
        "c.toml:5: `data.text_column`: expected no such key, since `task` is \"series-forecasting\", found \"a\"",
        "c.toml:7: `train.word_dropout`: expected no such key",
        "c.toml:8: `train.mixup`: expected no such key",
        "it is a key of text-classification",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    let config = series("[data.split]\ntrain = 8640\nvalid = 0.2\n").unwrap();
    assert_eq!(config.data.split.train, Extent::Rows(8640));
    assert_eq!(config.data.split.valid, Some(Extent::Share(0.2)));
    assert_eq!(config.eval.metric, MetricName::Mse);
    let resolved = config.to_toml().unwrap();
    assert!(
        !resolved.contains("tokenizer") && !resolved.contains("text_column"),
        "{resolved}"
    );
    assert_eq!(read(&resolved).unwrap(), config);
    let text = read(SMALLEST).unwrap().to_toml().unwrap();
    assert!(
        !text.contains("lookback") && !text.contains("anomaly"),
        "{text}"
    );
}

#[test]
fn contradictions_of_series_are_refused() {
    for (lines, expected) in [
        (
            "[model.patch]\nlength = 8\nstride = 9\n",
            "c.toml:7: `model.patch.stride`: expected at most `model.patch.length` (8), found 9",
        ),
        (
            "lookback = 8\n",
            "`model.patch.length`: expected at most `data.lookback` (8), found 16",
        ),
        (
            "[eval]\nmetric = \"pinball\"\n",
            "`eval.metric`: expected a figure of points, since `model.quantiles` is not set",
        ),
        (
            "[eval]\nmetric = \"accuracy\"\n",
            "`eval.metric`: expected one of mse, mae, pinball, loss, since `task` is \"series-forecasting\"",
        ),
        (
            "time_column = \"a\"\ntarget_columns = [\"b\", \"a\"]\n",
            "`data.target_columns`: expected another column than `data.time_column`, found \"a\" for both",
        ),
        (
            "calendar = [\"day\"]\n",
            "c.toml:5: `data.calendar`: expected no cycle, since `data.time_column` is not set, found some",
        ),
        (
            "time_column = \"a\"\ncalendar = [\"hour\"]\n",
            "`data.calendar`: expected a list of \"day\", \"week\", \"year\"",
        ),
        (
            "header = false\ntime_column = \"a\"\n",
            "`data.time_column`: expected a column's number, since `data.header` is false",
        ),
        (
            "[model]\nquantiles = [0.5, 0.1]\n",
            "`model.quantiles`: expected a list of numbers in (0, 1), each above the one before",
        ),
    ] {
        let message = series(lines).expect_err("a contradiction").to_string();
        assert!(message.contains(expected), "{expected} in {message}");
    }
}

#[test]
fn a_part_in_a_file_of_its_own_leaves_its_share_to_training() {
    let parts = |lines: &str| {
        let config = series(lines).unwrap();
        let again = read(&config.to_toml().unwrap()).unwrap();
        assert_eq!(again, config, "{lines}");
        let split = config.data.split;
        (split.train, split.valid, split.test)
    };
    let share = Extent::Share;
    for (lines, expected) in [
        ("", (share(0.7), Some(share(0.1)), Some(share(0.2)))),
        ("test = \"e.csv\"\n", (share(0.9), Some(share(0.1)), None)),
        ("valid = \"v.csv\"\n", (share(0.8), None, Some(share(0.2)))),
        (
            "valid = \"v.csv\"\ntest = \"e.csv\"\n",
            (share(1.0), None, None),
        ),
        (
            "test = \"e.csv\"\n[data.split]\ntrain = 0.5\n",
            (share(0.5), Some(share(0.1)), None),
        ),
        (
            "test = \"e.csv\"\n[data.split]\nvalid = 100\n",
            (share(0.7), Some(Extent::Rows(100)), None),
        ),
    ] {
        assert_eq!(parts(lines), expected, "{lines}");
    }
}

#[test]
fn a_part_that_is_told_twice_is_refused() {
    for (lines, expected) in [
        (
            "test = \"e.csv\"\n[data.split]\ntest = 0.2\n",
            "c.toml:7: `data.split.test`: expected nothing, since `data.test` is \"e.csv\", found 0.2",
        ),
        (
            "valid = \"v.csv\"\n[data.split]\nvalid = 50\n",
            "`data.split.valid`: expected nothing, since `data.valid` is \"v.csv\", found 50",
        ),
        (
            "test = 0.2\n",
            "c.toml:5: `data.test`: expected a file, found the share 0.2",
        ),
        (
            "valid = \"t.csv\"\n",
            "`data.valid`: expected another file than `data.train`",
        ),
        (
            "[data.split]\nby = \"id\"\n",
            "`data.split.by`: expected \"time\", since `data.id_column` is not set, found \"id\"",
        ),
        (
            "id_column = \"meter\"\n[data.split]\nby = \"id\"\ntrain = 20\n",
            "`data.split.train`: expected a share of the series, since `data.split.by` is \"id\", found 20 rows",
        ),
    ] {
        let message = series(lines).expect_err("a contradiction").to_string();
        assert!(message.contains(expected), "{expected} in {message}");
    }
}
