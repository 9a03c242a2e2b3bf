//! The hook, counter-based randomness and parametric primitives that Regard's layers are made of.
//!
//! - [`Key`]: randomness as a function of a place, so that dropout replays and seeds mean the same
//!   model on every backend.
//! - [`Context`] and [`Hook`]: the one way to look into a forward pass, or to change it.
//! - [`primitive`]: the only structs that hold parameters. Everything above is composition.
//! - [`bookkeeping`]: per-unit gradient norms and weighted gradient sums from one backward pass.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use regard_ops::{Context, Key, primitive::LinearConfig};
//!
//! let device = Device::flex();
//! let linear = LinearConfig::new(4, 2).init(Key::new(1), &device);
//! let output = linear.forward(Tensor::ones([1, 3, 4], &device), "projection", &mut Context::evaluation());
//! assert_eq!(output.dims(), [1, 3, 2]);
//! ```
//!
//! The crate chooses no backend: a `&Device` says where a tensor lives, and the program that links
//! Burn says which devices exist.

pub mod bookkeeping;
mod context;
mod dropout;
mod hook;
mod init;
pub mod primitive;
mod random;

pub use context::Context;
pub use dropout::{dropout, dropout_mask};
pub use hook::{Hook, Operation, Pass, Site};
pub use init::{Init, deferred};
pub use random::Key;
