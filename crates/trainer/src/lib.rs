//! Regard's training loop, configuration and checkpoints.
//!
//! | module | holds |
//! |---|---|
//! | [`run`] | the loop, and the folder that it lives in |
//! | [`check`], [`dry_run`] | what can be known of a run before it begins |
//! | [`config`] | the configuration: typed, validated, resolved |
//! | [`init`] | a configuration guessed from a file |
//! | [`task`] | tasks as values |
//! | [`sampler`], [`schedule`] | which units a step takes, and its learning rate: pure functions |
//! | [`step`], [`mixup`], [`optimizer`], [`layer_decay`] | one step |
//! | [`privacy`] | DP-SGD: draws, bounds, noise, the ledger and the promise in words |
//! | [`average`] | a moving average of the weights |
//! | [`metrics`] | what outputs are worth |
//! | [`checkpoint`], [`log`], [`lock`] | what of a run is on disk |
//! | [`files`] | files that are whole or not there |
//! | [`runs`] | what stands in a folder of runs |
//! | [`tensorboard`] | scalars as TensorBoard reads them |
//! | [`tune`] | searching for better settings |
//! | [`workload`] | standard sizes for benchmarks |

pub mod average;
pub mod check;
pub mod checkpoint;
pub mod config;
mod describe_run;
mod describe_series;
pub mod dry_run;
mod error;
mod evaluate;
mod evaluate_run;
pub mod files;
mod freeze;
mod gradients;
pub mod init;
pub mod layer_decay;
pub mod lock;
pub mod log;
pub mod memory;
pub mod metrics;
pub mod mixup;
pub mod optimizer;
pub mod privacy;
pub mod run;
pub mod runs;
pub mod sampler;
pub mod schedule;
pub mod step;
pub mod task;
pub mod tensorboard;
mod test_texts;
pub mod tune;
pub mod workload;

pub use describe_run::{JudgedText, PartDescription, RunDescription, describe_run};
pub use describe_series::{
    HeadAttention, PatchAttention, ScoreCourse, SeriesDescription, ToldChannel, ToldWindow,
    describe_series,
};
pub use error::TrainError;
pub use evaluate::evaluate;
pub use evaluate_run::{
    baselines_of_run, evaluate_file, evaluate_run, load_series, load_table, seen_window,
};
pub use run::{Outcome, Progress, Requests, RunSettings, Snapshot, Writer, train};
pub use test_texts::test_texts;
