//! Why a run cannot begin or go on.

use std::path::PathBuf;

/// An error of a training run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),

    /// Training cannot start from a trained model.
    #[error(
        "training cannot start from {path}: {}; take its sizes over from its config.toml, or leave train.init_from out",
        problems.join("; ")
    )]
    InitFrom {
        /// The bundle, or the run that holds it.
        path: std::path::PathBuf,
        /// What does not fit.
        problems: Vec<String>,
    },

    /// The data is wrong.
    #[error(transparent)]
    Data(#[from] regard_data::DataError),

    /// The model cannot be made, or weights do not fit it.
    #[error(transparent)]
    Model(#[from] regard_model::ModelError),

    /// The bundle cannot be written or read.
    #[error(transparent)]
    Bundle(#[from] regard_bundle::BundleError),

    /// An output is not finite.
    #[error(transparent)]
    Metrics(#[from] crate::metrics::MetricsError),

    /// The log cannot be written.
    #[error(transparent)]
    Log(#[from] crate::log::LogError),

    /// The run folder is in use.
    #[error(transparent)]
    Lock(#[from] crate::lock::LockError),

    /// A checkpoint cannot be written or read.
    #[error(transparent)]
    Store(#[from] crate::checkpoint::CheckpointError),

    /// A checkpoint is whole and yet not this run's.
    #[error(
        "{what} does not fit this run: {}; use another folder with --out",
        .problems.join("; ")
    )]
    Checkpoint {
        /// The checkpoint.
        what: String,
        /// What does not fit.
        problems: Vec<String>,
    },

    /// The windows of the training part have no ridge.
    #[error(
        "no penalty gives the training part a ridge to begin with: set model.linear_skip = \"zero\""
    )]
    NoRidge,

    /// A part has no value to hold forecasts against.
    #[error("{path}: every value of the {part} part is missing, so nothing can be judged by it: give other rows", path = path.display())]
    NothingKnown {
        /// The file.
        path: PathBuf,
        /// The part.
        part: &'static str,
    },

    /// No row of the test part is labelled as anomalous.
    #[error(
        "{path}: no row of the test part lies in any of its {windows} windows, so scores cannot be judged by them: see whether both have the same clock, or leave anomaly.windows out",
        path = path.display()
    )]
    NoLabelledStep {
        /// The file of labelled windows.
        path: PathBuf,
        /// How many there are.
        windows: usize,
    },

    /// A part's file holds the rows of another part.
    #[error(
        "{path} holds the same rows as another part, so the {part} part tells nothing: give other data, or leave the key out",
        path = path.display()
    )]
    SamePart {
        /// The file.
        path: PathBuf,
        /// The part.
        part: &'static str,
    },

    /// A file is not one that a task can be proposed for.
    #[error("{path}: {asked} needs {wanted}; found {found}", path = path.display())]
    NotForTask {
        /// The file.
        path: PathBuf,
        /// The task that was asked for.
        asked: &'static str,
        /// What it needs.
        wanted: &'static str,
        /// What the columns of the file hold.
        found: String,
    },

    /// A file without columns.
    #[error(
        "{path} is read as plain lines, which have no labels and no times; where it is a table, give --input-format",
        path = path.display()
    )]
    PlainLines {
        /// The file.
        path: PathBuf,
    },

    /// Series that no parts can be made of.
    #[error(
        "{path}: series of {rows} row{s} are too short for parts to train on, to choose by and to measure on; {asked} needs at least {least} rows",
        path = path.display(),
        s = if *rows == 1 { "" } else { "s" }
    )]
    SeriesTooShort {
        /// The file.
        path: PathBuf,
        /// What was to be proposed.
        asked: &'static str,
        /// Rows of a series.
        rows: usize,
        /// How many it must have.
        least: usize,
    },

    /// Whole series that no parts can be made of.
    #[error(
        "{path}: {series} series of {labels} label{s} are too few to hold out parts of, with series of several labels in each; give more, other files with --valid and --test, or another --label-column",
        path = path.display(),
        s = if *labels == 1 { "" } else { "s" }
    )]
    TooFewSeries {
        /// The file.
        path: PathBuf,
        /// How many there are.
        series: usize,
        /// How many labels they have.
        labels: usize,
    },

    /// A first row of private data that names no columns.
    #[error(
        "the first row of {path} looks like data and not like names, of which alone a private proposal is made; put a row of names in front, or write a configuration with data.header = false and columns by number",
        path = path.display()
    )]
    HeaderIsData {
        /// The file.
        path: PathBuf,
    },

    /// The data has changed since the run began.
    #[error(
        "the data is not the data that the run in {folder} began with: restore it, or begin another run with --out",
        folder = folder.display()
    )]
    OtherData {
        /// The run's folder.
        folder: PathBuf,
    },

    /// The loss or the gradient is not finite; no update was made with it.
    #[error(
        "the {what} became {value} in step {step} (epoch {epoch}, batch {batch}), before its update; {}; lower train.learning_rate, lengthen train.warmup or set train.max_grad_norm",
        match last_checkpoint {
            Some(step) => format!("the last good checkpoint is of step {step}"),
            None => "no checkpoint was saved yet".to_owned(),
        }
    )]
    Diverged {
        /// The loss, or the gradient's norm.
        what: &'static str,
        /// What it became.
        value: f64,
        /// The step that was not made, counted from 1.
        step: u64,
        /// The epoch, counted from 0.
        epoch: u64,
        /// The number of the draw inside the epoch.
        batch: u64,
        /// The step of the newest checkpoint.
        last_checkpoint: Option<u64>,
    },

    /// Parameters that are to be trained have no gradient in the first step.
    #[error(
        "no gradient reaches {} in the first step, so they would never be trained; this is a fault of the model: \
         please report it with the configuration",
        .parameters.join(", ")
    )]
    NoGradient {
        /// Their names.
        parameters: Vec<String>,
    },

    /// The run was asked to end.
    #[error(
        "stopped after step {step}, which is saved in {folder}; the same command continues the run",
        folder = folder.display()
    )]
    Stopped {
        /// The steps made.
        step: u64,
        /// The run's folder.
        folder: PathBuf,
    },

    /// There are not as many class weights as classes.
    #[error(
        "`train.class_weights` has {found} numbers, the training data has {expected} labels: give one number \
         a label, in the order of `data.labels` (or of the sorted labels), or \"balanced\""
    )]
    ClassWeights {
        /// The number of labels.
        expected: usize,
        /// The number of weights.
        found: usize,
    },

    /// A value is missing in data for a model that was trained without such.
    #[error(
        "{path}: the value of {column} in row {row} is missing, and the model's training data had no missing values; fill it in, or train on data with gaps",
        path = path.display()
    )]
    MissingValue {
        /// The file.
        path: PathBuf,
        /// The channel.
        column: String,
        /// The row of its series, from 1.
        row: usize,
    },

    /// A series is longer than any that the model knows.
    #[error(
        "{path} line {line}: a series of {steps} steps, expected at most {most}, the longest that the model knows; shorten it, or train on longer ones",
        path = path.display()
    )]
    LongSeries {
        /// The file.
        path: PathBuf,
        /// Where the series begins.
        line: u64,
        /// Its length.
        steps: usize,
        /// The longest.
        most: usize,
    },

    /// Something that is there for texts alone.
    #[error("{what} is there for text-classification, this is {task}")]
    TextAlone {
        /// What was asked for.
        what: &'static str,
        /// The task.
        task: String,
    },

    /// The model cannot be trained in the memory of this machine.
    #[error(
        "the model has {parameters} parameters; weights, gradient and the optimiser's moments alone take {:.1} GiB, this machine has {:.1} GiB; lower model.d_model, model.n_layers, model.d_ff or tokenizer.vocab_size",
        *needed_bytes as f64 / f64::from(1 << 30),
        *machine_bytes as f64 / f64::from(1 << 30)
    )]
    TooLarge {
        /// Trainable numbers.
        parameters: u64,
        /// The least memory that they take in training.
        needed_bytes: u64,
        /// The memory of this machine.
        machine_bytes: u64,
    },

    /// No choice of stages that run again keeps the limit on memory.
    #[error(
        "`train.gradient_checkpointing`: {problem} (batches of {rows} rows of {length} positions at most); \
         allow more, or lower train.micro_batch"
    )]
    TooLittleMemory {
        /// What is allowed and what is needed.
        problem: regard_model::gradient_checkpointing::TooLittleMemory,
        /// The most rows of a batch.
        rows: usize,
        /// The most positions of a row.
        length: usize,
    },

    /// More labels are declared than a classifier can tell apart here.
    #[error("data.labels has {found} labels, expected at most {most}")]
    TooManyLabels {
        /// The most that are taken.
        most: usize,
        /// How many there are.
        found: usize,
    },

    /// No column can be what a configuration needs.
    #[error(
        "{path}: expected {wanted}, found {found}; name the columns with --text-column and --label-column",
        path = path.display()
    )]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        wanted: String,
        /// The columns that are there.
        found: String,
    },

    /// The ranges of a search hold nothing that could be trained.
    #[error(
        "none of {attempts} draws from [tune.ranges] makes a configuration; of the last one: {problem}"
    )]
    NoSettings {
        /// How often settings were drawn.
        attempts: u64,
        /// What is wrong with the last ones.
        problem: String,
    },

    /// The folder of a search holds one that was begun otherwise.
    #[error(
        "the search in {folder} was begun with {what}; say the same to continue it, or begin another one with --out",
        folder = folder.display()
    )]
    OtherSearch {
        /// The search's folder.
        folder: PathBuf,
        /// What is not the same.
        what: String,
    },

    /// The file of a search cannot be understood.
    #[error(
        "{path} is no search that this version can continue: {problem}; begin another one with --out",
        path = path.display()
    )]
    SearchFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// Nothing came out of a search.
    #[error("all {n_trials} trials of the search failed; the first one: {first}")]
    AllTrialsFailed {
        /// How many there were.
        n_trials: usize,
        /// Why the first one failed.
        first: String,
    },

    /// The operating system gives no random bytes, and noise from anywhere else would not hide anything.
    #[error("the operating system gives no random bytes: {reason}; private training needs them")]
    Entropy {
        /// What it says.
        reason: String,
    },

    /// A parameter cannot be trained privately.
    #[error(
        "private training needs a per-unit rule for every parameter: {what}; train fewer parameters with train.trainable, or without [privacy]"
    )]
    NoUnitRule {
        /// Which, and why.
        what: String,
    },

    /// A budget cannot be accounted for.
    #[error(transparent)]
    Accounting(#[from] regard_accounting::AccountingError),

    /// The ledger of a private run is gone, shorter than it was, or another run's.
    #[error(
        "the privacy ledger {path}: {problem}; without it nobody knows what was spent: restore it, or begin another run with --out",
        path = path.display()
    )]
    Ledger {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// A part of a private run's settings is missing or does not fit the data.
    #[error("{what}")]
    Privacy {
        /// What, and how to mend it.
        what: String,
    },

    /// A file of the run cannot be read or written.
    #[error("cannot access {path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}
