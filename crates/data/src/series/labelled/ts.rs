//! Files `.ts` of the UCR and UEA archives.
//!
//! Lines beginning with `#` are comments and those with `@` the header; behind `@data` each line is a series: channels
//! parted by `:`, their values by `,`, a missing one `?`, and as the last part the label if the header announces some.

use super::LabelledSeries;
use super::builder::Builder;
use crate::series::value::{NoValue, read_value};
use crate::wording::excerpt;
use crate::{DataError, Format, Labels, Records, Source};

/// What the header says.
#[derive(Default)]
struct Header {
    /// The labels that it lists, if series have one.
    labels: Option<Vec<String>>,
    has_target: bool,
    has_times: bool,
    dimensions: Option<usize>,
}

/// Reads a file.
pub(super) fn read(source: &Source, labels: Option<&Labels>) -> Result<LabelledSeries, DataError> {
    let path = source.path();
    let lines = Source::new(path)
        .with_format(Format::Lines)
        .with_limits(source.limits());
    let invalid = |line: u64, message: String| DataError::InvalidTs {
        path: path.to_owned(),
        line,
        message,
    };
    let mut header = Header::default();
    let mut in_data = false;
    let mut listed = None;
    let mut cases: Vec<Case> = Vec::new();
    for record in Records::open(&lines)? {
        let record = record?;
        let text = record.text(0)?;
        let (line, text) = (record.line(), text.trim());
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if in_data {
            let channels = cases.first().map(|case| case.channels);
            let case = header
                .case(text, channels.or(header.dimensions))
                .map_err(|message| invalid(line, message))?;
            cases.push(Case { line, ..case });
            continue;
        }
        let Some(words) = text.strip_prefix('@') else {
            return Err(invalid(
                line,
                format!(
                    "{:?} stands before @data; a line beginning with @ was expected",
                    excerpt(text)
                ),
            ));
        };
        in_data = header
            .take(words)
            .map_err(|message| invalid(line, message))?;
        if in_data && let Some(names) = header.labels.clone().filter(|names| !names.is_empty()) {
            // The list holds labels of the whole set: a part may lack one, and ids must be the same in all parts.
            listed = Some(Labels::sorted(names).map_err(|error| invalid(line, error.to_string()))?);
        }
    }
    let Some(first) = cases.first() else {
        return Err(DataError::NoRows {
            path: path.to_owned(),
        });
    };
    let mut builder = Builder::new(path, "@classLabel".to_owned(), labels.or(listed.as_ref()));
    builder.set_channels(
        (0..first.channels)
            .map(|channel| channel.to_string())
            .collect(),
    );
    for case in &cases {
        builder.push(case.line, None, &case.values, case.label.as_deref())?;
    }
    builder.finish()
}

struct Case {
    line: u64,
    channels: usize,
    values: Vec<f32>,
    label: Option<String>,
}

impl Header {
    /// Takes a line without its `@`; true at the beginning of the data.
    fn take(&mut self, words: &str) -> Result<bool, String> {
        let mut words = words.split_whitespace();
        let name = words.next().unwrap_or_default().to_ascii_lowercase();
        let mut truth = || match words.next().map(str::to_ascii_lowercase).as_deref() {
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            _ => Err(format!("@{} is true or false", excerpt(&name))),
        };
        match name.as_str() {
            "data" => {
                if self.has_times {
                    return Err("@timeStamps true: series with times of their own are not read; give them as a table in long form".into());
                }
                if self.has_target {
                    return Err(
                        "@targetLabel true: the series have numbers to predict and no labels"
                            .into(),
                    );
                }
                return Ok(true);
            }
            "timestamps" => self.has_times = truth()?,
            "targetlabel" => self.has_target = truth()?,
            "classlabel" => {
                let has_labels = truth()?;
                self.labels = has_labels.then(|| words.map(str::to_owned).collect());
            }
            "dimensions" | "dimension" => {
                let count = words
                    .next()
                    .and_then(|count| count.parse().ok())
                    .filter(|count| *count > 0);
                self.dimensions = Some(
                    count
                        .ok_or_else(|| format!("@{} is a whole number above 0", excerpt(&name)))?,
                );
            }
            "univariate" => {
                if truth()? {
                    self.dimensions = Some(1);
                }
            }
            // Names and claims that the data must not rest on: whatever the lengths are is read from the series.
            "problemname" | "missing" | "equallength" | "serieslength" => {}
            _ => {
                return Err(format!(
                    "@{} is no line of a header that is known",
                    excerpt(&name)
                ));
            }
        }
        Ok(false)
    }

    fn case(&self, text: &str, channels: Option<usize>) -> Result<Case, String> {
        let mut parts: Vec<&str> = text.split(':').collect();
        let label = match &self.labels {
            Some(_) => parts.pop().map(|label| label.trim().to_owned()),
            None => None,
        };
        let expected = channels.unwrap_or(parts.len());
        if parts.len() != expected || parts.is_empty() {
            let label = if label.is_some() { " and a label" } else { "" };
            return Err(format!(
                "{expected} channels{label} parted by colons were expected, {} channels found",
                parts.len()
            ));
        }
        let length = n_steps(parts[0]);
        // Before anything is allocated: of channels of unequal lengths a short line could promise any number of values.
        if let Some(channel) = parts.iter().position(|part| n_steps(part) != length) {
            let found = n_steps(parts[channel]);
            return Err(format!(
                "channel {channel} has {found} steps and channel 0 has {length}; fill up with ?"
            ));
        }
        let mut values = vec![f32::NAN; length * expected];
        for (channel, part) in parts.iter().enumerate() {
            for (step, value) in part.split(',').take(length).enumerate() {
                values[step * expected + channel] = read_value(value).map_err(|what| {
                    let what = match what {
                        NoValue::Infinite => "infinite",
                        NoValue::NotANumber => "no number",
                    };
                    format!(
                        "step {step} of channel {channel} is {what}: {:?}",
                        excerpt(value)
                    )
                })?;
            }
        }
        Ok(Case {
            line: 0,
            channels: expected,
            values,
            label,
        })
    }
}

/// How many steps a channel has; a blank one has none.
fn n_steps(channel: &str) -> usize {
    if channel.trim().is_empty() {
        return 0;
    }
    channel.split(',').count()
}
