//! Finished models on data: the run's own test data, or any file.

use std::path::Path;

use regard_bundle::{
    Bundle, ClassPrediction, Schema, ScoreSum, SeriesModel, SeriesSchema, SeriesWindow,
    TextClassifier, Workers, channel_rows,
};
use regard_data::series::{
    LabelledColumns, LabelledSeries, SeriesColumns, SeriesOptions, Span, Window, WindowIndex,
};
use regard_data::{Column, Labels, Records, SeriesTable, TextColumns, visit_labelled};

use crate::config;
use crate::error::TrainError;
use crate::evaluate::evaluate;
use crate::metrics::{AnomalyReport, ClassificationMetrics, ForecastMetrics};
use crate::privacy::require_same_data;
use crate::run::RunSettings;
use crate::task::text_parts::TextParts;
use crate::task::{self, Baselines, Evaluation, Report, Split};

/// Texts that are predicted together: this many, or this much.
const CHUNK: usize = 1024;
const CHUNK_BYTES: usize = 16 << 20;

/// What the bundle of the run in the settings' folder is worth on the run's test data; `None` if
/// the run has no test data.
///
/// The bundle's own tokenizer and labels read the texts, whatever has become of the training file.
///
/// # Errors
///
/// If there is no finished run, its test data can no longer be read, or the test data is a share of a
/// training file that has changed.
pub fn evaluate_run(settings: &RunSettings) -> Result<Option<Evaluation>, TrainError> {
    let bundle = Bundle::load(&settings.folder, &settings.device)?;
    let config = config::load::<&str>(&settings.folder.join("config.toml"), &[])?;
    if config.task != config::Task::TextClassification {
        return evaluate_series(bundle, &config, settings);
    }
    match &config.data.test {
        None => Ok(None),
        Some(config::Source::Path(path)) => evaluate_file(bundle, path, settings.workers).map(Some),
        Some(config::Source::Share(_)) => {
            let labels = Labels::new(bundle.info().labels.clone())?;
            let parts = TextParts::read(&config, Some(&labels))?;
            require_same_data(
                &config,
                &settings.folder,
                &parts.fingerprint,
                &bundle.info().data_fingerprint,
            )?;
            let classifier = bundle
                .into_text_classifier()?
                .with_workers(settings.workers);
            let mut judge = Judge::new(&classifier, |_, _, _| {});
            parts.visit(&[Split::Test], |text| judge.add(text.text, text.class))?;
            judge.finish(Split::Test).map(Some)
        }
    }
}

/// What is reached on a run's test data without a model; none if the task has no baselines, or anomalies no labels.
///
/// # Errors
///
/// If the data can no longer be read.
pub fn baselines_of_run(folder: &Path) -> Result<Option<Baselines>, TrainError> {
    let config = config::load::<&str>(&folder.join("config.toml"), &[])?;
    if config.privacy.is_some() {
        return Err(TrainError::Privacy {
            what: "baselines are fitted on the private data, without noise; compute them where nobody else reads them"
                .to_owned(),
        });
    }
    task::load(&config)?.baselines()
}

/// What a bundle is worth on a file of labelled texts, laid out as its training data was.
///
/// # Errors
///
/// If the file cannot be read, a column is missing, or a label is none of the model's.
pub fn evaluate_file(
    bundle: Bundle,
    path: &Path,
    workers: Workers,
) -> Result<Evaluation, TrainError> {
    if let Schema::Series(schema) = &bundle.info().schema {
        let schema = schema.clone();
        return evaluate_table(bundle.into_series_model()?, &schema, path, workers);
    }
    let schema = bundle.info().text_schema()?.clone();
    let labels = Labels::new(bundle.info().labels.clone())?;
    let source = schema.source(path);
    let columns = TextColumns::new(schema.text_column, schema.label_column);
    let classifier = bundle.into_text_classifier()?.with_workers(workers);
    let mut judge = Judge::new(&classifier, |_, _, _| {});
    visit_labelled(Records::open(&source)?, &columns, &labels, |row| {
        judge.add(row.text, row.label)
    })?;
    judge.finish(Split::Test)
}

/// What the bundle of a run of series is worth on the run's test part, if it has one.
fn evaluate_series(
    bundle: Bundle,
    config: &config::Config,
    settings: &RunSettings,
) -> Result<Option<Evaluation>, TrainError> {
    let task = task::load(config)?;
    require_same_data(
        config,
        &settings.folder,
        &task.data_fingerprint(),
        &bundle.info().data_fingerprint,
    )?;
    if task.n_units(Split::Test) == 0 {
        return Ok(None);
    }
    let model = bundle.into_series_model()?;
    let RunSettings {
        device, workers, ..
    } = settings;
    task.calibrate(model.model(), *workers, device)?;
    evaluate(model.model(), &*task, Split::Test, *workers, device).map(Some)
}

