//! Training: the run's folder, its report, and running it again.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{PATIENCE, Sandbox, count, without_figures};

#[test]
fn a_run_ends_with_its_figures_on_the_test_data() {
    let sandbox = Sandbox::new();
    let done = sandbox.train("run", &[]).code(0);
    insta::assert_snapshot!("train", without_figures(&done));
    let mut names: Vec<String> = std::fs::read_dir(sandbox.path("run"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "bundle",
            "checkpoints",
            "config.toml",
            "events.jsonl",
            "report.html",
            "run.lock"
        ]
    );
    let events = sandbox.events("run");
    assert_eq!(count(&events, "train"), 30);
    assert_eq!(count(&events, "eval"), 2);
    assert_eq!(count(&events, "end"), 1);
    assert!(events.iter().all(|event| event["schema"] == 1));
    let steps: Vec<u64> = events
        .iter()
        .filter(|event| event["kind"] == "train")
        .map(|event| event["step"].as_u64().unwrap())
        .collect();
    assert_eq!(steps, (1..=30).collect::<Vec<_>>());
    let end = events.last().unwrap();
    assert_eq!(end["kind"], "end");
    assert_eq!(end["accuracy"], 1.0, "the data is easy");
}

#[test]
fn the_report_is_one_object_for_programs() {
    let sandbox = Sandbox::new();
    let report = sandbox
        .regard(&["train", "config.toml", "--format", "json", "-q"])
        .run()
        .code(0)
        .json();
    // The folder's name is the configuration's.
    assert_eq!(report["run"], "runs/config");
    assert_eq!(report["steps"], 30);
    assert_eq!(report["already_complete"], false);
    assert_eq!(report["stopped_early"], false);
    assert_eq!(report["best"]["metric"], "accuracy");
    assert_eq!(report["test"]["n"], 40);
    assert_eq!(report["test"]["labels"], json!(["bad", "good"]));
    assert!(sandbox.path("runs/config/bundle/bundle.json").is_file());
}

#[test]
fn quiet_says_nothing_but_the_result() {
    let sandbox = Sandbox::new();
    let done = sandbox
        .regard(&["train", "config.toml", "--out", "run", "--quiet"])
        .run()
        .code(0);
    assert_eq!(done.stderr, "");
    assert!(
        done.stdout
            .starts_with("done: 30 steps, best validation accuracy ")
    );
    let sandbox = Sandbox::new();
    let loud = sandbox
        .regard(&["train", "config.toml", "--out", "run", "-v"])
        .run()
        .code(0);
    assert!(loud.stderr.contains("step 15: valid accuracy "));
}

#[test]
fn the_resolved_configuration_makes_the_same_run_again() {
    let sandbox = Sandbox::new();
    sandbox.train("first", &["train.max_steps=4"]).code(0);
    sandbox
        .regard(&["train", "first/config.toml", "--out", "second"])
        .run()
        .code(0);
    assert!(sandbox.bundle("first") == sandbox.bundle("second"));
    assert_eq!(sandbox.events("first"), sandbox.events("second"));
    assert_eq!(
        sandbox.read("first/config.toml"),
        sandbox.read("second/config.toml")
    );
}

#[test]
fn another_seed_is_another_run() {
    let sandbox = Sandbox::new();
    sandbox.train("first", &["train.max_steps=2"]).code(0);
    sandbox
        .train("second", &["train.max_steps=2", "seed=1"])
        .code(0);
    assert_ne!(sandbox.events("first"), sandbox.events("second"));
    assert!(sandbox.bundle("first")[1] != sandbox.bundle("second")[1]);
}

#[test]
fn a_finished_run_says_so_and_stays_as_it_is() {
    let sandbox = Sandbox::new();
    sandbox.train("run", &[]).code(0);
    let (log, bundle) = (sandbox.read("run/events.jsonl"), sandbox.bundle("run"));
    for _ in 0..2 {
        let done = sandbox.train("run", &[]).code(0);
        assert!(
            done.stdout.starts_with("already complete: 30 steps"),
            "{done}"
        );
        assert!(done.stdout.contains("test data: 40 examples"), "{done}");
        assert_eq!(sandbox.read("run/events.jsonl"), log);
        assert!(sandbox.bundle("run") == bundle);
    }
    // Fewer steps than were made change nothing either.
    let done = sandbox.train("run", &["train.epochs=1"]).code(0);
    assert!(
        done.stdout.starts_with("already complete: 30 steps"),
        "{done}"
    );
}

