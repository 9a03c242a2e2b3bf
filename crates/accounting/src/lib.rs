//! Differential-privacy accounting: RDP, PLD, events and solvers, pure Rust
