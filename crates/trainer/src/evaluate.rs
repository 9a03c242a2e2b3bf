//! A model's outputs on a part of the data.

use burn::tensor::Device;
use regard_bundle::Workers;
use regard_model::Transformer;
use regard_ops::Context;

use crate::error::TrainError;
use crate::task::{Evaluation, Split, Task};

/// Units in memory at once.
pub(crate) const BATCH: usize = 32;

/// What `model` is worth on `split`. The model lives on `device`, without autodiff.
///
/// # Errors
///
/// If an output is not finite.
pub fn evaluate(
    model: &Transformer,
    task: &dyn Task,
    split: Split,
    workers: Workers,
    device: &Device,
) -> Result<Evaluation, TrainError> {
    task.evaluate(split, &outputs(model, task, split, workers, device))
}

/// The output of each unit, its rows one after the other.
pub(crate) fn outputs(
    model: &Transformer,
    task: &dyn Task,
    split: Split,
    workers: Workers,
    device: &Device,
) -> Vec<Vec<f32>> {
    let lengths = task.lengths(split);
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|unit| lengths[*unit]);
    let batches: Vec<&[usize]> = order.chunks(BATCH).collect();
    let answers = workers.map(batches.len(), |index| {
        let batch = task.batch(split, batches[index], None, device);
        let output = model.forward(&batch.input, &mut Context::evaluation());
        let [_, answers, features] = output.dims();
        let values = output
            .into_data()
            .try_into_vec_as::<f32>()
            .expect("a float tensor converts to f32");
        let mut outputs = vec![Vec::new(); batches[index].len()];
        for (row, unit) in values.chunks(answers * features).zip(batch.unit_of_row) {
            outputs[unit].extend_from_slice(row);
        }
        outputs
    });
    let mut outputs = vec![Vec::new(); order.len()];
    for (unit, output) in order.into_iter().zip(answers.into_iter().flatten()) {
        outputs[unit] = output;
    }
    outputs
}
