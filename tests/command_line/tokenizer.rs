//! A tokenizer by itself, from texts to a run that uses it.

use crate::support::Sandbox;

#[test]
fn a_tokenizer_from_other_texts_serves_a_run() {
    let sandbox = Sandbox::new();
    sandbox.write("public.txt", "the cat sat\n\non the mat\nthe hat\n");
    sandbox.write("more.csv", "id,body\n1,\"a cat, a mat\"\n");
    let train = |more: &[&str]| {
        let all = [&["tokenizer", "public.txt", "--out", "tokens.json"], more].concat();
        sandbox.regard(&all).run()
    };
    let done = train(&["--vocab-size", "270"]).code(0);
    assert_eq!(done.stdout, "265 tokens from 4 texts: tokens.json\n");
    let settings = ["tokenizer.file=tokens.json", "tokenizer.max_length=7"];
    sandbox.train("run", &settings).code(0);
    // The model has the pieces, and its own length.
    let bundled = String::from_utf8(sandbox.read("run/bundle/tokenizer.json")).unwrap();
    assert!(bundled.contains("\"Ġthe\""), "{bundled}");
    let more = train(&[
        "more.csv",
        "--text-column",
        "body",
        "--kind",
        "words",
        "--format",
        "json",
    ]);
    let more = more.code(0).json();
    assert_eq!(more["texts"], 5);
}

#[test]
fn what_makes_no_tokenizer_is_refused_and_the_file_of_before_stays() {
    let sandbox = Sandbox::new();
    sandbox.write("tokens.json", "as it was");
    sandbox.write("empty.txt", "");
    sandbox.write("texts.bin", "words");
    sandbox.write("bad.txt", b"good\nb\xffd\n");
    sandbox.write("table.csv", "a,b\n1,2\n");
    for (arguments, code, told) in [
        (&["empty.txt"][..], 3, "nothing to learn a vocabulary from"),
        (&["texts.bin"], 3, "name it .csv, .tsv, .jsonl, or .txt"),
        (&["bad.txt"], 3, "bad.txt line 2, byte 2"),
        (&["table.csv"], 3, "\"text\""),
        (&["missing.txt"], 3, "missing.txt"),
        (
            &["table.csv", "--text-column", "a", "--vocab-size", "3"],
            2,
            "vocab_size",
        ),
    ] {
        let all = [&["tokenizer", "--out", "tokens.json"], arguments].concat();
        let refused = sandbox.regard(&all).run().code(code);
        assert!(refused.stderr.contains(told), "{arguments:?}: {refused}");
    }
    assert_eq!(sandbox.read("tokens.json"), b"as it was");
}
