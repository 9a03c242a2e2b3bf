//! Files that are no data: one clear error each, the right code, little memory, and nothing lost.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{PATIENCE, Regard, Sandbox};

/// The most memory that a hostile file may cost, in KiB.
const MOST_KIB: u64 = 200 * 1024;

/// The four commands that read a file of data, on `file`.
fn readers(sandbox: &Sandbox, file: &str) -> [(&'static str, Regard); 4] {
    let train = format!("data.train={file:?}");
    [
        ("train", sandbox.training("other", &[&train])),
        ("init", sandbox.regard(&["init", file])),
        ("predict", sandbox.regard(&["predict", "run", file])),
        ("eval", sandbox.regard(&["eval", "run", "--data", file])),
    ]
}

#[track_caller]
fn refused_by_all(sandbox: &Sandbox, file: &str, message: &str) {
    for (command, run) in readers(sandbox, file) {
        let (done, peak) = run.run_watched();
        assert_eq!(done.code, 3, "{command} {file}: {done}");
        assert!(
            done.stderr.starts_with("error: ") && done.stderr.contains(message),
            "{command} {file}: {done}"
        );
        assert!(done.stderr.len() < 1000, "{command} {file}: {done}");
        assert!(peak < MOST_KIB, "{command} {file}: {peak} KiB");
    }
}

fn trained() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.train("run", &["train.max_steps=1"]).code(0);
    sandbox
}

#[test]
fn what_is_no_table_is_refused_by_every_command_at_its_line() {
    let sandbox = trained();
    let rows = "label,text\n".to_owned() + &"good,a fine day\nbad,a grim day\n".repeat(20);
    let with = |more: &[u8]| [rows.as_bytes(), more].concat();
    let sparse = File::create(sandbox.path("zeros.csv")).unwrap();
    sparse.set_len(1 << 30).unwrap();
    let deep = format!(
        "{{\"label\":\"good\",\"text\":{}{}}}\n",
        "[".repeat(1_000_000),
        "]".repeat(1_000_000)
    );
    std::fs::create_dir(sandbox.path("folder.csv")).unwrap();
    for (file, content, message) in [
        (
            "quote.csv",
            with(b"good,\"never closed\nbad,b\n"),
            "quote.csv line 42: a quote opens here and is never closed",
        ),
        (
            "latin1.csv",
            with(b"good,caf\xe9\n"),
            "latin1.csv line 42, byte 9: invalid UTF-8",
        ),
        (
            "nul.csv",
            with(b"good,a\0b\n"),
            "nul.csv line 42, byte 7: a NUL byte",
        ),
        (
            "wide.csv",
            with("a,".repeat(1_000_000).as_bytes()),
            "wide.csv line 42 has more than 65536 columns",
        ),
        (
            "header.csv",
            "c,".repeat(1_000_000).into(),
            "header.csv line 1 has more than 65536 columns",
        ),
        (
            "line.csv",
            with("x".repeat(40 << 20).as_bytes()),
            "line.csv line 42 is longer than 16777216 bytes",
        ),
        (
            "ragged.csv",
            with(b"good,a,b\n"),
            "ragged.csv line 42: 2 columns expected as in the first row, 3 found",
        ),
        (
            "twice.jsonl",
            b"{\"label\":1,\"label\":2,\"text\":\"a\"}\n".to_vec(),
            "the key \"label\" occurs twice",
        ),
        (
            "array.jsonl",
            b"[1, 2]\n".to_vec(),
            "array.jsonl line 1: no valid JSON object",
        ),
        ("empty.csv", Vec::new(), "empty.csv is empty; expected rows"),
    ] {
        sandbox.write(file, content);
        refused_by_all(&sandbox, file, message);
    }
    refused_by_all(
        &sandbox,
        "zeros.csv",
        "zeros.csv line 1, byte 1: a NUL byte",
    );
    refused_by_all(&sandbox, "folder.csv", "error: folder.csv ");
    refused_by_all(&sandbox, "missing.csv", "cannot open missing.csv");
    sandbox.write("deep.jsonl", deep);
    for (command, run) in readers(&sandbox, "deep.jsonl") {
        let (done, peak) = run.run_watched();
        assert_eq!(done.code, 3, "{command}: {done}");
        assert!(peak < MOST_KIB, "{command}: {peak} KiB");
    }
    assert!(
        !sandbox.path("other/checkpoints").exists(),
        "nothing was begun"
    );
}

#[test]
fn numbers_beyond_every_type_are_texts_like_others() {
    let sandbox = Sandbox::new();
    let digits = "9".repeat(400);
    let lines: String = (0..40)
        .map(|i| {
            let label = if i % 2 == 0 { "1e999999" } else { &digits };
            format!("{{\"label\":{label},\"text\":-{label}}}\n")
        })
        .collect();
    sandbox.write("huge.jsonl", lines);
    let settings = ["data.train=\"huge.jsonl\"", "tokenizer.kind=\"bytes\""];
    sandbox.train("run", &settings).code(0);
    sandbox.regard(&["init", "huge.jsonl"]).run().code(0);
}

