//! `regard config schema`: every key of a configuration.

use std::fmt::{self, Display};

use regard_trainer::config::{ConfigKey, DefaultValue, KEYS, Task};
use serde_json::{Map, Value, json};

use crate::args::ReportArgs;
use crate::output::Printer;

/// Lists the keys.
pub fn run(args: ReportArgs, printer: &Printer) -> anyhow::Result<()> {
    let keys: Vec<Value> = KEYS.iter().map(as_json).collect();
    let report = json!({"schema": super::SCHEMA, "keys": keys});
    printer.report(args.format, &report, Listing)
}

fn as_json(key: &ConfigKey) -> Value {
    json!({
        "key": key.path(),
        "type": key.kind().type_name(),
        "values": key.kind().to_string(),
        "required": matches!(key.default(), DefaultValue::Required(_)),
        "default": key.default_value(),
        "default_by_task": (own_defaults(key).into_iter())
            .map(|(task, _)| (task.name().to_owned(), json!(key.default_value_in(task))))
            .collect::<Map<String, Value>>(),
        "resumable": key.is_resumable(),
        "tasks": tasks(key),
        "doc": key.doc(),
    })
}

/// The names of the tasks that have a key.
fn tasks(key: &ConfigKey) -> Vec<&'static str> {
    key.tasks().iter().map(|task| task.name()).collect()
}

/// The tasks in which a key has another default, and that.
fn own_defaults(key: &ConfigKey) -> Vec<(Task, String)> {
    (key.tasks().iter())
        .map(|task| (*task, key.default_in(*task)))
        .filter(|(_, default)| *default != key.default())
        .map(|(task, default)| (task, in_words(default)))
        .collect()
}

fn in_words(default: DefaultValue) -> String {
    match default {
        DefaultValue::Is(text) => text.to_owned(),
        DefaultValue::Required(_) => "must be set".to_owned(),
        DefaultValue::Unset(text) => format!("not set: {text}"),
        _ => String::new(),
    }
}

struct Listing;

impl Display for Listing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "Every key of a configuration. R: may change when a run is continued."
        )?;
        let mut section = None;
        for key in KEYS {
            if section != Some(key.section()) {
                section = Some(key.section());
                match key.section() {
                    "" => writeln!(formatter)?,
                    name => writeln!(formatter, "\n[{name}]")?,
                }
            }
            let default = in_words(key.default());
            let resumable = if key.is_resumable() { "  R" } else { "" };
            writeln!(formatter, "{} = {default}{resumable}", key.name())?;
            writeln!(formatter, "    {}", key.doc())?;
            writeln!(formatter, "    {}", key.kind())?;
            for (task, default) in own_defaults(key) {
                writeln!(formatter, "    in {}: {default}", task.name())?;
            }
            if key.tasks().len() < Task::ALL.len() {
                writeln!(formatter, "    of {}", tasks(key).join(", "))?;
            }
        }
        Ok(())
    }
}
