//! `regard predict`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write, stdin};
use std::path::Path;

use regard_bundle::{Bundle, ClassPrediction, Schema, TextClassifier, TextSchema};
use regard_data::{Cell, Column, DataError, Format, Record, Records, RowWriter, Source};
use serde_json::{Value, json};

use super::latency::{Inputs, MOST_TEXTS, inputs_line, measure, report, table};
use crate::args::PredictionFormat::{Human, Jsonl};
use crate::args::{InputFormat, PredictArgs, PredictionFormat, ReportFormat};
use crate::device::Compute;
use crate::errors::{HintExt, UsageError};
use crate::output::Printer;

/// Rows that are read ahead and predicted together.
const CHUNK: usize = 256;
/// Rows of the longest lines that are read ahead, in bytes.
const CHUNK_BYTES: usize = 16 << 20;
/// The column whose values name the predictions, where the input has it.
const ID: &str = "id";
/// The widest a text is shown to a person, in characters.
const WIDEST: usize = 60;

/// Predicts texts from the command line, a file or the standard input.
pub fn run(args: &PredictArgs, printer: &Printer) -> anyhow::Result<()> {
    if args.latency && !matches!(args.format, None | Some(Human | Jsonl)) {
        return Err(UsageError("--latency reports with --format human or json".to_owned()).into());
    }
    let compute = Compute::open(&args.compute)?;
    let bundle = Bundle::load(&args.run, &compute.device)?;
    if matches!(bundle.info().schema, Schema::Series(_)) {
        let model = bundle.into_series_model()?.with_workers(compute.workers);
        return super::predict_series::run(args, &model, printer);
    }
    let schema = bundle.info().text_schema()?.clone();
    let classifier = bundle.into_text_classifier()?.with_workers(compute.workers);
    let input = match &args.file {
        Some(file) => Some(Input::open(file, args.input_format, &schema)?),
        None => None,
    };
    if args.latency {
        return time_answers(args, input, &classifier, &compute, printer);
    }
    let Some(input) = input else {
        let format = args.format.unwrap_or(Human);
        let mut output = Output::begin(printer, format, &classifier, false)?;
        for (row, (text, prediction)) in args
            .text
            .iter()
            .zip(classifier.predict(&args.text)?)
            .enumerate()
        {
            output.write(row as u64 + 1, None, text, &prediction)?;
        }
        return output.finish();
    };
    let id = Column::Name(ID.to_owned());
    let has_ids = input.format != Format::Lines && input.records.column(&id).is_ok();
    let out_format = args.format.unwrap_or(match input.format {
        Format::Csv => PredictionFormat::Csv,
        Format::Tsv => PredictionFormat::Tsv,
        _ => PredictionFormat::Jsonl,
    });
    // Somebody who types wants an answer to each line.
    let chunk = if input.is_stdin && stdin().is_terminal() {
        1
    } else {
        CHUNK
    };
    let mut output = Output::begin(printer, out_format, &classifier, has_ids)?;
    let mut waiting: Vec<Record> = Vec::with_capacity(chunk);
    let mut row = 0;
    let mut bytes = 0;
    let text_column = input.text_column;
    for record in input.records {
        match record {
            Ok(record) => {
                bytes += record.len_bytes();
                waiting.push(record);
            }
            Err(error) => {
                // The rows before the fault are sound, and their answers worth having.
                answer(
                    &mut waiting,
                    &mut row,
                    text_column,
                    &classifier,
                    &mut output,
                )?;
                output.finish()?;
                return Err(error.into());
            }
        }
        if waiting.len() == chunk || bytes >= CHUNK_BYTES {
            bytes = 0;
            answer(
                &mut waiting,
                &mut row,
                text_column,
                &classifier,
                &mut output,
            )?;
        }
    }
    answer(
        &mut waiting,
        &mut row,
        text_column,
        &classifier,
        &mut output,
    )?;
    output.finish()
}

