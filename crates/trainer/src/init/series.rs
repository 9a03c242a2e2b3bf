//! A configuration for a file of series, from what the data crate guesses of it.

use std::fmt::Write as _;
use std::path::Path;

use regard_data::series::{RepeatedTimes, SeriesGuess};
use toml::Value;

use super::InitOptions;
use super::render::{comment, path};
use crate::config::Task;

/// Steps of the optimiser that a small forecaster gains from.
const FORECAST_STEPS: usize = 800;
/// And one that is to tell the usual from the unusual.
const ANOMALY_STEPS: usize = 1500;
/// Steps that it tells at most: what is far ahead is known to nobody.
const ANOMALY_HORIZON: usize = 48;
/// And a small classifier, which has few examples.
const CLASS_STEPS: usize = 800;
/// Training windows that an epoch holds at most: neighbours tell the same.
const WINDOWS: usize = 2500;

/// A proposed configuration for series.
#[derive(Clone, Debug)]
pub struct SeriesProposal {
    pub(super) options: InitOptions,
    pub(super) header: bool,
    pub(super) guess: SeriesGuess,
    pub(super) task: Task,
}

impl SeriesProposal {
    /// A configuration whose comments say why each value is what it is.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = match self.task {
            Task::SeriesAnomaly => self.anomaly(&mut text),
            Task::SeriesClassification => self.classification(&mut text),
            _ => self.forecasting(&mut text),
        };
        text
    }

    fn beginning(&self, out: &mut String, what: &str) -> std::fmt::Result {
        let train = &self.options.train;
        writeln!(
            out,
            "# Proposed from {} {what} of {}.",
            self.guess.rows,
            train.display()
        )?;
        writeln!(
            out,
            "# Every value is a guess by a rule, and may be changed; `regard config schema` lists all keys."
        )?;
        let is_anomaly = self.task == Task::SeriesAnomaly;
        let fits = |what: &str| !is_anomaly || !["task", "lookback", "horizon"].contains(&what);
        for reason in self.guess.reasons.iter().filter(|reason| fits(reason.what)) {
            writeln!(out, "# {}: {}", reason.what, comment(&reason.sentence))?;
        }
        let task = self.task.name();
        writeln!(out, "version = 1\ntask = \"{task}\"\n\n[data]")?;
        writeln!(out, "train = {}", path(train))?;
        if !is_ts(train) {
            writeln!(out, "header = {}", self.header)?;
        }
        for (key, column) in [
            ("time_column", &self.guess.time_column),
            ("id_column", &self.guess.id_column),
        ] {
            if let Some(column) = column {
                writeln!(out, "{key} = {}", self.column(column))?;
            }
        }
        Ok(())
    }

    /// A column as a configuration names it: by its number where the file has no names.
    fn column(&self, name: &str) -> String {
        match (self.header, name.parse::<usize>()) {
            (false, Ok(number)) => number.to_string(),
            _ => Value::String(name.to_owned()).to_string(),
        }
    }

    fn channels(&self, out: &mut String) -> std::fmt::Result {
        if self.guess.are_all_channels {
            return Ok(());
        }
        let names: Vec<String> = self
            .guess
            .channels
            .iter()
            .map(|name| self.column(name))
            .collect();
        writeln!(out, "target_columns = [{}]", names.join(", "))
    }

    /// Parts that are files of their own.
    fn own_files(&self, out: &mut String) -> std::fmt::Result {
        for (key, file) in [("valid", &self.options.valid), ("test", &self.options.test)] {
            if let Some(file) = file {
                writeln!(out, "{key} = {}", path(file))?;
            }
        }
        Ok(())
    }

    /// `[data.split]` of what the training file holds out, with the percents that are left to train on.
    fn split(
        &self,
        out: &mut String,
        [valid, test]: [usize; 2],
        why: &str,
    ) -> Result<usize, std::fmt::Error> {
        let parts = [
            ("valid", valid, &self.options.valid),
            ("test", test, &self.options.test),
        ];
        let held_out = || parts.iter().filter(|(_, _, file)| file.is_none());
        let train = 100 - held_out().map(|(_, percent, _)| percent).sum::<usize>();
        if train < 100 {
            writeln!(out, "\n[data.split]  # in time order{why}")?;
            writeln!(out, "train = {}", train as f64 / 100.0)?;
            for (part, percent, _) in held_out() {
                writeln!(out, "{part} = {}", *percent as f64 / 100.0)?;
            }
        }
        Ok(train)
    }

    /// Windows of a share of the rows, in percent; of each series on its own.
    fn n_windows(&self, percent: usize, lookback: usize, horizon: usize) -> usize {
        let guess = &self.guess;
        let rows = guess.rows * percent / 100;
        rows.saturating_sub(guess.n_series * (lookback + horizon - 1))
            .max(1)
    }

    fn calendar(&self, out: &mut String) -> std::fmt::Result {
        let cycles: Vec<&str> = (self.guess.calendar.cycles().iter())
            .map(|cycle| cycle.name())
            .collect();
        if let [.., longest] = cycles.as_slice() {
            writeln!(
                out,
                "# calendar = {cycles:?}  # longer than the lookback: try it, if the place in the {longest} matters"
            )?;
        }
        Ok(())
    }

    fn forecasting(&self, out: &mut String) -> std::fmt::Result {
        let guess = &self.guess;
        self.beginning(out, "rows")?;
        self.own_files(out)?;
        self.channels(out)?;
        self.repeated_times(out)?;
        writeln!(out, "lookback = {}", guess.lookback)?;
        writeln!(out, "horizon = {}", guess.horizon)?;
        let mut split = String::new();
        let why = "; a window may look back over a border";
        let percent = self.split(&mut split, [10, 20], why)?;
        let windows = self.n_windows(percent, guess.lookback, guess.horizon);
        let stride = windows.div_ceil(WINDOWS).max(1);
        writeln!(
            out,
            "stride = {stride}  # about {} windows to train on; every window is judged",
            windows.div_ceil(stride)
        )?;
        self.calendar(out)?;
        out.push_str(&split);
        writeln!(
            out,
            "\n[model]  # small: windows overlap, and there is less in them than it seems"
        )?;
        writeln!(
            out,
            "d_model = 16\nn_layers = 2\nn_heads = 4\nd_ff = 128\ndropout = 0.3"
        )?;
        writeln!(
            out,
            "linear_skip = \"ridge\"  # begins as the best linear map of the lookback, which is hard to beat"
        )?;
        let length = (guess.lookback / 16).clamp(1, 16).min(guess.lookback);
        writeln!(out, "\n[model.patch]")?;
        writeln!(out, "length = {length}  # steps that are read together")?;
        writeln!(out, "stride = {}", length.div_ceil(2))?;
        let batch = 64.min(windows.div_ceil(stride).max(1));
        let per_epoch = windows.div_ceil(stride).div_ceil(batch).max(1);
        writeln!(out, "\n[train]")?;
        writeln!(
            out,
            "epochs = {}  # about {FORECAST_STEPS} steps",
            FORECAST_STEPS.div_ceil(per_epoch).clamp(1, 100)
        )?;
        writeln!(
            out,
            "batch_size = {batch}\nlearning_rate = 1e-4  # small: more would soon forget the ridge"
        )?;
        writeln!(
            out,
            "ema = 0.99  # judges and keeps an average of the weights, steadier than the last ones"
        )?;
        writeln!(out, "early_stopping = 5")?;
        writeln!(out, "\n[eval]\nevery = \"5%\"  # the best may come early")
    }

    fn repeated_times(&self, out: &mut String) -> std::fmt::Result {
        if self.guess.repeated_times == RepeatedTimes::Refuse {
            return Ok(());
        }
        let name = serde_json::to_value(self.guess.repeated_times).unwrap_or_default();
        writeln!(out, "repeated_times = {name}")
    }

    fn anomaly(&self, out: &mut String) -> std::fmt::Result {
        let guess = &self.guess;
        self.beginning(out, "rows")?;
        self.own_files(out)?;
        self.channels(out)?;
        self.repeated_times(out)?;
        let mut split = String::new();
        let why = ": the model learns what is usual from the first part, as it is";
        let percent = self.split(&mut split, [3, 85], why)?;
        // The validation part must hold a window, and the part to train on many; of each series.
        let rows = guess.rows / guess.n_series.max(1);
        let most = (rows * percent / 300).max(1);
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
        let windows = self.n_windows(percent, lookback, horizon);
        let per_epoch = windows.div_ceil(32).max(1);
        writeln!(
            out,
            "\n[train]\nepochs = {}  # about {ANOMALY_STEPS} steps\nbatch_size = 32\nlearning_rate = 1e-3\nema = 0.99",
            ANOMALY_STEPS.div_ceil(per_epoch).clamp(1, 100)
        )
    }

    fn classification(&self, out: &mut String) -> std::fmt::Result {
        let guess = &self.guess;
        self.beginning(out, "series")?;
        if let Some(label) = &guess.label_column {
            writeln!(out, "label_column = {}", self.column(label))?;
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
            steps => steps.div_ceil(48),
        };
        // A short series is a level and a trend, a long one has shapes somewhere in it.
        let is_short = guess.lookback < 64;
        let (pooling, dropout, kernel, rate, jitter, scaling) = match is_short {
            true => ("mean", 0.2, 5, "1e-3", 0.1, 0.2),
            false => ("max", 0.1, 15, "3e-3", 0.03, 0.1),
        };
        let per_epoch = guess.rows.div_ceil(16).max(1);
        let steps = if is_short {
            CLASS_STEPS / 2
        } else {
            CLASS_STEPS
        };
        let epochs = steps.div_ceil(per_epoch).clamp(5, 400);
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
length = {length}  # of series of up to {} steps
stride = {length}

[train]
epochs = {epochs}  # about {steps} steps
batch_size = 16
learning_rate = {rate}
warmup = \"10%\"
weight_decay = 0.05
label_smoothing = 0.1  # keeps a small model from growing too sure of few examples
jitter = {jitter}  # noise and factors make many examples of few
scaling = {scaling}
ema = 0.98
",
            guess.lookback
        )?;
        writeln!(
            out,
            "\n[eval]\nevery = \"10%\"\nkeep = \"last\"  # the best of few noisy evaluations is luck"
        )
    }
}

/// Whether the name is that of a file of the UCR and UEA archives.
pub(super) fn is_ts(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("ts"))
}
