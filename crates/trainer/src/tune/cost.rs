//! What a trial costs on this machine.

use regard_bundle::Companion;

use crate::config::{Config, Period, Task as TaskName, TokenizerConfig, TokenizerKind};
use crate::task::{Split, Task};

/// Passes of a training step through a matrix: one forward, two backward; two operations each.
const OPERATIONS_OF_A_WEIGHT: f64 = 6.0;
/// An elementwise operation is bound by the memory: it costs as much as this many in a matrix product.
const ELEMENTWISE: f64 = 100.0;
/// The optimiser's operations on a parameter, each bound by the memory.
const UPDATE: f64 = 5.0 * ELEMENTWISE;

/// What the costs depend on beside the configuration.
#[derive(Clone, Debug)]
pub(super) struct DataSizes {
    /// Training units.
    pub n_units: usize,
    mean_tokens: f64,
    vocab_size: usize,
    /// Rows of a unit: the channels of a window.
    rows: f64,
    /// The tokenizer that made these sizes.
    tokenizer: TokenizerConfig,
    /// Steps from one patch to the next, of series.
    patch_stride: f64,
}

impl DataSizes {
    /// The sizes of a task that was read under `config`.
    pub fn of(task: &dyn Task, config: &Config) -> Self {
        let lengths = task.lengths(Split::Train);
        let sum: f64 = lengths.iter().map(|length| f64::from(*length)).sum();
        Self {
            n_units: lengths.len(),
            mean_tokens: sum / lengths.len().max(1) as f64,
            vocab_size: match task.companion() {
                Companion::Tokenizer(tokenizer) => tokenizer.vocab_size(),
                _ => 0,
            },
            rows: match lengths.len() {
                0 => 1.0,
                _ => task.n_rows(Split::Train, 0) as f64,
            },
            patch_stride: config.model.patch.stride as f64,
            tokenizer: config.tokenizer.clone(),
        }
    }

    /// The steps of an epoch of a configuration.
    pub fn steps_per_epoch(&self, config: &Config) -> u64 {
        self.n_units.div_ceil(config.train.batch_size) as u64
    }

    /// The steps of a whole training of a configuration.
    pub fn total_steps(&self, config: &Config) -> u64 {
        let train = &config.train;
        let all = train.epochs.saturating_mul(self.steps_per_epoch(config));
        train.max_steps.map_or(all, |most| most.min(all))
    }

    /// The work of a training step, in operations of a matrix product; good for comparing sizes.
    pub fn step_work(&self, config: &Config) -> f64 {
        let model = &config.model;
        let [d, d_ff, layers, heads] =
            [model.d_model, model.d_ff, model.n_layers, model.n_heads].map(|n| n as f64);
        let is_text = config.task == TaskName::TextClassification;
        let tokens_of_a_text = match is_text {
            true => self.tokens(&config.tokenizer),
            false => self.mean_tokens * self.patch_stride / model.patch.stride as f64,
        };
        let tokens = config.train.batch_size as f64 * self.rows * tokens_of_a_text;
        let weights = layers * (4.0 * d * d + 2.0 * d * d_ff);
        let of_a_token = OPERATIONS_OF_A_WEIGHT * (weights + layers * 2.0 * d * tokens_of_a_text)
            + ELEMENTWISE * (layers * (10.0 * d + 2.0 * d_ff + 2.0 * heads * tokens_of_a_text) + d);
        let table = match (is_text, config.task) {
            (true, _) => self.vocabulary(&config.tokenizer),
            // The flattened head.
            (_, task) if task.has_windows() => tokens_of_a_text * config.data.horizon as f64,
            _ => 0.0,
        };
        let parameters = weights + table * d;
        tokens * of_a_token + UPDATE * parameters
    }

    /// The mean number of tokens of a text, estimated where the tokenizer is another one.
    fn tokens(&self, tokenizer: &TokenizerConfig) -> f64 {
        let of_a_word = |kind| match kind {
            TokenizerKind::Bytes | TokenizerKind::Characters => 5.5,
            TokenizerKind::Words => 1.0,
            TokenizerKind::Bpe => 1.3,
        };
        let ratio = of_a_word(tokenizer.kind) / of_a_word(self.tokenizer.kind);
        (self.mean_tokens * ratio).min(tokenizer.max_length as f64)
    }

    fn vocabulary(&self, tokenizer: &TokenizerConfig) -> f64 {
        let most = tokenizer.vocab_size;
        let size = match tokenizer.kind {
            TokenizerKind::Bytes => 261,
            TokenizerKind::Characters => 300,
            // The data holds no more words than these.
            kind if kind == self.tokenizer.kind && self.vocab_size < self.tokenizer.vocab_size => {
                most.min(self.vocab_size)
            }
            TokenizerKind::Words | TokenizerKind::Bpe => most,
        };
        size as f64
    }
}

/// The speed of this machine with the configuration as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Speed {
    /// Reading the data, making the model, saving it: what a run costs whatever its length.
    pub seconds_per_run: f64,
    pub seconds_per_step: f64,
    pub seconds_per_evaluation: f64,
}

impl Speed {
    /// The seconds of a run of `steps` steps that evaluates `n_evaluations` times, where a step has
    /// `work` times the work of a step of the configuration as it stands.
    pub fn seconds(&self, steps: u64, n_evaluations: u64, work: f64) -> f64 {
        let steps = steps as f64 * self.seconds_per_step;
        let evaluations = n_evaluations as f64 * self.seconds_per_evaluation;
        self.seconds_per_run + work * (steps + evaluations)
    }
}

