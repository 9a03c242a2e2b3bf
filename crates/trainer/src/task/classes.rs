//! What tasks that classify have in common.

use burn::tensor::{Tensor, TensorData};
use regard_bundle::ClassPrediction;
use regard_data::Labels;

use super::text_classification::cross_entropy;
use super::{Evaluation, Report, Split};
use crate::config;
use crate::error::TrainError;
use crate::metrics::ClassificationMetrics;

impl From<config::Pooling> for regard_model::Pooling {
    fn from(pooling: config::Pooling) -> Self {
        match pooling {
            config::Pooling::First => Self::First,
            config::Pooling::Mean => Self::Mean,
            config::Pooling::Max => Self::Max,
        }
    }
}

/// What logits, a unit's at each place, are worth.
pub(super) fn evaluate_classes(
    split: Split,
    labels: &Labels,
    classes: &[u32],
    outputs: &[Vec<f32>],
) -> Result<Evaluation, TrainError> {
    let mut metrics = ClassificationMetrics::new(labels.len());
    for (logits, class) in outputs.iter().zip(classes) {
        let prediction = ClassPrediction::from_logits(logits, false);
        metrics.add(&prediction.probabilities, *class as usize)?;
    }
    Ok(Evaluation {
        split,
        report: Report::Classes {
            labels: labels.names().to_vec(),
            report: metrics.report()?,
        },
    })
}

/// The cross entropy of each row, times the weight of its class.
///
/// # Shapes
///
/// - logits: `[rows, 1, n_classes]`
/// - result: `[rows]`
pub(super) fn weighted_cross_entropy(
    logits: Tensor<3>,
    classes: &[u32],
    smoothing: f64,
    weights: Option<&[f32]>,
) -> Tensor<1> {
    let losses = cross_entropy(logits, classes, smoothing);
    let Some(weights) = weights else {
        return losses;
    };
    let weights: Vec<f32> = classes.iter().map(|c| weights[*c as usize]).collect();
    let options = (&losses.device().inner(), losses.dtype());
    let n = weights.len();
    losses * Tensor::<1>::from_data(TensorData::new(weights, [n]), options)
}

/// The weight of each class's examples. `counts` are the training examples of each class.
pub(super) fn class_weights(
    weights: &config::ClassWeights,
    counts: &[usize],
) -> Result<Option<Vec<f32>>, TrainError> {
    match weights {
        config::ClassWeights::None => Ok(None),
        config::ClassWeights::Balanced => {
            let all: usize = counts.iter().sum();
            let present = counts.iter().filter(|count| **count > 0).count();
            let share = all as f64 / present as f64;
            // A class without an example has no loss that could be weighted.
            let weight = |count: &usize| (share / (*count).max(1) as f64) as f32;
            Ok(Some(counts.iter().map(weight).collect()))
        }
        config::ClassWeights::Each(each) if each.len() == counts.len() => {
            Ok(Some(each.iter().map(|weight| *weight as f32).collect()))
        }
        config::ClassWeights::Each(each) => Err(TrainError::ClassWeights {
            expected: counts.len(),
            found: each.len(),
        }),
    }
}
