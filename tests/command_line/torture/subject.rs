//! Small runs of each kind in which everything random or remembered is on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Regard, Sandbox};

const ALWAYS: [&str; 11] = [
    "train.batch_size=12",
    "train.micro_batch=5",
    "train.shards=2",
    "train.ema=0.9",
    "train.gradient_checkpointing=every-block",
    "model.n_layers=3",
    "model.dropout=0.2",
    "model.attention_dropout=0.1",
    "eval.every=7",
    "checkpoint.every_steps=3",
    // A warning of the whole run, which its log has once.
    "train.warmup=50 epochs",
];

/// What is trained.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Text,
    Forecasts,
    Classes,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Text, Self::Forecasts, Self::Classes];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Forecasts => "forecasts",
            Self::Classes => "classes of series",
        }
    }

    const fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["train.mixup=0.5", "train.word_dropout=0.1"],
            Self::Forecasts => &[],
            Self::Classes => &["train.mixup=0.5", "train.jitter=0.1", "train.scaling=0.1"],
        }
    }
}

/// A folder in which a run of some kind was made without any fault, `whole`, and others are made.
pub struct Subject {
    pub sandbox: Sandbox,
    kind: Kind,
    steps: usize,
}

impl Subject {
    /// With a run of so many steps.
    pub fn new(kind: Kind, steps: usize) -> Self {
        let sandbox = Sandbox::new();
        match kind {
            Kind::Text => {}
            Kind::Forecasts => forecasts(&sandbox),
            Kind::Classes => classes(&sandbox),
        }
        let subject = Self {
            sandbox,
            kind,
            steps,
        };
        subject.training("whole").run().code(0);
        subject
    }

    /// `regard train` into the folder `out`.
    pub fn training(&self, out: &str) -> Regard {
        let most = format!("train.max_steps={}", self.steps);
        let mut settings = [&ALWAYS[..], self.kind.settings()].concat();
        settings.extend(["train.epochs=1000", &most]);
        self.sandbox.training(out, &settings)
    }

    /// The files of a run that was killed behind its second save, and the step of its newest checkpoint.
    pub fn begun(&self) -> (BTreeMap<String, Vec<u8>>, u64) {
        let saved = self.sandbox.path("begun/checkpoints/step-0000000006");
        loop {
            let mut child = self.training("begun").spawn();
            while !saved.exists() && child.try_wait().unwrap().is_none() {}
            child.kill().unwrap();
            // It may have been so fast that it is over.
            if child.wait().unwrap().code().is_none() {
                break;
            }
            fs::remove_dir_all(self.sandbox.path("begun")).unwrap();
        }
        let newest = self.newest("begun", 6).unwrap();
        (contents(&self.sandbox.path("begun")), newest)
    }

    /// The step of a run's newest checkpoint, every byte of all of them compared with its hash.
    ///
    /// # Errors
    ///
    /// If something is damaged, or step `least` was saved and is gone.
    pub fn newest(&self, run: &str, least: u64) -> Result<u64, String> {
        if !self.sandbox.path(run).join("config.toml").exists() {
            return match least {
                0 => Ok(0),
                _ => Err(format!("{run} is gone")),
            };
        }
        let verified = self
            .sandbox
            .regard(&["verify", run, "--format", "json"])
            .run();
        if verified.code != 0 {
            return Err(verified.to_string());
        }
        let report = verified.json();
        let rows = report["rows"].as_array().unwrap();
        let steps = rows.iter().filter_map(|row| {
            let (_, step) = row["path"].as_str()?.split_once("checkpoints/step-")?;
            step[..10].parse().ok()
        });
        let step = steps.max().unwrap_or(0);
        match step >= least {
            true => Ok(step),
            false => Err(format!(
                "step {least} was saved, the newest is {step}: {report}"
            )),
        }
    }

