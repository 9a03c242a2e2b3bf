//! What an error costs, and how it is told.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done; also if whoever read the output left |
//! | 1 | the run failed |
//! | 2 | usage or configuration |
//! | 3 | data |
//! | 4 | a model's or checkpoint's file |
//! | 5 | input, output or disk |
//! | 130, 143 | stopped by SIGINT, SIGTERM |

use std::error::Error;
use std::fmt;
use std::io;

use regard_accounting::AccountingError;
use regard_bundle::BundleError;
use regard_data::DataError;
use regard_model::ModelError;
use regard_trainer::TrainError;
use regard_trainer::checkpoint::CheckpointError;
use regard_trainer::config::ConfigError;
use regard_trainer::lock::LockError;
use regard_trainer::log::LogError;
use regard_trainer::metrics::MetricsError;

use crate::output::Printer;

/// The exit codes of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// All is done.
    Done = 0,
    /// The run failed.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The data is wrong.
    Data = 3,
    /// A file of a model or a checkpoint is wrong.
    Model = 4,
    /// The file system, or another part of the machine, refused.
    Io = 5,
    /// SIGINT ended it, and it was saved.
    Interrupted = 130,
    /// SIGTERM ended it, and it was saved.
    Terminated = 143,
}

impl From<Code> for std::process::ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// An error of the command line: what nobody can know before the program runs.
#[derive(Debug)]
pub struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Error for UsageError {}

/// A failure that a report has told already: all that is left is the code.
#[derive(Debug)]
pub struct Told(pub Code);

impl fmt::Display for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the report says what is wrong")
    }
}

impl Error for Told {}

/// An error with advice. It stands in the place of the error: same text, same cause, same code.
#[derive(Debug)]
struct Hinted {
    hint: String,
    error: anyhow::Error,
}

impl fmt::Display for Hinted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

impl Error for Hinted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// Adds advice to errors.
pub trait HintExt<T> {
    /// The same error, with a `hint:` line.
    fn hint(self, hint: impl fmt::Display) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> HintExt<T> for Result<T, E> {
    fn hint(self, hint: impl fmt::Display) -> anyhow::Result<T> {
        self.map_err(|error| {
            anyhow::Error::new(Hinted {
                hint: hint.to_string(),
                error: error.into(),
            })
        })
    }
}

/// Tells an error on stderr and gives the program's exit code.
pub fn tell(error: &anyhow::Error, printer: &Printer) -> Code {
    let mut hints = Vec::new();
    let chain: Vec<&(dyn Error + 'static)> = error
        .chain()
        .map(|error| without_hints(error, &mut hints))
        .collect();
    if chain.iter().any(|error| is_closed_pipe(*error)) {
        return Code::Done;
    }
    if let Some(told) = chain.iter().find_map(|error| error.downcast_ref::<Told>()) {
        return told.0;
    }
    let mut told = error.to_string();
    printer.error(&told);
    for cause in chain.iter().skip(1).map(ToString::to_string) {
        // Some errors already end with their cause.
        if !told.contains(&cause) {
            printer.cause(&cause);
        }
        told = cause;
    }
    for hint in hints {
        printer.hint(hint);
    }
    // The outermost error that has a code knows best.
    chain.into_iter().find_map(code_of).unwrap_or(Code::Failed)
}

fn without_hints<'a>(
    mut error: &'a (dyn Error + 'static),
    hints: &mut Vec<&'a str>,
) -> &'a (dyn Error + 'static) {
    while let Some(hinted) = error.downcast_ref::<Hinted>() {
        hints.push(&hinted.hint);
        error = hinted.error.as_ref();
    }
    error
}

