//! Looking for what a proof cannot show: mistakes in the code that trains.
//!
//! [`audit_config`] puts gradients and noise of a configuration's own model and data through
//! statistical tests, each of which finds a mistake that a published implementation has had.
//! [`lower_bound`] turns guesses about canaries of a finished run into a lower bound on epsilon.
//! An audit can refute a promise; it cannot prove one.

mod checks;
mod lower_bound;
#[cfg(test)]
mod tests;

pub use checks::{AuditCheck, ConfigAudit, audit_config};
pub use lower_bound::{Guesses, LowerBound, lower_bound};
