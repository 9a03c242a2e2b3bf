//! `events.jsonl`: what happened in a run, one JSON object a line.

mod error;
mod event;
mod history;
mod writer;

pub use error::LogError;
pub use event::{Event, EventKind};
pub use history::{EvalPoint, History, TrainPoint};
pub use writer::EventLog;
