//! Readers, tokenizers and schemas for Regard
