//! A configuration for anomalies of series.

use std::fmt::Write as _;

use super::{ANOMALY_HELD_OUT, SeriesProposal, train_percent};

/// Steps of the optimiser that a small model gains from, to tell the usual from the unusual.
const ANOMALY_STEPS: usize = 1500;
/// Steps that it tells at most: what is far ahead is known to nobody.
const ANOMALY_HORIZON: usize = 48;

impl SeriesProposal {
    pub(super) fn anomaly(&self, out: &mut String) -> std::fmt::Result {
        let guess = &self.guess;
        self.beginning(out)?;
        self.own_files(out)?;
        self.channels(out)?;
        self.repeated_times(out)?;
        let mut split = String::new();
        let why = ": the model learns what is usual from the first part, as it is";
        self.split(&mut split, ANOMALY_HELD_OUT, why)?;
        // The validation part must hold a window, and the part to train on many; of each series.
        let rows = guess.rows_of_series;
        let most = (rows * train_percent(&self.options) / 300).max(1);
        let (wanted, why) = match guess.season {
            Some(season) if season > ANOMALY_HORIZON => (season, "a season"),
            _ => (guess.lookback, "what a step is expected from"),
        };
        let lookback = wanted.clamp(1, most);
        let ahead = guess.season.unwrap_or(ANOMALY_HORIZON).min(ANOMALY_HORIZON);
        let horizon = ahead.clamp(1, (rows * 3 / 100).max(1));
        let why = match lookback == wanted {
            true => why,
            false => "as much as leaves windows to learn from",
        };
        writeln!(out, "lookback = {lookback}  # {why}")?;
        writeln!(
            out,
            "horizon = {horizon}  # each step is judged by all forecasts of it, up to so many rows before"
        )?;
        self.calendar(out)?;
        out.push_str(&split);
        writeln!(
            out,
            "\n[anomaly]\nsmooth = {horizon}  # steps whose scores are averaged\n\
             quantile = 0.99  # of the scores of the validation part: above it a step is called unusual\n\
             # windows = \"…\"  # a file of labelled windows, if you have one: scores are judged by it, nothing is learned from it"
        )?;
        let length = (lookback / 16).clamp(1, 16);
        writeln!(
            out,
            "\n[model]\ninstance_norm = false  # the model knows which level is usual\ndropout = 0.1\n\
             patch = {{length = {length}, stride = {}}}",
            length.div_ceil(2)
        )?;
        let (epochs, steps) = self.epochs(ANOMALY_STEPS, 32, [1, 100]);
        writeln!(
            out,
            "\n[train]\nepochs = {epochs}  # {steps}\nbatch_size = 32\nlearning_rate = 1e-3\nema = 0.99"
        )
    }
}
