//! The tokenizer that the rest of Regard sees: bounded, checked, and silent about what the crate below may do wrong.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::Value;
use tokenizers::models::ModelWrapper;
use tokenizers::{TruncationParams, TruncationStrategy};

use super::TokenizerConfig;
use super::document::class_token_first;
use super::guard::{capped, isolated};
use super::train::TokenizerTrainer;
use crate::DataError;

/// The largest published vocabularies take about 35 MB.
const LARGEST_FILE_BYTES: u64 = 128 * 1024 * 1024;

/// Names of the special tokens: ours, which are BERT's, and RoBERTa's.
const PAD: [&str; 2] = ["[PAD]", "<pad>"];
const UNKNOWN: [&str; 2] = ["[UNK]", "<unk>"];
const CLASS: [&str; 2] = ["[CLS]", "<s>"];
const SEPARATOR: [&str; 2] = ["[SEP]", "</s>"];
const MASK: [&str; 2] = ["[MASK]", "<mask>"];

/// Turns texts into token ids.
///
/// Trained here, the special tokens have fixed ids: `[PAD]` 0, `[UNK]` 1, `[CLS]` 2, `[SEP]` 3, `[MASK]` 4.
/// Text that spells a special token is text: it never becomes that token.
///
/// Python equivalent: `tokenizers.Tokenizer.from_file("tokenizer.json")` with `encode_special_tokens = True`.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    max_length: usize,
    vocab_size: usize,
    pad: u32,
    unknown: u32,
    class: u32,
    separator: Option<u32>,
    mask: Option<u32>,
}

/// The ids of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// `[CLS]` and the text's tokens, at most `max_length` together; never empty.
    pub ids: Vec<u32>,
    /// Whether the end of the text was cut off.
    pub truncated: bool,
}

/// One token and the place in the text that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: u32,
    /// Its name in the vocabulary; byte-level tokens write a space as `Ġ`.
    pub piece: String,
    /// First byte of its text; equal to `end` for a special token.
    pub start: usize,
    /// One past the last byte of its text.
    pub end: usize,
}

impl Tokenizer {
    /// The tokenizer of a configuration: its file, or else one trained on the texts.
    ///
    /// # Errors
    /// As [`Tokenizer::open`] and [`Tokenizer::train`].
    pub fn from_config<'a>(
        config: &TokenizerConfig,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, DataError> {
        match &config.file {
            Some(file) => {
                config.validate()?;
                Self::open(file, Some(config.max_length))
            }
            None => Self::train(config, texts),
        }
    }

    /// Learns a vocabulary. The same texts in any order give the same tokenizer, byte by byte when saved. Where texts
    /// come one at a time there is [`TokenizerTrainer`].
    ///
    /// # Errors
    /// If the configuration's sizes are impossible or the texts hold nothing.
    pub fn train<'a>(
        config: &TokenizerConfig,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, DataError> {
        let mut trainer = TokenizerTrainer::new(config)?;
        if trainer.needs_texts() {
            for text in texts {
                trainer.add(text)?;
            }
        }
        trainer.finish()
    }

    /// Reads a `tokenizer.json`; see [`Tokenizer::from_json`].
    ///
    /// # Errors
    /// If the file cannot be read or is no usable tokenizer.
    pub fn open(path: &Path, max_length: Option<usize>) -> Result<Self, DataError> {
        let open = |source| DataError::Open {
            path: path.to_owned(),
            source,
        };
        let name = path.display().to_string();
        let file = File::open(path).map_err(open)?;
        if file.metadata().map_err(open)?.is_dir() {
            return Err(DataError::Folder {
                path: path.to_owned(),
            });
        }
        let mut json = Vec::new();
        file.take(LARGEST_FILE_BYTES + 1)
            .read_to_end(&mut json)
            .map_err(open)?;
        Self::from_named_json(&name, &json, max_length)
    }

    /// Reads the content of a `tokenizer.json`, ours or another's. `max_length` replaces the one in the file, and is
    /// needed if the file has none.
    ///
    /// The file must have tokens for padding, unknown and class (`[PAD]`, `[UNK]`, `[CLS]`, or `<pad>`, `<unk>`,
    /// `<s>`). If its own post-processor does not put the class token first, ours takes its place.
    ///
    /// # Errors
    /// [`DataError::InvalidTokenizer`] with what is wrong.
    pub fn from_json(json: &[u8], max_length: Option<usize>) -> Result<Self, DataError> {
        Self::from_named_json("tokenizer.json", json, max_length)
    }

