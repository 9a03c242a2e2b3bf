//! The `regard` program.
fn main() {}
