//! A table of series as a run uses it: its parts as windows, on one scale.

use regard_bundle::SeriesSchema;

use regard_data::series::baseline::SeriesPart;
use regard_data::series::{
    ConstantChannels, RepeatedTimes, Scaler, SeriesColumns, SeriesOptions, SeriesSplit, Span,
    Window, WindowIndex,
};
use regard_data::{DataError, SeriesTable, Source};

use super::Split;
use super::text_parts::format;
use crate::config::{self, Config, DataConfig, ScalerKind};
use crate::error::TrainError;

/// A table with its parts.
pub(crate) struct SeriesData {
    pub table: SeriesTable,
    pub split: SeriesSplit,
    pub scaler: Scaler,
    /// Whether a value is missing anywhere.
    pub has_missing: bool,
}

impl SeriesData {
    /// Reads the table of a configuration; the scaler is fitted on the training part alone.
    pub fn load(config: &Config) -> Result<Self, TrainError> {
        let (source, columns, options) = layout(&config.data);
        let table = SeriesTable::load(&source, &columns, &options)?;
        let split = parts(&table, &config.data)?;
        let scaler = match config.data.scaler {
            ScalerKind::Standard => Scaler::fit(&table, &split.train, ConstantChannels::Refuse)?,
            ScalerKind::None => Scaler::identity(table.columns()),
        };
        // Whether private data has gaps is private: its model is always ready for some.
        let has_missing = config.privacy.is_some() || has_missing(&table);
        Ok(Self {
            table,
            split,
            scaler,
            has_missing,
        })
    }

    /// The rows of a part.
    pub fn spans(&self, split: Split) -> &[Span] {
        match split {
            Split::Train => &self.split.train,
            Split::Valid => &self.split.valid,
            Split::Test => &self.split.test,
        }
    }

    /// A part, for baselines.
    pub fn part(&self, split: Split) -> SeriesPart<'_> {
        SeriesPart {
            table: &self.table,
            spans: self.spans(split),
        }
    }

    /// The number of channels.
    pub fn n_channels(&self) -> usize {
        self.table.columns().len()
    }

    /// The scaled rows `[steps, channels]` of a window, what is seen and what is to be told.
    pub fn scaled(&self, window: &Window) -> (Vec<f32>, Vec<f32>) {
        let n = self.n_channels();
        let rows = window.past().start..window.future().end;
        let mut past = vec![0.0; rows.len() * n];
        self.table.copy_rows(window.series, rows, &mut past);
        self.scaler.scale_rows(&mut past);
        let future = past.split_off(window.lookback * n);
        (past, future)
    }

    /// What a bundle says of such data.
    pub fn schema(&self, data: &DataConfig, quantiles: &[f64]) -> SeriesSchema {
        SeriesSchema {
            time_column: data.time_column.clone(),
            id_column: data.id_column.clone(),
            cuts_long_series: false,
            label_column: None,
            channels: self.table.columns().to_vec(),
            header: data.header,
            format: data.format.map(format),
            quantiles: quantiles.to_vec(),
            horizon: data.horizon,
            repeated_times: repeated_times(data.repeated_times),
            scores: None,
        }
    }

    /// Windows of each part: training windows every `stride` steps, all of the others.
    pub fn windows(
        &self,
        lookback: usize,
        horizon: usize,
        stride: usize,
    ) -> Result<[WindowIndex; 3], TrainError> {
        let index = |split: Split, stride| {
            WindowIndex::new(&self.table, self.spans(split), lookback, horizon, stride)
        };
        Ok([
            index(Split::Train, stride)?,
            index(Split::Valid, 1)?,
            index(Split::Test, 1)?,
        ])
    }

    /// When a row of a series is, or which it is.
    pub fn when(&self, series: usize, row: usize) -> String {
        let time = self.table.time_text(series, row);
        time.unwrap_or_else(|| format!("row {row}"))
    }

    /// A line on a part.
    pub fn summary(&self, split: Split, n_windows: usize) -> String {
        let spans = self.spans(split);
        let rows: usize = spans.iter().map(|span| span.rows.len()).sum();
        let when = match spans {
            [span] => format!(
                " from {} to {}",
                self.when(span.series, span.rows.start),
                self.when(span.series, span.rows.end - 1)
            ),
            spans => format!(" of {} series", spans.len()),
        };
        format!("{}: {rows} rows{when}, {n_windows} windows", split.name())
    }
}

/// How the file of a configuration is to be read.
pub(crate) fn layout(data: &DataConfig) -> (Source, SeriesColumns, SeriesOptions) {
    let columns = SeriesColumns {
        time: data.time_column.clone(),
        id: data.id_column.clone(),
        targets: data.target_columns.clone().unwrap_or_default(),
        ..SeriesColumns::default()
    };
    let options = SeriesOptions {
        memory_bytes: data.memory_mib << 20,
        repeated_times: repeated_times(data.repeated_times),
        ..SeriesOptions::default()
    };
    let mut source = Source::new(&data.train).with_header(data.header);
    if let Some(given) = data.format {
        source = source.with_format(format(given));
    }
    (source, columns, options)
}

/// The parts of a table.
pub(crate) fn parts(table: &SeriesTable, data: &DataConfig) -> Result<SeriesSplit, DataError> {
    let parts = &data.split;
    SeriesSplit::in_time(table, parts.train, Some(parts.valid), Some(parts.test))
}

fn repeated_times(setting: config::RepeatedTimes) -> RepeatedTimes {
    match setting {
        config::RepeatedTimes::Refuse => RepeatedTimes::Refuse,
        config::RepeatedTimes::First => RepeatedTimes::First,
        config::RepeatedTimes::Last => RepeatedTimes::Last,
        config::RepeatedTimes::Mean => RepeatedTimes::Mean,
        config::RepeatedTimes::Keep => RepeatedTimes::Keep,
    }
}

fn has_missing(table: &SeriesTable) -> bool {
    const CHUNK: usize = 4096;
    let width = table.columns().len();
    let mut values = vec![0.0; CHUNK * width];
    (0..table.n_series()).any(|series| {
        let len = table.len(series);
        (0..len).step_by(CHUNK).any(|start| {
            let end = len.min(start + CHUNK);
            let chunk = &mut values[..(end - start) * width];
            table.copy_rows(series, start..end, chunk);
            chunk.iter().any(|value| value.is_nan())
        })
    })
}