    fn from_named_json(
        name: &str,
        json: &[u8],
        max_length: Option<usize>,
    ) -> Result<Self, DataError> {
        let invalid = |message: String| DataError::InvalidTokenizer {
            name: name.to_owned(),
            message,
        };
        if json.len() as u64 > LARGEST_FILE_BYTES {
            return Err(invalid(format!(
                "it is larger than {LARGEST_FILE_BYTES} bytes"
            )));
        }
        let inner = isolated(|| tokenizers::Tokenizer::from_bytes(json)).map_err(invalid)?;
        let in_file = inner
            .get_truncation()
            .map(|truncation| truncation.max_length);
        let max_length = max_length.or(in_file).ok_or_else(|| {
            invalid(
                "it has no maximum length (\"truncation\"); set tokenizer.max_length".to_owned(),
            )
        })?;
        Self::new(name, inner, max_length)
    }

    pub(super) fn new(
        name: &str,
        mut inner: tokenizers::Tokenizer,
        max_length: usize,
    ) -> Result<Self, DataError> {
        let invalid = |message: String| DataError::InvalidTokenizer {
            name: name.to_owned(),
            message,
        };
        if max_length < 2 {
            return Err(DataError::MaxLengthTooSmall { found: max_length });
        }
        if let ModelWrapper::BPE(model) = inner.get_model()
            && model.dropout.is_some_and(|dropout| dropout > 0.0)
        {
            return Err(invalid(
                "it drops merges at random; set \"dropout\" of its model to null".to_owned(),
            ));
        }
        let find = |names: [&str; 2]| names.iter().find_map(|name| inner.token_to_id(name));
        let need = |names: [&str; 2]| {
            find(names)
                .ok_or_else(|| invalid(format!("it has no token {} (or {})", names[0], names[1])))
        };
        let (pad, unknown, class) = (need(PAD)?, need(UNKNOWN)?, need(CLASS)?);
        let (separator, mask) = (find(SEPARATOR), find(MASK));
        let vocab_size = vocab_size(&inner).map_err(invalid)?;
        // Batches are padded where they are made; text must not be able to spell `[PAD]` and hide itself.
        inner.with_padding(None);
        inner.set_encode_special_tokens(true);
        inner
            .with_truncation(None)
            .map_err(|error| invalid(error.to_string()))?;
        let probe = isolated(|| inner.encode_fast("", true)).map_err(invalid)?;
        if let Some(id) = probe
            .get_ids()
            .iter()
            .find(|id| **id as usize >= vocab_size)
        {
            return Err(invalid(format!(
                "it adds the id {id}, beyond its vocabulary of {vocab_size}"
            )));
        }
        if probe.get_ids().first() != Some(&class) {
            let names = (
                inner.id_to_token(class),
                separator.and_then(|id| inner.id_to_token(id)),
            );
            let (class_name, separator_name) =
                (names.0.unwrap_or_default(), names.1.unwrap_or_default());
            let document = class_token_first(
                &class_name,
                class,
                &separator_name,
                separator.unwrap_or(class),
            );
            let processor: tokenizers::PostProcessorWrapper =
                serde_json::from_value(document).map_err(|error| invalid(error.to_string()))?;
            inner.with_post_processor(Some(processor));
        }
        let truncation = TruncationParams {
            max_length,
            strategy: TruncationStrategy::LongestFirst,
            ..Default::default()
        };
        inner.with_truncation(Some(truncation)).map_err(|error| {
            invalid(format!(
                "a maximum length of {max_length} does not fit: {error}"
            ))
        })?;
        Ok(Self {
            inner,
            max_length,
            vocab_size,
            pad,
            unknown,
            class,
            separator,
            mask,
        })
    }

    /// The content of the `tokenizer.json`, which reads back as an equal tokenizer with the same maximum length.
    ///
    /// # Errors
    /// If the crate below cannot write its own format.
    pub fn to_json(&self) -> Result<Vec<u8>, DataError> {
        self.inner
            .to_string(true)
            .map(String::into_bytes)
            .map_err(|error| DataError::InvalidTokenizer {
                name: "this tokenizer".to_owned(),
                message: error.to_string(),
            })
    }

