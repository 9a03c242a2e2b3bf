//! `regard predict` with a model of series: the steps behind the end of each series of a file, or a score for each row.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;

use regard_bundle::{Forecast, ScoreSettings, SeriesModel, SeriesSchema};
use regard_data::series::Window;
use regard_data::{Cell, DataError, Format, RowWriter, SeriesTable};
use regard_trainer::{load_series, load_table, seen_window};
use serde_json::{Map, Value, json};

use crate::args::{PredictArgs, PredictionFormat};
use crate::errors::{HintExt, UsageError};
use crate::output::Printer;

/// Forecasts behind each series of the file of the arguments.
pub fn run(args: &PredictArgs, model: &SeriesModel, printer: &Printer) -> anyhow::Result<()> {
    let schema = model.schema();
    let Some(file) = &args.file else {
        return Err(UsageError("a model of series takes no --text".to_owned()))
            .hint("give FILE, a table with its columns");
    };
    if args.latency {
        return Err(UsageError("--latency times models of text".to_owned()).into());
    }
    if file == Path::new("-") || args.input_format.is_some() {
        return Err(UsageError(
            "a series is read from a file whose name tells its format".to_owned(),
        )
        .into());
    }
    if !model.labels().is_empty() {
        return write_classes(model, file, args.format, printer);
    }
    let table = load_table(schema, file)?;
    let format = args.format.unwrap_or(match schema.source(file).format()? {
        Format::Tsv => PredictionFormat::Tsv,
        Format::JsonLines => PredictionFormat::Jsonl,
        _ => PredictionFormat::Csv,
    });
    if let Some(settings) = &schema.scores {
        return write_scores(model, settings, &table, format, printer);
    }
    let windows = last_windows(model, &table)?;
    let short = table.n_series() - windows.len();
    if short > 0 {
        printer.warning(format!(
            "{short} of {} series have less than the {} rows that the model looks back on, and are left out",
            table.n_series(),
            model.lookback()
        ));
    }
    let pasts = windows
        .iter()
        .map(|window| seen_window(model, &table, window))
        .collect::<Result<Vec<_>, _>>()?;
    let forecasts = model.forecast(&pasts);
    let rows = Rows {
        schema,
        table: &table,
    };
    let mut output: Output<'_> = Output::begin(printer, format, &rows)?;
    for (window, forecast) in windows.iter().zip(&forecasts) {
        for step in 0..forecast.horizon() {
            output.write(&rows, window, forecast, step)?;
        }
    }
    output.finish()
}

/// Writes a class for each series of the file, in the file's order.
fn write_classes(
    model: &SeriesModel,
    file: &Path,
    format: Option<PredictionFormat>,
    printer: &Printer,
) -> anyhow::Result<()> {
    let series = load_series(model, file, None)?;
    let rows: Vec<&[f32]> = (0..series.len()).map(|row| series.values(row)).collect();
    let has_ids = model.schema().id_column.is_some();
    let format = match (format, model.schema().source(file).format()) {
        (Some(PredictionFormat::Jsonl), _) => Format::JsonLines,
        (Some(PredictionFormat::Tsv), _) => Format::Tsv,
        (Some(_), _) => Format::Csv,
        (None, Ok(format @ (Format::Tsv | Format::JsonLines))) => format,
        // Nobody writes `.ts`.
        (None, _) => Format::Csv,
    };
    let mut columns = vec![
        if has_ids { "id" } else { "row" }.to_owned(),
        "label".to_owned(),
    ];
    match format {
        Format::JsonLines => columns.push("probabilities".to_owned()),
        _ => columns.extend(model.labels().iter().map(|label| format!("p_{label}"))),
    }
    let results: Box<dyn Write> = Box::new(printer.results());
    let mut out = RowWriter::new(results, format, &columns, &[], true)?;
    let json = |value: Value| Cell::Json(Cow::Owned(value.to_string()));
    for (row, prediction) in model.classify(&rows).iter().enumerate() {
        let place = match has_ids {
            true => Cell::Text(Cow::Borrowed(series.id(row))),
            false => json(json!(row + 1)),
        };
        let label = &model.labels()[prediction.class];
        let mut cells = vec![place, Cell::Text(Cow::Borrowed(label))];
        let probabilities = model.labels().iter().zip(&prediction.probabilities);
        if format == Format::JsonLines {
            let object: Map<String, Value> = probabilities
                .map(|(label, probability)| (label.clone(), json!(probability)))
                .collect();
            cells.push(json(Value::Object(object)));
        } else {
            cells.extend(probabilities.map(|(_, probability)| json(json!(probability))));
        }
        out.write_cells(&cells)?;
    }
    out.finish()?.flush()?;
    Ok(())
}

