//! The balance of labels.

use std::collections::BTreeMap;

use super::Part;
use super::problem::{Level, Problem, counted, rows};
use crate::wording::excerpt;
use crate::{Labels, require_two_classes};

/// Fewer rows than this teach little of a label.
const FEW_ROWS: usize = 10;
/// Above this share of one label, always guessing it looks good.
const LOPSIDED: f64 = 0.95;
/// Fewer rows than this make a figure mostly chance.
const FEW_TO_JUDGE: usize = 30;
/// Names that a message shows.
const SHOWN: usize = 4;

/// What is wrong with the labels of the parts, the training part first.
///
/// # Panics
/// If there are no parts.
#[must_use]
pub fn judge_labels(parts: &[Part<'_>]) -> Vec<Problem> {
    let train = &parts[0];
    let path = train.exam.path();
    let labels = train.exam.labels();
    let counts = train.label_counts();
    let problem = |level, message| Problem::new(level, message).in_file(path);
    let mut problems = Vec::new();

    if let Err(error) = require_two_classes(labels, &counts, &path.display().to_string()) {
        let mut problem = Problem::of_error(&error);
        problem.file = Some(path.to_owned());
        return vec![problem];
    }
    let untaught = named(labels, |id| counts[id] == 0);
    if !untaught.is_empty() {
        problems.push(
            problem(
                Level::Warning,
                format!("no row to train on for {}", listed(&untaught)),
            )
            .times(untaught.len() as u64)
            .hint("the model cannot learn such a label: add rows, or take it out of data.labels"),
        );
    }
    let few = named(labels, |id| (1..FEW_ROWS).contains(&counts[id]));
    if !few.is_empty() {
        problems.push(
            problem(
                Level::Warning,
                format!(
                    "fewer than {FEW_ROWS} rows to train on for {}",
                    listed(&few)
                ),
            )
            .times(few.len() as u64)
            .hint("add rows, or join such labels with others"),
        );
    }
    let most = (0..counts.len()).max_by_key(|id| counts[*id]);
    if let Some(most) = most
        && counts[most] as f64 > LOPSIDED * train.rows.len() as f64
    {
        let share = 100.0 * counts[most] as f64 / train.rows.len() as f64;
        problems.push(
            problem(
                Level::Warning,
                format!(
                    "{share:.1} % of the training rows have the label {:?}",
                    excerpt(&labels.names()[most])
                ),
            )
            .times(counts[most] as u64)
            .hint("always answering it is as often right: judge by eval.metric = \"macro_f1\""),
        );
    }
    problems.extend(look_alikes(labels).map(|(first, second)| {
        problem(
            Level::Warning,
            format!(
                "the labels {:?} and {:?} differ only in case or white space",
                excerpt(first),
                excerpt(second)
            ),
        )
        .hint("write one of them the same way everywhere, if they mean the same")
    }));
    for part in &parts[1..] {
        let problem = |level, message| Problem::new(level, message).in_file(part.exam.path());
        if part.rows.len() < FEW_TO_JUDGE {
            let n = rows(part.rows.len() as u64);
            problems.push(
                problem(Level::Note, format!("the {} data has only {n}", part.name))
                    .times(part.rows.len() as u64)
                    .hint("figures on so few are mostly chance: give it a larger share or file"),
            );
        }
        let theirs = part.label_counts();
        let absent = named(labels, |id| theirs[id] == 0 && counts[id] > 0);
        if !absent.is_empty() {
            problems.push(
                problem(
                    Level::Note,
                    format!("the {} data has no row of {}", part.name, listed(&absent)),
                )
                .times(absent.len() as u64)
                .hint("its figures say nothing about such a label"),
            );
        }
    }
    problems
}

fn named(labels: &Labels, wanted: impl Fn(usize) -> bool) -> Vec<&str> {
    let names = labels.names().iter().enumerate();
    names
        .filter(|(id, _)| wanted(*id))
        .map(|(_, name)| name.as_str())
        .collect()
}

/// `the label "a"`, `3 labels: "a", "b", "c"`.
fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("{:?}", excerpt(name)))
        .collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    match names {
        [_] => format!("the label {}", shown[0]),
        _ => format!(
            "{}: {}{more}",
            counted(names.len() as u64, "label"),
            shown.join(", ")
        ),
    }
}

/// Pairs of labels that are probably meant to be one.
fn look_alikes(labels: &Labels) -> impl Iterator<Item = (&String, &String)> {
    let mut first: BTreeMap<String, &String> = BTreeMap::new();
    labels.names().iter().filter_map(move |name| {
        let folded: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
        match first.entry(folded.join(" ")) {
            std::collections::btree_map::Entry::Occupied(other) => Some((*other.get(), name)),
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(name);
                None
            }
        }
    })
}
