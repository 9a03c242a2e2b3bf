//! `regard check`.

use std::fmt::{self, Write as _};
use std::path::Path;

use regard_data::doctor::{Level, Problem};
use regard_trainer::check::{Check, PartReport, check};
use serde_json::{Map, Value, json};

use super::model_facts::{ModelFacts, grouped};
use crate::args::CheckArgs;
use crate::device::Compute;
use crate::errors::{Code, Told};
use crate::output::Printer;

/// The widest that a line is made, in characters.
const WIDTH: usize = 80;
/// Labels that are listed.
const MOST_LABELS: usize = 12;
/// The widest that a label is shown, in characters.
const WIDEST_LABEL: usize = 20;
/// Problems of one level that are told to a person; JSON has them all.
const MOST_PROBLEMS: usize = 20;

/// Looks at settings, data and model, and writes nothing but its report.
pub fn run(args: &CheckArgs, printer: &Printer) -> anyhow::Result<()> {
    let compute = Compute::open(&args.compute)?;
    let settings = &args.settings;
    let found = check(
        &settings.config,
        &settings.overrides,
        &compute.device,
        compute.workers,
    )?;
    let model = found
        .model
        .as_ref()
        .map(|run| ModelFacts::new(run, &compute));
    let text = Report {
        config: &settings.config,
        found: &found,
        model: model.as_ref(),
    };
    printer.report(args.report.format, &to_json(&found, model.as_ref()), text)?;
    match (found.is_ready(), found.settings_are_right) {
        (true, _) => Ok(()),
        (false, true) => Err(Told(Code::Data).into()),
        (false, false) => Err(Told(Code::Usage).into()),
    }
}

fn to_json(found: &Check, model: Option<&ModelFacts<'_>>) -> Value {
    let mut splits = Map::new();
    for part in &found.parts {
        let labels: Map<String, Value> = (found.labels.iter())
            .zip(&part.label_counts)
            .map(|(label, count)| (label.clone(), json!(count)))
            .collect();
        let mut split = json!({"rows": part.rows, "labels": labels});
        if let Some(lengths) = &part.lengths {
            split["tokens"] = json!(lengths.summary());
            split["cut_share"] = json!(lengths.cut_share());
            split["unknown_share"] = json!(lengths.unknown_share());
        }
        splits.insert(part.split.name().to_owned(), split);
    }
    let mut value = json!({
        "schema": super::SCHEMA,
        "ready": found.is_ready(),
        "unit": found.unit,
        "rows": found.parts.iter().map(|part| part.rows).sum::<usize>(),
        "splits": splits,
        "problems": found.problems,
        "model": model.map(ModelFacts::to_json),
    });
    if model.is_none() {
        value["model_reason"] = json!("there are errors to mend first");
    }
    value
}

/// A check for a person.
struct Report<'a> {
    config: &'a Path,
    found: &'a Check,
    model: Option<&'a ModelFacts<'a>>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self.found;
        if found.parts.iter().any(|part| part.rows > 0) {
            write_parts(f, found.unit, &found.parts)?;
            if !found.labels.is_empty() {
                write_labels(f, &found.labels, &found.parts)?;
            }
            writeln!(f)?;
        }
        for level in [Level::Error, Level::Warning, Level::Note] {
            let mut problems = found
                .problems
                .iter()
                .filter(|problem| problem.level == level);
            for problem in problems.by_ref().take(MOST_PROBLEMS) {
                write_problem(f, problem)?;
            }
            match problems.count() {
                0 => {}
                more => writeln!(f, "         and {more} more; --format json lists them all")?,
            }
        }
        if !found.problems.is_empty() {
            writeln!(f)?;
        }
        if let Some(model) = self.model {
            writeln!(f, "{model}")?;
        }
        let config = self.config.display();
        match (found.count(Level::Error), found.count(Level::Warning)) {
            (0, 0) => writeln!(f, "ready: regard train {config}"),
            (0, 1) => writeln!(f, "ready, with 1 warning to look at: regard train {config}"),
            (0, n) => writeln!(
                f,
                "ready, with {n} warnings to look at: regard train {config}"
            ),
            (1, _) => writeln!(f, "not ready: mend the error and check again"),
            (n, _) => writeln!(f, "not ready: mend the {n} errors and check again"),
        }
    }
}