/// Writes a score for each row of the table, in the table's order.
fn write_scores(
    model: &SeriesModel,
    settings: &ScoreSettings,
    table: &SeriesTable,
    format: PredictionFormat,
    printer: &Printer,
) -> anyhow::Result<()> {
    let has_ids = model.schema().id_column.is_some();
    let mut columns = vec!["row", "time", "score", "anomaly"];
    if has_ids {
        columns.insert(0, "id");
    }
    let columns: Vec<String> = columns.into_iter().map(str::to_owned).collect();
    let results: Box<dyn Write> = Box::new(printer.results());
    let table_format = match format {
        PredictionFormat::Human | PredictionFormat::Csv => Format::Csv,
        PredictionFormat::Tsv => Format::Tsv,
        PredictionFormat::Jsonl => Format::JsonLines,
    };
    let mut rows = RowWriter::new(results, table_format, &columns, &[], true)?;
    for series in 0..table.n_series() {
        let whole = Window {
            series,
            start: 0,
            lookback: table.len(series),
            horizon: 0,
        };
        let series_window = seen_window(model, table, &whole)?;
        let scores = model.scores(&series_window).unwrap_or_default();
        for (row, score) in scores.into_iter().enumerate() {
            let json = |value: Value| Cell::Json(Cow::Owned(value.to_string()));
            // A table has no null: an empty cell says that nothing is known.
            let known = |value: Value| match (score.is_nan(), table_format) {
                (false, _) => json(value),
                (true, Format::JsonLines) => json(Value::Null),
                (true, _) => Cell::Text(Cow::Borrowed("")),
            };
            let time = table.time_text(series, row).unwrap_or_default();
            let mut cells = vec![
                json(json!(row + 1)),
                Cell::Text(Cow::Owned(time)),
                known(json!(score)),
                known(json!(f64::from(score) > settings.threshold)),
            ];
            if has_ids {
                cells.insert(0, Cell::Text(Cow::Borrowed(table.id(series))));
            }
            rows.write_cells(&cells)?;
        }
    }
    rows.finish()?.flush()?;
    Ok(())
}

/// The last window of each series that has one: nothing is known behind it.
fn last_windows(model: &SeriesModel, table: &SeriesTable) -> Result<Vec<Window>, DataError> {
    let lookback = model.lookback();
    let last = |series| {
        Some(Window {
            series,
            start: table.len(series).checked_sub(lookback)?,
            lookback,
            horizon: model.schema().horizon,
        })
    };
    let windows: Vec<Window> = (0..table.n_series()).filter_map(last).collect();
    if windows.is_empty() {
        let longest = (0..table.n_series()).map(|series| table.len(series)).max();
        return Err(DataError::TooFewRows {
            path: table.path().to_owned(),
            rows: longest.unwrap_or(0),
            before: 0,
            lookback,
            horizon: 0,
        });
    }
    Ok(windows)
}

/// What the rows of the output are about.
struct Rows<'a> {
    schema: &'a SeriesSchema,
    table: &'a SeriesTable,
}

