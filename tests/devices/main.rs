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
    write_texts(folder.path());
    write_series(folder.path());
    // A software Vulkan driver needs minutes for the kernels of one model: texts stand for all there.
    for (name, config, learns, devices) in [
        ("texts", TEXTS.to_owned(), true, &["ndarray", "wgpu"][..]),
        (
            "texts-recomputed",
            format!("{TEXTS}gradient_checkpointing = \"every-block\"\nmixup = 0.5\nema = 0.9\n"),
            true,
            &["ndarray"],
        ),
        ("forecasts", forecasts(""), true, &["ndarray"]),
        (
            "quantiles",
            forecasts("quantiles = [0.1, 0.5, 0.9]\n"),
            false,
            &["ndarray"],
        ),
        ("classes", CLASSES.to_owned(), true, &["ndarray"]),
    ] {
        std::fs::write(folder.path().join(format!("{name}.toml")), config).unwrap();
        let flex = losses(folder.path(), name, "flex");
        assert_eq!(flex.len(), STEPS);
        assert!(
            !learns || flex[STEPS - 1] < flex[0] * 0.7,
            "{name}: a run that learns nothing proves nothing: {flex:?}"
        );
        for device in devices {
            let other = losses(folder.path(), name, device);
            assert_eq!(other.len(), STEPS);
            let first = (flex[0] - other[0]).abs();
            assert!(
                first < FIRST_LOSS,
                "{name}, {device}: the first loss is {first} off"
            );
            let worst = flex
                .iter()
                .zip(&other)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f64::max);
            assert!(
                worst < CURVE,
                "{name}, {device}: the curve is up to {worst} off"
            );
            println!(
                "{name}, {device}: first loss {first:.1e} from flex's, curve at most {worst:.1e}"
            );
        }
    }
}

/// Draws and noise of a private run are new every time, so its curve is nobody else's; the audit
/// measures bound and noise on the device itself.
#[test]
fn a_private_run_keeps_its_bound_and_its_noise_on_both_processor_devices() {
    let folder = tempfile::tempdir().unwrap();
    write_texts(folder.path());
    let config = format!(
        "{TEXTS}max_steps = 3\n[tokenizer]\nkind = \"bytes\"\nmax_length = 16\n[privacy]\nepsilon = 8\ndelta = 1e-3\ndataset_size = 240\n"
    );
    let config = config.replace("[tokenizer]\nkind = \"words\"\n", "");
    let config = config.replace("[data]", "[data]\nlabels = [\"land\", \"sea\"]");
    std::fs::write(folder.path().join("private.toml"), config).unwrap();
    for device in ["flex", "ndarray"] {
        let run = |arguments: &[&str]| {
            let all = [arguments, &["--device", device]].concat();
            let done = Regard::new(&all).inside(folder.path()).run();
            assert_eq!(done.code, 0, "{device}: {}{}", done.stdout, done.stderr);
        };
        run(&["audit", "private.toml"]);
        run(&["train", "private.toml", "--out", device]);
    }
}

const TEXTS: &str = r#"
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

fn forecasts(model: &str) -> String {
    format!(
        r#"
version = 1
task = "series-forecasting"
[data]
train = "series.csv"
time_column = "hour"
lookback = 24
horizon = 6
[model]
d_model = 16
n_layers = 2
n_heads = 2
d_ff = 32
dropout = 0.1
patch = {{length = 8, stride = 4}}
{model}[train]
epochs = 100
batch_size = 16
learning_rate = 3e-3
"#
    )
}

const CLASSES: &str = r#"
version = 1
task = "series-classification"
[data]
train = "classes.csv"
label_column = "label"
valid = 0.2
[model]
d_model = 16
n_layers = 1
n_heads = 2
d_ff = 32
patch = {length = 4, stride = 2}
stem = {layers = 1}
[train]
epochs = 100
batch_size = 16
learning_rate = 3e-3
"#;

/// Short texts of two kinds.
fn write_texts(folder: &Path) {
    let mut text = String::from("label\ttext\n");
    for i in 0..300 {
        let (label, words) = if i % 2 == 0 {
            ("sea", "waves salt ship harbour")
        } else {
            ("land", "hill field barn orchard")
        };
        writeln!(text, "{label}\tday {i} {words}").unwrap();
    }
    std::fs::write(folder.join("train.tsv"), text).unwrap();
}

/// A table of two channels, of which one has gaps, and series of two kinds.
fn write_series(folder: &Path) {
    let mut table = String::from("hour,load,price\n");
    for hour in 0..600_u32 {
        let load = (f64::from(hour) * 0.26).sin();
        match hour % 50 {
            7 => writeln!(table, "{hour},{load:.4},"),
            _ => writeln!(table, "{hour},{load:.4},{:.4}", load * load),
        }
        .unwrap();
    }
    std::fs::write(folder.join("series.csv"), table).unwrap();
    let steps: Vec<String> = (0..20).map(|step| format!("s{step}")).collect();
    let mut rows = format!("label,{}\n", steps.join(","));
    for row in 0..120_u32 {
        let (label, speed) = [("slow", 0.3), ("fast", 0.9)][row as usize % 2];
        let values = (0..20_u32).map(|step| f64::from(step + row % 9) * speed);
        let values: Vec<String> = values.map(|angle| format!("{:.3}", angle.sin())).collect();
        writeln!(rows, "{label},{}", values.join(",")).unwrap();
    }
    std::fs::write(folder.join("classes.csv"), rows).unwrap();
}

/// The losses of a run's steps on a device.
fn losses(folder: &Path, name: &str, device: &str) -> Vec<f64> {
    let steps = format!("train.max_steps={STEPS}");
    let (config, out) = (format!("{name}.toml"), format!("{name}-{device}"));
    let done = Regard::new(&[
        "train", &config, "--device", device, "--out", &out, "--set", &steps,
    ])
    .inside(folder)
    .run();
    assert_eq!(done.code, 0, "{name}, {device}: {}", done.stderr);
    let log = std::fs::read_to_string(folder.join(out).join("events.jsonl")).unwrap();
    log.lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|event| event["kind"] == "train")
        .map(|event| event["loss"].as_f64().unwrap())
        .collect()
}