/// What forecasts of every window of a table are worth.
fn evaluate_table(
    model: SeriesModel,
    schema: &SeriesSchema,
    path: &Path,
    workers: Workers,
) -> Result<Evaluation, TrainError> {
    let model = model.with_workers(workers);
    if !model.labels().is_empty() {
        return evaluate_classes_of(&model, path);
    }
    let table = load_table(schema, path)?;
    let (lookback, horizon) = (model.lookback(), schema.horizon);
    let windows = WindowIndex::new(&table, &Span::whole(&table), lookback, horizon, 1)?;
    let mut metrics = ForecastMetrics::new(model.scaler(), [lookback, horizon], &schema.quantiles);
    let mut sums: Vec<ScoreSum> = (0..table.n_series())
        .map(|series| ScoreSum::new(table.len(series)))
        .collect();
    let n = schema.channels.len();
    let numbers: Vec<usize> = (0..windows.len()).collect();
    for numbers in numbers.chunks(CHUNK) {
        let (mut pasts, mut futures) = (Vec::new(), Vec::new());
        for number in numbers {
            let window = windows.window(*number);
            pasts.push(seen_window(&model, &table, &window)?);
            let mut future = vec![0.0; horizon * n];
            table.copy_rows(window.series, window.future(), &mut future);
            model.scaler().scale_rows(&mut future);
            futures.push(channel_rows(&future, n).concat());
        }
        let forecasts = model.forecast_scaled(&pasts);
        for ((number, outputs), truth) in numbers.iter().zip(&forecasts).zip(futures) {
            metrics.add(outputs, &truth)?;
            let window = windows.window(*number);
            sums[window.series].add(window.future().start, horizon, outputs, &truth);
        }
    }
    let forecast = metrics.report()?;
    let report = match &schema.scores {
        None => Report::Forecast(forecast),
        Some(settings) => {
            let scores: Vec<f32> = (sums.iter())
                .flat_map(|sum| sum.scores(settings.smooth, settings.smoothing))
                .collect();
            let threshold = settings.threshold as f32;
            Report::Anomaly(AnomalyReport::new(forecast, &scores, None, threshold))
        }
    };
    Ok(Evaluation {
        split: Split::Test,
        report,
    })
}

/// What classes of the labelled series of a file are worth.
fn evaluate_classes_of(model: &SeriesModel, path: &Path) -> Result<Evaluation, TrainError> {
    let labels = Labels::new(model.labels().to_vec())?;
    let series = load_series(model, path, Some(&labels))?;
    let rows: Vec<&[f32]> = (0..series.len()).map(|row| series.values(row)).collect();
    let mut metrics = ClassificationMetrics::new(labels.len());
    for (prediction, class) in model.classify(&rows).iter().zip(series.label_ids()) {
        metrics.add(&prediction.probabilities, *class as usize)?;
    }
    Ok(Evaluation {
        split: Split::Test,
        report: Report::Classes {
            labels: labels.names().to_vec(),
            report: metrics.report()?,
        },
    })
}

/// The whole series of a file, as a model that classifies takes them; their labels are read with `labels`, and
/// otherwise not wanted.
///
/// # Errors
///
/// If the file cannot be read, has other channels than the model, a series longer than any that the model knows, or a
/// missing value where the model's training data had none.
pub fn load_series(
    model: &SeriesModel,
    path: &Path,
    labels: Option<&Labels>,
) -> Result<LabelledSeries, TrainError> {
    let schema = model.schema();
    let source = schema.source(path);
    let is_table = source.format().is_ok();
    let label = schema.label_column.clone();
    let label = match labels {
        Some(_) => label,
        // A file to predict may have the column or not.
        None => match label {
            Some(column) if is_table && Records::open(&source)?.column(&column).is_err() => None,
            label => label,
        },
    };
    let columns = LabelledColumns {
        label,
        id: schema.id_column.clone(),
        time: schema.time_column.clone(),
        // A wide table's columns are steps, and all of them count.
        values: match &schema.id_column {
            Some(_) => schema.channels.iter().cloned().map(Column::Name).collect(),
            None => Vec::new(),
        },
    };
    let mut series = LabelledSeries::load(&source, &columns, labels)?;
    if schema.cuts_long_series {
        series.cut_to(model.lookback());
    }
    if series.channels() != schema.channels {
        return Err(regard_data::DataError::ColumnsChanged {
            path: path.to_owned(),
            missing: schema.channels.clone(),
            unexpected: series.channels().to_vec(),
            expected: schema.channels.clone(),
        }
        .into());
    }
    let n = schema.channels.len();
    for row in 0..series.len() {
        if series.length(row) > model.lookback() {
            return Err(TrainError::LongSeries {
                path: path.to_owned(),
                line: series.line(row),
                steps: series.length(row),
                most: model.lookback(),
            });
        }
        if let Some(at) = series.values(row).iter().position(|value| value.is_nan())
            && !model.takes_missing()
        {
            return Err(TrainError::MissingValue {
                path: path.to_owned(),
                column: schema.channels[at % n].clone(),
                row: row + 1,
            });
        }
    }
    Ok(series)
}

