//! Searching for better settings: random search with successive halving.
//!
//! Many settings are drawn at random from declared ranges; all of them train for a short while, the
//! best third of them three times as long, and so on (Jamieson and Talwalkar 2016, "Non-stochastic
//! best arm identification and hyperparameter optimization", <https://arxiv.org/abs/1502.07943>).
//!
//! | module | holds |
//! |---|---|
//! | `budget` | what may be spent: a time, or a number of steps |
//! | `defaults` | ranges for a configuration that declares none |
//! | `draw` | the settings of trial `k`: a pure function of the seed |
//! | `plan` | how many trials train for how long: a pure function of the budget and the costs |
//! | `halving` | who goes on and who wins: a pure function of plan and results |
//! | `cost`, `measure` | what a trial costs on this machine |
//! | `state` | plan and results on disk |
//! | `search` | the search itself |
//! | `best` | the configuration that was found |
//!
//! **What is compared.** A rung trains its trials afresh, each with the whole course of its learning
//! rate from warm-up to the end of its decay. A longer rung does not continue the run of a shorter
//! one: a run continued behind the end of its decay would have to raise the learning rate again, and
//! a run cut off in the middle of its decay looks worse than it is, the more so the higher its
//! learning rate. So each figure is that of a finished training of that length, which is also what
//! the configuration is used for in the end. It costs a third more than continuing would.
//!
//! **What repeats.** Settings depend on the seed, the number of the trial and the ranges alone. A time
//! is turned into a plan once, from a speed measured at the start, and the plan is on disk before the
//! first trial; from there on nothing depends on a clock, so a search that was killed and started
//! again ends as it would have without that.

mod best;
mod budget;
mod cost;
mod defaults;
mod draw;
mod halving;
mod measure;
mod plan;
mod search;
mod state;

pub use budget::Budget;
pub use defaults::default_ranges;
pub use draw::Values;
pub use halving::{TrialOutcome, TrialResult};
pub use plan::{Plan, Rung};
pub use search::{Trial, TuneOutcome, TuneProgress, TuneSettings, tune};
