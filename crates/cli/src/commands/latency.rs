//! How long answers take: what `predict --latency` and `bench predict` share.

use std::time::Instant;

use regard_bundle::TextClassifier;
use serde_json::{Value, json};

use super::table::Table;

/// Calls before the timing begins, for each batch size.
const WARM_UP: usize = 5;
/// The most texts that are kept to time with.
pub const MOST_TEXTS: usize = 10_000;
/// How percentiles are taken, for reports.
const METHOD: &str = "nearest rank";

/// The texts that answers are timed on.
pub struct Inputs {
    /// What they are, for reports.
    pub from: String,
    /// At least one.
    pub texts: Vec<String>,
}

impl Inputs {
    /// Where the texts come from, and what the model sees of them.
    pub fn to_json(&self, classifier: &TextClassifier) -> anyhow::Result<Value> {
        let tokenizer = classifier.tokenizer();
        let (mut tokens, mut most, mut unknown, mut truncated) = (0, 0, 0, 0);
        for text in &self.texts {
            let encoded = tokenizer.encode(text)?;
            let ids = encoded.ids.iter();
            tokens += encoded.ids.len();
            most = most.max(encoded.ids.len());
            unknown += ids.filter(|id| **id == tokenizer.unknown_id()).count();
            truncated += usize::from(encoded.truncated);
        }
        let texts = self.texts.len() as f64;
        Ok(json!({
            "from": self.from,
            "texts": self.texts.len(),
            "tokens_mean": tokens as f64 / texts,
            "tokens_max": most,
            "truncated_share": truncated as f64 / texts,
            "unknown_share": unknown as f64 / tokens as f64,
        }))
    }
}

/// Times calls of `batch_size` texts each, one after the other, through the texts and round again:
/// tokens, model and probabilities.
pub fn measure(
    classifier: &TextClassifier,
    texts: &[String],
    batch_size: usize,
    calls: usize,
) -> anyhow::Result<Value> {
    let mut next = texts.iter().map(String::as_str).cycle();
    let mut batch = || next.by_ref().take(batch_size).collect::<Vec<&str>>();
    for _ in 0..WARM_UP {
        classifier.predict(&batch())?;
    }
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let batch = batch();
        let begun = Instant::now();
        classifier.predict(&batch)?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let total_s = times.iter().sum::<f64>() / 1e3;
    times.sort_by(f64::total_cmp);
    Ok(json!({
        "batch_size": batch_size,
        "calls": calls,
        "examples_per_s": (batch_size * calls) as f64 / total_s,
        "p50_ms": percentile(&times, 50),
        "p95_ms": percentile(&times, 95),
        "p99_ms": percentile(&times, 99),
    }))
}

/// The least of the times that at least `percent` of them do not exceed: nearest rank.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (percent * sorted.len()).div_ceil(100).max(1);
    sorted[rank - 1]
}

/// A report of rows of [`measure`].
pub fn report(inputs: &Value, rows: &[Value]) -> Value {
    json!({
        "schema": super::SCHEMA,
        "inputs": inputs,
        "warm_up_calls": WARM_UP,
        "percentiles": METHOD,
        "rows": rows,
    })
}

/// What a report says of its inputs, for a person.
pub fn inputs_line(inputs: &Value) -> String {
    let number = |name: &str| inputs[name].as_f64().unwrap_or(f64::NAN);
    format!(
        "inputs: {}\n  {} texts of {:.1} tokens in the mean and {} at most; {:.1} % cut off, {:.1} % of the tokens unknown\n",
        inputs["from"].as_str().unwrap_or_default(),
        inputs["texts"],
        number("tokens_mean"),
        inputs["tokens_max"],
        100.0 * number("truncated_share"),
        100.0 * number("unknown_share"),
    )
}

/// The rows of a report for a person.
pub fn table(rows: &[Value]) -> String {
    let has_memory = rows.iter().any(|row| row["peak_rss_mib"].is_number());
    let mut table = Table::new(&[
        ">batch size",
        ">examples/s",
        ">p50 ms",
        ">p95 ms",
        ">p99 ms",
        if has_memory { ">peak MiB" } else { "" },
        ">threads",
        "device",
    ]);
    for row in rows {
        let number = |name: &str, digits: usize| {
            let number = row[name].as_f64();
            number.map_or(String::new(), |number| format!("{number:.digits$}"))
        };
        table.row([
            number("batch_size", 0),
            number("examples_per_s", 1),
            number("p50_ms", 2),
            number("p95_ms", 2),
            number("p99_ms", 2),
            number("peak_rss_mib", 1),
            number("threads", 0),
            row["device"].as_str().unwrap_or_default().to_owned(),
        ]);
    }
    let calls = &rows[0]["calls"];
    format!(
        "{table}{calls} calls of each size after {WARM_UP} to warm up; percentiles by {METHOD}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let times: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(percentile(&times, 50), 100.0);
        assert_eq!(percentile(&times, 95), 190.0);
        assert_eq!(percentile(&times, 99), 198.0);
        let few = [1.0, 2.0, 3.0];
        assert_eq!(percentile(&few, 50), 2.0);
        assert_eq!(percentile(&few, 99), 3.0);
        assert_eq!(percentile(&few[..1], 1), 1.0);
    }
}
