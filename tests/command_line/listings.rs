//! What the program says of itself.

use crate::support::Regard;

#[test]
fn help_is_what_the_documentation_shows() {
    for (name, arguments) in [
        ("help", &["--help"][..]),
        ("help_train", &["train", "--help"]),
        ("help_tune", &["tune", "--help"]),
        ("help_eval", &["eval", "--help"]),
        ("help_predict", &["predict", "--help"]),
        ("help_inspect", &["inspect", "--help"]),
        ("help_bench_seeds", &["bench", "seeds", "--help"]),
        ("help_bench_predict", &["bench", "predict", "--help"]),
        ("help_config_show", &["config", "show", "--help"]),
        ("help_privacy_epsilon", &["privacy", "epsilon", "--help"]),
        ("help_privacy_noise", &["privacy", "noise", "--help"]),
        ("help_runs", &["runs", "--help"]),
        ("help_man", &["man", "--help"]),
    ] {
        let done = Regard::new(arguments).run().code(0);
        insta::assert_snapshot!(name, done);
    }
}

#[test]
fn without_a_command_the_help_goes_to_stderr() {
    let done = Regard::new::<&str>(&[]).run().code(2);
    assert_eq!(done.stdout, "");
    assert!(done.stderr.contains("Usage: regard [OPTIONS] <COMMAND>"));
}

#[test]
fn every_key_of_a_configuration_is_listed() {
    let done = Regard::new(&["config", "schema"]).run().code(0);
    insta::assert_snapshot!("config_schema", done);
    let report = Regard::new(&["config", "schema", "--format", "json"])
        .run()
        .code(0)
        .json();
    assert_eq!(report["schema"], 1);
    let keys = report["keys"].as_array().unwrap();
    let named = done
        .stdout
        .lines()
        .filter(|line| line.contains(" = ") && !line.starts_with(' '))
        .count();
    assert!(keys.len() > 40);
    assert_eq!(keys.len(), named);
    let key = |path: &str| keys.iter().find(|key| key["key"] == path).unwrap();
    assert_eq!(key("train.epochs")["resumable"], true);
    assert_eq!(key("model.d_model")["resumable"], false);
    assert_eq!(key("data.train")["required"], true);
    assert_eq!(
        key("train.betas")["default"],
        serde_json::json!([0.9, 0.999])
    );
}

#[test]
fn the_devices_of_this_build_are_listed() {
    let done = Regard::new(&["devices", "--format", "json"]).run().code(0);
    let report = done.json();
    assert_eq!(report["schema"], 1);
    let rows = report["rows"].as_array().unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["device"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["flex", "ndarray", "wgpu", "cuda"]);
    let defaults: Vec<&serde_json::Value> =
        rows.iter().filter(|row| row["default"] == true).collect();
    assert_eq!(defaults.len(), 1);
    assert_eq!(defaults[0]["compiled"], true);
    let told = Regard::new(&["devices"]).run().code(0).stdout;
    for row in rows {
        let name = row["device"].as_str().unwrap();
        let line = told.lines().find(|line| line.starts_with(name)).unwrap();
        let compiled = line.contains("in this build: yes");
        assert_eq!(row["compiled"], compiled, "{line}");
    }
}
