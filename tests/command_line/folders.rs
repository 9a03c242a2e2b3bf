//! Data in folders: one folder a label, one text file an example.

use crate::support::{Sandbox, texts};

/// The sandbox's texts as files in `name`.
fn folder(sandbox: &Sandbox, name: &str, n: usize) {
    for (i, (label, text)) in texts(n).into_iter().enumerate() {
        let label = format!("{name}/{label}");
        std::fs::create_dir_all(sandbox.path(&label)).unwrap();
        sandbox.write(&format!("{label}/{i:04}.txt"), text + "\n");
    }
}

#[test]
fn a_folder_is_proposed_for_trained_on_and_judged() {
    let sandbox = Sandbox::new();
    folder(&sandbox, "reviews", 200);
    folder(&sandbox, "others", 40);
    let proposed = sandbox.regard(&["init", "reviews"]).run().code(0);
    assert!(
        proposed
            .stdout
            .contains("# one folder a label, one text file an example\n"),
        "{proposed}"
    );
    assert!(!proposed.stdout.contains("text_column"), "{proposed}");

    let settings = [
        "data.train=\"reviews\"",
        "data.format=\"folder\"",
        "data.test=\"others\"",
        "train.epochs=3",
    ];
    sandbox.train("run", &settings).code(0);
    let judged = |data: &str| {
        let arguments = ["eval", "run", "--data", data, "--format", "json"];
        sandbox.regard(&arguments).run().code(0).json()
    };
    assert_eq!(judged("others")["n"], 40);
    assert_eq!(judged("others")["metrics"]["accuracy"], 1.0);
    // The extension tells what a file is, though the model comes from a folder.
    assert_eq!(judged("data.tsv")["n"], 200);
    // And a model of a table judges a folder.
    let trained = Sandbox::trained();
    let others = sandbox.path("others");
    let done = trained
        .regard(&["eval", "run", "--data", others.to_str().unwrap()])
        .run()
        .code(0);
    assert!(done.stdout.contains("40 examples"), "{done}");
}

#[test]
fn a_folder_is_not_predicted() {
    let sandbox = Sandbox::trained();
    let done = sandbox.regard(&["predict", "run", "run"]).run().code(3);
    assert_eq!(
        done.stderr,
        "error: run is a folder, a file was expected\n\
         hint: predict takes a table, or a file with one text a line; `regard eval RUN --data FOLDER` judges a folder of labels\n"
    );
}

#[test]
fn a_file_in_a_folder_that_is_no_text_is_named() {
    let sandbox = Sandbox::new();
    folder(&sandbox, "reviews", 20);
    sandbox.write("reviews/good/0005.txt", b"caf\xe9\n");
    let done = sandbox.train("run", &["data.train=\"reviews\""]).code(3);
    assert_eq!(
        done.stderr,
        "error: reviews/good/0005.txt line 1, byte 4: invalid UTF-8; convert the file, for example with iconv -f LATIN1 -t UTF-8\n"
    );
}
