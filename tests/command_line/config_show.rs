//! Configurations as they would be used.

use serde_json::json;

use crate::support::Sandbox;

#[test]
fn a_configuration_is_shown_as_its_run_will_have_it() {
    let sandbox = Sandbox::new();
    let settings = ["name=run", "train.max_steps=1"];
    sandbox.train("run", &settings).code(0);
    let done = sandbox
        .regard(&[
            "config",
            "show",
            "config.toml",
            "--set",
            settings[0],
            "--set",
            settings[1],
        ])
        .run()
        .code(0);
    assert_eq!(done.stdout.as_bytes(), sandbox.read("run/config.toml"));
}

#[test]
fn every_value_has_its_origin() {
    let sandbox = Sandbox::new();
    let show = |format: &str| {
        sandbox
            .regard(&[
                "config",
                "show",
                "config.toml",
                "--origin",
                "--set",
                "train.epochs=3",
                "--set",
                "train.warmup=\"1 epoch\"",
                "--format",
                format,
            ])
            .run()
            .code(0)
    };
    let human = show("human");
    insta::assert_snapshot!("config_show_origin", human);
    let report = show("json").json();
    let keys = report["keys"].as_array().unwrap();
    let key = |path: &str| keys.iter().find(|key| key["key"] == path).unwrap();
    assert_eq!(
        key("model.d_model"),
        &json!({"key": "model.d_model", "value": 16, "origin": "file", "file": "config.toml", "line": 14})
    );
    assert_eq!(
        key("train.epochs"),
        &json!({"key": "train.epochs", "value": 3, "origin": "argument", "argument": "train.epochs=3"})
    );
    assert_eq!(
        key("train.shards"),
        &json!({"key": "train.shards", "value": 4, "origin": "default"})
    );
    assert_eq!(key("train.max_steps")["value"], json!(null));
    assert_eq!(report["config"]["train"]["warmup"], "1 epoch");
    // What is shown can be saved and is the same configuration.
    sandbox.write("shown.toml", &human.stdout);
    let again = sandbox
        .regard(&["config", "show", "shown.toml", "--format", "json"])
        .run()
        .code(0)
        .json();
    assert_eq!(again["config"], report["config"]);
}

#[test]
fn a_wrong_configuration_is_refused_as_training_would() {
    let sandbox = Sandbox::new();
    let done = sandbox
        .regard(&["config", "show", "config.toml", "--set", "model.n_heads=3"])
        .run()
        .code(2);
    let expected = "`model.d_model`: expected a multiple of `model.n_heads` (3), found 16";
    assert!(done.stderr.contains(expected), "{done}");
}
