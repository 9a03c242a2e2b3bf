//! Pieces of words, put together again.

use std::ops::Range;

use super::text::TextToken;

/// A run of tokens that a person reads as one: the pieces of a word or number, or a punctuation mark.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// Its text.
    pub text: String,
    /// Its tokens.
    pub tokens: Range<usize>,
    /// The sum of its tokens' rollout.
    pub rollout: f64,
    /// How much the predicted class's probability falls if the model sees `[UNK]` in the place of each
    /// of its tokens at once; `None` if an answer is not finite.
    pub occlusion: Option<f64>,
}

/// The tokens of each word, in order. Tokens that stand for no text belong to none.
pub(super) fn group(text: &str, tokens: &[TextToken]) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.is_special() {
            continue;
        }
        match words.last_mut() {
            Some(word) if word.end == index && joined(text, &tokens[index - 1], token) => {
                word.end = index + 1;
            }
            _ => words.push(index..index + 1),
        }
    }
    words
}

/// Whether two neighbours are parts of one word: letters or digits that touch, or parts of one
/// character.
fn joined(text: &str, before: &TextToken, token: &TextToken) -> bool {
    if token.start < before.end {
        return true;
    }
    let last = text.get(..before.end).and_then(|text| text.chars().last());
    let first = text.get(token.start..).and_then(|text| text.chars().next());
    token.start == before.end
        && last.is_some_and(char::is_alphanumeric)
        && first.is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, places: &[(usize, usize)]) -> Vec<Range<usize>> {
        let token = |(start, end): &(usize, usize)| TextToken {
            id: 9,
            text: String::new(),
            start: *start,
            end: *end,
        };
        let tokens: Vec<TextToken> = places.iter().map(token).collect();
        group(text, &tokens)
    }

    #[test]
    fn pieces_that_touch_are_one_word_and_marks_stand_alone() {
        let text = "Congratulations! £1000 日本";
        // [CLS], three pieces, a mark, the pound, a number with its space, a letter cut in bytes.
        let places = [
            (0, 0),
            (0, 4),
            (4, 11),
            (11, 15),
            (15, 16),
            (17, 19),
            (19, 23),
            (24, 27),
            (24, 27),
            (27, 30),
        ];
        assert_eq!(words(text, &places), [1..4, 4..5, 5..6, 6..7, 7..10]);
    }

    #[test]
    fn a_space_inside_a_token_parts_words() {
        // As byte pairs have it: the space belongs to the token behind it.
        assert_eq!(words("ab cd", &[(0, 2), (2, 5)]), [0..1, 1..2]);
        assert!(words("", &[(0, 0)]).is_empty());
    }
}
