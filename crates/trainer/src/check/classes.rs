//! What is wrong with the classes of whole series.

use regard_data::doctor::{Level, Problem};

use super::PartReport;
use crate::config::Config;
use crate::task::{SeriesClassification, Split, Task};

/// The parts of the data, with how many series each label has.
pub(super) fn parts(task: &SeriesClassification, n_labels: usize) -> Vec<PartReport> {
    let part = |split| {
        let mut label_counts = vec![0; n_labels];
        for class in task.classes(split) {
            label_counts[class as usize] += 1;
        }
        PartReport {
            split,
            rows: task.n_units(split),
            label_counts,
            lengths: None,
        }
    };
    Split::ALL.into_iter().map(part).collect()
}

/// Labels with so few series to train on that they cannot be learned.
pub(super) fn rare(config: &Config, labels: &[String], parts: &[PartReport]) -> Vec<Problem> {
    let train = parts.iter().find(|part| part.split == Split::Train);
    let counts = train.map_or(&[][..], |part| part.label_counts.as_slice());
    let rare = labels.iter().zip(counts).filter(|(_, count)| **count < 2);
    rare.map(|(label, count)| {
        let message = format!("the label {label:?} has {count} series to train on");
        Problem::new(Level::Warning, message)
            .in_file(&config.data.train)
            .hint("give more of them, or take the label out")
    })
    .collect()
}
