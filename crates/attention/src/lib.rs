//! Attention masks, mechanisms and multi-head layers for Burn.
//!
//! Pure functions first: [`attention_weights`] and [`attend`] are the equation. The layers
//! [`SelfAttention`] (one head) and [`MultiHeadAttention`] add projections; a [`Mechanism`] says how
//! queries meet keys.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use regard_attention::{Mask, MultiHeadAttentionConfig};
//! use regard_ops::{Context, Key};
//!
//! let device = Device::flex();
//! let attention = MultiHeadAttentionConfig::new(8, 2).init(Key::new(1), &device);
//! let hidden = Tensor::ones([2, 5, 8], &device);
//! let mask = Mask::none().with_lengths(&[5, 3], 5);
//! let output = attention.forward(hidden, &mask, &mut Context::evaluation());
//! assert_eq!(output.dims(), [2, 5, 8]);
//! ```

mod attend;
mod mask;
pub mod mechanism;
mod multi_head;
mod position;
mod self_attention;

pub use attend::{attend, attention_weights};
pub use mask::{Mask, Padding};
pub use mechanism::Mechanism;
pub use multi_head::{MultiHeadAttention, MultiHeadAttentionConfig};
pub use position::{Position, PositionKind, sinusoidal_positions};
pub use self_attention::{SelfAttention, SelfAttentionConfig};
