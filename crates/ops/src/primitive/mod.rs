//! The parametric primitives: the only structs that hold parameters.
//!
//! Each knows its forward and its initialisation, and tells the hook what a per-unit gradient needs
//! ([`Operation`](crate::Operation)). A layer made of these is observable without another line.
//!
//! Weights are held as Burn holds them, `[d_in, d_out]`; files hold them as PyTorch does,
//! `[d_out, d_in]`.

mod layer_norm;
mod linear;
mod patch;
mod table;
mod vector;

pub use layer_norm::{LayerNorm, LayerNormConfig};
pub use linear::{Linear, LinearConfig};
pub use patch::{PatchProjection, PatchProjectionConfig};
pub use table::{Table, TableConfig};
pub use vector::{Vector, VectorConfig};