/// Reports how long the answers take instead of giving them.
fn time_answers(
    args: &PredictArgs,
    input: Option<Input>,
    classifier: &TextClassifier,
    compute: &Compute,
    printer: &Printer,
) -> anyhow::Result<()> {
    let inputs = match input {
        None => Inputs {
            from: "the texts of the command line".to_owned(),
            texts: args.text.clone(),
        },
        Some(input) => {
            let mut texts = Vec::new();
            let column = input.text_column;
            for record in input.records.take(MOST_TEXTS) {
                texts.push(record?.text(column)?.into_owned());
            }
            let first = if texts.len() == MOST_TEXTS {
                "the first texts of "
            } else {
                ""
            };
            Inputs {
                from: format!("{first}{}", input.name),
                texts,
            }
        }
    };
    if inputs.texts.is_empty() {
        return Err(UsageError(format!(
            "{}: expected texts to time, found none",
            inputs.from
        ))
        .into());
    }
    let sizes = args.batch_sizes.iter();
    let rows = sizes.map(|size| {
        let mut row = measure(
            classifier,
            &inputs.texts,
            *size as usize,
            args.calls as usize,
        )?;
        row["threads"] = json!(compute.threads);
        row["device"] = json!(compute.name);
        Ok(row)
    });
    let rows = rows.collect::<anyhow::Result<Vec<Value>>>()?;
    let value = report(&inputs.to_json(classifier)?, &rows);
    let text = format!("{}\n{}", inputs_line(&value["inputs"]), table(&rows));
    let format = match args.format {
        Some(Jsonl) => ReportFormat::Json,
        _ => ReportFormat::Human,
    };
    printer.report(format, &value, text)
}

/// Texts to predict, one a record.
struct Input {
    name: String,
    is_stdin: bool,
    format: Format,
    text_column: usize,
    records: Records,
}

impl Input {
    fn open(file: &Path, format: Option<InputFormat>, schema: &TextSchema) -> anyhow::Result<Self> {
        let is_stdin = file == Path::new("-");
        let format = match (format, is_stdin) {
            (Some(format), _) => input_format(format),
            (None, true) => Format::Lines,
            (None, false) => schema
                .source(file)
                .format()
                .hint("or give --input-format csv, tsv, jsonl or lines")?,
        };
        if format == Format::Folder {
            return Err(DataError::Folder {
                path: file.to_owned(),
            })
            .hint("predict takes a table, or a file with one text a line; `regard eval RUN --data FOLDER` judges a folder of labels");
        }
        let path = if is_stdin {
            Path::new("standard input")
        } else {
            file
        };
        let source = Source::new(path)
            .with_format(format)
            .with_header(schema.header);
        let records = if is_stdin {
            Records::from_reader(stdin(), &source)?
        } else {
            Records::open(&source)?
        };
        let text_column = match format {
            Format::Lines => 0,
            _ => records.column(&schema.text_column)?,
        };
        Ok(Self {
            name: path.display().to_string(),
            is_stdin,
            format,
            text_column,
            records,
        })
    }
}

/// Predicts the waiting rows and writes one row for each.
fn answer(
    waiting: &mut Vec<Record>,
    row: &mut u64,
    text_column: usize,
    classifier: &TextClassifier,
    output: &mut Output<'_>,
) -> anyhow::Result<()> {
    let mut fault = None;
    let mut texts = Vec::with_capacity(waiting.len());
    for record in &*waiting {
        match record.text(text_column) {
            Ok(text) => texts.push(text),
            Err(error) => {
                fault = Some(error);
                break;
            }
        }
    }
    for ((record, text), prediction) in waiting.iter().zip(&texts).zip(classifier.predict(&texts)?)
    {
        *row += 1;
        output.write(*row, Some(record), text, &prediction)?;
    }
    drop(texts);
    waiting.clear();
    output.flush()?;
    fault.map_or(Ok(()), |error| Err(error.into()))
}

