//! Transformer encoders, heads and their weights for Burn.
//!
//! A model is a sequence of stages: the embedding, the blocks, the head. [`TransformerConfig`] says
//! everything about its shape; [`Transformer`] is the Burn module.
//!
//! ```
//! use burn::tensor::{Device, Tensor, Int};
//! use regard_model::{Context, HeadConfig, Input, Key, Transformer, TransformerConfig};
//!
//! # fn main() -> Result<(), regard_model::ModelError> {
//! let device = Device::flex();
//! let config = TransformerConfig::text(1_000, 32, HeadConfig::classification(2)).with_d_model(64);
//! let model: Transformer = config.init(Key::new(1), &device)?;
//! let ids = Tensor::<2, Int>::from_data([[2, 17, 4], [2, 5, 0]], &device);
//! let input = Input::text(ids).with_lengths(&[3, 2]);
//! let logits = model.forward(&input, &mut Context::evaluation());
//! assert_eq!(logits.dims(), [2, 1, 2]);
//! # Ok(())
//! # }
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`embed`] | inputs, and embeddings of them |
//! | [`gradient_checkpointing`] | memory traded for time, without the trainer |
//! | [`heads`] | pooling, and what turns hidden states into outputs |
//! | [`weights`] | names and layout of tensors on disk, safetensors in and out |

mod activations;
mod block;
mod config;
pub mod embed;
mod error;
mod feed_forward;
pub mod gradient_checkpointing;
pub mod heads;
mod size;
mod transformer;
pub mod weights;

pub use activations::{ActivationBytes, BatchSize};
pub use block::{Block, NormPosition};
pub use config::{EmbeddingConfig, HeadConfig, TransformerConfig};
pub use embed::{CalendarRow, Input, SeriesConfig, SeriesInput, Statistics, StemConfig, TextInput};
pub use error::ModelError;
pub use feed_forward::{Activation, FeedForward};
pub use heads::Pooling;
pub use size::ParameterCounts;
pub use transformer::Transformer;

pub use regard_attention::{Mask, Mechanism, Padding, PositionKind};
// Whoever runs a model needs these two, and should not have to depend on another crate for it.
pub use regard_ops::{Context, Key};
