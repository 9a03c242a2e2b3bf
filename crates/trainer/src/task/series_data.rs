//! Tables of series as a run uses them: their parts as windows, on one scale.

use std::path::Path;

use regard_bundle::SeriesSchema;
use regard_data::series::baseline::SeriesPart;
use regard_data::series::{
    Calendar, ConstantChannels, RepeatedTimes, Scaler, SeriesColumns, SeriesOptions, SeriesSplit,
    Span, Window, WindowIndex,
};
use regard_data::{Column, DataError, Records, SeriesTable, Source};
use regard_ops::Key;

use super::Split;
use super::held_out::require_other_rows;
use super::text_parts::format;
use crate::config::{self, Config, DataConfig, Extent, ScalerKind, SplitBy};
use crate::error::TrainError;
use crate::sampler::Permutation;

/// Tables with their parts.
pub(crate) struct SeriesData {
    /// That of the training file, then those of other parts that have files of their own.
    tables: Vec<SeriesTable>,
    /// Where each part stands.
    parts: [Part; 3],
    pub scaler: Scaler,
    /// Whether a value is missing anywhere.
    pub has_missing: bool,
}

/// Rows of one table that serve one purpose.
struct Part {
    table: usize,
    spans: Vec<Span>,
}

impl SeriesData {
    /// Reads the tables of a configuration; the scaler is fitted on the training part alone.
    pub fn load(config: &Config) -> Result<Self, TrainError> {
        let (source, columns, options) = layout(config);
        let table = SeriesTable::load(&source, &columns, &options)?;
        // What a model is given later is found by these names, in whatever order.
        let columns = columns.with_targets(table.columns(), source.header());
        require_unique(&source, &columns.targets)?;
        table.require_fine()?;
        let split = parts(&table, config)?;
        let scaler = match config.data.scaler {
            ScalerKind::Standard => Scaler::fit(&table, &split.train, ConstantChannels::Refuse)?,
            ScalerKind::None => Scaler::identity(table.columns()),
        };
        let mut parts =
            [split.train, split.valid, split.test].map(|spans| Part { table: 0, spans });
        let mut tables = vec![table];
        for (split, path) in own_files(&config.data) {
            let table = SeriesTable::load(&source_of(&config.data, path), &columns, &options)?;
            table.require_columns(tables[0].columns())?;
            let others = tables.iter().map(SeriesTable::fingerprint);
            require_other_rows(others, table.fingerprint(), split, path)?;
            parts[split as usize] = Part {
                table: tables.len(),
                spans: Span::whole(&table),
            };
            tables.push(table);
        }
        for table in &tables {
            require_calendar(config, table)?;
        }
        // Whether private data has gaps is private: its model is always ready for some.
        let has_missing = config.privacy.is_some() || tables.iter().any(has_missing);
        Ok(Self {
            tables,
            parts,
            scaler,
            has_missing,
        })
    }

    /// The table of a part.
    pub fn table(&self, split: Split) -> &SeriesTable {
        &self.tables[self.parts[split as usize].table]
    }

    /// Whether two parts are of one table.
    pub fn share_a_table(&self, a: Split, b: Split) -> bool {
        self.parts[a as usize].table == self.parts[b as usize].table
    }

    /// The rows of a part.
    pub fn spans(&self, split: Split) -> &[Span] {
        &self.parts[split as usize].spans
    }

    /// Whether a part, if there is one, has a value that forecasts can be held against.
    pub fn require_known(&self, split: Split) -> Result<(), TrainError> {
        let (table, spans) = (self.table(split), self.spans(split));
        let mut row = vec![0.0; self.n_channels()];
        let mut has_known = |span: &Span| {
            span.rows.clone().any(|number| {
                table.copy_rows(span.series, number..number + 1, &mut row);
                row.iter().any(|value| !value.is_nan())
            })
        };
        match spans.is_empty() || spans.iter().any(&mut has_known) {
            true => Ok(()),
            false => Err(TrainError::NothingKnown {
                path: table.path().to_owned(),
                part: split.name(),
            }),
        }
    }

