//! What stands between a text and the `tokenizers` crate: a cap on memory, and a net for panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The beginning of a text that may be encoded, and whether anything was cut off.
pub(super) fn capped(text: &str, max_length: usize) -> (&str, bool) {
    // The crate takes about 140 bytes of memory a byte of text, and 20 MB in one line is a text like any other to it.
    const LEAST_CHARACTERS: usize = 65_536;
    const CHARACTERS_PER_TOKEN: usize = 16;
    let cap = max_length
        .saturating_mul(CHARACTERS_PER_TOKEN)
        .max(LEAST_CHARACTERS);
    if text.len() <= cap {
        return (text, false);
    }
    match text.char_indices().nth(cap) {
        Some((end, _)) => (&text[..end], true),
        None => (text, false),
    }
}

/// Runs code of the `tokenizers` crate, whose regular expressions can panic on hostile input, and turns a panic into a
/// message.
pub(super) fn isolated<T>(run: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, String> {
    // Nothing is observed after a panic but the tokenizer, which these calls do not change.
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("it panicked".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_below_becomes_a_message() {
        let result: Result<(), String> = isolated(|| panic!("a regular expression gave up"));
        assert_eq!(result, Err("it panicked".to_owned()));
        let result: Result<(), String> = isolated(|| Err("no such token".into()));
        assert_eq!(result, Err("no such token".to_owned()));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let text = "é".repeat(65_537);
        assert_eq!(capped(&text, 10), (&text[..2 * 65_536], true));
        assert_eq!(capped(&text[2..], 10), (&text[2..], false));
        assert_eq!(capped(&text, 5_000), (text.as_str(), false));
    }
}
