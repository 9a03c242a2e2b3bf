//! Readers that leave, and disks that are full.

use std::fs::OpenOptions;
use std::path::Path;

use crate::support::{Regard, Sandbox};

#[test]
fn a_reader_who_leaves_is_no_error() {
    let sandbox = Sandbox::trained();
    let many = "a lovely day\n".repeat(3000);
    for run in [
        Regard::new(&["config", "schema"]),
        Regard::new(&["--help"]),
        Regard::new(&["devices"]),
        sandbox.regard(&["eval", "run"]),
        sandbox.regard(&["eval", "run", "--format", "json"]),
        sandbox.regard(&["predict", "run", "--text", "lovely"]),
        sandbox.regard(&["predict", "run", "data.tsv"]),
        sandbox.regard(&["predict", "run", "-"]).input(many),
    ] {
        let done = run.run_unread().code(0);
        assert_eq!(done.stderr, "");
    }
}

#[test]
fn a_full_disk_is_an_error_of_its_own() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let sandbox = Sandbox::trained();
    for arguments in [
        &["predict", "run", "--text", "lovely", "--format", "csv"][..],
        &["predict", "run", "--text", "lovely"],
        &["eval", "run"],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let done = sandbox.regard(arguments).stdout(full).run().code(5);
        assert!(
            done.stderr.contains("caused by: No space left on device"),
            "{done}"
        );
    }
}