    /// How many series are too short to be cut in time, and are whole in the training part.
    pub fn n_for_training_alone(&self, config: &Config) -> usize {
        let is_cut = |split: &Split| {
            self.share_a_table(*split, Split::Train) && !self.spans(*split).is_empty()
        };
        let cut = [Split::Valid, Split::Test].into_iter().find(is_cut);
        match (config.data.split.by, cut) {
            (SplitBy::Time, Some(part)) => self.spans(Split::Train).len() - self.spans(part).len(),
            _ => 0,
        }
    }

    /// A part, for baselines.
    pub fn part(&self, split: Split) -> SeriesPart<'_> {
        SeriesPart {
            table: self.table(split),
            spans: self.spans(split),
        }
    }

    /// A hash of all tables.
    pub fn fingerprint(&self) -> String {
        let tables = self.tables.iter();
        let hashes: Vec<&str> = tables.map(|table| table.fingerprint().as_str()).collect();
        hashes.join("+")
    }

    /// The number of channels.
    pub fn n_channels(&self) -> usize {
        self.table(Split::Train).columns().len()
    }

    /// The scaled rows `[steps, channels]` of a window of a part, what is seen and what is to be told.
    pub fn scaled(&self, split: Split, window: &Window) -> (Vec<f32>, Vec<f32>) {
        let n = self.n_channels();
        let rows = window.past().start..window.future().end;
        let mut past = vec![0.0; rows.len() * n];
        self.table(split).copy_rows(window.series, rows, &mut past);
        self.scaler.scale_rows(&mut past);
        let future = past.split_off(window.lookback * n);
        (past, future)
    }

    /// What the calendar tells of the rows of a window of a part, `[steps, features]`, what is seen and what is to be told.
    pub fn calendar(&self, split: Split, window: &Window, calendar: &Calendar) -> Vec<f32> {
        let rows = window.past().start..window.future().end;
        let mut features = vec![0.0; rows.len() * calendar.width()];
        calendar
            .fill(self.table(split), window.series, rows, &mut features)
            .expect("tables of irregular times are refused where they are read");
        features
    }

    /// What a bundle says of such data.
    pub fn schema(&self, config: &Config, quantiles: &[f64]) -> SeriesSchema {
        let data = &config.data;
        SeriesSchema {
            time_column: data.time_column.clone(),
            id_column: data.id_column.clone(),
            cuts_long_series: false,
            label_column: None,
            channels: self.table(Split::Train).columns().to_vec(),
            header: data.header,
            format: data.format.map(format),
            quantiles: quantiles.to_vec(),
            horizon: data.horizon,
            repeated_times: repeated_times(data.repeated_times),
            calendar: data.calendar.clone(),
            each_by_itself: config.privacy.is_some(),
            scores: None,
        }
    }

    /// Windows of each part: training windows every `stride` steps, all of the others. A part that nothing was said of has
    /// none.
    pub fn windows(
        &self,
        lookback: usize,
        horizon: usize,
        stride: usize,
    ) -> Result<[WindowIndex; 3], TrainError> {
        let index = |split: Split, stride| match self.spans(split) {
            [] => Ok(WindowIndex::of_spans(&[], lookback, horizon, stride)),
            spans => WindowIndex::new(self.table(split), spans, lookback, horizon, stride),
        };
        Ok([
            index(Split::Train, stride)?,
            index(Split::Valid, 1)?,
            index(Split::Test, 1)?,
        ])
    }

    /// When a row of a series of a part's table is, or which it is.
    pub fn when(&self, split: Split, series: usize, row: usize) -> String {
        let time = self.table(split).time_text(series, row);
        time.unwrap_or_else(|| format!("row {row}"))
    }

    /// A line on a part.
    pub fn summary(&self, split: Split, windows: &WindowIndex) -> String {
        let spans = self.spans(split);
        let rows: usize = spans.iter().map(|span| span.rows.len()).sum();
        let when = match spans {
            [span] => format!(
                " from {} to {}",
                self.when(split, span.series, span.rows.start),
                self.when(split, span.series, span.rows.end - 1)
            ),
            spans => format!(" of {} series", spans.len()),
        };
        let file = match self.parts[split as usize].table {
            0 => String::new(),
            _ => format!(" of {}", self.table(split).path().display()),
        };
        let short = match spans.len() - windows.n_spans() {
            0 => String::new(),
            short => format!(" ({short} of the series are too short for one)"),
        };
        format!(
            "{}: {rows} rows{file}{when}, {} windows{short}",
            split.name(),
            windows.len()
        )
    }
}

