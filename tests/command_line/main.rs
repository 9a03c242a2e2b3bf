//! Whole runs of the program, as a person or a script would make them.

mod support;

use support::Regard;

#[test]
fn the_devices_of_this_build_are_listed() {
    let done = Regard::new(&["devices", "--format", "json"]).run();
    assert_eq!(done.code, 0, "{}", done.stderr);
    let report: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(report["rows"][0]["device"], "flex");
}
