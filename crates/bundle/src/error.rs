//! What can be wrong with a bundle.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// There is no bundle at the path.
    #[error(
        "no bundle at {path}: expected the folder of a finished run or of a bundle, found {found}",
        path = path.display()
    )]
    Missing {
        /// The path as given.
        path: PathBuf,
        /// What is there.
        found: String,
    },

    /// A file of the bundle cannot be read or written.
    #[error("cannot access {path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },

    /// A file of the bundle is not what the bundle says.
    #[error(
        "{path} is damaged: expected {expected}, found {found}; copy the bundle again or train it anew",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What `bundle.json` says.
        expected: String,
        /// What is there.
        found: String,
    },

    /// `bundle.json` cannot be understood.
    #[error("{path} is not a bundle description: {reason}", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },

    /// The bundle is of another version.
    #[error(
        "{path} has format version {found}, this program reads versions up to {expected}: use the Regard that wrote it, or train again",
        path = path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The newest version this program reads.
        expected: u32,
        /// The version found.
        found: u32,
    },

    /// The model does something else than what is asked of it.
    #[error("expected {expected}, found a model for {found}")]
    OtherTask {
        /// What was expected.
        expected: &'static str,
        /// The task of the bundle.
        found: String,
    },

    /// The weights or their configuration are wrong.
    #[error(transparent)]
    Model(#[from] regard_model::ModelError),

    /// The tokenizer or a text is wrong.
    #[error(transparent)]
    Data(#[from] regard_data::DataError),
}
