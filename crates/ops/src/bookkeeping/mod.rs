//! Per-unit gradients from one backward pass, through the hook.
//!
//! Private training needs, for each unit (a record, a document, a user), the norm of that unit's
//! gradient, and then the sum of the units' gradients, each scaled by a weight. Book-keeping (Bu et
//! al. 2022, <https://arxiv.org/abs/2210.00038>) never forms a unit's gradient: for a linear layer
//! with input `a` and output gradient `g` (`[rows, len, d]`), unit `u`'s weight gradient is
//! `sum a[r, t]ᵀ g[r, t]` over its rows and positions, and both quantities follow from `a` and `g`.
//!
//! The output gradient comes from a probe: a leaf of zeros, without memory of its own, added to the
//! operation's output. One backward pass, public tensor operations only, any backend.
//!
//! | operation | gradient of unit `u` | how its norm is found |
//! |---|---|---|
//! | linear | `sum_t aᵀ g` | `sum((a aᵀ) ∘ (g gᵀ))`, or by forming it, whichever is cheaper |
//! | lookup | `sum_t g` at each id | by equal ids, or by forming the entries that the unit reads |
//! | rows of a table | `g`, row by row | as it is |
//! | scale and shift | `sum_t normalized ∘ g`, `sum_t g` | by forming it |
//! | vector, bias | `sum_t g` | by forming it |
//!
//! ```
//! use burn::module::Module;
//! use burn::tensor::{Device, Tensor};
//! use regard_ops::bookkeeping::{Bookkeeping, Units};
//! use regard_ops::{Context, Key, primitive::LinearConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let device = Device::flex().autodiff();
//! let model = LinearConfig::new(4, 2).init(Key::new(1), &device).no_grad();
//! let input = Tensor::ones([3, 5, 4], &device);
//!
//! let mut hook = Bookkeeping::new();
//! let output = model.forward(input, "layer", &mut Context::evaluation().with_hook(&mut hook));
//! let mut gradients = output.square().sum().backward(); // a loss summed over units
//!
//! // The first two rows are one unit, the third is another.
//! let units = hook.finish(&mut gradients, &Units::new(vec![0, 0, 1]))?;
//! let norms = units.squared_norms().ok_or("no parameters")?.sqrt();
//! let largest_norm = 1.0;
//! let weights = norms.recip().mul_scalar(largest_norm).clamp_max(1.0);
//! assert_eq!(units.weighted_sum(&weights).len(), 2); // the weight's and the bias'
//! # Ok(())
//! # }
//! ```

mod gradients;
mod hook;
mod rule;
mod units;

pub use gradients::{ParameterGradient, UnitGradients};
pub use hook::{Bookkeeping, BookkeepingError};
pub use units::Units;