/// How the training file of a configuration is to be read.
pub(crate) fn layout(config: &Config) -> (Source, SeriesColumns, SeriesOptions) {
    let data = &config.data;
    let columns = SeriesColumns {
        time: data.time_column.clone(),
        id: data.id_column.clone(),
        targets: data.target_columns.clone().unwrap_or_default(),
        ..SeriesColumns::default()
    };
    let options = SeriesOptions {
        memory_bytes: data.memory_mib << 20,
        repeated_times: repeated_times(data.repeated_times),
        // One unit more must not change what becomes of the others.
        each_by_itself: config.privacy.is_some(),
        ..SeriesOptions::default()
    };
    (source_of(data, &data.train), columns, options)
}

/// Whether the calendar of a configuration is known at each row of a table, and at rows to come unless data is private: what one
/// unit's times are would decide over the rest.
pub(crate) fn require_calendar(config: &Config, table: &SeriesTable) -> Result<(), DataError> {
    match config.privacy {
        Some(_) => config.data.calendar.require_clock(table),
        None => config.data.calendar.require_regular(table),
    }
}

/// Whether each column can be found by its name.
fn require_unique(source: &Source, columns: &[Column]) -> Result<(), DataError> {
    let records = Records::open(source)?;
    columns
        .iter()
        .try_for_each(|column| records.column(column).map(drop))
}

/// A file laid out as a configuration says.
pub(crate) fn source_of(data: &DataConfig, path: &Path) -> Source {
    let source = Source::new(path).with_header(data.header);
    match data.format {
        Some(given) => source.with_format(format(given)),
        None => source,
    }
}

/// The parts that have files of their own, with these.
pub(crate) fn own_files(data: &DataConfig) -> impl Iterator<Item = (Split, &Path)> {
    let parts = [
        (Split::Valid, data.valid.as_ref()),
        (Split::Test, data.test.as_ref()),
    ];
    parts
        .into_iter()
        .filter_map(|(split, source)| match source {
            Some(config::Source::Path(path)) => Some((split, path.as_path())),
            _ => None,
        })
}

/// The parts of the training file.
pub(crate) fn parts(table: &SeriesTable, config: &Config) -> Result<SeriesSplit, DataError> {
    let parts = &config.data.split;
    match parts.by {
        SplitBy::Time => SeriesSplit::in_time(table, parts.train, parts.valid, parts.test),
        SplitBy::Id => {
            let share = |extent: Extent| match extent {
                Extent::Share(share) => share,
                Extent::Rows(rows) => unreachable!("{rows} rows where configurations have shares"),
            };
            SeriesSplit::in_order(
                table,
                &drawn_order(table, config.seed),
                share(parts.train),
                parts.valid.map(share),
                parts.test.map(share),
            )
        }
    }
}

/// The series of a table in an order that follows from the seed and the ids, whatever their order in the file.
fn drawn_order(table: &SeriesTable, seed: u64) -> Vec<usize> {
    let mut by_id: Vec<usize> = (0..table.n_series()).collect();
    by_id.sort_by_key(|series| table.id(*series));
    let draw = Permutation::new(by_id.len(), Key::new(seed).stream("series-split"));
    (0..by_id.len())
        .map(|place| by_id[draw.at(place)])
        .collect()
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
