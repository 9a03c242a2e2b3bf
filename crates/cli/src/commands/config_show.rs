//! `regard config show`: a configuration as it would be used.

use std::fmt::Write as _;
use std::path::Path;

use regard_trainer::config::{DefaultValue, Origin, Setting, explain};
use serde_json::{Map, Value, json};

use crate::args::ConfigShowArgs;
use crate::output::Printer;

/// The widest a value is before what is said of it is no longer aligned, in characters.
const WIDEST: usize = 44;

/// Shows the resolved configuration; with `--origin` also where each value was written.
pub fn run(args: &ConfigShowArgs, printer: &Printer) -> anyhow::Result<()> {
    let path = &args.settings.config;
    let (config, settings) = explain(path, &args.settings.overrides)?;
    let mut value = json!({"schema": super::SCHEMA, "config": config});
    if args.origin {
        let keys = settings.iter().map(|setting| as_json(setting, path));
        value["keys"] = keys.collect();
    }
    let text = if args.origin {
        with_origins(&settings, path)
    } else {
        config.to_toml()?
    };
    printer.report(args.report.format, &value, text)
}

fn as_json(setting: &Setting, path: &Path) -> Value {
    let mut row = Map::new();
    row.insert("key".to_owned(), json!(setting.key().path()));
    row.insert("value".to_owned(), setting.json_value());
    match setting.origin() {
        Origin::Line(line) => {
            row.insert("origin".to_owned(), json!("file"));
            row.insert("file".to_owned(), json!(path));
            row.insert("line".to_owned(), json!(line));
        }
        Origin::Argument(argument) => {
            row.insert("origin".to_owned(), json!("argument"));
            row.insert("argument".to_owned(), json!(argument));
        }
        Origin::Nowhere => {
            row.insert("origin".to_owned(), json!("default"));
        }
    }
    Value::Object(row)
}

/// TOML again, so that it can be saved and used, with a comment behind each value.
fn with_origins(settings: &[Setting], path: &Path) -> String {
    let mut text = String::new();
    let mut section = "";
    for setting in settings {
        let key = setting.key();
        if key.section() != section {
            section = key.section();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "\n[{section}]");
        }
        let name = key.name();
        let origin = match setting.origin() {
            Origin::Line(line) => format!("{}:{line}", path.display()),
            Origin::Argument(argument) => format!("--set {argument}"),
            Origin::Nowhere => "default".to_owned(),
        };
        // A path may hold anything; a line feed would end the comment.
        let origin = origin.replace(char::is_control, " ");
        match (setting.value(), key.default()) {
            (Some(value), _) => {
                let line = format!("{name} = {value}");
                let _ = writeln!(text, "{line:WIDEST$}  # {origin}");
            }
            (None, DefaultValue::Unset(instead)) => {
                let line = format!("# {name} is not set");
                let _ = writeln!(text, "{line:WIDEST$}  # {instead}");
            }
            // A key without a default that was not written is refused.
            (None, _) => {}
        }
    }
    text
}