    /// Lets a run go on to its end, and says what is not as in the one without faults.
    pub fn difference(&self, run: &str) -> Option<String> {
        let done = self.training(run).run();
        if done.code != 0 {
            return Some(format!("does not go on: {done}"));
        }
        // The page tells times and paths.
        let files = |run: &str| {
            let mut files = contents(&self.sandbox.path(run));
            files.remove("report.html");
            files
        };
        let (mut whole, mut found) = (files("whole"), files(run));
        let expected = self.sandbox.events("whole");
        // The newest checkpoint and the best one always stay. Which others do depends on saves that were
        // asked for, and a kill may come before the last removal; each was proved whole by its hashes.
        let best = expected.last().and_then(|end| end["best_step"].as_u64());
        let stays = [
            best.expect("a run that is done names its best step"),
            self.steps as u64,
        ]
        .map(|step| format!("checkpoints/step-{step:010}/"));
        let counts = |name: &String| {
            !name.starts_with("checkpoints/step-")
                || stays.iter().any(|folder| name.starts_with(folder))
        };
        whole.retain(|name, _| counts(name));
        found.retain(|name, _| counts(name));
        assert!(whole.contains_key(&format!("{}manifest.json", stays[0])));
        let mut events = self.sandbox.events(run);
        events.retain(|event| expected.contains(event) || !is_of_the_disk(event));
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        if names(&whole) != names(&found) {
            return Some(format!(
                "{:?} instead of {:?}",
                names(&found),
                names(&whole)
            ));
        }
        let differs = |name: &&String| match name.as_str() {
            "events.jsonl" => events != expected,
            // Its process is another, and a manifest counts the log's volatile bytes.
            "run.lock" => false,
            name if name.ends_with("manifest.json") => state(&found[name]) != state(&whole[name]),
            name => found[name] != whole[name],
        };
        let different: Vec<&String> = whole.keys().filter(differs).collect();
        match different.is_empty() {
            true => None,
            false => Some(format!("other bytes in {different:?}")),
        }
    }
}

/// Whether a line of the log tells of a save that was asked for, or of an older checkpoint that could not be removed.
fn is_of_the_disk(event: &Value) -> bool {
    let message = event["message"].as_str().unwrap_or("");
    event["kind"] == "checkpoint"
        || message.starts_with("cannot remove ")
        || message.starts_with("cannot rename ")
}

/// The state in a manifest without the length of the log, whose lines tell times.
fn state(manifest: &[u8]) -> Value {
    let mut manifest: Value = serde_json::from_slice(manifest).unwrap();
    let mut state = manifest["manifest"]["state"].take();
    state.as_object_mut().unwrap().remove("log_offset");
    state
}

/// Every file below a folder by its path.
pub fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Puts these files into an empty folder.
pub fn restore(folder: &Path, files: &BTreeMap<String, Vec<u8>>) {
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// 150 hours of two channels that repeat themselves every 12 hours.
fn forecasts(sandbox: &Sandbox) {
    let mut table = "time,load,heat\n".to_owned();
    for t in 0..150_u32 {
        let (day, hour) = (1 + t / 24, t % 24);
        let wave = (f64::from(t) * std::f64::consts::TAU / 12.0).sin();
        let _ = writeln!(
            table,
            "2024-01-{day:02}T{hour:02}:00,{:.4},{:.4}",
            10.0 + wave,
            50.0 - 3.0 * wave
        );
    }
    sandbox.write("table.csv", table);
    sandbox.write(
        "config.toml",
        "version = 1\ntask = \"series-forecasting\"\n[data]\ntrain = \"table.csv\"\ntime_column = \"time\"\n\
         lookback = 24\nhorizon = 6\n[data.split]\ntrain = 0.6\nvalid = 0.2\ntest = 0.2\n\
         [model]\nd_model = 8\nn_heads = 2\nd_ff = 16\n[model.patch]\nlength = 6\nstride = 3\n\
         [train]\nlearning_rate = 5e-3\n",
    );
}

/// 60 series of unequal lengths that rise or fall.
fn classes(sandbox: &Sandbox) {
    let mut text = "@classLabel true up down\n@data\n".to_owned();
    for i in 0..60_i32 {
        let (slope, label) = if i % 2 == 0 { (1, "up") } else { (-1, "down") };
        let values = (0..(6 + i % 5)).map(|t| (slope * t + i % 3).to_string());
        let _ = writeln!(text, "{}:{label}", values.collect::<Vec<_>>().join(","));
    }
    sandbox.write("slopes.ts", text);
    sandbox.write(
        "config.toml",
        "version = 1\ntask = \"series-classification\"\n[data]\ntrain = \"slopes.ts\"\nvalid = 0.2\ntest = 0.2\n\
         [model]\nd_model = 8\nn_heads = 2\nd_ff = 16\n[model.stem]\nlayers = 1\nkernel = 3\n\
         [train]\nlearning_rate = 5e-3\n",
    );
}
