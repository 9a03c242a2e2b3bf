//! What is wrong is refused before anything is done, with its code and the way to mend it.

use crate::support::{Regard, Sandbox};

#[test]
fn every_problem_of_a_configuration_is_told_at_once() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "wrong.toml",
        "version = 1\ntask = \"text-clasification\"\n\n[data]\ntrain = \"data.tsv\"\nvalid = 1.5\n\n\
         [modle]\nd_model = 10\n\n[model]\nn_heads = 0\n\n[train]\nepoch = 3\nbatch_size = \"8\"\n",
    );
    let done = sandbox.regard(&["train", "wrong.toml"]).run().code(2);
    insta::assert_snapshot!("wrong_configuration", done);
    let done = sandbox
        .regard(&[
            "train",
            "config.toml",
            "--set",
            "train.epoch=3",
            "--set",
            "modle.d_model=8",
            "--set",
            "seed",
        ])
        .run()
        .code(2);
    insta::assert_snapshot!("wrong_settings", done);
    assert!(!sandbox.path("runs").exists(), "nothing was begun");
}

#[test]
fn hostile_configurations_are_refused_within_a_moment() {
    let sandbox = Sandbox::new();
    for (name, text) in [
        ("deep", format!("a = {}{}", "[".repeat(50_000), "]".repeat(50_000))),
        ("wide", (0..50_000).map(|i| format!("k{i} = {i}\n")).collect()),
        ("sections", (0..5_000).map(|i| format!("[s{i}]\n")).collect()),
        ("dotted", format!("{} = 1", vec!["a"; 20_000].join("."))),
        ("numbers", "version = 1\n[train]\nlearning_rate = nan\nweight_decay = 1e308\nepochs = 9223372036854775808\nbatch_size = -1\n".to_owned()),
        ("long", "#".repeat(2 << 20)),
        ("nul", "version = 1\0".to_owned()),
        ("empty", String::new()),
    ] {
        sandbox.write("hostile.toml", text);
        let done = sandbox.regard(&["train", "hostile.toml"]).run();
        assert_eq!(done.code, 2, "{name}: {}", done.stderr);
        assert!(done.stderr.starts_with("error: "), "{name}: {}", done.stderr);
        assert!(done.stderr.len() < 20_000, "{name}: {} bytes", done.stderr.len());
    }
    sandbox.write("hostile.toml", b"version = 1\nname = \"caf\xe9\"\n");
    let done = sandbox.regard(&["train", "hostile.toml"]).run().code(2);
    assert!(done.stderr.contains("line 2"), "{done}");
    let done = sandbox.regard(&["train", "missing.toml"]).run().code(2);
    assert_eq!(
        done.stderr,
        "error: cannot read the configuration missing.toml\ncaused by: No such file or directory (os error 2)\n"
    );
}

#[test]
fn a_device_that_is_not_compiled_in_names_the_feature() {
    let report = Regard::new(&["devices", "--format", "json"]).run().json();
    let missing: Vec<&str> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["compiled"] == false)
        .map(|row| row["device"].as_str().unwrap())
        .collect();
    let sandbox = Sandbox::trained();
    for device in missing {
        let done = sandbox
            .regard(&["predict", "run", "--text", "x", "--device", device])
            .run()
            .code(2);
        assert_eq!(
            done.stderr,
            format!(
                "error: --device {device}: this build does not have the device {device}\n\
                 hint: build with --features {device}\n"
            )
        );
    }
    for (device, message) in [
        (
            "gpu",
            "error: --device gpu: expected flex, ndarray, wgpu, cuda, found \"gpu\"\n",
        ),
        ("cpu:1", "error: --device cpu:1: there is one flex\n"),
    ] {
        let done = sandbox
            .regard(&["predict", "run", "--text", "x", "--device", device])
            .run()
            .code(2);
        assert!(done.stderr.starts_with(message), "{done}");
    }
    let done = sandbox
        .regard(&["predict", "run", "--text", "x", "--threads", "100000"])
        .run()
        .code(2);
    assert!(
        done.stderr
            .starts_with("error: --threads 100000: expected at most 1024\n"),
        "{done}"
    );
}

