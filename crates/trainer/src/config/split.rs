//! The parts of tables of series: `[data.split]` beside files of their own.

use toml::{Table, Value};

use super::Extent;
use super::conflict::Conflict;
use super::names::SplitBy;
use super::types::{Config, DataConfig};
use super::values::Source;

/// Parts that may have files of their own.
const PARTS: [&str; 2] = ["valid", "test"];

/// Takes the defaults of parts away that have files of their own; what is then left is for training.
pub(super) fn set_split_defaults(resolved: &mut Table, is_written: impl Fn(&str) -> bool) {
    let Some(data) = resolved.get_mut("data").and_then(Value::as_table_mut) else {
        return;
    };
    let own_files = PARTS.map(|part| data.get(part).is_some_and(Value::is_str));
    let Some(split) = data.get_mut("split").and_then(Value::as_table_mut) else {
        return;
    };
    for (part, _) in PARTS.iter().zip(own_files).filter(|(_, own)| *own) {
        if !is_written(&format!("data.split.{part}")) {
            split.remove(*part);
        }
    }
    if own_files.contains(&true) && !is_written("data.split.train") {
        let others = PARTS.iter().filter_map(|part| split.get(*part));
        let shares: Option<Vec<f64>> = others.map(Value::as_float).collect();
        // What other parts leave in rows is a share of nothing known here.
        if let Some(shares) = shares {
            let left = 1.0 - shares.iter().sum::<f64>();
            // Without the last bits, which nobody wrote.
            let left = (left * 1e9).round() / 1e9;
            split.insert("train".to_owned(), Value::Float(left));
        }
    }
}

/// Parts that are told twice, or in no way that a table can be split.
pub(super) fn conflicts(config: &Config, conflicts: &mut Vec<Conflict>) {
    let DataConfig {
        valid, test, split, ..
    } = &config.data;
    let parts: [(_, [&'static [&'static str]; 2]); 2] = [
        (
            (valid, &split.valid),
            [
                &["data.valid", "data.split.valid"],
                &["data.split.valid", "data.valid"],
            ],
        ),
        (
            (test, &split.test),
            [
                &["data.test", "data.split.test"],
                &["data.split.test", "data.test"],
            ],
        ),
    ];
    for ((source, extent), [of_file, of_split]) in parts {
        match (source, extent) {
            (Some(Source::Share(share)), _) => conflicts.push(Conflict {
                keys: of_file,
                expected: "a file".to_owned(),
                found: format!("the share {share}"),
                hint: Some(format!("write a share as {}", of_file[1])),
            }),
            (Some(Source::Path(path)), Some(extent)) => conflicts.push(Conflict {
                keys: of_split,
                expected: format!("nothing, since `{}` is {path:?}", of_file[0]),
                found: match extent {
                    Extent::Rows(rows) => rows.to_string(),
                    Extent::Share(share) => share.to_string(),
                },
                hint: Some("leave one of the two keys out".to_owned()),
            }),
            _ => {}
        }
    }
    if split.by == SplitBy::Id {
        by_id(config, conflicts);
    }
}

fn by_id(config: &Config, conflicts: &mut Vec<Conflict>) {
    let split = &config.data.split;
    let mut refuse = |keys, expected: &str, found: String, hint: &str| {
        conflicts.push(Conflict {
            keys,
            expected: expected.to_owned(),
            found,
            hint: Some(hint.to_owned()),
        });
    };
    if config.data.id_column.is_none() {
        refuse(
            &["data.split.by", "data.id_column"],
            "\"time\", since `data.id_column` is not set",
            "\"id\"".to_owned(),
            "name the column that tells the series apart as data.id_column",
        );
    }
    if config.privacy.is_some() {
        refuse(
            &["data.split.by"],
            "\"time\" beside [privacy]",
            "\"id\"".to_owned(),
            "with one series more or less other series would be drawn, and the promise would not hold; \
             give private parts as data.valid and data.test",
        );
    }
    let extents: [(&'static [&'static str], Option<Extent>); 3] = [
        (&["data.split.train", "data.split.by"], Some(split.train)),
        (&["data.split.valid", "data.split.by"], split.valid),
        (&["data.split.test", "data.split.by"], split.test),
    ];
    for (keys, extent) in extents {
        if let Some(Extent::Rows(rows)) = extent {
            refuse(
                keys,
                "a share of the series, since `data.split.by` is \"id\"",
                format!("{rows} rows"),
                "write a number with a point, such as 0.2",
            );
        }
    }
}
