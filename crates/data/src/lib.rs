//! Readers, tokenizers and schemas for Regard.
//!
//! From a stranger's file to token ids, without ever trusting the file: every reader is streamed, bounded in memory,
//! and every problem is a [`DataError`] that says where, what was expected, what was found, and how to mend it.
//!
//! ```
//! use regard_data::{Examples, LabelledTexts, Source, TextColumns, Tokenizer, TokenizerConfig, TokenizerKind};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("train.csv");
//! # std::fs::write(&path, "label,text\nham,see you at five\nspam,win a prize now\n")?;
//! let texts = LabelledTexts::load(&Source::new(path), &TextColumns::new("text", "label"), None)?;
//! assert_eq!(texts.labels().names(), ["ham", "spam"]);
//!
//! let config = TokenizerConfig { kind: TokenizerKind::Words, ..TokenizerConfig::default() };
//! let tokenizer = Tokenizer::train(&config, (0..texts.len()).map(|row| texts.text(row)))?;
//! let encoded = tokenizer.encode(texts.text(0))?;
//! assert_eq!(encoded.ids.len(), 5); // `[CLS]` and four words
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | what | where |
//! |---|---|
//! | rows of CSV, TSV, JSON Lines and plain lines, in and out | [`Records`], [`RowWriter`] |
//! | labelled texts in memory, label names | [`LabelledTexts`], [`Examples`], [`Labels`] |
//! | labelled texts of any number, left in their file | [`LabelledFile`], [`visit_labelled`] |
//! | a held-out share of one file | [`stratified`] |
//! | which data a run was trained on, which text a row holds | [`Fingerprint`], [`text_hash`] |
//! | text to token ids | [`Tokenizer`], [`TokenizerTrainer`] |
//! | time series: tables, windows, scalers, splits | [`series`] |
//! | token ids of any number, in memory or memory-mapped | [`TokenRows`], [`TokenCache`] |

mod cache;
pub mod doctor;
mod error;
mod examples;
mod fingerprint;
mod labelled;
mod labelled_file;
mod labels;
mod read;
pub mod series;
mod split;
mod texts;
mod tokenizer;
mod wording;
mod write;

pub use cache::{TokenCache, TokenRows, TokenRowsWriter};
pub use error::DataError;
pub use examples::{Examples, Subset, require_two_classes};
pub use fingerprint::{Fingerprint, text_hash};
pub use labelled::{LabelledRow, MOST_LABELS, TextColumns};
pub use labelled_file::{LabelledFile, require_regular_file, visit_labelled};
pub use labels::Labels;
pub use read::{Cell, Column, Format, Limits, Record, Records, Source};
pub use series::SeriesTable;
pub use split::{Split, stratified};
pub use texts::LabelledTexts;
pub use tokenizer::{Encoded, Token, Tokenizer, TokenizerConfig, TokenizerKind, TokenizerTrainer};
pub use write::RowWriter;
