//! What can be wrong with a model's configuration or its weights.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The configuration cannot make a model; every problem is listed.
    #[error("the model's configuration has {} problem(s): {}", .0.len(), .0.join("; "))]
    Config(Vec<String>),

    /// A file of weights cannot be read or written.
    #[error("cannot access the weights {path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },

    /// The bytes are no safetensors file.
    #[error("{what} is not a valid safetensors file: {reason}")]
    Format {
        /// The file, or what the bytes are.
        what: String,
        /// What is wrong.
        reason: String,
    },

    /// The file's tensors are not the model's.
    #[error("the weights in {what} do not fit the model: {}", .problems.join("; "))]
    Mismatch {
        /// The file, or what the bytes are.
        what: String,
        /// Missing, unknown and misshapen tensors by name.
        problems: Vec<String>,
    },
}
