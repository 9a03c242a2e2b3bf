//! Running the program in a folder of its own.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// How long a test waits for what is bound to come, on the slowest of machines.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// A run of the program about to be made.
pub struct Regard {
    command: Command,
    input: Option<Vec<u8>>,
}

/// What a run gave.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Regard {
    /// With these arguments, in the root of the repository, away from terminals.
    pub fn new<S: AsRef<OsStr>>(arguments: &[S]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regard"));
        command
            .args(arguments)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES"] {
            command.env_remove(name);
        }
        Self {
            command,
            input: None,
        }
    }

    /// In another folder.
    pub fn inside(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// With a variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// With this on the standard input.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.command.stdin(Stdio::piped());
        self.input = Some(input.into());
        self
    }

    /// Makes the run.
    pub fn run(mut self) -> Done {
        let mut child = self.command.spawn().unwrap();
        if let (Some(input), Some(mut stdin)) = (self.input, child.stdin.take()) {
            // A program that stops reading early is no failure of the test.
            let _ = stdin.write_all(&input);
        }
        let output = child.wait_with_output().unwrap();
        Done {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Makes the run and watches its memory: the most that it held, in KiB, or 0 where the system does not tell.
    pub fn run_watched(self) -> (Done, u64) {
        self.run_fed("", "", 0)
    }

    /// The same with `first` and then `repeated`, some times over, on the standard input, as far as the program reads.
    pub fn run_fed(mut self, first: &str, repeated: &str, times: usize) -> (Done, u64) {
        if times > 0 {
            self.command.stdin(Stdio::piped());
        }
        let mut child = self.command.spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let stdin = child.stdin.take();
        let (first, repeated) = (first.to_owned(), repeated.to_owned());
        let feeder = std::thread::spawn(move || {
            let Some(mut stdin) = stdin else { return };
            let mut written = stdin.write_all(first.as_bytes());
            for _ in 0..times {
                // A program that stops reading early is no failure of the test.
                if written.is_err() {
                    return;
                }
                written = stdin.write_all(repeated.as_bytes());
            }
        });
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
            peak = peak.max(kib.unwrap_or(0));
            std::thread::sleep(Duration::from_millis(2));
        }
        feeder.join().unwrap();
        let output = child.wait_with_output().unwrap();
        let done = Done {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        (done, peak)
    }

    /// Under another program, which is given these arguments and then the command.
    #[cfg(unix)]
    pub fn under(mut self, program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .arg(self.command.get_program())
            .args(self.command.get_args())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(folder) = self.command.get_current_dir() {
            command.current_dir(folder);
        }
        self.command = command;
        self
    }

    /// With no file larger than so many blocks of 512 bytes.
    #[cfg(unix)]
    pub fn limited(self, blocks: usize) -> Self {
        let limit = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
        self.under("sh", &["-c", &limit])
    }

    /// Begins the run and lets it go on; what it says goes nowhere.
    pub fn spawn(mut self) -> Child {
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        self.command.spawn().unwrap()
    }

    /// The same, with what it says kept for who waits for its output.
    pub fn spawn_told(mut self) -> Child {
        self.command.spawn().unwrap()
    }

    /// With the results going into a file.
    pub fn stdout(mut self, file: File) -> Self {
        self.command.stdout(file);
        self
    }

    /// Makes the run with a reader that leaves before it reads anything.
    pub fn run_unread(mut self) -> Done {
        let mut child = self.command.spawn().unwrap();
        drop(child.stdout.take());
        if let (Some(input), Some(mut stdin)) = (self.input, child.stdin.take()) {
            // The program may be gone before it has read everything.
            let _ = stdin.write_all(&input);
        }
        let output = child.wait_with_output().unwrap();
        Done {
            code: output.status.code().unwrap_or(-1),
            stdout: String::new(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Done {
    /// The same, if the exit code is this one.
    #[track_caller]
    pub fn code(self, expected: i32) -> Self {
        assert_eq!(self.code, expected, "{self}");
        self
    }

    /// The report on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self}");
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// The objects on stdout, one a line.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "exit code {code}\n--- stdout\n{stdout}--- stderr\n{stderr}"
        )
    }
}

/// The numbers of a run that are not the same on every machine.
pub fn without_figures(done: &Done) -> String {
    let mut text = String::new();
    for word in done.to_string().split_inclusive([' ', '\n']) {
        let bare = word.trim_end_matches([' ', '\n', ',']);
        if bare.contains('.') && bare.parse::<f64>().is_ok() {
            let _ = write!(text, "#.####{}", &word[bare.len()..]);
        } else {
            text.push_str(word);
        }
    }
    text
}

/// A folder with data and a configuration.
pub struct Sandbox {
    folder: TempDir,
}

/// A model that is trained in a moment.
const CONFIG: &str = r#"version = 1
task = "text-classification"

[data]
train = "data.tsv"
valid = 0.2
test = 0.2

[tokenizer]
kind = "words"
max_length = 12

[model]
d_model = 16
n_layers = 1
n_heads = 2
d_ff = 16

[train]
epochs = 2
batch_size = 8
learning_rate = 2e-2
"#;

/// `n` short texts, with a word in each that tells its label.
pub fn texts(n: usize) -> Vec<(&'static str, String)> {
    const TELLING: [(&str, [&str; 3]); 2] = [
        ("bad", ["awful", "grim", "poor"]),
        ("good", ["lovely", "fine", "great"]),
    ];
    const FILLING: [&str; 8] = ["the", "a", "day", "is", "it", "was", "very", "so"];
    // Any numbers will do; these are the same everywhere.
    let mut state = 1_u64;
    let mut below = |n: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize % n
    };
    (0..n)
        .map(|i| {
            let (label, telling) = TELLING[i % 2];
            let mut words: Vec<&str> = (0..below(7)).map(|_| FILLING[below(8)]).collect();
            words.insert(below(words.len() + 1), telling[below(3)]);
            (label, words.join(" "))
        })
        .collect()
}

impl Sandbox {
    /// With `data.tsv` of 200 texts and `config.toml`.
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mut table = "id\tlabel\ttext\n".to_owned();
        for (i, (label, text)) in texts(200).into_iter().enumerate() {
            let _ = writeln!(table, "t{i}\t{label}\t{text}");
        }
        let sandbox = Self { folder };
        sandbox.write("data.tsv", table);
        sandbox.write("config.toml", CONFIG);
        sandbox
    }

    /// One that a run was made in, `run`, for tests that change nothing.
    pub fn trained() -> &'static Self {
        static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
        SANDBOX.get_or_init(|| {
            let sandbox = Self::new();
            sandbox.train("run", &[]).code(0);
            sandbox
        })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    #[track_caller]
    pub fn read(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The program in this folder.
    pub fn regard<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Regard {
        Regard::new(arguments).inside(self.folder.path())
    }

    /// `regard train` in the run folder `out`, with settings over the configuration's.
    pub fn training(&self, out: &str, settings: &[&str]) -> Regard {
        let mut arguments = vec!["train", "config.toml", "--out", out, "--threads", "2"];
        for setting in settings {
            arguments.extend(["--set", setting]);
        }
        self.regard(&arguments)
    }

    pub fn train(&self, out: &str, settings: &[&str]) -> Done {
        self.training(out, settings).run()
    }

    /// The log of a run, without what varies from one to the next.
    #[track_caller]
    pub fn events(&self, run: &str) -> Vec<Value> {
        let text = String::from_utf8(self.read(&format!("{run}/events.jsonl"))).unwrap();
        assert!(text.ends_with('\n'), "half a line");
        self.events_whole_lines(run)
    }

    /// The same for a run that was killed, which may have left half a line.
    pub fn events_whole_lines(&self, run: &str) -> Vec<Value> {
        let text = String::from_utf8(self.read(&format!("{run}/events.jsonl"))).unwrap();
        let lines = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let events = lines.map(|line| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            event.as_object_mut().unwrap().remove("volatile");
            event
        });
        events.collect()
    }

    /// The files of the bundle of a run.
    #[track_caller]
    pub fn bundle(&self, run: &str) -> [Vec<u8>; 3] {
        ["bundle.json", "weights.safetensors", "tokenizer.json"]
            .map(|name| self.read(&format!("{run}/bundle/{name}")))
    }
}

/// How many events are of this kind.
pub fn count(events: &[Value], kind: &str) -> usize {
    events.iter().filter(|event| event["kind"] == kind).count()
}
