//! The hook, counter-based randomness and parametric primitives that Regard's layers are made of

pub mod random;

pub use random::Key;