impl Rows<'_> {
    fn has_ids(&self) -> bool {
        self.schema.id_column.is_some()
    }

    /// The names of the columns of forecasts: the channels, with a quantile behind each where there are some.
    fn value_columns(&self) -> Vec<String> {
        let channels = self.schema.channels.iter();
        match self.schema.quantiles.as_slice() {
            [] => channels.cloned().collect(),
            quantiles => channels
                .flat_map(|channel| quantiles.iter().map(move |q| format!("{channel}_q{q}")))
                .collect(),
        }
    }

    fn time(&self, window: &Window, step: usize) -> Option<String> {
        self.table
            .time_text(window.series, window.future().start + step)
    }

    fn json(&self, window: &Window, forecast: &Forecast, step: usize) -> Value {
        let mut row = Map::new();
        if self.has_ids() {
            row.insert("id".to_owned(), json!(self.table.id(window.series)));
        }
        row.insert("step".to_owned(), json!(step + 1));
        row.insert("time".to_owned(), json!(self.time(window, step)));
        let quantiles = &self.schema.quantiles;
        let (mut points, mut all) = (Map::new(), Map::new());
        for (c, channel) in self.schema.channels.iter().enumerate() {
            let value = |output: usize| json!(forecast.steps(c, output)[step]);
            if quantiles.is_empty() {
                points.insert(channel.clone(), value(0));
            } else {
                let each = quantiles.iter().enumerate();
                let each: Map<String, Value> =
                    each.map(|(i, q)| (q.to_string(), value(i))).collect();
                all.insert(channel.clone(), Value::Object(each));
            }
        }
        let (name, values) = match quantiles.is_empty() {
            true => ("forecast", points),
            false => ("quantiles", all),
        };
        row.insert(name.to_owned(), Value::Object(values));
        Value::Object(row)
    }
}

/// Where forecasts go.
enum Output<'a> {
    Human(&'a Printer),
    Json(Box<dyn Write + 'a>),
    Table(RowWriter<Box<dyn Write + 'a>>),
}

impl<'a> Output<'a> {
    fn begin(
        printer: &'a Printer,
        format: PredictionFormat,
        rows: &Rows<'_>,
    ) -> anyhow::Result<Self> {
        let results: Box<dyn Write> = Box::new(printer.results());
        let format = match format {
            PredictionFormat::Human => return Ok(Self::Human(printer)),
            PredictionFormat::Jsonl => return Ok(Self::Json(results)),
            PredictionFormat::Csv => Format::Csv,
            PredictionFormat::Tsv => Format::Tsv,
        };
        let mut columns = Vec::new();
        if rows.has_ids() {
            columns.push("id".to_owned());
        }
        columns.extend(["step".to_owned(), "time".to_owned()]);
        columns.extend(rows.value_columns());
        let writer = RowWriter::new(results, format, &columns, &[], true)?;
        Ok(Self::Table(writer))
    }

    fn write(
        &mut self,
        rows: &Rows<'_>,
        window: &Window,
        forecast: &Forecast,
        step: usize,
    ) -> anyhow::Result<()> {
        let n_outputs = rows.schema.quantiles.len().max(1);
        let values = (0..rows.schema.channels.len())
            .flat_map(|c| (0..n_outputs).map(move |output| forecast.steps(c, output)[step]));
        let time = rows.time(window, step).unwrap_or_default();
        match self {
            Self::Human(printer) => {
                let values: Vec<String> = rows
                    .value_columns()
                    .iter()
                    .zip(values)
                    .map(|(name, value)| format!("{name} {value:.4}"))
                    .collect();
                let id = rows.table.id(window.series);
                let place = [id, &format!("+{}", step + 1), &time]
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join("  ");
                printer.result(&format!("{place}  {}\n", values.join("  ")))
            }
            Self::Json(out) => {
                let row = rows.json(window, forecast, step);
                Ok(writeln!(out, "{row}")?)
            }
            Self::Table(out) => {
                let number = |text: String| Cell::Json(Cow::Owned(text));
                let mut cells = Vec::new();
                if rows.has_ids() {
                    cells.push(Cell::Text(Cow::Borrowed(rows.table.id(window.series))));
                }
                cells.push(number((step + 1).to_string()));
                cells.push(Cell::Text(Cow::Owned(time)));
                cells.extend(values.map(|value| number(value.to_string())));
                Ok(out.write_cells(&cells)?)
            }
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Human(_) => {}
            Self::Json(mut out) => out.flush()?,
            Self::Table(rows) => rows.finish()?.flush()?,
        }
        Ok(())
    }
}