#[test]
fn more_epochs_continue_a_finished_run() {
    let sandbox = Sandbox::new();
    let settings = |epochs| [epochs, "train.schedule=\"constant\"", "train.warmup=0"];
    sandbox.train("run", &settings("train.epochs=1")).code(0);
    let done = sandbox.train("run", &settings("train.epochs=3")).code(0);
    assert!(done.stderr.contains("continuing after step 15"), "{done}");
    assert!(done.stdout.starts_with("done: 45 steps"), "{done}");
    // With a learning rate that does not depend on the end, as if it had never stopped.
    sandbox.train("whole", &settings("train.epochs=3")).code(0);
    assert!(sandbox.bundle("run") == sandbox.bundle("whole"));
    assert_eq!(sandbox.events("run"), sandbox.events("whole"));
}

#[test]
fn a_run_that_stopped_early_goes_on_when_it_is_given_more_patience() {
    let sandbox = Sandbox::new();
    let settings = |patience| {
        [
            patience,
            "eval.every=1",
            "eval.metric=\"accuracy\"",
            "train.epochs=3",
            "train.learning_rate=1e-30",
        ]
    };
    let done = sandbox
        .train("run", &settings("train.early_stopping=2"))
        .code(0);
    assert!(
        done.stdout.starts_with("done: 3 steps (stopped early)"),
        "{done}"
    );
    let again = sandbox
        .train("run", &settings("train.early_stopping=2"))
        .code(0);
    assert!(
        again
            .stdout
            .starts_with("already complete: 3 steps (stopped early)"),
        "{again}"
    );
    let more = sandbox
        .train("run", &settings("train.early_stopping=5"))
        .code(0);
    assert!(
        more.stdout.starts_with("done: 6 steps (stopped early)"),
        "{more}"
    );
    assert!(more.stdout.contains(" at step 1\n"), "{more}");
}

#[test]
fn the_last_model_is_kept_where_the_configuration_says_so() {
    let sandbox = Sandbox::new();
    // A rate that unlearns what was learned: the last model is the worst.
    let settings = [
        "train.epochs=4",
        "train.learning_rate=1.0",
        "eval.metric=loss",
    ];
    let kept = |run: &str, keep: &str| {
        let keep = format!("eval.keep={keep}");
        let settings = [&settings[..], &[keep.as_str()]].concat();
        let done = sandbox.train(run, &settings).code(0);
        assert!(
            done.stdout
                .contains(&format!("{} validation loss", &keep[10..]))
        );
        let events = sandbox.events(run);
        let is_best = |event: &&serde_json::Value| event["kind"] == "eval" && event["best"] == true;
        let best = events.iter().rfind(is_best).unwrap()["step"].clone();
        let bundle = std::fs::read_to_string(sandbox.path(run).join("bundle/bundle.json")).unwrap();
        let bundle: serde_json::Value = serde_json::from_str(&bundle).unwrap();
        (bundle["step"].clone(), best)
    };
    let (step, best) = kept("best", "best");
    assert_eq!(step, best);
    assert_ne!(best, 60, "the last one is no better, or this shows nothing");
    assert_eq!(kept("last", "last"), (json!(60), best));
}

#[test]
fn another_configuration_is_refused_and_every_key_named() {
    let sandbox = Sandbox::new();
    sandbox.train("run", &["train.max_steps=2"]).code(0);
    let log = sandbox.read("run/events.jsonl");
    let done = sandbox
        .train("run", &["seed=3", "model.d_model=32", "train.max_steps=4"])
        .code(2);
    insta::assert_snapshot!("train_other_configuration", done);
    assert_eq!(sandbox.read("run/events.jsonl"), log);
    // With the run's own configuration gone its hash is left.
    std::fs::remove_file(sandbox.path("run/config.toml")).unwrap();
    let done = sandbox.train("run", &["seed=3"]).code(4);
    assert!(
        done.stderr
            .contains("it was saved under another configuration"),
        "{done}"
    );
    sandbox.train("run", &["train.max_steps=4"]).code(0);
}

