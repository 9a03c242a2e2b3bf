//! The configuration: a TOML file, checked as a whole, resolved into typed values.

mod types;
mod values;

pub use types::{
    Activation, AttentionConfig, CheckpointConfig, Config, DataConfig, DataFormat, EvalConfig,
    Mechanism, MetricName, Mode, ModelConfig, NormPosition, OnNan, Optimizer, Pooling, Position,
    ScheduleKind, Task, TokenizerConfig, TokenizerKind, TrainConfig,
};
pub use values::{Column, Period, Source};
