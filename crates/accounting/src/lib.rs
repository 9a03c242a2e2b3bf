//! Differential-privacy accounting, in pure Rust and without Burn: upper bounds on epsilon.
//!
//! What is here so far: the exact epsilon of composed Gaussian mechanisms, and a bound by Rényi
//! differential privacy (integer orders) for Gaussian mechanisms on Poisson samples. Adjacency is
//! add/remove. Tighter accounting, other events and solvers come with private training, which
//! nothing in this version does.
//!
//! ```
//! use regard_accounting::{gaussian_epsilon, subsampled_gaussian_epsilon};
//!
//! // One release with noise as large as the sensitivity.
//! assert!((gaussian_epsilon(1.0, 1, 1e-5)? - 4.37718).abs() < 1e-5);
//! // A thousand steps, each on a sample of one in a hundred.
//! assert!(subsampled_gaussian_epsilon(0.01, 1.0, 1000, 1e-5)? < 2.2);
//! # Ok::<(), regard_accounting::AccountingError>(())
//! ```

mod error;
mod gaussian;
mod rdp;

pub use error::AccountingError;
pub use gaussian::{gaussian_delta, gaussian_epsilon};
pub use rdp::subsampled_gaussian_epsilon;
