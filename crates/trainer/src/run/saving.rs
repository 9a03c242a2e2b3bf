//! Saving while the next steps are made: a snapshot in the loop, the writing on a thread of its own.

use std::io::Write;
use std::thread::JoinHandle;

use burn::module::Module;
use regard_model::{Transformer, weights};

use super::{Progress, Run};
use crate::average::Average;
use crate::checkpoint::{CheckpointError, CheckpointStore, Contents, End, Saved, TrainingState};
use crate::error::TrainError;
use crate::log::{Event, EventKind};
use crate::optimizer::NamedOptimizer;
use crate::step::Stepper;

/// Everything that the next step depends on, as it is now.
///
/// Tensors are shared and not copied: an update makes new ones, and the old ones live until they are
/// written.
pub struct Snapshot {
    model: Transformer,
    optimizer: NamedOptimizer,
    average: Option<Transformer>,
    state: TrainingState,
}

impl Snapshot {
    /// Of a model in training.
    #[must_use]
    pub fn new(stepper: &Stepper, average: Option<&Average>, state: &TrainingState) -> Self {
        Self {
            model: stepper.model().valid(),
            optimizer: stepper.optimizer().clone(),
            average: average.map(|average| average.model().clone()),
            state: state.clone(),
        }
    }

    /// Writes a checkpoint, proves it and removes older ones, as [`CheckpointStore::save`].
    ///
    /// # Errors
    ///
    /// As [`CheckpointStore::save`]; or [`CheckpointError::NoSpace`], before anything is written.
    pub fn write(self, store: &CheckpointStore, keep: usize) -> Result<Saved, CheckpointError> {
        let weights = weights::collect(&self.model).to_bytes();
        let optimizer = self.optimizer.state();
        let moments = optimizer.moments.to_bytes();
        let updates = serde_json::to_vec_pretty(&optimizer.updates)
            .expect("a map from names to numbers is JSON");
        drop(optimizer);
        let average = self
            .average
            .map(|model| weights::collect(&model).to_bytes());
        let parts: Vec<&[u8]> = [&weights, &moments, &updates]
            .into_iter()
            .chain(&average)
            .map(Vec::as_slice)
            .collect();
        store.require_space(parts.iter().map(|part| part.len() as u64).sum())?;
        let fills: Vec<_> = parts
            .iter()
            .map(|part| move |out: &mut dyn Write| out.write_all(part))
            .collect();
        let contents: Vec<Contents<'_>> = fills.iter().map(|fill| fill as Contents<'_>).collect();
        store.save(&self.state, &contents, keep)
    }
}

/// The checkpoints in `folder` of a run that keeps no average of its weights.
#[must_use]
pub fn plain_store(folder: &std::path::Path) -> CheckpointStore {
    CheckpointStore::open(folder, super::checkpoint_files(false))
}

/// A checkpoint that is being written.
pub struct Writer(Option<JoinHandle<Result<Saved, CheckpointError>>>);

impl Writer {
    /// Begins to write.
    #[must_use]
    pub fn begin(snapshot: Snapshot, store: CheckpointStore, keep: usize) -> Self {
        let write = move || snapshot.write(&store, keep);
        Self(Some(std::thread::spawn(write)))
    }

    /// Whether [`Writer::wait`] returns at once.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.0.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until the checkpoint is safe.
    ///
    /// # Errors
    ///
    /// As [`Snapshot::write`].
    ///
    /// # Panics
    ///
    /// With the writer's panic.
    pub fn wait(mut self) -> Result<Saved, CheckpointError> {
        let thread = self
            .0
            .take()
            .expect("only this function and the end of the writer take the thread");
        match thread.join() {
            Ok(saved) => saved,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// A run that ends with an error lets its last checkpoint be written: the folder's lock must not be
/// free before.
impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // The error that ended the run is the one that is told.
            let _ = thread.join();
        }
    }
}

impl Run<'_> {
    /// Saves the run where it stands.
    pub(super) fn save(&mut self, tell: &mut dyn FnMut(Progress<'_>)) -> Result<(), TrainError> {
        self.wait_for_writer(tell)?;
        self.state.finished = self.is_done();
        self.state.end = match self.state.finished {
            true => Some(End {
                config_hash: self.config.whole_hash()?,
                stopped_early: self.stopped_early(),
            }),
            false => None,
        };
        self.log_checkpoint()?;
        self.begin_writing()
    }

    /// Saves the run because somebody asked. The log's line of it lies behind what the checkpoint
    /// remembers, so that a run that is continued from here is, line by line, the one that nobody asked.
    pub(super) fn save_asked(
        &mut self,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), TrainError> {
        self.wait_for_writer(tell)?;
        self.begin_writing()?;
        self.log_checkpoint()
    }

    fn log_checkpoint(&mut self) -> Result<(), TrainError> {
        let event = Event::new(EventKind::Checkpoint, self.state.step, self.state.epoch);
        // Volatile: a run that was continued with more epochs is the run that had them at once.
        let total_steps = self.total_steps as f64;
        Ok(self
            .log
            .write(&event.with_volatile("total_steps", total_steps))?)
    }

    fn begin_writing(&mut self) -> Result<(), TrainError> {
        // Synced first: the checkpoint says how long the log is.
        self.log.sync()?;
        if let Some(board) = &self.tensorboard {
            board.sync()?;
        }
        self.state.log_offset = self.log.offset();
        if let Some(private) = &self.private {
            self.state.privacy = Some(private.ledger_state());
            private.save_canaries(&self.settings.folder)?;
        }
        let snapshot = Snapshot::new(&self.stepper, self.average.as_ref(), &self.state);
        let keep = self.config.checkpoint.keep;
        self.writer = Some(Writer::begin(snapshot, self.store.clone(), keep));
        self.saved_step = Some(self.state.step);
        Ok(())
    }

    /// Ends the run if the checkpoint that was being written failed meanwhile.
    pub(super) fn look_at_writer(
        &mut self,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), TrainError> {
        match &self.writer {
            Some(writer) if writer.is_done() => self.wait_for_writer(tell),
            _ => Ok(()),
        }
    }

    /// Waits for the checkpoint that is being written, if one is.
    pub(super) fn wait_for_writer(
        &mut self,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), TrainError> {
        let Some(writer) = self.writer.take() else {
            return Ok(());
        };
        let saved = writer.wait()?;
        self.warn(&saved.warnings, tell)
    }
}
