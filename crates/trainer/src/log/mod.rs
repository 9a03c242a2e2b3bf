//! `events.jsonl`: what happened in a run, one JSON object a line.

mod error;
mod event;
mod writer;

pub use error::LogError;
pub use event::{Event, EventKind};
pub use writer::EventLog;
