//! Streaming readers: rows of a file of unknown origin, one at a time, in bounded memory.

mod column;
mod csv;
mod folder;
mod format;
mod input;
mod json_lines;
mod record;
mod records;

pub use column::Column;
pub use format::{Format, Source};
pub use input::Limits;
pub use record::{Cell, Record};
pub use records::Records;
