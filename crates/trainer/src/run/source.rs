//! The draw of a step as batches of the task.

use std::ops::Range;

use burn::tensor::{Device, Tensor};
use regard_ops::Key;

use crate::sampler::Draw;
use crate::step::StepSource;
use crate::task::{Batch, Split, Targets, Task};

/// The draw of a step as batches of the task.
pub(crate) struct TaskSource<'a> {
    pub task: &'a dyn Task,
    pub draw: &'a Draw,
    pub key: Key,
}

impl StepSource for TaskSource<'_> {
    fn n_units(&self) -> usize {
        self.draw.units.len()
    }

    fn n_rows(&self, place: usize) -> usize {
        self.task.n_rows(Split::Train, self.draw.units[place])
    }

    fn batch(&self, places: Range<usize>, device: &Device) -> Batch {
        let units = &self.draw.units[places];
        self.task.batch(Split::Train, units, Some(self.key), device)
    }

    fn row_losses(&self, output: Tensor<3>, targets: &Targets) -> Tensor<1> {
        self.task.row_losses(output, targets)
    }
}
