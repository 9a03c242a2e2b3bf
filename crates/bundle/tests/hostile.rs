//! Bundles that somebody changed, by accident or on purpose: an error each, and no panic.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use burn::tensor::Device;
use common::save;
use proptest::prelude::*;
use proptest::sample::Index;
use regard_bundle::{Bundle, BundleError};
use serde_json::{Value, json};

/// The files of a sound bundle.
fn sound() -> &'static BTreeMap<String, Vec<u8>> {
    static FILES: OnceLock<BTreeMap<String, Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("bundle");
        save(&target);
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        };
        std::fs::read_dir(&target).unwrap().map(read).collect()
    })
}

/// Loads the sound bundle with one file changed.
fn load_with(name: &str, content: &[u8]) -> Result<Bundle, BundleError> {
    let folder = tempfile::tempdir().unwrap();
    for (file, bytes) in sound() {
        let bytes = if file == name { content } else { bytes };
        std::fs::write(folder.path().join(file), bytes).unwrap();
    }
    Bundle::load(folder.path(), &Device::flex())
}

fn described() -> Value {
    serde_json::from_slice(&sound()["bundle.json"]).unwrap()
}

/// With the hash that belongs to it, as somebody who means harm would.
fn load_described(info: &Value) -> Result<Bundle, BundleError> {
    load_with("bundle.json", sealed(info).as_bytes())
}

fn sealed(info: &Value) -> String {
    let mut info = info.clone();
    if let Some(fields) = info.as_object_mut() {
        fields.remove("blake3");
    }
    let text = serde_json::to_string_pretty(&info).unwrap();
    match text.strip_prefix("{\n") {
        Some(rest) => {
            let hash = blake3::hash(rest.as_bytes()).to_hex();
            format!("{{\n  \"blake3\": \"{hash}\",\n{rest}")
        }
        None => text,
    }
}

#[track_caller]
fn refused(info: &Value) -> String {
    load_described(info).unwrap_err().to_string()
}

#[test]
fn the_bundle_that_the_tests_change_is_sound() {
    assert_eq!(sound().len(), 3);
    load_described(&described()).unwrap();
}

#[test]
fn every_flipped_bit_of_the_description_is_found() {
    let bytes = &sound()["bundle.json"];
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        let error = load_with("bundle.json", &changed).unwrap_err();
        // Within the first line there is nothing yet to check by.
        assert!(
            place < 100 || matches!(error, BundleError::Damaged { .. }),
            "byte {place}: {error}"
        );
    }
    let error = load_with("bundle.json", &bytes[..bytes.len() - 1]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is damaged: expected the BLAKE3 hash"),
        "{error}"
    );
}

#[test]
fn a_description_of_version_1_has_no_hash_and_is_read_all_the_same() {
    let mut info = described();
    info.as_object_mut().unwrap().remove("blake3");
    let write = |info: &Value| load_with("bundle.json", &serde_json::to_vec(info).unwrap());
    assert_eq!(
        write(&info)
            .unwrap_err()
            .to_string()
            .split("bundle.json ")
            .nth(1),
        Some(
            "is damaged: expected its own BLAKE3 hash in its first line, found none; copy the bundle again or train it anew"
        )
    );
    info["format_version"] = json!(1);
    write(&info).unwrap();
}

#[test]
fn every_flipped_bit_of_weights_and_tokenizer_is_found() {
    for name in ["weights.safetensors", "tokenizer.json"] {
        let bytes = &sound()[name];
        for place in (0..bytes.len()).step_by(bytes.len() / 100) {
            let mut changed = bytes.clone();
            changed[place] ^= 1 << (place % 8);
            match load_with(name, &changed) {
                Err(BundleError::Damaged { path, .. }) => assert!(path.ends_with(name)),
                other => panic!("{name} byte {place}: {other:?}"),
            }
        }
        for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            let error = load_with(name, &bytes[..length]).unwrap_err();
            let expected = format!("expected {} bytes, found {length}", bytes.len());
            assert!(error.to_string().contains(&expected), "{error}");
        }
    }
}

