//! `regard runs`.

use std::path::Path;
use std::time::SystemTime;

use regard_trainer::runs::{Listed, Place, RunState, RunSummary, list};
use serde_json::{Value, json};

use super::table::Table;
use crate::args::RunsArgs;
use crate::errors::{HintExt, UsageError};
use crate::output::Printer;

/// Where runs are unless somebody says otherwise.
const DEFAULT_FOLDER: &str = "runs";

/// Lists the runs of a folder, the last written first.
pub fn run(args: &RunsArgs, printer: &Printer) -> anyhow::Result<()> {
    let folder = args.folder.as_deref().unwrap_or(Path::new(DEFAULT_FOLDER));
    let listed = if folder.is_dir() {
        list(folder)?
    } else if args.folder.is_none() && !folder.exists() {
        // Before the first run there is no folder.
        Vec::new()
    } else {
        let found = if folder.exists() { "a file" } else { "nothing" };
        return Err(UsageError(format!(
            "{}: expected a folder of runs, found {found}",
            folder.display()
        )))
        .hint("`regard train` makes runs in runs/ unless --out says otherwise");
    };
    let rows: Vec<Value> = listed.iter().map(as_json).collect();
    let value = json!({"schema": super::SCHEMA, "folder": folder, "rows": rows});
    let text = if listed.is_empty() {
        format!("no runs in {}\n", folder.display())
    } else {
        table(&listed, folder, SystemTime::now())
    };
    printer.report(args.report.format, &value, text)
}

fn as_json(listed: &Listed) -> Value {
    let last_written = listed.last_written.and_then(|time| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        since.ok().map(|since| since.as_secs())
    });
    let mut row = json!({
        "run": listed.path,
        "name": null,
        "task": null,
        "state": "foreign",
        "step": null,
        "total_steps": null,
        "best": null,
        "test": null,
        "last_written_unix_s": last_written,
        "bytes": listed.bytes,
        "problem": null,
    });
    match &listed.what {
        Place::Run(run) => {
            let metric = metric(run);
            row["name"] = json!(run.config.as_ref().and_then(|config| config.name.clone()));
            row["task"] = json!(run.config.as_ref().map(|config| config.task.name()));
            row["state"] = json!(run.state.name());
            row["step"] = json!(run.step);
            row["total_steps"] = json!(run.total_steps);
            row["best"] = json!(
                run.best
                    .map(|best| json!({"step": best.step, "metric": metric, "value": best.value}))
            );
            row["test"] = json!(
                run.test
                    .map(|test| json!({"metric": metric, "value": test}))
            );
            row["problem"] = json!(run.problem);
        }
        Place::Bundle => row["state"] = json!("bundle"),
        Place::Foreign(problem) => row["problem"] = json!(problem),
        _ => {}
    }
    row
}

fn metric(run: &RunSummary) -> Option<&'static str> {
    run.config.as_ref().map(|config| config.eval.metric.name())
}

fn table(listed: &[Listed], folder: &Path, now: SystemTime) -> String {
    let mut table = Table::new(&[
        "run", "task", "state", "best", "test", "written", ">size", "problem",
    ]);
    for one in listed {
        // The folder itself, if it is a run.
        let path = one.path.strip_prefix(folder).ok();
        let path = path.filter(|path| !path.as_os_str().is_empty());
        let [task, state, best, test, problem] = match &one.what {
            Place::Run(run) => words(run),
            Place::Bundle => ["", "a bundle", "", "", ""].map(str::to_owned),
            Place::Foreign(problem) => {
                let problem = problem.as_deref().unwrap_or("");
                ["", "foreign", "", "", problem].map(str::to_owned)
            }
            _ => Default::default(),
        };
        table.row([
            path.unwrap_or(&one.path).display().to_string(),
            task,
            state,
            best,
            test,
            one.last_written
                .map_or(String::new(), |time| age(time, now)),
            size(one.bytes),
            problem,
        ]);
    }
    table.to_string()
}

/// Task, state, best, test and problem of a run, for a person.
fn words(run: &RunSummary) -> [String; 5] {
    let of = run
        .total_steps
        .map_or(String::new(), |total| format!(" of {total}"));
    let state = match run.state {
        RunState::Complete => format!("complete, {} steps", run.step),
        RunState::Damaged => "damaged".to_owned(),
        state => format!("{} at step {}{of}", state.name(), run.step),
    };
    let config = run.config.as_ref();
    let metric = metric(run).unwrap_or("value");
    let figure =
        |value: Option<f64>| value.map_or(String::new(), |value| format!("{metric} {value:.4}"));
    [
        config.map_or(String::new(), |config| config.task.name().to_owned()),
        state,
        figure(run.best.map(|best| best.value)),
        figure(run.test),
        run.problem.clone().unwrap_or_default(),
    ]
}

/// How long ago, in the largest unit that fits.
fn age(time: SystemTime, now: SystemTime) -> String {
    // A clock that went back makes a file of the future; it is new.
    let seconds = now.duration_since(time).map_or(0, |age| age.as_secs());
    for (unit, length) in [("day", 86_400), ("hour", 3600), ("minute", 60)] {
        match seconds / length {
            0 => {}
            1 => return format!("1 {unit} ago"),
            n => return format!("{n} {unit}s ago"),
        }
    }
    "just now".to_owned()
}

fn size(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib < 1024.0 {
        format!("{mib:.1} MiB")
    } else {
        format!("{:.1} GiB", mib / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ages_and_sizes_are_in_the_largest_unit_that_fits() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        for (seconds, expected) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (7199, "1 hour ago"),
            (86_400 * 3, "3 days ago"),
        ] {
            assert_eq!(age(now - Duration::from_secs(seconds), now), expected);
        }
        assert_eq!(age(now + Duration::from_secs(100), now), "just now");
        assert_eq!(size(0), "0.0 MiB");
        assert_eq!(size(5 << 20), "5.0 MiB");
        assert_eq!(size(3 << 30), "3.0 GiB");
    }
}