/// The table at `path` with the columns that a model was trained on.
///
/// # Errors
///
/// If the file cannot be read or lacks a column, or its times are not regular and the model goes by the calendar.
pub fn load_table(schema: &SeriesSchema, path: &Path) -> Result<SeriesTable, TrainError> {
    let columns = SeriesColumns {
        time: schema.time_column.clone(),
        id: schema.id_column.clone(),
        ..SeriesColumns::default()
    };
    let options = SeriesOptions {
        repeated_times: schema.repeated_times,
        each_by_itself: schema.each_by_itself,
        ..SeriesOptions::default()
    };
    let columns = columns.with_targets(&schema.channels, schema.header);
    let table = SeriesTable::load(&schema.source(path), &columns, &options)?;
    table.require_columns(&schema.channels)?;
    schema.calendar.require_regular(&table)?;
    Ok(table)
}

/// A window as a model takes it.
///
/// # Errors
///
/// If a value is missing and the model's training data had none, or a row has no time for the model's calendar.
pub fn seen_window(
    model: &SeriesModel,
    table: &SeriesTable,
    window: &Window,
) -> Result<SeriesWindow, TrainError> {
    let (n, rows) = (table.columns().len(), window.past());
    let mut values = vec![0.0; rows.len() * n];
    table.copy_rows(window.series, rows.clone(), &mut values);
    if let Some(at) = values.iter().position(|value| value.is_nan())
        && !model.takes_missing()
    {
        return Err(TrainError::MissingValue {
            path: table.path().to_owned(),
            column: table.columns()[at % n].clone(),
            row: rows.start + at / n + 1,
        });
    }
    let known = &model.schema().calendar;
    let rows = rows.start..window.future().end;
    let mut calendar = vec![0.0; rows.len() * known.width()];
    known.fill(table, window.series, rows, &mut calendar)?;
    Ok(SeriesWindow { values, calendar })
}

/// A classifier that is judged on texts as they pass by; `look` sees each text, its class and what the
/// classifier says of it.
pub(crate) struct Judge<'a, L> {
    classifier: &'a TextClassifier,
    look: L,
    metrics: ClassificationMetrics,
    texts: Vec<String>,
    classes: Vec<u32>,
    bytes: usize,
}

impl<'a, L: FnMut(&str, usize, &ClassPrediction)> Judge<'a, L> {
    pub(crate) fn new(classifier: &'a TextClassifier, look: L) -> Self {
        Self {
            classifier,
            look,
            metrics: ClassificationMetrics::new(classifier.labels().len()),
            texts: Vec::new(),
            classes: Vec::new(),
            bytes: 0,
        }
    }

    pub(crate) fn add(&mut self, text: &str, class: u32) -> Result<(), TrainError> {
        self.texts.push(text.to_owned());
        self.classes.push(class);
        self.bytes += text.len();
        if self.texts.len() == CHUNK || self.bytes >= CHUNK_BYTES {
            self.predict()?;
        }
        Ok(())
    }

    fn predict(&mut self) -> Result<(), TrainError> {
        let predictions = self.classifier.predict(&self.texts)?;
        let classes = self.classes.drain(..).map(|class| class as usize);
        for ((text, class), prediction) in self.texts.iter().zip(classes).zip(predictions) {
            self.metrics.add(&prediction.probabilities, class)?;
            (self.look)(text, class, &prediction);
        }
        self.texts.clear();
        self.bytes = 0;
        Ok(())
    }

    pub(crate) fn finish(mut self, split: Split) -> Result<Evaluation, TrainError> {
        self.predict()?;
        Ok(Evaluation {
            split,
            report: Report::Classes {
                labels: self.classifier.labels().to_vec(),
                report: self.metrics.report()?,
            },
        })
    }
}