#[test]
fn a_missing_file_is_named() {
    for name in ["weights.safetensors", "tokenizer.json"] {
        let folder = tempfile::tempdir().unwrap();
        for (file, bytes) in sound().iter().filter(|(file, _)| *file != name) {
            std::fs::write(folder.path().join(file), bytes).unwrap();
        }
        let error = Bundle::load(folder.path(), &Device::flex()).unwrap_err();
        assert!(matches!(error, BundleError::Io { .. }));
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn another_version_is_refused_before_anything_is_understood() {
    let error = refused(&json!({"format_version": 3, "regard_version": "9", "files": {}}));
    assert!(
        error.ends_with(
            "bundle.json has format version 3, this program reads versions up to 2: use the Regard that \
             wrote it, or train again"
        ),
        "{error}"
    );
}

#[test]
fn a_description_cannot_claim_more_memory_than_the_weights_take() {
    for (path, size) in [
        ("d_model", 1_u64 << 40),
        ("n_layers", u64::MAX),
        ("d_ff", 1 << 60),
        ("embedding/vocab_size", u64::MAX),
        ("embedding/max_length", 1 << 50),
    ] {
        let mut info = described();
        *info.pointer_mut(&format!("/model/{path}")).unwrap() = json!(size);
        let error = refused(&info);
        assert!(error.contains("the model has at least "), "{path}: {error}");
    }
    let mut info = described();
    info["model"]["head"]["n_classes"] = json!(1_u64 << 50);
    assert!(refused(&info).contains("classes and the bundle 3 labels"));
}

#[test]
fn parts_that_do_not_fit_are_refused_by_name() {
    let changed = |path: &str, value: Value| {
        let mut info = described();
        *info.pointer_mut(path).unwrap() = value;
        refused(&info)
    };
    for (path, value, message) in [
        (
            "/labels",
            json!(["ham", "spam"]),
            "3 classes and the bundle 2 labels",
        ),
        (
            "/model/n_heads",
            json!(3),
            "n_heads (3) does not divide d_model (8)",
        ),
        ("/model/n_heads", json!(0), "n_heads is 0: give at least 1"),
        ("/model/d_ff", json!(11), "has the shape"),
        (
            "/model/n_layers",
            json!(1),
            "blocks.1.attention.qkv.weight is not a parameter of the model",
        ),
        (
            "/model/dropout",
            json!(1.5),
            "dropout is 1.5: a rate lies in [0, 1)",
        ),
        (
            "/model/embedding/vocab_size",
            json!(2),
            "the tokenizer makes",
        ),
        (
            "/model/embedding/max_length",
            json!(2),
            "the tokenizer makes",
        ),
        (
            "/model/activation",
            json!("swish"),
            "unknown variant `swish`",
        ),
        ("/files", json!({}), "it names no file tokenizer.json"),
        ("/step", json!(-1), "invalid value"),
    ] {
        let error = changed(path, value);
        assert!(error.contains(message), "{path}: {error}");
    }
    let mut info = described();
    info["modle"] = json!(1);
    assert!(refused(&info).contains("unknown field `modle`"));
}

#[test]
fn files_that_the_description_names_are_not_looked_up_elsewhere() {
    let mut info = described();
    let record = info["files"]["weights.safetensors"].take();
    info["files"] = json!({"../weights.safetensors": record, "/etc/passwd": record});
    assert!(refused(&info).contains("it names no file tokenizer.json"));
}

/// Values that programs tend to trip over.
fn poison() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (0..20_u64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[[[[]]]]])),
    ]
}

/// Every place of a JSON value, as pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{i}"), found);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                let name = name.replace('~', "~0").replace('/', "~1");
                places(item, &format!("{at}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// Either an error, or a bundle that works.
fn survives(loaded: Result<Bundle, BundleError>) {
    match loaded {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(bundle) => {
            let texts = ["", "win a prize of 1000 now"];
            let answers = bundle.text_classifier().unwrap().predict(&texts).unwrap();
            assert_eq!(answers.len(), 2);
        }
    }
}

/// `PROPTEST_CASES` where it is set, as `just torture` does.
fn cases(usually: u32) -> u32 {
    let set = std::env::var("PROPTEST_CASES").ok();
    set.and_then(|n| n.parse().ok()).unwrap_or(usually)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(300)))]

    #[test]
    fn no_value_in_the_description_makes_a_panic(at: Index, value in poison()) {
        let mut info = described();
        let mut found = Vec::new();
        places(&info, "", &mut found);
        *info.pointer_mut(at.get::<String>(&found)).unwrap() = value;
        survives(load_described(&info));
    }

    #[test]
    fn no_changed_bytes_of_the_description_make_a_panic(
        at: Index, bytes in prop::collection::vec(any::<u8>(), 0..6), cut in 0..6_usize,
    ) {
        let mut changed = sound()["bundle.json"].clone();
        let start = at.index(changed.len());
        let end = (start + cut).min(changed.len());
        changed.splice(start..end, bytes);
        survives(load_with("bundle.json", &changed));
    }

    #[test]
    fn no_bytes_at_all_make_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survives(load_with("bundle.json", &bytes));
    }
}

#[test]
fn deep_nesting_is_an_error() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = format!(r#"{{"format_version":1,"regard_version":"0","files":{{}},"x":{deep}}}"#);
    let error = load_with("bundle.json", text.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("recursion limit"), "{error}");
}

#[test]
fn a_link_to_a_device_without_end_is_no_bundle() {
    if !Path::new("/dev/zero").exists() {
        return;
    }
    #[cfg(unix)]
    {
        let folder = tempfile::tempdir().unwrap();
        for (file, bytes) in sound() {
            if file == "weights.safetensors" {
                std::os::unix::fs::symlink("/dev/zero", folder.path().join(file)).unwrap();
            } else {
                std::fs::write(folder.path().join(file), bytes).unwrap();
            }
        }
        let error = Bundle::load(folder.path(), &Device::flex()).unwrap_err();
        assert!(matches!(error, BundleError::Damaged { .. }), "{error}");
    }
}
