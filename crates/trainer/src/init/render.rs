//! The proposal as a commented configuration.

use std::fmt::Write as _;
use std::path::Path;

use regard_data::{Column, Format};
use toml::Value;

use super::{ColumnGuess, TextProposal};

impl TextProposal {
    /// A configuration whose comments say why each value is what it is.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.render(&mut text);
        text
    }

    fn render(&self, out: &mut String) -> std::fmt::Result {
        let Self {
            options,
            columns,
            sizes,
            n_rows,
            is_folder,
        } = self;
        writeln!(
            out,
            "# Proposed from {n_rows} rows of {}.",
            options.train.display()
        )?;
        writeln!(
            out,
            "# Every value is a guess by a rule, and may be changed; `regard config schema` lists all keys."
        )?;
        writeln!(out, "version = 1")?;
        writeln!(out, "task = \"text-classification\"")?;
        writeln!(out, "\n[data]")?;
        writeln!(out, "train = {}", path(&options.train))?;
        match &options.valid {
            Some(valid) => writeln!(out, "valid = {}", path(valid))?,
            None => writeln!(
                out,
                "valid = {:?}  # held out of the training file, the same rows in every run: to look at, nothing is chosen by it",
                sizes.valid
            )?,
        }
        match &options.test {
            Some(test) => writeln!(out, "test = {}", path(test))?,
            None => writeln!(
                out,
                "test = 0.1  # no test file was given: held out of the training file too"
            )?,
        }
        format(options.format, out)?;
        if *is_folder {
            writeln!(out, "# one folder a label, one text file an example")?;
        } else {
            columns.render(out)?;
        }
        writeln!(out, "\n[tokenizer]")?;
        writeln!(
            out,
            "kind = \"{}\"  # {}",
            sizes.tokenizer, sizes.tokenizer_reason
        )?;
        writeln!(out, "vocab_size = {}  # at most", sizes.vocab_size)?;
        writeln!(
            out,
            "max_length = {}  # {}",
            sizes.max_length, sizes.max_length_reason
        )?;
        writeln!(
            out,
            "lowercase = true  # fewer different words to learn from few examples"
        )?;
        writeln!(out, "\n[model]")?;
        writeln!(
            out,
            "d_model = {}  # for {n_rows} rows; fewer learn less, more learn them by heart",
            sizes.d_model
        )?;
        writeln!(
            out,
            "n_layers = {}  # {}",
            sizes.n_layers,
            if sizes.n_layers == 1 {
                "few examples teach one layer as much as two, in half the time"
            } else {
                "enough examples for a second layer"
            }
        )?;
        writeln!(out, "n_heads = 4")?;
        writeln!(out, "d_ff = {}  # twice d_model", 2 * sizes.d_model)?;
        writeln!(
            out,
            "dropout = {:?}  # much, because the data is {}",
            sizes.dropout,
            if sizes.dropout > 0.2 {
                "small"
            } else {
                "not large"
            }
        )?;
        writeln!(out, "\n[train]")?;
        writeln!(
            out,
            "epochs = {}  # a thousand steps or so, or what {n_rows} rows bear before they are learned by heart",
            sizes.epochs
        )?;
        if let Some(most) = sizes.max_steps {
            writeln!(
                out,
                "max_steps = {most}  # or the epochs would take longer than a quarter of an hour here"
            )?;
        }
        writeln!(
            out,
            "# about {:.1} minutes on this machine's processors",
            sizes.minutes.max(0.1)
        )?;
        writeln!(
            out,
            "batch_size = {}  # small enough for many updates an epoch",
            sizes.batch_size
        )?;
        writeln!(
            out,
            "learning_rate = {:?}  # safe for models of this size",
            sizes.learning_rate
        )?;
        writeln!(out, "warmup = \"10%\"")?;
        writeln!(out, "weight_decay = 0.1")?;
        writeln!(
            out,
            "label_smoothing = 0.1  # keeps a small model from growing too sure of few examples"
        )?;
        writeln!(
            out,
            "word_dropout = {:?}  # hides words, so that no single one decides",
            sizes.word_dropout
        )?;
        writeln!(
            out,
            "mixup = {:?}  # trains on mixtures of two texts: of all remedies the one that helps small data most",
            sizes.mixup
        )?;
        writeln!(
            out,
            "ema = {:?}  # judges and keeps an average over the last few hundred steps, steadier than the last one",
            sizes.ema
        )?;
        writeln!(out, "\n[eval]")?;
        writeln!(
            out,
            "keep = \"last\"  # the average is at its best at the end; the best of few noisy evaluations is luck"
        )
    }
}

impl ColumnGuess {
    fn render(&self, out: &mut String) -> std::fmt::Result {
        let first_row = if self.header {
            "the first row names the columns"
        } else {
            "the first row is data: columns have numbers, from 0"
        };
        writeln!(out, "header = {}  # {first_row}", self.header)?;
        writeln!(
            out,
            "text_column = {}  # {}",
            column(&self.text),
            self.text_reason
        )?;
        writeln!(
            out,
            "label_column = {}  # {}",
            column(&self.label),
            self.label_reason
        )?;
        if !self.ignored.is_empty() {
            writeln!(out, "# not used: {}", comment(&self.ignored.join(", ")))?;
        }
        Ok(())
    }
}

/// The format of the files, where somebody said it.
pub(super) fn format(format: Option<Format>, out: &mut String) -> std::fmt::Result {
    let Some(format) = format else { return Ok(()) };
    let name = match format {
        Format::Csv => "csv",
        Format::Tsv => "tsv",
        _ => "jsonl",
    };
    writeln!(out, "format = \"{name}\"  # as you said")
}

pub(super) fn path(path: &Path) -> String {
    Value::String(path.display().to_string()).to_string()
}

pub(super) fn column(column: &Column) -> String {
    match column {
        Column::Number(number) => number.to_string(),
        Column::Name(name) => Value::String(name.clone()).to_string(),
    }
}

/// A comment ends with its line.
pub(super) fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect()
}
