//! A configuration for a file of series, from what the data crate guesses of it.

mod anomaly;
mod classes;

use std::fmt::Write as _;
use std::path::Path;

use regard_data::DataError;
use regard_data::series::{RepeatedTimes, SeriesGuess};

use super::InitOptions;
use super::render::{column, comment, format, path};
use crate::config::{self, Config, Task};
use crate::error::TrainError;
use crate::task::series_data::SeriesData;
use crate::task::{self, Split};

/// Steps of the optimiser that a small forecaster gains from.
const FORECAST_STEPS: usize = 800;
/// Training windows that an epoch holds at most: neighbours tell the same.
const WINDOWS: usize = 2500;

/// Percents that are held out of the training file, to choose by and to measure on.
const FORECAST_HELD_OUT: [usize; 2] = [10, 20];
const ANOMALY_HELD_OUT: [usize; 2] = [3, 85];
/// Rows of a series from which each part has some.
const FORECAST_ROWS: usize = 10;
const ANOMALY_ROWS: usize = 30;

/// A proposed configuration for series.
#[derive(Clone, Debug)]
pub struct SeriesProposal {
    options: InitOptions,
    header: bool,
    guess: SeriesGuess,
    task: Task,
    counts: Counts,
}

/// What training makes of the files.
#[derive(Clone, Debug)]
struct Counts {
    /// Windows, or whole series, of an epoch.
    units: usize,
    /// Rows from one training window to the next.
    stride: usize,
    /// Series that are too short for all parts.
    n_short: usize,
}

/// What a file must hold for a task.
pub(super) const fn wanted(task: Task) -> &'static str {
    match task {
        Task::TextClassification => "a column of texts and one of labels",
        Task::SeriesClassification => {
            "a label for each series: a row a series with a column of labels and nothing but steps beside it (t0, t1, …), \
             or a row a step with columns of times, of ids and of labels that are the same in all rows of an id, or a file .ts"
        }
        Task::SeriesForecasting | Task::SeriesAnomaly => {
            "a column of numbers, and one of times unless the rows are in time order"
        }
    }
}

/// Percents of the training file that a table is trained on.
pub(super) fn train_percent(options: &InitOptions) -> usize {
    let [valid, test] = match options.task {
        Some(Task::SeriesAnomaly) => ANOMALY_HELD_OUT,
        _ => FORECAST_HELD_OUT,
    };
    let held_out = |percent, file: &Option<_>| if file.is_some() { 0 } else { percent };
    100 - held_out(valid, &options.valid) - held_out(test, &options.test)
}

impl SeriesProposal {
    /// Reads the files as training would, so that nothing is proposed that it refuses.
    pub(super) fn new(
        options: &InitOptions,
        header: bool,
        guess: SeriesGuess,
        task: Task,
    ) -> Result<Self, TrainError> {
        let mut proposal = Self {
            options: options.clone(),
            header,
            guess,
            task,
            counts: Counts {
                units: 1,
                stride: 1,
                n_short: 0,
            },
        };
        let config = config::parse::<&str>(&proposal.to_toml(), "proposed.toml".as_ref(), &[])?;
        proposal.counts = proposal.count(&config)?;
        Ok(proposal)
    }

    fn count(&self, config: &Config) -> Result<Counts, TrainError> {
        if !self.task.has_windows() {
            return Ok(Counts {
                units: (task::load(config).map_err(|error| self.too_few(error))?)
                    .n_units(Split::Train),
                stride: 1,
                n_short: 0,
            });
        }
        let (lookback, horizon) = (config.data.lookback, config.data.horizon);
        let data = SeriesData::load(config).map_err(|error| self.too_short(error))?;
        let windows = |stride| -> Result<usize, TrainError> {
            let [train, ..] = data.windows(lookback, horizon, stride)?;
            Ok(train.len())
        };
        let all = windows(1).map_err(|error| self.too_short(error))?;
        let stride = match self.task {
            Task::SeriesForecasting => all.div_ceil(WINDOWS).max(1),
            _ => 1,
        };
        Ok(Counts {
            units: windows(stride)?,
            stride,
            n_short: data.n_for_training_alone(config),
        })
    }

