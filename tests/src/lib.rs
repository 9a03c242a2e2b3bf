//! Helpers shared by the whole command-line runs.
