//! Numbers that are not finite, and where they stand.

use std::fmt;

/// An operation whose output holds NaN or infinity at a real token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFinite {
    /// The operation by the name that its weights have in their file, or would have:
    /// `blocks.1.attention.qkv`.
    pub operation: String,
    /// The layer, counted from 0; `None` in the embedding and the head.
    pub layer: Option<usize>,
    /// The attention heads that such values belong to; empty where an output is not parted by heads.
    pub heads: Vec<usize>,
    /// The row of the batch of the first such value.
    pub row: usize,
    /// The token of the first such value; `None` behind pooling, where rows have no tokens.
    pub token: Option<usize>,
    /// How many values are NaN.
    pub n_nan: usize,
    /// How many values are infinite.
    pub n_infinite: usize,
    /// How many values were looked at.
    pub n_values: usize,
}

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            n_nan,
            n_infinite,
            n_values,
            row,
            ..
        } = self;
        let what = match (n_nan, n_infinite) {
            (nan, 0) => format!("{nan} of {n_values} values are NaN"),
            (0, infinite) => format!("{infinite} of {n_values} values are infinite"),
            (nan, infinite) => {
                format!("{nan} of {n_values} values are NaN and {infinite} infinite")
            }
        };
        write!(f, "{operation}: {what}, the first in row {row}")?;
        if let Some(token) = self.token {
            write!(f, " at token {token}")?;
        }
        match &self.heads[..] {
            [] => Ok(()),
            [head] => write!(f, ", in head {head}"),
            heads => {
                let names: Vec<String> = heads.iter().map(ToString::to_string).collect();
                write!(f, ", in heads {}", names.join(", "))
            }
        }
    }
}
