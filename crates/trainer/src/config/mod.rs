//! The configuration: a TOML file, checked as a whole, resolved into typed values.
//!
//! ```text
//! text  --raw-->  values with their lines  --resolve-->  Config  --resolved-->  config.toml
//!                         ^ --set                 ^ keys (the table), conflict
//! ```
//!
//! Every problem of a file is reported at once. Paths in a configuration are relative to the
//! current directory, as on a command line, and the resolved file keeps them as they were written.

mod by_task;
mod conflict;
mod error;
mod explain;
mod keys;
mod kind;
mod names;
mod nearest;
mod privacy;
mod ranges;
mod raw;
mod resolve;
mod resolved;
mod split;
mod types;
mod values;

#[cfg(test)]
mod tests;

pub use error::{ConfigError, Origin, Problem};
pub use explain::{Setting, explain};
pub use keys::{DefaultValue, KEYS, Key as ConfigKey};
pub use kind::{Kind, Range};
pub use names::{
    Activation, AnomalyMethod, AnomalySmoothing, DataFormat, Keep, LinearSkip, Mechanism,
    MetricName, Mode, NormPosition, OnNan, Optimizer, Pooling, Position, RepeatedTimes, ScalerKind,
    ScheduleKind, SplitBy, Task, ThresholdPart, TokenizerKind, Trainable,
};
pub use privacy::{AdjacencyName, ClippingStyle, PrivacyConfig, PrivacyUnit};
pub use ranges::{Scale, SearchRange, SearchRanges};
pub use regard_data::series::Extent;
pub(crate) use resolve::load_data_alone;
pub use resolve::{load, load_search, parse, parse_search};
pub use types::{
    AnomalyConfig, AttentionConfig, CheckpointConfig, Config, DataConfig, EvalConfig, ModelConfig,
    PatchConfig, ReportConfig, SplitConfig, StemConfig, TokenizerConfig, TrainConfig,
};
pub use values::{ClassWeights, Column, Period, Source};