#[test]
fn a_byte_order_mark_and_line_ends_of_windows_change_nothing() {
    let sandbox = Sandbox::new();
    let plain = String::from_utf8(sandbox.read("data.tsv")).unwrap();
    sandbox.train("plain", &["train.max_steps=3"]).code(0);
    for (name, content) in [
        ("bom", format!("\u{feff}{plain}")),
        ("crlf", plain.replace('\n', "\r\n")),
        ("endless", plain.trim_end().to_owned()),
    ] {
        let file = format!("{name}.tsv");
        sandbox.write(&file, content);
        let train = format!("data.train={file:?}");
        sandbox.train(name, &[&train, "train.max_steps=3"]).code(0);
        assert!(sandbox.bundle(name) == sandbox.bundle("plain"), "{name}");
    }
}

#[test]
fn a_line_that_never_ends_is_refused_while_it_streams() {
    let sandbox = trained();
    for input in ["lines", "csv", "tsv", "jsonl"] {
        let first = if input == "jsonl" {
            "{\"text\":\""
        } else {
            "text\n"
        };
        let run = sandbox.regard(&["predict", "run", "-", "--input-format", input]);
        // A gigabyte, of which the program reads what it may.
        let (done, peak) = run.run_fed(first, &"x".repeat(1 << 20), 1 << 10);
        assert_eq!(done.code, 3, "{input}: {done}");
        assert!(
            done.stderr.contains("is longer than 16777216 bytes"),
            "{input}: {done}"
        );
        assert!(peak < MOST_KIB, "{input}: {peak} KiB");
    }
}

#[test]
fn many_long_lines_are_predicted_in_little_memory() {
    let sandbox = trained();
    let run = sandbox.regard(&["predict", "run", "-", "--format", "csv", "-q"]);
    let line = "w ".repeat(2 << 20) + "\n";
    let (done, peak) = run.run_fed("", &line, 60);
    assert_eq!((done.code, done.stdout.lines().count()), (0, 61), "{done}");
    assert!(peak < MOST_KIB, "{peak} KiB");
}

#[test]
fn rows_before_a_fault_are_answered() {
    let sandbox = trained();
    sandbox.write("rows.csv", "text\none\ntwo\n\"three");
    let done = sandbox
        .regard(&["predict", "run", "rows.csv"])
        .run()
        .code(3);
    assert_eq!(done.stdout.lines().count(), 3, "{done}");
    assert!(done.stderr.contains("line 4: a quote opens here"), "{done}");
    sandbox.write(
        "rows.jsonl",
        "{\"text\":\"one\"}\n{\"text\":null}\n{\"text\":\"three\"}\n",
    );
    let done = sandbox
        .regard(&["predict", "run", "rows.jsonl"])
        .run()
        .code(3);
    assert_eq!(done.stdout.lines().count(), 1, "{done}");
    assert!(
        done.stderr
            .contains("rows.jsonl line 2: no value for \"text\""),
        "{done}"
    );
}

#[test]
fn a_label_that_the_model_does_not_know_is_named() {
    let sandbox = trained();
    sandbox.write("new.tsv", "label\ttext\ngood\ta\ngod\tb\n");
    let done = sandbox
        .regard(&["eval", "run", "--data", "new.tsv"])
        .run()
        .code(3);
    let message = "error: new.tsv line 3: unknown label \"god\"; the labels are \"bad\", \"good\"; did you mean \"good\"?\n";
    assert_eq!(done.stderr, message);
    let done = sandbox.train("other", &["data.test=\"new.tsv\""]).code(3);
    assert_eq!(done.stderr, message);
}