/// Whoever read stdout has left, as `head` does: no failure. Pipes are written nowhere else.
fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn code_of(error: &(dyn Error + 'static)) -> Option<Code> {
    macro_rules! codes {
        ($($kind:ty => $code:expr),+ $(,)?) => {
            $(if let Some(error) = error.downcast_ref::<$kind>() {
                let code: fn(&$kind) -> Code = $code;
                return Some(code(error));
            })+
        };
    }
    codes! {
        UsageError => |_| Code::Usage,
        AccountingError => |_| Code::Usage,
        TrainError => of_training,
        ConfigError => |_| Code::Usage,
        DataError => of_data,
        ModelError => of_model,
        BundleError => of_bundle,
        CheckpointError => of_checkpoint,
        LockError => of_lock,
        LogError => |_| Code::Io,
        MetricsError => |_| Code::Failed,
        io::Error => |_| Code::Io,
    }
    None
}

fn of_training(error: &TrainError) -> Code {
    match error {
        TrainError::Config(_)
        | TrainError::ClassWeights { .. }
        | TrainError::TooLarge { .. }
        | TrainError::TooLittleMemory { .. }
        | TrainError::NoSettings { .. }
        | TrainError::OtherSearch { .. }
        | TrainError::NoUnitRule { .. }
        | TrainError::Accounting(_)
        | TrainError::Privacy { .. } => Code::Usage,
        TrainError::Data(error) => of_data(error),
        TrainError::Model(error) => of_model(error),
        TrainError::Bundle(error) => of_bundle(error),
        TrainError::Store(error) => of_checkpoint(error),
        TrainError::Checkpoint { .. }
        | TrainError::InitFrom { .. }
        | TrainError::SearchFile { .. }
        | TrainError::Ledger { .. } => Code::Model,
        TrainError::OtherData { .. }
        | TrainError::SamePart { .. }
        | TrainError::NothingKnown { .. }
        | TrainError::NoLabelledStep { .. }
        | TrainError::NoColumn { .. }
        | TrainError::NotForTask { .. }
        | TrainError::PlainLines { .. }
        | TrainError::SeriesTooShort { .. }
        | TrainError::TooFewSeries { .. }
        | TrainError::HeaderIsData { .. }
        | TrainError::NoRidge => Code::Data,
        TrainError::TooManyLabels { .. } => Code::Usage,
        TrainError::Lock(error) => of_lock(error),
        TrainError::Log(_) | TrainError::Io { .. } | TrainError::Entropy { .. } => Code::Io,
        // The run diverged, or its outputs cannot be judged.
        _ => Code::Failed,
    }
}

fn of_data(error: &DataError) -> Code {
    match error {
        DataError::Write { .. } | DataError::TokenCache { .. } | DataError::SeriesCache { .. } => {
            Code::Io
        }
        _ => Code::Data,
    }
}

fn of_model(error: &ModelError) -> Code {
    match error {
        ModelError::Config(_) => Code::Usage,
        ModelError::Io { .. } => Code::Io,
        _ => Code::Model,
    }
}

fn of_bundle(error: &BundleError) -> Code {
    match error {
        BundleError::Io { .. } => Code::Io,
        BundleError::Data(error) => of_data(error),
        _ => Code::Model,
    }
}

fn of_checkpoint(error: &CheckpointError) -> Code {
    match error {
        CheckpointError::Io { .. } | CheckpointError::NoSpace { .. } => Code::Io,
        _ => Code::Model,
    }
}

fn of_lock(error: &LockError) -> Code {
    match error {
        LockError::Held { .. } => Code::Usage,
        _ => Code::Io,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;
    use regard_trainer::config;

    use super::*;
    use crate::args::Verbosity;
    use crate::output::tests::printer;

    fn told(error: &anyhow::Error) -> (Code, String) {
        let (printer, out, err) = printer(Verbosity {
            quiet: true,
            verbose: 0,
        });
        let code = tell(error, &printer);
        assert_eq!(out.text(), "");
        (code, err.text())
    }

    fn missing_file() -> io::Error {
        io::Error::new(io::ErrorKind::NotFound, "no such file")
    }

    #[test]
    fn an_error_is_told_with_its_causes_and_advice() {
        let error = Err::<(), _>(missing_file())
            .context("cannot open a.tsv")
            .context("cannot train")
            .hint("look into data/")
            .unwrap_err();
        let (code, text) = told(&error);
        assert_eq!(
            text,
            "error: cannot train\ncaused by: cannot open a.tsv\ncaused by: no such file\n\
             hint: look into data/\n"
        );
        assert_eq!(code, Code::Io);
    }

    #[test]
    fn a_cause_that_was_told_already_is_not_told_again() {
        let error = TrainError::Io {
            path: "a".into(),
            source: missing_file(),
        };
        let (code, text) = told(&error.into());
        assert_eq!(text, "error: cannot access a: no such file\n");
        assert_eq!(code, Code::Io);
    }

    #[test]
    fn a_reader_who_left_is_no_error() {
        let pipe = || io::Error::from(io::ErrorKind::BrokenPipe);
        let direct = anyhow::Error::new(pipe()).context("cannot write the output");
        let by_rows = Err::<(), _>(DataError::Write { source: pipe() }).hint("h");
        for error in [direct, by_rows.unwrap_err()] {
            assert_eq!(told(&error), (Code::Done, String::new()));
        }
    }

    #[test]
    fn what_a_report_told_is_not_told_again() {
        assert_eq!(told(&Told(Code::Data).into()), (Code::Data, String::new()));
    }

    #[test]
    fn every_kind_of_error_has_its_code() {
        let config = || config::load::<&str>("/missing/c.toml".as_ref(), &[]).unwrap_err();
        let data = || DataError::UnknownFormat { path: "a".into() };
        let write = || DataError::Write {
            source: missing_file(),
        };
        let invalid = || CheckpointError::Invalid {
            path: "a".into(),
            problem: "b".to_owned(),
        };
        let held = || LockError::Held {
            folder: "a".into(),
            holder: None,
        };
        let cases: Vec<(anyhow::Error, Code)> = vec![
            (UsageError("what?".to_owned()).into(), Code::Usage),
            (config().into(), Code::Usage),
            (TrainError::Config(config()).into(), Code::Usage),
            (data().into(), Code::Data),
            (TrainError::Data(data()).into(), Code::Data),
            (BundleError::Data(data()).into(), Code::Data),
            (write().into(), Code::Io),
            (invalid().into(), Code::Model),
            (TrainError::Store(invalid()).into(), Code::Model),
            (held().into(), Code::Usage),
            (TrainError::Lock(held()).into(), Code::Usage),
            (ModelError::Config(vec![]).into(), Code::Usage),
            (MetricsError::Empty.into(), Code::Failed),
            (anyhow::anyhow!("something"), Code::Failed),
            (missing_file().into(), Code::Io),
        ];
        for (error, expected) in cases {
            let text = format!("{error:?}");
            assert_eq!(told(&error).0, expected, "{text}");
            let deeper = Err::<(), _>(error)
                .hint("h")
                .context("in a context")
                .unwrap_err();
            assert_eq!(told(&deeper).0, expected, "{text}");
        }
    }
}
