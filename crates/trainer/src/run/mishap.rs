//! Steps that cannot be made, gradients that are not there, requests from outside.

use super::{Progress, Run};
use crate::config::OnNan;
use crate::error::TrainError;
use crate::log::{Event, EventKind};
use crate::step::NotFinite;

/// So many steps in a row that were not made are no accident.
const MOST_IN_A_ROW: u64 = 100;

impl Run<'_> {
    /// Does what was asked for since the last step.
    pub(super) fn look_outside(
        &mut self,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), TrainError> {
        self.look_at_writer(tell)?;
        let stops = self.settings.requests.stops();
        // Both are looked at: a save that is asked for before the end is met by the end's.
        let saves = self.settings.requests.take_save() || stops;
        if saves && self.saved_step != Some(self.state.step) {
            self.save_asked(tell)?;
        }
        if stops {
            self.wait_for_writer(tell)?;
            return Err(TrainError::Stopped {
                step: self.state.step,
                folder: self.settings.folder.clone(),
            });
        }
        Ok(())
    }

    /// Passes over a step whose loss or gradient is not finite, or ends the run, as the configuration
    /// says. No update was made.
    pub(super) fn skip_or_stop(
        &mut self,
        problem: &NotFinite,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), TrainError> {
        let skipped = &mut self.state.skipped;
        if self.config.train.on_nan == OnNan::Stop || skipped.in_a_row >= MOST_IN_A_ROW {
            return Err(self.diverged(problem, tell));
        }
        skipped.total += 1;
        skipped.in_a_row += 1;
        let total = skipped.total;
        let step = self.state.step + 1;
        let message = format!(
            "the {} became {} in step {step} (epoch {}, batch {}): no update was made, {total} so far",
            problem.what, problem.value, self.state.epoch, self.state.batch
        );
        tell(Progress::Warning(&message));
        let event = Event::new(EventKind::Warning, step, self.state.epoch)
            .with("message", message)
            .with("skipped", total);
        Ok(self.log.write(&event)?)
    }

    /// Looks at the gradients of the first step: what has none is never trained, and nobody would see it.
    pub(super) fn audit(&mut self, tell: &mut dyn FnMut(Progress<'_>)) -> Result<(), TrainError> {
        let Some(audit) = self.stepper.take_audit() else {
            return Ok(());
        };
        if self.state.step > self.state.skipped.total {
            // An earlier process made the first step; the log of a run that is continued is that of one that is not.
            return Ok(());
        }
        if !audit.missing.is_empty() {
            return Err(TrainError::NoGradient {
                parameters: audit.missing,
            });
        }
        let warnings: Vec<String> = audit
            .zero
            .iter()
            .map(|name| format!("the gradient of {name} is zero in the first step"))
            .collect();
        self.warn(&warnings, tell)
    }

    fn diverged(&mut self, problem: &NotFinite, tell: &mut dyn FnMut(Progress<'_>)) -> TrainError {
        // What is being written may be the last good one.
        if let Err(error) = self.wait_for_writer(tell) {
            return error;
        }
        let saved = self.store.load_newest().ok().flatten();
        TrainError::Diverged {
            what: problem.what,
            value: problem.value,
            step: self.state.step + 1,
            epoch: self.state.epoch,
            batch: self.state.batch,
            last_checkpoint: saved.map(|saved| saved.state.step),
        }
    }
}