#[test]
fn data_that_cannot_be_used_is_refused_with_code_3() {
    let sandbox = Sandbox::new();
    sandbox.write("empty.tsv", "");
    sandbox.write("header.tsv", "text\tlabel\n");
    sandbox.write("ragged.tsv", "text\tlabel\na\tgood\nb\tbad\tmore\n");
    sandbox.write(
        "one.tsv",
        "text\tlabel\na\tgood\nb\tgood\nc\tgood\nd\tgood\ne\tgood\n",
    );
    sandbox.write("two.tsv", "text\tlabel\na\tgood\nb\tbad\n");
    sandbox.write("nul.tsv", "text\tlabel\na\0\tgood\n");
    sandbox.write("utf16.tsv", b"\xff\xfet\0e\0x\0t\0");
    sandbox.write(
        "blank.tsv",
        "text\tlabel\n \tgood\n\tbad\n".to_owned() + &" \tgood\n \tbad\n".repeat(10),
    );
    for (setting, message) in [
        (
            "data.train=\"missing.tsv\"",
            "error: cannot open missing.tsv\ncaused by: No such file",
        ),
        (
            "data.train=\"empty.tsv\"",
            "error: empty.tsv is empty; expected rows",
        ),
        (
            "data.train=\"header.tsv\"",
            "error: header.tsv has no rows under its header",
        ),
        (
            "data.train=\"ragged.tsv\"",
            "error: ragged.tsv line 3: 2 columns expected as in the first row, 3 found",
        ),
        (
            "data.train=\"one.tsv\"",
            "have the label \"good\"; a classifier needs rows of at least two labels",
        ),
        (
            "data.train=\"two.tsv\"",
            "error: a share of 0.2 of 2 rows holds out 0; both parts need rows",
        ),
        (
            "data.train=\"nul.tsv\"",
            "error: nul.tsv line 2, byte 2: a NUL byte",
        ),
        (
            "data.train=\"utf16.tsv\"",
            "error: utf16.tsv is encoded in UTF-16",
        ),
        (
            "data.train=\"blank.tsv\"",
            "error: the texts hold nothing to learn a vocabulary from",
        ),
        (
            "data.label_column=\"lable\"",
            "error: data.tsv has no column \"lable\"; its columns are \"id\", \"label\", \"text\"; did you mean \"label\"?",
        ),
        ("data.text_column=9", "error: data.tsv has no column 9"),
        (
            "data.labels=[\"good\",\"neutral\"]",
            "error: data.tsv line 2: unknown label \"bad\"; the labels are \"good\", \"neutral\"",
        ),
        (
            "data.valid=\"missing.tsv\"",
            "error: cannot open missing.tsv",
        ),
    ] {
        let done = sandbox.train("run", &[setting]);
        assert_eq!(done.code, 3, "{setting}: {done}");
        assert!(done.stderr.contains(message), "{setting}: {done}");
        assert_eq!(done.stdout, "", "{setting}");
    }
}

#[test]
fn a_damaged_model_is_refused_with_code_4() {
    let sandbox = Sandbox::new();
    sandbox.train("run", &["train.max_steps=1"]).code(0);
    let file = "run/bundle/weights.safetensors";
    let mut weights = sandbox.read(file);
    let middle = weights.len() / 2;
    weights[middle] ^= 1;
    sandbox.write(file, weights);
    for arguments in [
        &["predict", "run", "--text", "x"][..],
        &["eval", "run"],
        &["eval", "run/bundle", "--data", "data.tsv"],
    ] {
        let done = sandbox.regard(arguments).run().code(4);
        let message = format!("error: {file} is damaged: expected the BLAKE3 hash ");
        assert!(done.stderr.starts_with(&message), "{done}");
        assert_eq!(done.stdout, "");
    }
    std::fs::remove_dir_all(sandbox.path("run/bundle")).unwrap();
    let done = sandbox
        .regard(&["predict", "run", "--text", "x"])
        .run()
        .code(4);
    assert!(
        done.stderr
            .contains("found a run that is not finished (run `regard train` on it again"),
        "{done}"
    );
    let done = sandbox
        .regard(&["predict", "nowhere", "--text", "x"])
        .run()
        .code(4);
    assert!(done.stderr.contains("no bundle at nowhere"), "{done}");
    // Not one checkpoint that can be trusted.
    sandbox.write("run/checkpoints/step-0000000001/weights.safetensors", "x");
    let done = sandbox.train("run", &["train.max_steps=1"]).code(4);
    assert!(
        done.stderr
            .starts_with("error: no checkpoint in run/checkpoints can be trusted:\n"),
        "{done}"
    );
    assert!(
        done.stderr
            .contains("begin another run with --out, or remove the folder"),
        "{done}"
    );
}

#[test]
fn a_folder_that_cannot_be_one_is_refused_with_code_5() {
    let sandbox = Sandbox::new();
    let done = sandbox.train("data.tsv", &[]).code(5);
    assert!(
        done.stderr.starts_with("error: cannot access data.tsv: "),
        "{done}"
    );
    sandbox.train("run", &["train.max_steps=1"]).code(0);
    sandbox.write("run/events.jsonl", "");
    let done = sandbox.train("run", &["train.max_steps=2"]).code(5);
    assert!(
        done.stderr
            .contains("put the log back as it was, or begin another run with --out"),
        "{done}"
    );
}

#[test]
fn colours_are_for_terminals() {
    let done = Regard::new(&["train", "missing.toml"]).run().code(2);
    assert!(!done.stderr.contains('\u{1b}'), "{done:?}");
    let forced = Regard::new(&["train", "missing.toml"])
        .env("CLICOLOR_FORCE", "1")
        .run()
        .code(2);
    assert!(forced.stderr.starts_with("\u{1b}["), "{forced:?}");
    let asked_not_to = Regard::new(&["train", "missing.toml"])
        .env("CLICOLOR_FORCE", "1")
        .env("NO_COLOR", "1")
        .run()
        .code(2);
    assert!(!asked_not_to.stderr.contains('\u{1b}'), "{asked_not_to:?}");
}
