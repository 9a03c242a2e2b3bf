//! Looking inside a model: what it attends to, what its answer hangs on, where numbers break.
//!
//! | question | where |
//! |---|---|
//! | what does each head look at? | [`record`], [`AttentionMaps`], [`HeadFigures`] |
//! | which tokens reach the answer? | [`rollout`] |
//! | which tokens change the answer? | occlusion, in [`Explanation`] |
//! | where does a NaN or an infinity come from? | [`NotFinite`] |
//!
//! Layers and heads are counted from 0, as the names of the weights count them.

mod attention;
mod not_finite;
mod recorder;
mod rollout;
mod text;
mod words;

pub use attention::{AttentionMaps, HeadFigures};
pub use not_finite::NotFinite;
pub use recorder::{Recording, record};
pub use rollout::{pooled, rollout};
pub use text::{Explanation, TextToken};
pub use words::Word;