const fn input_format(format: InputFormat) -> Format {
    match format {
        InputFormat::Csv => Format::Csv,
        InputFormat::Tsv => Format::Tsv,
        InputFormat::Jsonl => Format::JsonLines,
        InputFormat::Lines => Format::Lines,
    }
}

/// Where predictions go: one row for each row of the input.
struct Output<'a> {
    kind: Kind<'a>,
    labels: &'a [String],
    has_ids: bool,
}

enum Kind<'a> {
    Human(&'a Printer),
    Rows(Format, RowWriter<Box<dyn Write + 'a>>),
}

impl<'a> Output<'a> {
    fn begin(
        printer: &'a Printer,
        format: PredictionFormat,
        classifier: &'a TextClassifier,
        has_ids: bool,
    ) -> anyhow::Result<Self> {
        let labels = classifier.labels();
        let format = match format {
            PredictionFormat::Human => None,
            PredictionFormat::Csv => Some(Format::Csv),
            PredictionFormat::Tsv => Some(Format::Tsv),
            PredictionFormat::Jsonl => Some(Format::JsonLines),
        };
        let kind = match format {
            None => Kind::Human(printer),
            Some(format) => {
                let name = if has_ids { ID } else { "row" };
                let mut columns = vec![name.to_owned(), "label".to_owned()];
                if format == Format::JsonLines {
                    columns.push("probabilities".to_owned());
                } else {
                    columns.extend(labels.iter().map(|label| format!("p_{label}")));
                }
                let results: Box<dyn Write> = Box::new(printer.results());
                Kind::Rows(
                    format,
                    RowWriter::new(results, format, &columns, &[], true)?,
                )
            }
        };
        Ok(Self {
            kind,
            labels,
            has_ids,
        })
    }

    fn write(
        &mut self,
        row: u64,
        record: Option<&Record>,
        text: &str,
        prediction: &ClassPrediction,
    ) -> anyhow::Result<()> {
        let label = &self.labels[prediction.class];
        let (format, rows) = match &mut self.kind {
            Kind::Human(printer) => {
                let mut shown: String = text.chars().take(WIDEST).collect();
                if shown.len() < text.len() {
                    shown.push('…');
                }
                return printer.result(&format!(
                    "{label}  {:.4}  {}\n",
                    prediction.probability(),
                    // Nor do escape sequences reach the terminal.
                    shown.replace(char::is_control, " ")
                ));
            }
            Kind::Rows(format, rows) => (*format, rows),
        };
        let id = match record.filter(|_| self.has_ids) {
            // As it is: the number 7 is not the text "7", and a row without an id has none.
            Some(record) => {
                let mut cells = record.cells()?.into_iter();
                let id = cells.find_map(|(name, cell)| (name == ID).then_some(cell));
                id.unwrap_or(Cell::Json(Cow::Borrowed("null")))
            }
            None => Cell::Json(Cow::Owned(row.to_string())),
        };
        let mut cells = vec![id, Cell::Text(Cow::Borrowed(label))];
        if format == Format::JsonLines {
            let mut object = serde_json::Map::new();
            for (label, probability) in self.labels.iter().zip(&prediction.probabilities) {
                object.insert(label.clone(), (*probability).into());
            }
            let object = serde_json::Value::Object(object).to_string();
            cells.push(Cell::Json(Cow::Owned(object)));
        } else {
            for probability in &prediction.probabilities {
                let mut text = String::new();
                // Writing to a string cannot fail.
                let _ = write!(text, "{probability}");
                cells.push(Cell::Json(Cow::Owned(text)));
            }
        }
        Ok(rows.write_cells(&cells)?)
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        if let Kind::Rows(_, rows) = &mut self.kind {
            rows.flush()?;
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        if let Kind::Rows(_, rows) = self.kind {
            rows.finish()?.flush()?;
        }
        Ok(())
    }
}