    /// In place of what is wrong with the parts of the training file.
    fn too_short(&self, error: TrainError) -> TrainError {
        let rows = self.guess.rows_of_series;
        let least = match self.task {
            Task::SeriesAnomaly => ANOMALY_ROWS,
            _ => FORECAST_ROWS,
        };
        match error {
            TrainError::Data(
                DataError::SeriesSplit { path, .. }
                | DataError::TooFewRows { path, .. }
                | DataError::ConstantChannel { path, .. },
            ) if path == self.options.train && rows < least => TrainError::SeriesTooShort {
                path,
                asked: self.task.name(),
                rows,
                least,
            },
            error => error,
        }
    }

    /// In place of what is wrong with the shares of the training file.
    fn too_few(&self, error: TrainError) -> TrainError {
        match error {
            TrainError::Data(DataError::EmptySplit { .. } | DataError::OneClass { .. }) => {
                TrainError::TooFewSeries {
                    path: self.options.train.clone(),
                    series: self.guess.n_series,
                    labels: self.guess.n_labels,
                }
            }
            error => error,
        }
    }

    /// Epochs of about so many steps, with the steps that they are.
    fn epochs(&self, steps: usize, batch: usize, [least, most]: [usize; 2]) -> (usize, String) {
        let of_epoch = self.counts.units.div_ceil(batch).max(1);
        let epochs = steps.div_ceil(of_epoch).clamp(least, most);
        let steps = epochs * of_epoch;
        (
            epochs,
            format!("{steps} step{}", if steps == 1 { "" } else { "s" }),
        )
    }

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

    fn beginning(&self, out: &mut String) -> std::fmt::Result {
        let train = &self.options.train;
        let what = match (self.task, self.guess.rows) {
            (Task::SeriesClassification, _) => "series",
            (_, 1) => "row",
            _ => "rows",
        };
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
            format(self.options.format, out)?;
            writeln!(out, "header = {}", self.header)?;
        }
        for (key, said) in [
            ("time_column", &self.guess.time_column),
            ("id_column", &self.guess.id_column),
        ] {
            if let Some(said) = said {
                writeln!(out, "{key} = {}", column(said))?;
            }
        }
        Ok(())
    }

    fn channels(&self, out: &mut String) -> std::fmt::Result {
        let Some(columns) = &self.guess.target_columns else {
            return Ok(());
        };
        let columns: Vec<String> = columns.iter().map(column).collect();
        writeln!(out, "target_columns = [{}]", columns.join(", "))
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

    /// `[data.split]` of what the training file holds out, in percent.
    fn split(&self, out: &mut String, [valid, test]: [usize; 2], why: &str) -> std::fmt::Result {
        let parts = [
            ("valid", valid, &self.options.valid),
            ("test", test, &self.options.test),
        ];
        let held_out = || parts.iter().filter(|(_, _, file)| file.is_none());
        let train = train_percent(&self.options);
        if train == 100 {
            return Ok(());
        }
        writeln!(out, "\n[data.split]  # in time order{why}")?;
        match self.counts.n_short {
            0 => {}
            1 => writeln!(
                out,
                "# one series is too short for that: it is for training alone"
            )?,
            n => writeln!(
                out,
                "# {n} series are too short for that: they are for training alone"
            )?,
        }
        writeln!(out, "train = {}", train as f64 / 100.0)?;
        for (part, percent, _) in held_out() {
            writeln!(out, "{part} = {}", *percent as f64 / 100.0)?;
        }
        Ok(())
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
        self.beginning(out)?;
        self.own_files(out)?;
        self.channels(out)?;
        self.repeated_times(out)?;
        writeln!(out, "lookback = {}", guess.lookback)?;
        writeln!(out, "horizon = {}", guess.horizon)?;
        let mut split = String::new();
        let why = "; a window may look back over a border";
        self.split(&mut split, FORECAST_HELD_OUT, why)?;
        let Counts { units, stride, .. } = self.counts;
        writeln!(
            out,
            "stride = {stride}  # {units} window{} to train on; every window is judged",
            if units == 1 { "" } else { "s" }
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
        let batch = 64.min(units);
        let (epochs, steps) = self.epochs(FORECAST_STEPS, batch, [1, 100]);
        writeln!(out, "\n[train]")?;
        writeln!(out, "epochs = {epochs}  # {steps}")?;
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
}

/// Whether the name is that of a file of the UCR and UEA archives.
pub(super) fn is_ts(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("ts"))
}
