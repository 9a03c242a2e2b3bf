//! flex, ndarray and wgpu agree: the same initial weights, the same initial loss, the same curve.
//!
//! Built only with the features `ndarray` and `wgpu`; wgpu wants a Vulkan driver, and a software one
//! will do.

#[path = "../command_line/support.rs"]
#[expect(
    dead_code,
    reason = "shared with the other whole-program tests, which use all of it"
)]
mod support;

use std::fmt::Write as _;
use std::path::Path;

use burn::tensor::{Device, DeviceKind};
use regard_model::weights::collect;
use regard_model::{HeadConfig, TransformerConfig};
use regard_ops::Key;
use support::Regard;

/// How far the first loss may be from flex's.
const FIRST_LOSS: f64 = 1e-4;
/// How far any later loss may be from flex's: rounding differs between kernels, and a step carries
/// it on.
const CURVE: f64 = 1e-3;
const STEPS: usize = 30;

#[test]
fn the_same_seed_gives_the_same_weights_on_every_device() {
    #[expect(deprecated, reason = "offered as long as Burn has it")]
    let ndarray = Device::ndarray();
    let config = TransformerConfig::text(50, 16, HeadConfig::classification(3)).with_d_model(32);
    let [flex, ndarray, wgpu] = [
        Device::flex(),
        ndarray,
        Device::wgpu(DeviceKind::DefaultDevice),
    ]
    .map(|device| collect(&config.init(Key::new(7), &device).unwrap()));
    assert_eq!(flex, ndarray);
    assert_eq!(flex, wgpu);
}

#[test]
fn the_same_run_has_the_same_losses_on_every_device() {
    let folder = tempfile::tempdir().unwrap();
    write_data(folder.path());
    let flex = losses(folder.path(), "flex");
    assert_eq!(flex.len(), STEPS);
    assert!(
        flex[STEPS - 1] < flex[0] / 2.0,
        "a run that learns nothing proves nothing: {flex:?}"
    );
    for device in ["ndarray", "wgpu"] {
        let other = losses(folder.path(), device);
        assert_eq!(other.len(), STEPS);
        let first = (flex[0] - other[0]).abs();
        assert!(
            first < FIRST_LOSS,
            "{device}: the first loss is {first} off"
        );
        let worst = flex
            .iter()
            .zip(&other)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        assert!(worst < CURVE, "{device}: the curve is up to {worst} off");
        println!("{device}: first loss {first:.1e} from flex's, curve at most {worst:.1e}");
    }
}

/// Sixty short texts of two kinds.
fn write_data(folder: &Path) {
    let mut text = String::from("label\ttext\n");
    for i in 0..60 {
        let (label, words) = if i % 2 == 0 {
            ("sea", "waves salt ship harbour")
        } else {
            ("land", "hill field barn orchard")
        };
        writeln!(text, "{label}\tday {i} {words}").unwrap();
    }
    std::fs::write(folder.join("train.tsv"), text).unwrap();
    let config = r#"
version = 1
task = "text-classification"
[data]
train = "train.tsv"
valid = 0.2
text_column = "text"
label_column = "label"
[tokenizer]
kind = "words"
[model]
d_model = 32
n_layers = 2
n_heads = 2
d_ff = 64
[train]
epochs = 100
batch_size = 16
learning_rate = 2e-3
"#;
    std::fs::write(folder.join("run.toml"), config).unwrap();
}

/// The losses of the run's steps on a device.
fn losses(folder: &Path, device: &str) -> Vec<f64> {
    let steps = format!("train.max_steps={STEPS}");
    let done = Regard::new(&[
        "train", "run.toml", "--device", device, "--out", device, "--set", &steps,
    ])
    .inside(folder)
    .run();
    assert_eq!(done.code, 0, "{device}: {}", done.stderr);
    let log = std::fs::read_to_string(folder.join(device).join("events.jsonl")).unwrap();
    log.lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|event| event["kind"] == "train")
        .map(|event| event["loss"].as_f64().unwrap())
        .collect()
}
