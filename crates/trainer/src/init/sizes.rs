//! How large a model, how long a text, how long a training.

use super::columns::ColumnStatistics;

/// Training stops at about this many minutes, by the estimate of [`Sizes::choose`].
const MINUTES: f64 = 15.0;
/// Multiply-adds a second that a processor reaches in training, counted low.
const SPEED: f64 = 1.5e10;
/// Seconds that the update of one number takes, the moving average with it.
const UPDATE: f64 = 5e-9;
/// The steps that a training on few rows has.
const FEWEST_STEPS: usize = 1000;
/// The longest text that is proposed, in tokens.
const LONGEST: usize = 512;
/// Above this many characters between spaces, words are not what parts the text.
const WORDLESS: f64 = 20.0;

/// Sizes, each with its reason.
#[derive(Clone, Debug)]
pub struct Sizes {
    /// `tokenizer.kind`.
    pub tokenizer: &'static str,
    /// Why.
    pub tokenizer_reason: String,
    /// `tokenizer.vocab_size`.
    pub vocab_size: usize,
    /// `tokenizer.max_length`.
    pub max_length: usize,
    /// Why.
    pub max_length_reason: String,
    /// `model.d_model`.
    pub d_model: usize,
    /// `model.n_layers`.
    pub n_layers: usize,
    /// `model.dropout`.
    pub dropout: f64,
    /// `train.word_dropout`.
    pub word_dropout: f64,
    /// `train.mixup`.
    pub mixup: f64,
    /// `train.ema`.
    pub ema: f64,
    /// `data.valid`, where no file was given.
    pub valid: f64,
    /// `train.epochs`.
    pub epochs: usize,
    /// `train.batch_size`.
    pub batch_size: usize,
    /// `train.learning_rate`.
    pub learning_rate: f64,
    /// `train.max_steps`, where the epochs would take too long.
    pub max_steps: Option<usize>,
    /// The estimated minutes of the training.
    pub minutes: f64,
}

impl Sizes {
    /// Chooses from the number of rows and labels and the texts.
    pub(super) fn choose(
        n_rows: usize,
        n_labels: usize,
        text: &ColumnStatistics,
        processors: usize,
    ) -> Self {
        let wordless = text.characters_per_word() > WORDLESS;
        let (tokenizer, tokenizer_reason) = if wordless {
            (
                "characters",
                "words are not parted by spaces here".to_owned(),
            )
        } else {
            (
                "words",
                "words are parted by spaces here, and few examples teach whole words soonest"
                    .to_owned(),
            )
        };
        let n_texts: usize = text.lengths.values().sum();
        let at_95 = f64::from(text.words(n_texts * 95 / 100).unwrap_or(1));
        // A word is about 1.3 tokens once punctuation stands alone.
        let tokens_at_95 = if wordless {
            text.mean_characters() * 2.0
        } else {
            at_95 * 1.3
        };
        let max_length = ((tokens_at_95 as usize + 1).next_multiple_of(8)).clamp(16, LONGEST);
        let max_length_reason = format!(
            "95 of 100 texts have at most {} tokens or so",
            tokens_at_95.round()
        );
        let d_model = if n_rows < 40_000 { 128 } else { 192 };
        let (dropout, word_dropout, mixup) = match n_rows {
            0..20_000 => (0.3, 0.3, 1.0),
            20_000..60_000 => (0.2, 0.2, 0.5),
            _ => (0.1, 0.1, 0.2),
        };
        let batch_size = match n_rows {
            0..3_000 => 16,
            3_000..30_000 => 32,
            _ => 64,
        };
        let steps_per_epoch = n_rows.div_ceil(batch_size).max(1);
        let epochs = match n_rows {
            // The average needs some hundred steps behind those in which most is learned.
            0..15_000 => (FEWEST_STEPS / steps_per_epoch).clamp(6, 60),
            15_000..50_000 => 4,
            _ => 3,
        };
        let n_layers = if n_rows < 15_000 { 1 } else { 2 };
        let n_words: u64 = text
            .lengths
            .iter()
            .map(|(words, count)| u64::from(*words) * *count as u64)
            .sum();
        let mean_tokens = n_words as f64 / n_texts.max(1) as f64 * 1.3;
        let vocab_size = if wordless { 6_000 } else { 16_000 }.max(n_labels);
        // Forward and backward, attention left out: 6 multiply-adds a parameter and token; and the update,
        // which goes over the whole table of tokens whatever the batch.
        let parameters = (n_layers * 8 * d_model * d_model) as f64;
        let seconds_per_step =
            6.0 * parameters * mean_tokens.min(max_length as f64) * batch_size as f64
                / (SPEED * processors.max(1) as f64)
                + (vocab_size * d_model) as f64 * UPDATE
                + 0.002;
        let steps = steps_per_epoch * epochs;
        let most = (MINUTES * 60.0 / seconds_per_step) as usize;
        let max_steps = (steps > most).then_some(most.max(1));
        Self {
            tokenizer,
            tokenizer_reason,
            vocab_size,
            max_length,
            max_length_reason,
            d_model,
            n_layers,
            dropout,
            word_dropout,
            mixup,
            ema: 0.998,
            // Every example counts, and the last model is kept: this part is only looked at.
            valid: if n_rows < 2_000 { 0.1 } else { 0.05 },
            epochs,
            batch_size,
            learning_rate: 5e-4,
            max_steps,
            minutes: max_steps.unwrap_or(steps) as f64 * seconds_per_step / 60.0,
        }
    }
}
