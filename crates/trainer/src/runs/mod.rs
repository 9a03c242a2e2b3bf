//! What stands in a folder of runs, from the files of each run alone: no data, no weights.

mod list;
mod summary;
mod verify;

pub use list::{Listed, Place, list};
pub use summary::{RunState, RunSummary, summarize};
pub use verify::{Verified, prune, verify};
