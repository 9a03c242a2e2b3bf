//! Privacy accounting.

use crate::support::Regard;

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

#[test]
fn the_epsilon_of_a_training_is_told() {
    let line = "privacy epsilon --noise-multiplier 1 --sample-rate 0.01 --steps 1000 --delta 1e-5";
    let done = Regard::new(&words(line)).run().code(0);
    insta::assert_snapshot!("privacy_epsilon", done);
    let json = |more: &str| {
        let line = format!("{line} --format json{more}");
        Regard::new(&words(&line)).run().code(0).json()
    };
    let report = json("");
    let epsilon = report["epsilon"].as_f64().unwrap();
    assert!((epsilon - 1.8283).abs() < 1e-3, "{report}");
    assert_eq!(report["schema"], 1);
    assert_eq!(report["delta"], 1e-5);
    assert_eq!(report["accountant"], "pld");
    assert_eq!(report["adjacency"], "add-remove");
    let report = json(" --accountant rdp");
    assert!((report["epsilon"].as_f64().unwrap() - 2.1014).abs() < 1e-3);
    assert_eq!(report["accountant"], "rdp");
    let report = json(" --adjacency replace-one");
    assert!((report["epsilon"].as_f64().unwrap() - 2.8435).abs() < 1e-3);
}

#[test]
fn what_promises_nothing_says_so() {
    let line = "privacy epsilon --noise-multiplier 0 --sample-rate 0.01 --steps 1 --delta 1e-5";
    let report = Regard::new(&words(&format!("{line} --format json"))).run();
    let report = report.code(0).json();
    assert!(report["epsilon"].is_null());
    assert_eq!(
        report["epsilon_reason"],
        "without noise nothing is promised"
    );
    let done = Regard::new(&words(line)).run().code(0);
    assert!(
        done.stdout
            .starts_with("epsilon infinite: nothing is promised")
    );
}

#[test]
fn the_noise_for_a_target_keeps_it() {
    let line = "privacy noise --epsilon 3 --sample-rate 0.1 --steps 100 --delta 1e-5";
    let done = Regard::new(&words(line)).run().code(0);
    insta::assert_snapshot!("privacy_noise", done);
    let report = Regard::new(&words(&format!("{line} --format json"))).run();
    let report = report.code(0).json();
    let noise = report["noise_multiplier"].as_f64().unwrap();
    let epsilon = report["epsilon"].as_f64().unwrap();
    assert!(epsilon <= 3.0 && epsilon > 2.99, "{report}");
    assert_eq!(report["target_epsilon"], 3.0);
    let line = format!(
        "privacy epsilon --noise-multiplier {noise} --sample-rate 0.1 --steps 100 --delta 1e-5 \
         --format json"
    );
    let again = Regard::new(&words(&line)).run().code(0).json();
    assert_eq!(again["epsilon"].as_f64(), Some(epsilon));
}

#[test]
fn arguments_out_of_range_are_usage() {
    let epsilon = "privacy epsilon --noise-multiplier 1 --steps 10 --delta 1e-5 --sample-rate";
    for (line, message) in [
        (
            format!("{epsilon} 1.5"),
            "error: sample_rate: expected a probability, from 0 to 1, found 1.5\n",
        ),
        (
            format!("{epsilon} -0.5"),
            "error: sample_rate: expected a probability, from 0 to 1, found -0.5\n",
        ),
        (
            format!("{epsilon} NaN"),
            "error: sample_rate: expected a probability, from 0 to 1, found NaN\n",
        ),
        (
            "privacy noise --epsilon 1 --sample-rate 0.1 --steps 10 --delta 0".to_owned(),
            "error: noise_multiplier: no value from 0.01 to 1000000000 keeps epsilon 1 at delta 0\n",
        ),
    ] {
        let done = Regard::new(&words(&line)).run().code(2);
        assert_eq!(done.stderr, message);
        assert_eq!(done.stdout, "");
    }
}
