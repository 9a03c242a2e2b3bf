//! What a classifier's answer to one text rests on.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use regard_model::Pooling;

use super::attention::AttentionMaps;
use super::not_finite::NotFinite;
use super::recorder::record;
use super::rollout::{pooled, rollout};
use super::words::{self, Word};
use crate::error::BundleError;
use crate::text::{ClassPrediction, TextClassifier, text_input};

/// A token and the part of the text that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextToken {
    /// Its id.
    pub id: u32,
    /// Its part of the text, or its name if it stands for none (`[CLS]`).
    pub text: String,
    /// First byte of its part; equal to `end` if it stands for none.
    pub start: usize,
    /// One past the last byte of its part. Tokens that are bytes of one character share its place.
    pub end: usize,
}

impl TextToken {
    /// Whether it stands for no part of the text.
    #[must_use]
    pub fn is_special(&self) -> bool {
        self.start == self.end
    }
}

/// What a classifier says of a text, and what that rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What the model read, the class token first. If the text was cut, its end is not here.
    pub tokens: Vec<TextToken>,
    /// Whether the end of the text was cut off.
    pub truncated: bool,
    /// The answer; `None` if it is not finite.
    pub prediction: Option<ClassPrediction>,
    /// The attention of each layer whose mechanism gives weights, over the tokens.
    pub layers: Vec<AttentionMaps>,
    /// The share of each token that reaches the pooled vector by attention: [`rollout`] from the mean
    /// of the tokens, or from the class token where the model pools the first.
    pub rollout: Vec<f64>,
    /// How much the probability of the predicted class falls if the model sees `[UNK]` in the token's
    /// place, as word dropout does in training (Zeiler and Fergus 2014,
    /// <https://arxiv.org/abs/1311.2901>, section 4.2, for images): positive where the token speaks
    /// for the class, negative where against it, 0 for tokens that stand for no text or are `[UNK]`.
    /// `None` if an answer is not finite.
    pub occlusion: Option<Vec<f64>>,
    /// The words, each with its tokens and what they do together.
    pub words: Vec<Word>,
    /// Operations whose outputs are not finite, in the order of the model.
    pub not_finite: Vec<NotFinite>,
}

impl TextClassifier {
    /// What the classifier says of a text, and what that rests on.
    ///
    /// It costs a prediction for each token and for each word of several tokens.
    ///
    /// # Errors
    ///
    /// If the text cannot be turned into tokens.
    pub fn explain(&self, text: &str) -> Result<Explanation, BundleError> {
        let truncated = self.tokenizer().encode(text)?.truncated;
        let tokens: Vec<TextToken> = self
            .tokenizer()
            .tokens(text)?
            .into_iter()
            .map(|token| TextToken {
                id: token.id,
                // A foreign tokenizer may cut inside a character.
                text: match text.get(token.start..token.end) {
                    Some(part) if !part.is_empty() => part.to_owned(),
                    _ => token.piece,
                },
                start: token.start,
                end: token.end,
            })
            .collect();
        let ids: Vec<u32> = tokens.iter().map(|token| token.id).collect();
        let input = text_input(&[&ids], self.tokenizer().pad_id(), self.device());
        let recording = record(self.model(), &input);
        let layers = recording
            .attention
            .into_iter()
            .flatten()
            .collect::<Vec<_>>();
        let pooling = self.model().pooling().unwrap_or(Pooling::Mean);
        let rollout = rollout(&layers, pooled(pooling, tokens.len()));
        let words = words::group(text, &tokens);
        let singles = (0..tokens.len())
            .filter(|t| !tokens[*t].is_special())
            .map(|t| t..t + 1);
        let occluded = self.occlude(&ids, singles.chain(words.iter().cloned()), truncated);
        let words = words
            .into_iter()
            .map(|range| Word {
                text: part(text, &tokens[range.clone()]),
                rollout: rollout[range.clone()].iter().sum(),
                occlusion: occluded.as_ref().map(|occluded| occluded.fall(&range)),
                tokens: range,
            })
            .collect();
        let occlusion = occluded.as_ref().map(|occluded| {
            (0..tokens.len())
                .map(|t| occluded.fall(&(t..t + 1)))
                .collect()
        });
        let prediction = occluded.map(|occluded| occluded.prediction);
        Ok(Explanation {
            tokens,
            truncated,
            prediction,
            layers,
            rollout,
            occlusion,
            words,
            not_finite: recording.not_finite,
        })
    }

    /// The answer to the tokens as they are, and what hiding each range of them takes from it; `None`
    /// if a logit is not finite.
    fn occlude(
        &self,
        ids: &[u32],
        ranges: impl Iterator<Item = Range<usize>>,
        truncated: bool,
    ) -> Option<Occluded> {
        let ends: BTreeSet<(usize, usize)> = ranges.map(|range| (range.start, range.end)).collect();
        let hide = |(start, end): &(usize, usize)| {
            let mut row = ids.to_vec();
            row[*start..*end].fill(self.tokenizer().unknown_id());
            row
        };
        let mut rows = vec![ids.to_vec()];
        rows.extend(ends.iter().map(hide));
        let rows: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
        let logits = self.logits(&rows);
        if logits.iter().flatten().any(|logit| !logit.is_finite()) {
            return None;
        }
        let mut answers = logits
            .iter()
            .map(|logits| ClassPrediction::from_logits(logits, truncated));
        let prediction = answers.next()?;
        let fall = |answer: ClassPrediction| {
            prediction.probability() - answer.probabilities[prediction.class]
        };
        Some(Occluded {
            falls: ends.into_iter().zip(answers.map(fall)).collect(),
            prediction,
        })
    }
}

struct Occluded {
    prediction: ClassPrediction,
    /// By the ends of the range that was hidden.
    falls: BTreeMap<(usize, usize), f64>,
}

impl Occluded {
    /// What hiding a range takes from the answer; 0 for one that was not hidden.
    fn fall(&self, range: &Range<usize>) -> f64 {
        let ends = (range.start, range.end);
        self.falls.get(&ends).copied().unwrap_or(0.0)
    }
}

/// The text that tokens stand for together.
fn part(text: &str, tokens: &[TextToken]) -> String {
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
        return String::new();
    };
    match text.get(first.start..last.end) {
        Some(part) => part.trim().to_owned(),
        None => tokens.iter().map(|token| token.text.as_str()).collect(),
    }
}
