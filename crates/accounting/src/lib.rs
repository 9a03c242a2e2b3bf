//! Differential-privacy accounting in pure Rust, without Burn: what private training promises, as
//! upper bounds.
//!
//! An [`Event`] says what was done (a Gaussian mechanism on everything, on a Poisson sample, on a
//! batch of fixed size, on a truncated sample; several of them, alike or not), an [`Adjacency`] which
//! two datasets must be hard to tell apart. Two accountants turn them into epsilon and delta:
//!
//! | accountant | how tight | 100,000 steps |
//! |---|---|---|
//! | [`Pld`]: privacy loss distributions | within about a ten-thousandth of the truth | a fraction of a second |
//! | [`Rdp`]: Rényi differential privacy | some per cent to several times too large | a millisecond |
//!
//! Both are upper bounds, truncation and rounding included; [`Bound::of`] takes the smaller one and
//! names it. [`noise_multiplier`], [`steps`] and [`sample_rate`] solve for what keeps a [`Target`],
//! always on the safe side. [`gaussian_epsilon`] and [`gaussian_delta`] are the closed form.
//!
//! A noise multiplier is the noise's standard deviation divided by C, the bound on the norm of one
//! unit's contribution to the sum. Adjacency does not change it.
//!
//! ```
//! use regard_accounting::{Adjacency, Bound, Event, Settings, Target, noise_multiplier};
//!
//! // 330 steps, each on a Poisson sample of about 3 % of all units.
//! let training = Event::dp_sgd(0.0304, 1.0, 330);
//! let bound = Bound::of(&training, Adjacency::AddRemove, 1e-5)?;
//! assert!(bound.epsilon < 3.6);
//!
//! // How much noise would epsilon 1 take?
//! let target = Target { epsilon: 1.0, delta: 1e-5 };
//! let noise = noise_multiplier(target, 0.0304, 330, Settings::default())?;
//! let training = Event::dp_sgd(0.0304, noise, 330);
//! assert!(Bound::of(&training, Adjacency::AddRemove, 1e-5)?.epsilon <= 1.0);
//! # Ok::<(), regard_accounting::AccountingError>(())
//! ```
//!
//! # What is rounded, and in which direction
//!
//! - A grid can only enlarge the privacy loss: connect-the-dots keeps the mass of both distributions
//!   between any two grid points.
//! - What lies beyond the grid or the window is added to delta in full, by Chernoff's bound.
//! - The transforms work on exponentially tilted distributions, so that their rounding is relative to
//!   delta, not to 1; what is left of it is added as well. Deltas of 1e-12 keep their digits.
//! - Closed forms and solvers round up.
//! - Where a grid of floats cannot say (some 10^11 steps), [`Pld`] gives the bound of [`Rdp`].

mod accountant;
mod binomial;
mod error;
mod event;
mod gaussian;
mod pair;
mod pld;
mod quadrature;
mod rdp;
mod sampled;
mod solve;

pub use accountant::{Accountant, Bound};
pub use error::AccountingError;
pub use event::{Adjacency, Event};
pub use gaussian::{gaussian_delta, gaussian_epsilon};
pub use pld::Pld;
pub use rdp::Rdp;
pub use solve::{Settings, Target, noise_multiplier, noise_multiplier_beside, sample_rate, steps};
