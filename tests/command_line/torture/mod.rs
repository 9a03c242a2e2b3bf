//! Faults at random moments and at every moment, with counts.
//!
//! Each test makes a few of them in the suite and as many as `REGARD_TORTURE` says under `just
//! torture`; those that need other programs or the right to mount are run by that alone.
#![cfg(unix)]

mod disks;
mod loading;
mod moments;
mod subject;
mod system_calls;
mod tally;

/// How many faults are made: `REGARD_TORTURE`, or so many.
fn times(usually: usize) -> usize {
    let set = std::env::var("REGARD_TORTURE").ok();
    set.map_or(usually, |n| n.parse().expect("REGARD_TORTURE is a number"))
}
