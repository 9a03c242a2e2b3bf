//! Completions and manual pages.

use std::path::Path;

use crate::support::{Regard, Sandbox};

#[test]
fn every_shell_gets_completions_that_know_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let done = Regard::new(&["completions", shell]).run().code(0);
        assert_eq!(done.stderr, "");
        for word in ["bench", "seeds", "max-steps-is-no-option", "--input-format"] {
            // Fish names long options without their dashes.
            let word = match shell {
                "fish" => word.trim_start_matches('-'),
                _ => word,
            };
            let is_there = done.stdout.contains(word);
            assert_eq!(
                is_there,
                word != "max-steps-is-no-option",
                "{shell}: {word}"
            );
        }
    }
    let done = Regard::new(&["completions", "tcsh"]).run().code(2);
    assert!(done.stderr.contains("possible values: bash"), "{done}");
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let sandbox = Sandbox::new();
    let done = sandbox.regard(&["man", "--out", "a/man"]).run().code(0);
    assert_eq!(done.stdout, "");
    let main = String::from_utf8(sandbox.read("a/man/regard.1")).unwrap();
    assert_eq!(sandbox.regard(&["man"]).run().code(0).stdout, main);
    // Each command that a page names has its own page, and there is no other.
    let mut named = vec!["regard".to_owned()];
    let mut next = 0;
    while let Some(name) = named.get(next) {
        let page = String::from_utf8(sandbox.read(&format!("a/man/{name}.1"))).unwrap();
        assert!(page.contains(".SH NAME\n"), "{page}");
        let below = page.lines().filter_map(|line| line.strip_suffix("(1)"));
        named.extend(below.map(|name| name.replace('\\', "")));
        next += 1;
    }
    assert!(named.iter().any(|name| name == "regard-bench-step"));
    let pages = std::fs::read_dir(sandbox.path("a/man")).unwrap().count();
    assert_eq!(pages, named.len());
    let told = format!("{pages} pages in a/man: `man -l a/man/regard.1`\n");
    assert_eq!(done.stderr, told);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let sandbox = Sandbox::new();
    let done = sandbox.regard(&["man", "--out", "data.tsv/man"]).run();
    let done = done.code(5);
    assert!(
        done.stderr.starts_with("error: cannot make data.tsv/man\n"),
        "{done}"
    );
    assert!(!Path::new("data.tsv/man").exists());
}
