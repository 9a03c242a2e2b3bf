//! Text to token ids: tokenizers trained on the training texts, kept in the file format of Hugging Face.

mod byte_pairs;
mod config;
mod document;
mod guard;
mod train;
mod vocabulary;
mod wrapper;

pub use config::{TokenizerConfig, TokenizerKind};
pub use train::TokenizerTrainer;
pub use wrapper::{Encoded, Token, Tokenizer};
