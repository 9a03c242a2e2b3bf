//! How long answers take: `predict --latency` and `bench predict`.

use serde_json::Value;

use crate::support::{Done, Sandbox, without_figures};

fn regard(arguments: &[&str]) -> Done {
    Sandbox::trained().regard(arguments).run()
}

/// The rows of a report, if each has figures that can be.
#[track_caller]
fn rows(report: &Value, sizes: &[u64]) -> Vec<Value> {
    let rows = report["rows"].as_array().unwrap();
    let found: Vec<_> = rows.iter().map(|row| row["batch_size"].as_u64()).collect();
    assert_eq!(found, sizes.iter().copied().map(Some).collect::<Vec<_>>());
    for row in rows {
        let number = |name: &str| row[name].as_f64().unwrap();
        assert!(number("p50_ms") > 0.0, "{row}");
        assert!(number("p50_ms") <= number("p95_ms"), "{row}");
        assert!(number("p95_ms") <= number("p99_ms"), "{row}");
        assert!(number("examples_per_s") > 0.0, "{row}");
        assert_eq!(row["threads"], 2);
        assert_eq!(row["device"], "cpu");
    }
    rows.clone()
}

#[test]
fn answers_to_the_given_texts_are_timed_instead_of_given() {
    let common = [
        "--latency",
        "--calls",
        "3",
        "--threads",
        "2",
        "--device",
        "cpu",
    ];
    let sandbox = Sandbox::trained();
    let mut table = "id,text\n".to_owned();
    for text in [
        "a lovely day",
        "quixotic day",
        "",
        "a a a a a a a a a a a a a a",
    ] {
        table += &format!("1,{text}\n");
    }
    sandbox.write("four.csv", table);
    let arguments = [
        &["predict", "run", "four.csv", "--format", "json"],
        &common[..],
    ]
    .concat();
    let report = regard(&arguments).code(0).json();
    let rows = rows(&report, &[1, 8, 32]);
    assert_eq!(rows[0]["calls"], 3);
    let inputs = &report["inputs"];
    assert_eq!(inputs["from"], "four.csv");
    assert_eq!(inputs["texts"], 4);
    // `[CLS]` begins each: 4, 3, 1 and the most that the model takes.
    assert_eq!(inputs["tokens_max"], 12);
    assert_eq!(inputs["tokens_mean"], 5.0);
    assert_eq!(inputs["unknown_share"], 0.05);
    assert_eq!(inputs["truncated_share"], 0.25);

    let arguments = ["predict", "run", "--text", "lovely", "--batch-sizes", "2"];
    let done = regard(&[&arguments[..], &common].concat()).code(0);
    let told: Vec<&str> = done.stdout.lines().collect();
    assert_eq!(told[0], "inputs: the texts of the command line");
    assert!(
        told[3].starts_with("batch size  examples/s  p50 ms"),
        "{done}"
    );
    assert_eq!(
        told[5],
        "3 calls of each size after 5 to warm up; percentiles by nearest rank"
    );
}

#[test]
fn a_trained_model_is_timed_on_its_test_data_or_on_texts_that_are_made_up() {
    let arguments = ["--calls", "3", "--threads", "2", "--device", "cpu"];
    let bench = |run: &str, more: &[&str]| {
        regard(&[&["bench", "predict", run], &arguments[..], more].concat()).code(0)
    };
    let report = bench("run", &["--batch-sizes", "1,4", "--format", "json"]).json();
    for row in rows(&report, &[1, 4]) {
        assert!(row["peak_rss_mib"].as_f64().unwrap() > 1.0, "{row}");
    }
    assert_eq!(report["inputs"]["from"], "the test data of the run");
    assert_eq!(report["inputs"]["texts"], 40);
    let seconds = |name: &str| report[name].as_f64().unwrap();
    assert!(0.0 < seconds("load_s") && seconds("load_s") < seconds("first_answer_s"));

    let report = bench("run/bundle", &["--batch-sizes", "2", "--format", "json"]).json();
    rows(&report, &[2]);
    assert_eq!(
        report["inputs"]["from"],
        "made up from the vocabulary, as long as the model takes them"
    );
    // Every text is as long as the model takes, and longer.
    assert_eq!(report["inputs"]["tokens_mean"], 12.0);
    assert_eq!(report["inputs"]["truncated_share"], 1.0);

    let done = bench("run", &["--batch-sizes", "1"]);
    let told = without_figures(&done);
    let words: Vec<&str> = told.split_whitespace().collect();
    insta::assert_snapshot!("bench_predict", words.join(" "));
}

#[test]
fn what_cannot_be_timed_is_refused() {
    for (arguments, message) in [
        (
            &[
                "predict",
                "run",
                "--text",
                "a",
                "--latency",
                "--format",
                "csv",
            ][..],
            "error: --latency reports with --format human or json\n",
        ),
        (
            &["predict", "run", "-", "--latency"],
            "error: standard input: expected texts to time, found none\n",
        ),
        (
            &["predict", "run", "--text", "a", "--calls", "3"],
            "--latency",
        ),
        (
            &["bench", "predict", "run", "--batch-sizes", "0"],
            "0 is not in 1..=4096",
        ),
    ] {
        let done = regard(arguments).code(2);
        assert!(done.stderr.contains(message), "{done}");
        assert_eq!(done.stdout, "");
    }
}
