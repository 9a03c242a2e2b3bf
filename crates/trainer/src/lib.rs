//! Regard's training loop, configuration and checkpoints
