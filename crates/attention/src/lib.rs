//! Attention masks, mechanisms and multi-head layers for Burn