#[cfg(unix)]
#[test]
fn pipes_loops_and_forbidden_files_are_refused_without_waiting() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let sandbox = trained();
    symlink("loop.csv", sandbox.path("loop.csv")).unwrap();
    refused_by_all(
        &sandbox,
        "loop.csv",
        "cannot open loop.csv\ncaused by: Too many levels of symbolic links",
    );
    sandbox.write("secret.csv", "label,text\n");
    let file = sandbox.path("secret.csv");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o000)).unwrap();
    // The superuser may read everything.
    if File::open(&file).is_err() {
        refused_by_all(
            &sandbox,
            "secret.csv",
            "cannot open secret.csv\ncaused by: Permission denied",
        );
    }
    let made = Command::new("mkfifo")
        .arg(sandbox.path("pipe.csv"))
        .status();
    if made.is_ok_and(|status| status.success()) {
        // Nobody writes to it: whoever opened it would wait for ever.
        for run in [
            sandbox.training("other", &["data.train=\"pipe.csv\""]),
            sandbox.training("other", &["data.test=\"pipe.csv\""]),
            sandbox.regard(&["init", "pipe.csv"]),
        ] {
            let done = run.run().code(3);
            assert_eq!(
                done.stderr,
                "error: pipe.csv is a pipe or a device, which can be read only once, and this reads its data several \
                 times; save it to a file first\n"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn a_limit_on_the_size_of_files_is_an_error_of_the_token_cache_too() {
    let sandbox = Sandbox::new();
    let settings = ["data.memory_mib=0", "tokenizer.kind=\"bytes\""];
    let done = sandbox
        .training("cache", &settings)
        .limited(4)
        .run()
        .code(5);
    assert!(
        done.stderr
            .starts_with("error: cannot write the token cache cache/cache/"),
        "{done}"
    );
    assert!(
        done.stderr
            .contains("raise data.memory_mib to hold more in memory"),
        "{done}"
    );
}

#[test]
fn a_folder_in_use_is_refused_at_once() {
    let sandbox = Sandbox::new();
    let settings = ["train.epochs=1000", "eval.every=1000"];
    let mut first = sandbox.training("run", &settings).spawn();
    let begun = Instant::now();
    while !sandbox.path("run/events.jsonl").exists() {
        assert!(begun.elapsed() < PATIENCE, "the first run does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    let second = sandbox.train("run", &settings);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(second.code, 2, "{second}");
    let message = format!(
        "error: the run folder run is in use by process {} on ",
        first.id()
    );
    assert!(second.stderr.starts_with(&message), "{second}");
    assert!(
        second
            .stderr
            .contains("wait for it to end, or use another folder with --out"),
        "{second}"
    );
}

#[test]
fn a_finished_run_says_so_without_its_data() {
    let sandbox = trained();
    std::fs::remove_file(sandbox.path("data.tsv")).unwrap();
    let done = sandbox.train("run", &["train.max_steps=1"]).code(0);
    assert!(
        done.stdout
            .starts_with("already complete: 1 steps, best validation accuracy"),
        "{done}"
    );
    assert!(
        done.stderr.starts_with(
            "warning: the test data cannot be judged again: cannot open data.tsv: No such file"
        ),
        "{done}"
    );
    // More steps need it.
    let done = sandbox.train("run", &["train.max_steps=2"]).code(3);
    assert!(
        done.stderr.starts_with("error: cannot open data.tsv"),
        "{done}"
    );
}

#[test]
fn settings_that_are_rubbish_or_contradict_each_other_are_told_together() {
    let sandbox = Sandbox::new();
    let gigabyte = File::create(sandbox.path("gigabyte.toml")).unwrap();
    gigabyte.set_len(1 << 30).unwrap();
    let (done, peak) = sandbox.regard(&["train", "gigabyte.toml"]).run_watched();
    assert_eq!(done.code, 2, "{done}");
    assert!(
        done.stderr
            .contains("has more than 1048576 bytes; is it the right file?"),
        "{done}"
    );
    assert!(peak < MOST_KIB, "{peak} KiB");
    let settings = [
        "model.d_model=10",
        "model.n_heads=3",
        "data.valid=0.6",
        "data.test=0.5",
        "data.header=false",
        "train.betas=[0.9, 0.99999999999]",
        "train.epsilon=1e-40",
        "train.batch_size=4",
        "train.micro_batch=5",
        "data.labels=[\"a\", \"a\"]",
        "train.learning_rate=nan",
        "train.epochs=99999999999999999999",
        "seed=-1",
        "=",
        "",
        "model=1",
        "\u{1b}[31m=1",
    ];
    let done = sandbox.train("run", &settings).code(2);
    for part in [
        "15 problems with the configuration config.toml",
        "`model.d_model`: expected a multiple of `model.n_heads` (3), found 10",
        "`data.valid`: expected a share that with `data.test` leaves some data to train on",
        "`data.text_column`: expected a column's number, since `data.header` is false",
        "`train.betas`: expected a list of 2 numbers in [0, 0.9999999]",
        "`train.epsilon`: expected a number in [1e-30, 1]",
        "`train.micro_batch`: expected ",
        "`train.learning_rate`: expected a number",
        "`train.epochs`: expected an integer",
    ] {
        assert!(done.stderr.contains(part), "{part}: {done}");
    }
    assert!(!done.stderr.contains('\u{1b}'), "{done}");
    assert!(
        !Path::new(&sandbox.path("run")).exists(),
        "nothing was begun"
    );
}

#[test]
fn the_smallest_epsilon_and_the_largest_betas_train() {
    let sandbox = Sandbox::new();
    let settings = [
        "train.epsilon=1e-30",
        "train.betas=[0.9999999, 0.9999999]",
        "train.max_steps=5",
    ];
    sandbox.train("run", &settings).code(0);
}
