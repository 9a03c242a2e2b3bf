//! Judging the model of a run, and which of the models is kept.

use std::time::Instant;

use burn::module::Module;
use regard_model::Transformer;

use super::{Progress, Run, RunSettings};
use crate::checkpoint::{Best, MetricPoint};
use crate::config::Keep;
use crate::error::TrainError;
use crate::evaluate::evaluate;
use crate::log::{Event, EventKind};
use crate::task::{Evaluation, Split};

impl Run<'_> {
    /// Judges the model on the validation data; keeps score of the best and names the model that is kept.
    pub(super) fn evaluate(
        &mut self,
        epoch: u64,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), TrainError> {
        let begun = Instant::now();
        let step = self.state.step;
        let evaluation = match &self.average {
            Some(average) => self.judge(average.model(), Split::Valid)?,
            None => self.judge(&self.stepper.model().valid(), Split::Valid)?,
        };
        let value = evaluation.metric(self.config.eval.metric);
        let is_best = self.is_best(value, evaluation.loss());
        if is_best || self.config.eval.keep == Keep::Last {
            self.state.best = Some(Best { step, value });
        }
        if is_best {
            self.state.patience_left = self.config.train.early_stopping;
        } else if let Some(left) = &mut self.state.patience_left {
            *left = left.saturating_sub(1);
        }
        let metrics = evaluation.metrics();
        self.state.history.push(MetricPoint {
            step,
            epoch,
            metrics: metrics
                .iter()
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect(),
        });
        let event = Event::new(EventKind::Eval, step, epoch)
            .with("split", Split::Valid.name())
            .with("best", is_best);
        self.scalars("eval", &metrics)?;
        let event = metrics
            .into_iter()
            .fold(event, |event, (name, value)| event.with_number(name, value));
        self.log
            .write(&event.with_volatile("seconds", begun.elapsed().as_secs_f64()))?;
        tell(Progress::Evaluated {
            step,
            evaluation: &evaluation,
            is_best,
        });
        Ok(())
    }

    /// Whether an evaluation is better than those before it. Ties are common on few examples; the lower loss is then the
    /// better model.
    fn is_best(&self, value: f64, loss: f64) -> bool {
        let eval = &self.config.eval;
        let is_better = |best: (f64, f64)| {
            eval.mode().is_better(value, best.0) || (value == best.0 && loss < best.1)
        };
        let of = |point: &MetricPoint, name: &str| {
            point.metrics.get(name).copied().unwrap_or(f64::INFINITY)
        };
        let mut history = self.state.history.iter().rev();
        match eval.keep {
            // Only what still has its checkpoint counts.
            Keep::Best => self.state.best.is_none_or(|best| {
                let point = history.find(|point| point.step == best.step);
                is_better((
                    best.value,
                    point.map_or(f64::INFINITY, |point| of(point, "loss")),
                ))
            }),
            Keep::Last => {
                history.all(|point| is_better((of(point, eval.metric.name()), of(point, "loss"))))
            }
        }
    }

    /// What a model is worth on a part of the data.
    pub(super) fn judge(
        &self,
        model: &Transformer,
        split: Split,
    ) -> Result<Evaluation, TrainError> {
        let RunSettings {
            device, workers, ..
        } = self.settings;
        evaluate(model, self.task, split, *workers, device)
    }
}
