//! The accountants by name, and the better of them.

use std::fmt;

use crate::error::AccountingError;
use crate::event::{Adjacency, Event};
use crate::pld::Pld;
use crate::rdp::Rdp;

/// A way to account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Accountant {
    /// By privacy loss distributions: [`Pld`].
    #[default]
    Pld,
    /// By Rényi differential privacy: [`Rdp`].
    Rdp,
}

impl fmt::Display for Accountant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pld => "pld",
            Self::Rdp => "rdp",
        })
    }
}

impl Accountant {
    /// An upper bound on the epsilon of `event` at `delta`.
    ///
    /// # Errors
    ///
    /// If an argument is outside its range, or the event has no bound under this adjacency.
    pub fn epsilon(
        self,
        event: &Event,
        adjacency: Adjacency,
        delta: f64,
    ) -> Result<f64, AccountingError> {
        match self {
            Self::Pld => Pld::new(event, adjacency)?.epsilon(delta),
            Self::Rdp => Rdp::new(event, adjacency)?.epsilon(delta),
        }
    }

    /// An upper bound on the delta of `event` at `epsilon`.
    ///
    /// # Errors
    ///
    /// If an argument is outside its range, or the event has no bound under this adjacency.
    pub fn delta(
        self,
        event: &Event,
        adjacency: Adjacency,
        epsilon: f64,
    ) -> Result<f64, AccountingError> {
        match self {
            Self::Pld => Pld::new(event, adjacency)?.delta(epsilon),
            Self::Rdp => Rdp::new(event, adjacency)?.delta(epsilon),
        }
    }
}

/// An upper bound on epsilon, and who vouches for it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Bound {
    /// The upper bound.
    pub epsilon: f64,
    /// The delta at which it holds.
    pub delta: f64,
    /// Which two datasets it is about.
    pub adjacency: Adjacency,
    /// The accountant whose bound is the smaller one.
    pub accountant: Accountant,
}

impl Bound {
    /// The smallest upper bound on the epsilon of `event` at `delta` that any accountant gives.
    ///
    /// # Errors
    ///
    /// If an argument is outside its range, or the event has no bound under this adjacency.
    pub fn of(event: &Event, adjacency: Adjacency, delta: f64) -> Result<Self, AccountingError> {
        let by = |accountant: Accountant| {
            Ok(Self {
                epsilon: accountant.epsilon(event, adjacency, delta)?,
                delta,
                adjacency,
                accountant,
            })
        };
        let (pld, rdp) = (by(Accountant::Pld)?, by(Accountant::Rdp)?);
        Ok(if rdp.epsilon < pld.epsilon { rdp } else { pld })
    }
}