    /// The ids of a text.
    ///
    /// A text far beyond `max_length` is not read to its end: 65,536 characters, or 16 a token if that is more.
    ///
    /// # Errors
    /// [`DataError::Tokenize`] if the tokenizer fails, which those trained here do on no text.
    pub fn encode(&self, text: &str) -> Result<Encoded, DataError> {
        let (text, cut) = capped(text, self.max_length);
        let encoding = self.run(text, |inner| inner.encode_fast(text, true))?;
        let truncated = cut || !encoding.get_overflowing().is_empty();
        Ok(Encoded {
            ids: encoding.get_ids().to_vec(),
            truncated,
        })
    }

    /// The tokens of a text with their places in it, for people to look at; as many as [`Tokenizer::encode`] gives.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn tokens(&self, text: &str) -> Result<Vec<Token>, DataError> {
        let (text, _) = capped(text, self.max_length);
        let encoding = self.run(text, |inner| inner.encode(text, true))?;
        let parts = encoding
            .get_ids()
            .iter()
            .zip(encoding.get_tokens())
            .zip(encoding.get_offsets());
        Ok(parts
            .map(|((id, piece), (start, end))| Token {
                id: *id,
                piece: piece.clone(),
                start: *start,
                end: *end,
            })
            .collect())
    }

    /// The text of ids without the special tokens. Bytes and byte pairs give back what was encoded, but for what
    /// `lowercase` and `max_length` took away; other kinds give their tokens back, parted by spaces for words.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String, DataError> {
        let text =
            isolated(|| self.inner.decode(ids, true)).map_err(|message| DataError::Tokenize {
                characters: 0,
                message,
            })?;
        Ok(text)
    }

    /// One more than the largest id: the rows of an embedding table.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// Most ids of one text, `[CLS]` included.
    #[must_use]
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// The id that fills up a batch.
    #[must_use]
    pub fn pad_id(&self) -> u32 {
        self.pad
    }

    /// The id of whatever the vocabulary lacks.
    #[must_use]
    pub fn unknown_id(&self) -> u32 {
        self.unknown
    }

    /// The id that every text starts with.
    #[must_use]
    pub fn class_id(&self) -> u32 {
        self.class
    }

    /// The id that parts two texts, if there is one.
    #[must_use]
    pub fn separator_id(&self) -> Option<u32> {
        self.separator
    }

    /// The id that hides a token in masked language modelling, if there is one.
    #[must_use]
    pub fn mask_id(&self) -> Option<u32> {
        self.mask
    }

    /// The name of an id in the vocabulary.
    #[must_use]
    pub fn piece(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    fn run(
        &self,
        text: &str,
        encode: impl FnOnce(&tokenizers::Tokenizer) -> tokenizers::Result<tokenizers::Encoding>,
    ) -> Result<tokenizers::Encoding, DataError> {
        let failed = |message| DataError::Tokenize {
            characters: text.chars().count(),
            message,
        };
        let encoding = isolated(|| encode(&self.inner)).map_err(failed)?;
        match encoding
            .get_ids()
            .iter()
            .find(|id| **id as usize >= self.vocab_size)
        {
            Some(id) => Err(failed(format!(
                "it gave the id {id}, beyond its vocabulary of {}",
                self.vocab_size
            ))),
            None => Ok(encoding),
        }
    }
}

pub(super) fn parse(document: &Value) -> Result<tokenizers::Tokenizer, DataError> {
    isolated(|| tokenizers::Tokenizer::from_bytes(document.to_string())).map_err(|message| {
        DataError::InvalidTokenizer {
            name: "the trained tokenizer".to_owned(),
            message,
        }
    })
}

fn vocab_size(inner: &tokenizers::Tokenizer) -> Result<usize, String> {
    let vocabulary = inner.get_vocab(true);
    let largest = vocabulary.values().max().map_or(0, |id| *id as usize);
    // An embedding table has a row for every id up to the largest: gaps cost memory, and a hostile file has one of 2^32.
    if largest / 2 > vocabulary.len() {
        return Err(format!(
            "its largest id is {largest}, with {} tokens in the vocabulary",
            vocabulary.len()
        ));
    }
    Ok(largest + 1)
}
