//! A configuration for classes of whole series.

use std::fmt::Write as _;

use super::super::render::{column, path};
use super::SeriesProposal;

/// Steps of the optimiser that a small classifier gains from, which has few examples.
const CLASS_STEPS: usize = 800;

impl SeriesProposal {
    pub(super) fn classification(&self, out: &mut String) -> std::fmt::Result {
        let guess = &self.guess;
        self.beginning(out)?;
        if let Some(label) = &guess.label_column {
            writeln!(out, "label_column = {}", column(label))?;
        }
        if guess.id_column.is_some() {
            self.channels(out)?;
        }
        match &self.options.valid {
            Some(valid) => writeln!(out, "valid = {}", path(valid))?,
            None => writeln!(
                out,
                "valid = 0.1  # held out of the training file: to look at, nothing is chosen by it"
            )?,
        }
        match &self.options.test {
            Some(test) => writeln!(out, "test = {}", path(test))?,
            None => writeln!(out, "test = 0.2  # no test file was given: held out too")?,
        }
        let length = match guess.lookback {
            0..64 => 1,
            steps => steps.div_ceil(96),
        };
        // A short series is a level and a trend, a long one has shapes somewhere in it.
        let is_short = guess.lookback < 64;
        let (pooling, dropout, kernel, rate, jitter, scaling) = match is_short {
            true => ("mean", 0.2, 5, "1e-3", 0.1, 0.2),
            false => ("max", 0.1, 15, "3e-3", 0.03, 0.1),
        };
        let steps = match is_short {
            true => CLASS_STEPS / 2,
            false => CLASS_STEPS,
        };
        let (epochs, steps) = self.epochs(steps, 16, [5, 400]);
        write!(
            out,
            "
[model]
d_model = 64
n_layers = 1
n_heads = 4
d_ff = 128
dropout = {dropout}
pooling = \"{pooling}\"

[model.stem]  # few examples teach attention little of neighbours; convolutions know them
layers = 3
kernel = {kernel}

[model.patch]
length = {length}  # of series of up to {} step{s}
stride = {length}

[train]
epochs = {epochs}  # {steps}
batch_size = 16
learning_rate = {rate}
warmup = \"10%\"
weight_decay = 0.05
label_smoothing = 0.1  # keeps a small model from growing too sure of few examples
jitter = {jitter}  # noise and factors make many examples of few
scaling = {scaling}
ema = 0.98
",
            guess.lookback,
            s = if guess.lookback == 1 { "" } else { "s" },
        )?;
        writeln!(
            out,
            "\n[eval]\nevery = \"10%\"\nkeep = \"last\"  # the best of few noisy evaluations is luck"
        )
    }
}