/// The configuration of a trial on a rung.
///
/// `steps` counts batches of `base`; a trial with batches of another size makes as many of its own as
/// see the same number of examples. Warm-up keeps its share of a whole training.
pub(super) fn on_rung(trial: &Config, base: &Config, steps: u64, sizes: &DataSizes) -> Config {
    let mut config = trial.clone();
    let per_epoch = sizes.steps_per_epoch(trial);
    let whole = sizes.total_steps(trial);
    let train = &mut config.train;
    let ratio = base.train.batch_size as f64 / train.batch_size as f64;
    let steps = ((steps as f64 * ratio).round() as u64).max(1);
    train.max_steps = Some(steps);
    // Epochs never end a trial before its steps do.
    train.epochs = train.epochs.max(steps.div_ceil(per_epoch.max(1)));
    if !matches!(train.warmup, Period::Percent(_)) {
        let share = train.warmup.steps(whole, per_epoch) as f64 / whole.max(1) as f64;
        train.warmup = Period::Percent((100.0 * share).min(100.0));
    }
    // A search chooses by the validation data and leaves the test data alone. A share of the training
    // file stays held out all the same, and so does a table whose part would otherwise come from there.
    if let Some(crate::config::Source::Path(_)) = config.data.test
        && !config.task.has_windows()
    {
        config.data.test = None;
    }
    config.checkpoint.keep = 1;
    config
}

/// The evaluations of a run.
pub(super) fn n_evaluations(config: &Config, sizes: &DataSizes) -> u64 {
    let steps = sizes.total_steps(config);
    let every = config
        .eval
        .every
        .steps(steps, sizes.steps_per_epoch(config));
    steps.div_ceil(every.max(1))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Source, parse};

    fn config(settings: &[&str]) -> Config {
        let text = "version = 1\ntask = \"text-classification\"\n[data]\ntrain = \"t.tsv\"\n\
            [train]\nepochs = 10\nbatch_size = 32\n";
        parse(text, Path::new("c.toml"), settings).unwrap()
    }

    fn sizes() -> DataSizes {
        DataSizes {
            n_units: 3200,
            mean_tokens: 20.0,
            vocab_size: 5000,
            rows: 1.0,
            tokenizer: config(&[]).tokenizer,
            patch_stride: 1.0,
        }
    }

    #[test]
    fn a_trial_sees_the_examples_of_its_rung_whatever_its_batches() {
        let base = config(&[]);
        for (batch, steps) in [(32, 300), (64, 150), (16, 600), (3200, 3)] {
            let trial = config(&[&format!("train.batch_size={batch}")]);
            let run = on_rung(&trial, &base, 300, &sizes());
            assert_eq!(run.train.max_steps, Some(steps), "{batch}");
            assert_eq!(sizes().total_steps(&run), steps, "{batch}");
        }
        let whole = on_rung(&base, &base, 1000, &sizes());
        assert_eq!(sizes().total_steps(&whole), 1000);
    }

    #[test]
    fn warm_up_keeps_its_share_of_a_whole_training() {
        let base = config(&[]);
        // 1,000 steps are a whole training.
        for (written, share) in [
            ("100", 10.0),
            ("\"1 epoch\"", 10.0),
            ("\"7%\"", 7.0),
            ("0", 0.0),
        ] {
            let trial = config(&[&format!("train.warmup={written}")]);
            let run = on_rung(&trial, &base, 50, &sizes());
            assert_eq!(run.train.warmup, Period::Percent(share), "{written}");
            // What a run reads back from its folder is this configuration.
            let read = parse::<&str>(&run.to_toml().unwrap(), Path::new("c"), &[]);
            assert_eq!(read.unwrap(), run);
        }
    }

    #[test]
    fn a_test_file_is_left_alone_and_a_test_share_stays_held_out() {
        let base = config(&[]);
        let run = |test: &str| {
            let trial = config(&[&format!("data.test={test}")]);
            on_rung(&trial, &base, 50, &sizes()).data.test
        };
        assert_eq!(run("\"test.tsv\""), None);
        assert_eq!(run("0.2"), Some(Source::Share(0.2)));
    }

    #[test]
    fn work_grows_with_every_size() {
        let work = |settings: &[&str]| sizes().step_work(&config(settings));
        let base = work(&[]);
        for setting in [
            "model.d_model=256",
            "model.n_layers=3",
            "model.d_ff=512",
            "train.batch_size=64",
            "tokenizer.kind=bytes",
            "model.n_heads=8",
        ] {
            assert!(work(&[setting]) > base, "{setting}");
        }
        assert!(work(&["tokenizer.max_length=8"]) < base);
    }

    #[test]
    fn a_run_costs_its_parts() {
        let speed = Speed {
            seconds_per_run: 2.0,
            seconds_per_step: 0.1,
            seconds_per_evaluation: 0.5,
        };
        assert_eq!(speed.seconds(100, 2, 1.0), 13.0);
        assert_eq!(speed.seconds(100, 2, 2.0), 24.0);
        // An evaluation an epoch, 100 steps each, and one at the end.
        let run = on_rung(&config(&[]), &config(&[]), 250, &sizes());
        assert_eq!(n_evaluations(&run, &sizes()), 3);
    }
}