#[test]
fn a_configuration_can_be_mended_before_its_run_has_begun() {
    let sandbox = Sandbox::new();
    sandbox.train("run", &["data.text_column=\"txet\""]).code(3);
    sandbox.train("run", &["train.max_steps=2"]).code(0);
}

#[test]
fn other_data_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.train("run", &["train.max_steps=2"]).code(0);
    let mut table = sandbox.read("data.tsv");
    table.extend(b"new\tgood\ta new row\n");
    sandbox.write("data.tsv", table);
    let done = sandbox.train("run", &["train.max_steps=4"]).code(3);
    assert!(
        done.stderr
            .contains("the data is not the data that the run in run began with"),
        "{done}"
    );
}

#[test]
fn a_folder_in_use_is_refused_at_once() {
    let sandbox = Sandbox::new();
    let settings = ["train.epochs=100000", "checkpoint.every_steps=1"];
    let mut first = sandbox.training("run", &settings).spawn();
    let begun = Instant::now();
    while !sandbox.path("run/checkpoints/step-0000000002").exists() {
        assert!(begun.elapsed() < PATIENCE, "the run never begins");
        std::thread::sleep(Duration::from_millis(10));
    }
    let done = sandbox.train("run", &["train.epochs=100000"]);
    let alive = first.try_wait().unwrap().is_none();
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(alive);
    let done = done.code(2);
    let holder = format!(
        "error: the run folder run is in use by process {} on ",
        first.id()
    );
    assert!(done.stderr.starts_with(&holder), "{done}");
    assert!(
        done.stderr.contains("or use another folder with --out"),
        "{done}"
    );
    // Killed, it holds nothing.
    let done = sandbox.train("run", &["train.epochs=1"]).code(0);
    assert!(done.stderr.contains("continuing after step "), "{done}");
}

#[test]
fn a_loss_that_is_not_finite_stops_the_run_and_says_where() {
    let sandbox = Sandbox::new();
    // Each step multiplies the weights of linear layers by -9999 until they overflow.
    let settings = [
        "train.learning_rate=100",
        "train.weight_decay=100",
        "train.schedule=\"constant\"",
        "train.warmup=0",
        "checkpoint.every_steps=1",
    ];
    let done = sandbox.train("run", &settings).code(1);
    let events = sandbox.events("run");
    let steps = count(&events, "train");
    assert!((1..30).contains(&steps));
    assert_eq!(count(&events, "end"), 0);
    let expected = format!(
        "in step {} (epoch 0, batch {steps}), before its update; ",
        steps + 1
    );
    assert!(done.stderr.contains(&expected), "{done}");
    let saved = format!("the last good checkpoint is of step {steps};");
    assert!(done.stderr.contains(&saved), "{done}");
    assert!(!sandbox.path("run/bundle").exists());
    // Again it stops at the same place, and nothing was lost.
    let again = sandbox.train("run", &settings).code(1);
    assert!(again.stderr.contains(&expected), "{again}");
    assert_eq!(sandbox.events("run"), events);
}

#[test]
fn a_damaged_bundle_of_a_finished_run_is_made_again() {
    let sandbox = Sandbox::new();
    sandbox.train("run", &["train.max_steps=2"]).code(0);
    let (bundle, log) = (sandbox.bundle("run"), sandbox.events("run"));
    sandbox.write("run/bundle/weights.safetensors", "x");
    let done = sandbox.train("run", &["train.max_steps=2"]).code(0);
    assert!(
        done.stderr
            .contains("warning: run/bundle/weights.safetensors is damaged"),
        "{done}"
    );
    assert!(sandbox.bundle("run") == bundle);
    assert_eq!(sandbox.events("run"), log);
}

#[test]
fn a_damaged_checkpoint_is_passed_over_with_a_warning() {
    let sandbox = Sandbox::new();
    sandbox
        .train("run", &["train.max_steps=4", "eval.every=2"])
        .code(0);
    let bundle = sandbox.bundle("run");
    std::fs::remove_dir_all(sandbox.path("run/bundle")).unwrap();
    sandbox.write("run/checkpoints/step-0000000004/moments.safetensors", "x");
    let done = sandbox
        .train("run", &["train.max_steps=4", "eval.every=2"])
        .code(0);
    assert!(done.stderr.contains("falling back to step 2"), "{done}");
    assert!(sandbox.bundle("run") == bundle);
}
