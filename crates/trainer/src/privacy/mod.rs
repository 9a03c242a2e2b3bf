//! Private training: DP-SGD (Abadi et al. 2016, <https://arxiv.org/abs/1607.00133>) in one backward
//! pass, two where segments of the model run again.
//!
//! A step draws each unit by itself with probability q ([`PoissonSampler`]), bounds the norm of each
//! unit's gradient ([`Clipping`]), sums, adds Gaussian noise once and divides by a public constant.
//! [`Mechanism`] holds q, the noise and the bound: sampler, noise and accountant all read them there,
//! so that what is accounted is what is done. [`Ledger`] writes steps down before they are made, and
//! [`Statement`] says in words what is promised.
//!
//! What every rule is for, and the test that holds it, stands in `docs/privacy.md`.

pub mod audit;
mod backward;
mod canaries;
mod clip;
mod entropy;
mod fingerprint;
mod ledger;
mod mechanism;
#[cfg(test)]
mod mutant;
mod noise;
mod parent;
mod plan;
mod run;
mod sampler;
mod source;
mod statement;
mod step;

pub use canaries::Canaries;
pub use clip::{Bounded, Clipping, Sensitivity};
pub use entropy::Entropy;
pub(crate) use fingerprint::{require_same_data, shown_fingerprint};
pub use ledger::{Ledger, LedgerHeader, LedgerState};
pub use mechanism::Mechanism;
pub use parent::Parent;
pub use plan::PrivatePlan;
pub(crate) use plan::private_steps;
pub(crate) use run::PrivateRun;
pub use sampler::PoissonSampler;
pub use statement::{GroupPromise, Statement, spent};
pub use step::PrivateReport;
