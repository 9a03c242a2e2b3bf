//! What cannot be accounted for.

use std::fmt;

/// A parameter outside its range.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountingError {
    /// The parameter.
    pub parameter: &'static str,
    /// Its range.
    pub expected: &'static str,
    /// What was given.
    pub found: f64,
}

impl fmt::Display for AccountingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            parameter,
            expected,
            found,
        } = self;
        write!(f, "{parameter}: expected {expected}, found {found}")
    }
}

impl std::error::Error for AccountingError {}

/// Refuses what is no noise multiplier or no delta.
pub(crate) fn check(noise_multiplier: f64, delta: f64) -> Result<(), AccountingError> {
    if !(noise_multiplier >= 0.0 && noise_multiplier.is_finite()) {
        return Err(AccountingError {
            parameter: "noise_multiplier",
            expected: "a finite number from 0 up",
            found: noise_multiplier,
        });
    }
    if !(0.0..1.0).contains(&delta) {
        return Err(AccountingError {
            parameter: "delta",
            expected: "a number from 0 to below 1",
            found: delta,
        });
    }
    Ok(())
}
