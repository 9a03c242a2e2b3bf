//! The units of the promise as batches of the task.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

use burn::tensor::{Device, Tensor};
use regard_data::text_hash;
use regard_ops::Key;

use crate::config::{Config, PrivacyUnit};
use crate::error::TrainError;
use crate::sampler::{Draw, Permutation};
use crate::step::StepSource;
use crate::task::held_out::{held_out_by_content, users};
use crate::task::{Batch, Split, Targets, Task};

/// Which examples of the training data belong to which unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PrivateUnits {
    /// The examples of each unit; a unit each when absent.
    examples: Option<Vec<Vec<usize>>>,
    n_units: usize,
    max_rows: usize,
}

impl PrivateUnits {
    /// Groups the training data of a private configuration.
    ///
    /// # Errors
    ///
    /// If the column that names the users cannot be read.
    pub fn load(config: &Config, task: &dyn Task) -> Result<Self, TrainError> {
        let privacy = config.privacy.as_ref();
        let max_rows = privacy.and_then(|privacy| privacy.max_rows_per_unit);
        let n_examples = task.n_units(Split::Train);
        let examples = match privacy.map(|privacy| &privacy.unit) {
            Some(PrivacyUnit::User(column)) => {
                let users = users(&config.data, column)?;
                let hashes = users.iter().map(|user| text_hash(user));
                let splits = held_out_by_content(&config.data, hashes);
                let trained = users.into_iter().zip(splits);
                let trained = trained.filter(|(_, split)| *split == Split::Train);
                Some(grouped(trained.map(|(user, _)| user)))
            }
            Some(PrivacyUnit::Series) => {
                let series_of = |window| task.series_of(window).unwrap_or(window);
                Some(grouped((0..n_examples).map(series_of)))
            }
            _ => None,
        };
        Ok(Self {
            n_units: examples.as_ref().map_or(n_examples, Vec::len),
            examples,
            max_rows: max_rows.unwrap_or(usize::MAX),
        })
    }

    /// The number of units that there really are, which is private.
    pub fn n_units(&self) -> usize {
        self.n_units
    }

    /// Whether each example of the task is a unit.
    pub fn are_examples(&self) -> bool {
        self.examples.is_none()
    }

    /// The examples of a unit that a step takes: all, or a fresh choice if they are too many.
    fn taken(&self, unit: usize, choice: Key) -> Vec<usize> {
        let Some(examples) = &self.examples else {
            return vec![unit];
        };
        let all = &examples[unit];
        if all.len() <= self.max_rows {
            return all.clone();
        }
        let order = Permutation::new(all.len(), choice.fold(unit as u64));
        (0..self.max_rows)
            .map(|place| all[order.at(place)])
            .collect()
    }
}

/// The places of each different value, in the order of their first ones.
fn grouped<T: Eq + Hash>(values: impl Iterator<Item = T>) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut group_of = HashMap::new();
    for (place, value) in values.enumerate() {
        let group = *group_of.entry(value).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(place);
    }
    groups
}

/// The draw of a private step as batches of the task.
pub(crate) struct PrivateSource<'a> {
    task: &'a dyn Task,
    /// The examples of each drawn unit.
    examples: Vec<Vec<usize>>,
    key: Key,
}

impl<'a> PrivateSource<'a> {
    /// The units of `draw`; `secret` is fresh and known to nobody.
    pub fn new(task: &'a dyn Task, units: &PrivateUnits, draw: &Draw, secret: Key) -> Self {
        let choice = secret.stream("rows");
        let taken = |unit: &usize| units.taken(*unit, choice);
        Self {
            task,
            examples: draw.units.iter().map(taken).collect(),
            key: secret.stream("batch"),
        }
    }
}

impl StepSource for PrivateSource<'_> {
    fn n_units(&self) -> usize {
        self.examples.len()
    }

    fn n_rows(&self, place: usize) -> usize {
        let rows = |example: &usize| self.task.n_rows(Split::Train, *example);
        self.examples[place].iter().map(rows).sum()
    }

    fn batch(&self, places: Range<usize>, device: &Device) -> Batch {
        let examples = &self.examples[places];
        let flat: Vec<usize> = examples.concat();
        let mut batch = self.task.batch(Split::Train, &flat, Some(self.key), device);
        // The task numbers examples; here they are joined to units.
        let unit_of_example: Vec<usize> = (examples.iter().enumerate())
            .flat_map(|(unit, examples)| examples.iter().map(move |_| unit))
            .collect();
        for unit in &mut batch.unit_of_row {
            *unit = unit_of_example[*unit];
        }
        batch
    }

    fn row_losses(&self, output: Tensor<3>, targets: &Targets) -> Tensor<1> {
        self.task.row_losses(output, targets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_one_user_are_one_unit_of_at_most_so_many() {
        let users = ["b", "a", "b", "c", "b"].map(str::to_owned);
        let examples = grouped(users.into_iter());
        assert_eq!(examples, [vec![0, 2, 4], vec![1], vec![3]]);
        let units = PrivateUnits {
            n_units: 3,
            examples: Some(examples),
            max_rows: 2,
        };
        assert_eq!(units.taken(1, Key::new(1)), [1]);
        let choices: Vec<Vec<usize>> = (0..40).map(|k| units.taken(0, Key::new(k))).collect();
        for choice in &choices {
            assert!(choice.len() == 2 && choice[0] != choice[1], "{choice:?}");
        }
        for example in [0, 2, 4] {
            let times = choices.iter().filter(|choice| choice.contains(&example));
            assert!(times.count() > 10, "every example has its turn");
        }
    }
}
