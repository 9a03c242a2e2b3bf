//! Files: those that cannot be read, and the one of a run that goes on.

use std::path::Path;

use super::*;

#[test]
fn a_run_continues_with_new_resumable_keys_and_with_no_others() {
    let saved = read(SMALLEST).unwrap();
    let path = Path::new("runs/a/config.toml");
    let longer = read_set(&[
        "train.epochs=20",
        "checkpoint.keep=5",
        "train.micro_batch=8",
    ])
    .unwrap();
    longer.check_resume(&saved, path).unwrap();
    assert_eq!(longer.fingerprint().unwrap(), saved.fingerprint().unwrap());

    let other = read_set(&["train.epochs=20", "model.d_model=64", "model.n_kv_heads=2"]).unwrap();
    assert_ne!(other.fingerprint().unwrap(), saved.fingerprint().unwrap());
    let error = other.check_resume(&saved, path).unwrap_err();
    assert_eq!(error.problems().len(), 2);
    let message = error.to_string();
    for line in [
        "2 problems with continuing the run of runs/a/config.toml",
        "`model.d_model`: expected 128, as the run began, found 64",
        "`model.n_kv_heads`: expected nothing, as the run began, found 2",
        "hint: this key is fixed once a run has begun: set it back, or begin another run with --out",
    ] {
        assert!(message.contains(line), "{message}");
    }
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    let load = || load::<&str>(&path, &[]).unwrap_err();
    assert!(
        load()
            .to_string()
            .starts_with("cannot read the configuration")
    );
    std::fs::write(&path, b"version = 1\nname = \"\xff\"").unwrap();
    assert!(
        load()
            .to_string()
            .ends_with("is not UTF-8: line 2, byte 20 of the file")
    );
    std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
    assert!(
        load()
            .to_string()
            .ends_with("has more than 1048576 bytes; is it the right file?")
    );
}

#[test]
fn a_file_with_a_byte_order_mark_and_crlf_is_read() {
    let text = format!("\u{feff}{}", SMALLEST.replace('\n', "\r\n"));
    assert_eq!(read(&text).unwrap(), read(SMALLEST).unwrap());
}

#[test]
fn a_data_file_is_one_problem_however_many_lines_it_has() {
    for data in [
        "good\tsome text\nbad\tother text\n".repeat(100),
        "text,label\n\"a, b\",1\n".repeat(100),
        "{\"text\": \"a\", \"label\": \"b\"}\n".repeat(100),
    ] {
        assert_eq!(
            read(&data).unwrap_err().to_string(),
            "1 problem with the configuration c.toml\n  c.toml:1: expected a configuration in TOML, \
             found something else; is it a data file?\n    \
             hint: `regard init FILE` proposes a configuration for a data file"
        );
    }
    // A typing error in a configuration keeps its own message.
    let message = read("version = 1\ntask: text\n").unwrap_err().to_string();
    assert!(
        message.contains("c.toml:2: expected valid TOML"),
        "{message}"
    );
}

#[test]
fn what_is_wrong_elsewhere_leaves_the_data_to_look_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    let data_of = |lines: &str| {
        std::fs::write(&path, format!("{SMALLEST}{lines}")).unwrap();
        load_data_alone::<&str>(&path, &[])
            .unwrap()
            .map(|config| config.data)
    };
    let data = data_of(
        "header = false\ntext_column = 1\nlabel_column = 0\n[train]\nepochs = 0\nepoch = 3\n",
    )
    .unwrap();
    assert_eq!((data.header, data.text_column), (false, Column::Number(1)));
    for doubtful in [
        "heder = false\n",
        "header = 3\n",
        "header = = 3\n",
        "text_column = \"label\"\n",
    ] {
        assert_eq!(data_of(doubtful), None, "{doubtful}");
    }
}
