//! Gradient checkpointing: memory traded for time.
//!
//! The model's stages are cut into [`Segments`]. The forward pass keeps no tape, only what each
//! segment begins with; the backward pass takes the segments from the last to the first, runs each
//! again with a tape and pulls the gradient through it as a vector-Jacobian product (Chen et al. 2016,
//! <https://arxiv.org/abs/1604.06174>). The last segment is not run twice: its tape is made when its
//! output is first needed. Dropout replays, since its masks are functions of a place ([`regard_ops`]).
//!
//! Burn's own strategy (`Device::gradient_checkpointing`) recomputes cheap operations only.
//!
//! PyTorch equivalent: `torch.utils.checkpoint.checkpoint(block, hidden, use_reentrant=True)` for each
//! group of blocks but the last.
//!
//! ```
//! use burn::optim::GradientsParams;
//! use burn::tensor::{Device, Int, Tensor};
//! use regard_model::gradient_checkpointing::{Segments, StagedPass};
//! use regard_model::{Context, HeadConfig, Input, Key, Transformer, TransformerConfig};
//!
//! # fn main() -> Result<(), regard_model::ModelError> {
//! let device = Device::flex();
//! let config = TransformerConfig::text(100, 8, HeadConfig::classification(2)).with_layers(4);
//! let model = config.init(Key::new(1), &device.clone().autodiff())?;
//! let input = Input::text(Tensor::<2, Int>::from_data([[2, 17, 4]], &device));
//! let segments = Segments::of_blocks(model.n_stages() - 2, 1);
//! let mut context = Context::training(Key::new(2), 0);
//! let embed = |model: &Transformer, context: &mut Context<'_>| model.embed(&input, context);
//! let pass = StagedPass::forward(&model, &input, &segments, &embed, &mut context);
//! let mut gradients = Vec::new();
//! pass.backward(
//!     &mut context,
//!     |logits| logits.square().sum(),
//!     &mut |_stages, mut tape| gradients.push(GradientsParams::from_module(&mut tape, &model)),
//! );
//! assert_eq!(gradients.len(), 4);
//! # Ok(())
//! # }
//! ```

mod pass;
mod policy;
mod segments;
mod size_text;

pub use pass::{Embed, StagedPass};
pub use policy::{Choice, GradientCheckpointing, TooLittleMemory};
pub use segments::Segments;
pub use size_text::{parse_size, size_text};
