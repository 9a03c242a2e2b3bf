//! Classification of text.

use burn::tensor::{Device, Int, Tensor, TensorData};
use regard_data::Tokenizer;
use regard_model::{Input, Transformer};
use regard_ops::Context;

use crate::error::BundleError;
use crate::workers::Workers;

/// The most rows of a batch.
const BATCH: usize = 32;
/// The filling that a batch may have: this many positions, or this share of its tokens. Each position
/// costs what a token costs; each batch costs something too.
const FILLING: usize = 64;
const FILLING_SHARE: f64 = 0.25;

/// A batch of token ids on `device`, each row filled up to the longest with `pad_id`.
///
/// # Panics
///
/// If a row is empty or there is none.
#[must_use]
pub fn text_input(rows: &[&[u32]], pad_id: u32, device: &Device) -> Input {
    let lengths: Vec<usize> = rows.iter().map(|row| row.len()).collect();
    let (Some(&longest), Some(&shortest)) = (lengths.iter().max(), lengths.iter().min()) else {
        panic!("a batch has at least one row");
    };
    assert!(shortest > 0, "a row has at least its class token");
    let mut ids = Vec::with_capacity(rows.len() * longest);
    for row in rows {
        ids.extend(row.iter().map(|id| *id as i32));
        ids.extend(std::iter::repeat_n(pad_id as i32, longest - row.len()));
    }
    let ids = TensorData::new(ids, [rows.len(), longest]);
    let input = Input::text(Tensor::<2, Int>::from_data(ids, device));
    if shortest == longest {
        return input;
    }
    input.with_lengths(&lengths)
}

/// What a classifier says of one text.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassPrediction {
    /// The most probable class.
    pub class: usize,
    /// The probability of each class; they sum to 1.
    pub probabilities: Vec<f64>,
    /// Whether the end of the text was cut off.
    pub truncated: bool,
}

impl ClassPrediction {
    /// From a row of logits.
    #[must_use]
    pub fn from_logits(logits: &[f32], truncated: bool) -> Self {
        // On the host and in f64: the same on every backend, and never exactly 0 by underflow of f32.
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f64> = logits
            .iter()
            .map(|logit| f64::from(logit - most).exp())
            .collect();
        let sum: f64 = powers.iter().sum();
        let probabilities: Vec<f64> = powers.iter().map(|power| power / sum).collect();
        let class = (0..probabilities.len()).fold(0, |best, class| {
            if probabilities[class] > probabilities[best] {
                class
            } else {
                best
            }
        });
        Self {
            class,
            probabilities,
            truncated,
        }
    }

    /// The probability of the most probable class.
    #[must_use]
    pub fn probability(&self) -> f64 {
        self.probabilities[self.class]
    }
}

/// A trained classifier of text.
#[derive(Debug)]
pub struct TextClassifier {
    tokenizer: Tokenizer,
    labels: Vec<String>,
    model: Transformer,
    device: Device,
    workers: Workers,
}

impl TextClassifier {
    /// Puts the parts together. `model` lives on `device`, without autodiff.
    #[must_use]
    pub fn new(
        tokenizer: Tokenizer,
        labels: Vec<String>,
        model: Transformer,
        device: Device,
    ) -> Self {
        Self {
            tokenizer,
            labels,
            model,
            device,
            workers: Workers::new(1),
        }
    }

    /// With several threads, each working on a batch of its own.
    #[must_use]
    pub fn with_workers(mut self, workers: Workers) -> Self {
        self.workers = workers;
        self
    }

    /// The names of the classes.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// What turns texts into token ids.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Transformer {
        &self.model
    }

    /// Where the model lives.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Classifies texts; the answers stand in the texts' order.
    ///
    /// # Errors
    ///
    /// If a text cannot be turned into tokens.
    pub fn predict<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
    ) -> Result<Vec<ClassPrediction>, BundleError> {
        let encoded = texts
            .iter()
            .map(|text| self.tokenizer.encode(text.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        let rows: Vec<&[u32]> = encoded.iter().map(|text| text.ids.as_slice()).collect();
        let logits = self.logits(&rows);
        Ok(logits
            .iter()
            .zip(&encoded)
            .map(|(logits, text)| ClassPrediction::from_logits(logits, text.truncated))
            .collect())
    }

    /// The logits of each row of token ids, in order.
    pub(crate) fn logits(&self, rows: &[&[u32]]) -> Vec<Vec<f32>> {
        // Batches of similar lengths waste no work on filling.
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|row| rows[*row].len());
        let batches = batches(&order, |row| rows[row].len());
        let answers = self.workers.map(batches.len(), |batch| {
            let rows: Vec<&[u32]> = batches[batch].iter().map(|row| rows[*row]).collect();
            let input = text_input(&rows, self.tokenizer.pad_id(), &self.device);
            rows_of(self.model.forward(&input, &mut Context::evaluation()))
        });
        let mut logits = vec![Vec::new(); rows.len()];
        for (row, answer) in order.iter().zip(answers.into_iter().flatten()) {
            logits[*row] = answer;
        }
        logits
    }
}

/// Rows in the order of their lengths, cut where a batch is full or the next row would make it filling
/// more than text.
fn batches(order: &[usize], length: impl Fn(usize) -> usize) -> Vec<&[usize]> {
    let mut batches = Vec::new();
    let (mut begin, mut tokens) = (0, 0);
    for (end, row) in order.iter().enumerate() {
        let longest = length(*row);
        let filling = (end - begin) * longest - tokens;
        let most = FILLING.max((FILLING_SHARE * (tokens + longest) as f64) as usize);
        if end - begin == BATCH || filling > most {
            batches.push(&order[begin..end]);
            (begin, tokens) = (end, 0);
        }
        tokens += longest;
    }
    if begin < order.len() {
        batches.push(&order[begin..]);
    }
    batches
}

/// Copies `[batch, 1, n_classes]` to the host, row by row.
fn rows_of(output: Tensor<3>) -> Vec<Vec<f32>> {
    let [_, answers, n_classes] = output.dims();
    let values = output
        .into_data()
        .try_into_vec_as::<f32>()
        .expect("a float tensor converts to f32");
    values
        .chunks(answers * n_classes)
        .map(<[f32]>::to_vec)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_a_softmax_that_survives_large_logits() {
        let prediction = ClassPrediction::from_logits(&[1000.0, 1001.0, 0.0], false);
        let expected = 1.0 / (1.0 + (-1.0_f64).exp());
        assert_eq!(prediction.class, 1);
        assert!((prediction.probability() - expected).abs() < 1e-12);
        assert!((prediction.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
    #[test]
    fn batches_hold_every_row_once_and_little_filling() {
        let all: Vec<usize> = (0..500).collect();
        for lengths in [
            vec![1; 500],
            all.iter().map(|row| 1 + row / 4).collect(),
            all.iter().map(|row| 1 + row * row / 100).collect(),
        ] {
            let batches = batches(&all, |row| lengths[row]);
            assert_eq!(batches.concat(), all);
            for batch in &batches {
                let tokens: usize = batch.iter().map(|row| lengths[*row]).sum();
                let filling = batch.len() * lengths[batch[batch.len() - 1]] - tokens;
                assert!(batch.len() <= BATCH);
                assert!(filling <= FILLING.max(tokens / 4), "{filling} of {tokens}");
            }
            // Few enough: rows of one length fill their batches.
            if lengths[0] == lengths[499] {
                assert_eq!(batches.len(), 500_usize.div_ceil(BATCH));
            }
        }
        assert!(batches(&[], |_| 1).is_empty());
    }
}
