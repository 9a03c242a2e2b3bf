//! Training that starts from a trained model.

use crate::support::{Sandbox, texts};

fn weights(sandbox: &Sandbox, run: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = sandbox.read(&format!("{run}/bundle/weights.safetensors"));
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let tensors = header.as_object().unwrap().iter();
    tensors
        .filter(|(name, _)| *name != "__metadata__")
        .map(|(name, tensor)| {
            let at = |i: usize| 8 + length + tensor["data_offsets"][i].as_u64().unwrap() as usize;
            (name.clone(), bytes[at(0)..at(1)].to_vec())
        })
        .collect()
}

#[test]
fn a_head_for_other_labels_is_trained_on_what_another_model_has_learned() {
    let sandbox = Sandbox::new();
    sandbox.train("base", &[]).code(0);
    let rows = texts(90).into_iter().enumerate().map(|(row, (_, text))| {
        let label = ["one", "two", "three"][row % 3];
        format!("{label}\t{text} {label}\n")
    });
    let rows: String = rows.collect();
    sandbox.write("other.tsv", format!("label\ttext\n{rows}"));
    let settings = ["data.train=other.tsv", "train.init_from=base"];
    let head = [&settings[..], &["train.trainable=head"]].concat();
    let done = sandbox.train("head", &head).code(0);
    assert!(
        done.stderr.contains("weights of base, trained for "),
        "{done}"
    );
    assert!(done.stderr.contains("; the head starts afresh"), "{done}");
    // Everything below the head is the base's, to the bit, and so is the tokenizer.
    let base = weights(&sandbox, "base");
    for (name, bytes) in weights(&sandbox, "head") {
        let same = base
            .iter()
            .any(|(other, values)| *other == name && *values == bytes);
        assert_eq!(same, !name.starts_with("head."), "{name}");
    }
    let vocabulary = |run: &str| {
        let json = sandbox.read(&format!("{run}/bundle/tokenizer.json"));
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        json["model"]["vocab"].clone()
    };
    assert_eq!(vocabulary("head"), vocabulary("base"));
    // It goes on from its own checkpoint, whatever has become of the base's weights.
    let more = [&head[..], &["train.epochs=9"]].concat();
    sandbox.train("head", &more).code(0);
}

#[test]
fn a_model_of_other_sizes_or_none_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.train("base", &[]).code(0);
    sandbox.write("tokens.json", "{}");
    for (setting, code, told) in [
        ("model.d_ff=12", 4, "feed_forward.up.weight: expected [12, "),
        ("model.n_layers=3", 4, "blocks.2.norm1.weight: expected "),
        (
            "tokenizer.file=tokens.json",
            2,
            "expected nothing beside `train.init_from`",
        ),
        ("train.init_from=missing", 4, "missing"),
    ] {
        let settings = ["train.init_from=base", setting];
        let refused = sandbox.train("other", &settings).code(code);
        assert!(refused.stderr.contains(told), "{setting}: {refused}");
    }
}
