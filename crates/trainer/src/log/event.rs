//! One line of a log.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of the lines' layout.
const SCHEMA: u32 = 1;

/// What a line tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EventKind {
    /// Steps of training.
    Train,
    /// An evaluation.
    Eval,
    /// A checkpoint saved.
    Checkpoint,
    /// Something that a person should know.
    Warning,
    /// The end of the run.
    End,
}

/// One line of a log: fields that are the same in every repetition of the run, and under
/// `"volatile"` those that are not, such as times and memory.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use]
pub struct Event {
    schema: u32,
    step: u64,
    epoch: u64,
    kind: EventKind,
    #[serde(flatten)]
    fields: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    volatile: Map<String, Value>,
}

impl Event {
    /// An event after `step` steps, in `epoch`, counted from 0.
    pub fn new(kind: EventKind, step: u64, epoch: u64) -> Self {
        Self {
            schema: SCHEMA,
            step,
            epoch,
            kind,
            fields: Map::new(),
            volatile: Map::new(),
        }
    }

    /// With a field that every repetition of the run has alike.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// With a number that every repetition of the run has alike. JSON has no infinity and no NaN:
    /// they become `null`, with the reason in `<name>_reason`.
    pub fn with_number(mut self, name: &str, number: f64) -> Self {
        put_number(&mut self.fields, name, number);
        self
    }

    /// With a number that differs between repetitions.
    pub fn with_volatile(mut self, name: &str, number: f64) -> Self {
        put_number(&mut self.volatile, name, number);
        self
    }
}

fn put_number(fields: &mut Map<String, Value>, name: &str, number: f64) {
    // `Value::from` gives null for what is not finite.
    fields.insert(name.to_owned(), Value::from(number));
    if !number.is_finite() {
        fields.insert(format!("{name}_reason"), Value::from(number.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_what_repeats_at_the_top_and_the_rest_below() {
        let event = Event::new(EventKind::Train, 12, 1)
            .with("split", "valid")
            .with_number("loss", 0.5)
            .with_volatile("step_ms", 3.25);
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"schema":1,"step":12,"epoch":1,"kind":"train","split":"valid","loss":0.5,"volatile":{"step_ms":3.25}}"#
        );
    }

    #[test]
    fn what_is_not_finite_is_null_with_a_reason() {
        let event = Event::new(EventKind::End, 1, 0)
            .with_number("loss", f64::NAN)
            .with_number("bound", f64::INFINITY);
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"schema":1,"step":1,"epoch":0,"kind":"end","loss":null,"loss_reason":"NaN","bound":null,"bound_reason":"inf"}"#
        );
    }
}
