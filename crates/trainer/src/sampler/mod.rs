//! Which units make a batch: a keyed permutation an epoch, in batches of similar lengths.

mod batches;
mod permutation;

pub use batches::{Draw, Sampler};
pub use permutation::Permutation;