fn write_parts(f: &mut fmt::Formatter<'_>, unit: &str, parts: &[PartReport]) -> fmt::Result {
    let has_lengths = parts.iter().any(|part| part.lengths.is_some());
    write!(f, "{:5}  {:>9}", "data", unit)?;
    if has_lengths {
        write!(f, "  tokens: min  median  95 %   max     cut  unknown")?;
    }
    writeln!(f)?;
    for part in parts {
        write!(
            f,
            "{:5}  {:>9}",
            part.split.name(),
            grouped(part.rows as u64)
        )?;
        if let Some(lengths) = &part.lengths
            && let Some(tokens) = lengths.summary()
        {
            write!(
                f,
                "  {:>11}  {:>6}  {:>4}  {:>4}  {:>4.1} %  {:>5.1} %",
                tokens.min,
                tokens.median,
                tokens.p95,
                tokens.max,
                100.0 * lengths.cut_share(),
                100.0 * lengths.unknown_share()
            )?;
        }
        writeln!(f)?;
    }
    Ok(())
}

fn write_labels(
    f: &mut fmt::Formatter<'_>,
    labels: &[String],
    parts: &[PartReport],
) -> fmt::Result {
    let Some(train) = parts.first() else {
        return Ok(());
    };
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by_key(|id| std::cmp::Reverse(train.label_counts[*id]));
    writeln!(f)?;
    write!(f, "{:WIDEST_LABEL$}", counted(labels.len(), "label"))?;
    for part in parts {
        write!(f, "  {:>9}", part.split.name())?;
    }
    writeln!(f, "  of train")?;
    for id in order.iter().take(MOST_LABELS) {
        let label: String = labels[*id].chars().take(WIDEST_LABEL).collect();
        write!(f, "{:WIDEST_LABEL$}", label.replace(char::is_control, " "))?;
        for part in parts {
            // A part that was read without the training labels has others.
            let count = part.label_counts.get(*id).copied().unwrap_or(0);
            write!(f, "  {:>9}", grouped(count as u64))?;
        }
        let share = train.label_counts[*id] as f64 / train.rows.max(1) as f64;
        writeln!(f, "  {:>6.1} %", 100.0 * share)?;
    }
    if order.len() > MOST_LABELS {
        writeln!(f, "and {} more", order.len() - MOST_LABELS)?;
    }
    Ok(())
}

fn write_problem(f: &mut fmt::Formatter<'_>, problem: &Problem) -> fmt::Result {
    let level = match problem.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    let mut text = String::new();
    // Writing to a string cannot fail.
    if let Some(file) = &problem.file {
        let _ = write!(text, "{}", file.display());
        if let Some(line) = problem.line {
            let first = if problem.count > 1 { "first " } else { "" };
            let _ = write!(text, ", {first}line {line}");
        }
        text.push_str(": ");
    }
    text.push_str(&problem.message);
    for (place, line) in wrapped(&text, WIDTH - 9).iter().enumerate() {
        writeln!(f, "{:7}  {line}", if place == 0 { level } else { "" })?;
    }
    if let Some(hint) = &problem.hint {
        for line in wrapped(&format!("hint: {hint}"), WIDTH - 11) {
            writeln!(f, "{:11}{line}", "")?;
        }
    }
    Ok(())
}

/// A text in lines of at most `width` characters, parted at spaces. Nor do escape sequences of the data reach the
/// terminal.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let text = text.replace(char::is_control, " ");
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(count as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_wrapped_at_spaces_and_long_words_stay_whole() {
        assert_eq!(wrapped("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrapped("abcdef g", 4), ["abcdef", "g"]);
        assert_eq!(wrapped("a\u{1b}[31m", 80), ["a [31m"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
