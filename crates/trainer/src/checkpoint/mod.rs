//! Checkpoints: the saved state of a run, in folders that are whole or not there.
//!
//! A checkpoint is a folder `step-0000001200` with some files and `manifest.json`, which holds the
//! length and the BLAKE3 hash of each file, the [`TrainingState`], and a hash of itself. It is
//! written under a temporary name, every file synced, the manifest last; then the folder is renamed
//! and its parent synced. So a crash at any moment leaves the checkpoints of before, and what is not
//! proved whole by its hashes is never loaded.

mod error;
mod layer;
mod manifest;
mod name;
mod state;
mod store;

#[cfg(test)]
mod memory_disk;
#[cfg(test)]
mod tests;

pub use error::CheckpointError;
pub use layer::{DurableFile, FileLayer, RealFiles};
pub use state::{Best, End, MetricPoint, Skipped, TrainingState};
pub use store::{CheckpointStore, Contents, Examined, Loaded, Saved};
