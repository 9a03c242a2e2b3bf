//! Transformer encoders, heads and their weights for Burn
