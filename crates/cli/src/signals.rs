//! Signals: what each asks of the command under way.
//!
//! | signal | meaning |
//! |---|---|
//! | SIGINT, SIGTERM | finish the step, save, exit with 130 or 143 |
//! | the second of them | exit at once; what was saved before is whole |
//! | SIGUSR1 | save after the step, and go on |

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use regard_trainer::{Requests, TrainError};

use crate::errors::{Code, Told};
use crate::output::Printer;

/// The handlers of a command that trains.
pub struct Signals {
    /// What they ask for.
    pub requests: Requests,
    /// The signal that asked for the end, or 0.
    last: Arc<AtomicUsize>,
}

impl Signals {
    /// Installs the handlers; signals keep their usual meaning in commands that never call this.
    ///
    /// # Errors
    ///
    /// If the system refuses a handler.
    pub fn install() -> std::io::Result<Self> {
        let signals = Self {
            requests: Requests::default(),
            last: Arc::default(),
        };
        #[cfg(unix)]
        {
            use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
            use signal_hook::flag;
            for signal in [SIGINT, SIGTERM] {
                // The order counts: the first signal sets the flag that makes the second one end all.
                flag::register_conditional_shutdown(
                    signal,
                    128 + signal,
                    signals.requests.stop_flag(),
                )?;
                flag::register(signal, signals.requests.stop_flag())?;
                flag::register_usize(signal, Arc::clone(&signals.last), signal as usize)?;
            }
            flag::register(SIGUSR1, signals.requests.save_flag())?;
        }
        Ok(signals)
    }

    /// Tells of a run that a signal ended, which is no error; what is left of it is the exit code.
    ///
    /// # Errors
    ///
    /// As `outcome`, or [`Told`].
    pub fn told<T>(&self, outcome: anyhow::Result<T>, printer: &Printer) -> anyhow::Result<T> {
        let stopped = |error: &anyhow::Error| {
            let error = error.downcast_ref::<TrainError>();
            matches!(error, Some(TrainError::Stopped { .. }))
        };
        match outcome {
            Err(error) if stopped(&error) => {
                printer.note(&error);
                Err(Told(self.code()).into())
            }
            other => other,
        }
    }

    /// The exit code of a run that a signal ended.
    fn code(&self) -> Code {
        match self.last.load(Ordering::Relaxed) {
            15 => Code::Terminated,
            _ => Code::Interrupted,
        }
    }
}
