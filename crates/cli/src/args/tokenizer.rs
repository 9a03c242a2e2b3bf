//! The arguments of `regard tokenizer`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use regard_data::TokenizerKind;

use super::ReportArgs;

/// `regard tokenizer`.
#[derive(Clone, Debug, ClapArgs)]
pub struct TokenizerArgs {
    /// Files of texts: CSV, TSV, JSON Lines, or .txt with one text a line
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Where the tokenizer goes, for `tokenizer.file` of a configuration
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// What a token is
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    pub kind: TrainedKind,
    /// The largest number of different tokens
    #[arg(long, value_name = "N", default_value_t = 8000)]
    pub vocab_size: usize,
    /// How often a word, a character or a pair of bytes must occur to become a token
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub min_frequency: u64,
    /// The column that holds the text, in tables
    #[arg(long, value_name = "COLUMN", default_value = "text")]
    pub text_column: String,
    /// Keep capital letters
    #[arg(long)]
    pub keep_case: bool,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Tokens that are learned from texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TrainedKind {
    /// Pieces of words: byte-pair encoding
    #[default]
    Bpe,
    /// Words
    Words,
    /// Characters
    Characters,
}

impl From<TrainedKind> for TokenizerKind {
    fn from(kind: TrainedKind) -> Self {
        match kind {
            TrainedKind::Bpe => Self::Bpe,
            TrainedKind::Words => Self::Words,
            TrainedKind::Characters => Self::Characters,
        }
    }
}
