//! A run: the loop, and the folder that it lives in.

mod evaluation;
mod mishap;
mod plan;
mod requests;
mod resume;
mod saving;
mod source;
mod start;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Device;
use regard_bundle::{Bundle, Workers};
use regard_model::weights;
use regard_ops::Key;

use crate::average::Average;
use crate::checkpoint::{Best, CheckpointStore, Loaded, Skipped, TrainingState};
use crate::config::Config;
use crate::error::TrainError;
use crate::files::at;
use crate::lock::RunLock;
use crate::log::{Event, EventKind, EventLog};
use crate::memory::peak_rss_bytes;
use crate::privacy::{PrivateReport, PrivateRun, Statement, shown_fingerprint};
use crate::sampler::Sampler;
use crate::schedule::Schedule;
use crate::step::{StepReport, Stepper};
use crate::task::{self, Evaluation, Split, Task};
use crate::tensorboard::TensorBoard;
pub(crate) use plan::{Plan, describe_recomputed, recomputed, stepper};
pub use requests::Requests;
pub(crate) use resume::checkpoint_files;
use resume::{claim, complete_already, resume, weights_of};
pub use saving::{Snapshot, Writer, plain_store};
pub(crate) use source::TaskSource;
pub(crate) use start::start_from;

/// Where and on what a run works: nothing here changes what is learned.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// The run's folder; made if it is not there.
    pub folder: PathBuf,
    /// The device, without autodiff.
    pub device: Device,
    /// The threads that shards and evaluations run on.
    pub workers: Workers,
    /// What somebody outside asks for meanwhile.
    pub requests: Requests,
}

/// What a run tells while it goes on.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// The data was read; a line for each part.
    Data(&'a [String]),
    /// The first step is about to be made.
    Begin {
        /// Trainable numbers of the model.
        n_parameters: usize,
        /// Steps already made by an earlier process.
        done_steps: u64,
        /// Steps of the whole run.
        total_steps: u64,
        /// Steps of an epoch.
        steps_per_epoch: u64,
    },
    /// A step was made.
    Step {
        /// Steps made so far.
        step: u64,
        /// The epoch that it belongs to, counted from 0.
        epoch: u64,
        /// What it did.
        report: &'a StepReport,
        /// The learning rate of the update.
        learning_rate: f64,
    },
    /// The model was evaluated.
    Evaluated {
        /// Steps made so far.
        step: u64,
        /// The figures.
        evaluation: &'a Evaluation,
        /// Whether it is better than those before it.
        is_best: bool,
    },
    /// A choice that was made; a line for a person.
    Note(&'a str),
    /// Something that a person should know.
    Warning(&'a str),
}

/// How a run ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether the run was complete before and nothing was done.
    pub already_complete: bool,
    /// Steps made in all.
    pub step: u64,
    /// Whether the run ended before its last step because the metric no longer improved.
    pub stopped_early: bool,
    /// The evaluation whose model is in the bundle: the best, or the last, as `eval.keep` says.
    pub best: Best,
    /// The best model on the test data; absent if there is none, or if the run was complete before.
    pub test: Option<Evaluation>,
}

/// Trains a model in the folder of `settings`, or goes on where the folder's run stopped.
///
/// # Errors
///
/// If the folder belongs to another configuration or process, the data or the device fails, or the
/// loss stops being finite. What was saved before stays.
pub fn train(
    config: &Config,
    settings: &RunSettings,
    tell: &mut dyn FnMut(Progress<'_>),
) -> Result<Outcome, TrainError> {
    let folder = &settings.folder;
    std::fs::create_dir_all(folder).map_err(at(folder))?;
    let _lock = RunLock::acquire(folder, &folder.display().to_string())?;
    let store = CheckpointStore::open(
        &folder.join("checkpoints"),
        checkpoint_files(config.train.ema().is_some()),
    );
    store.sweep()?;
    let saved = store.load_newest()?;
    claim(config, folder, saved.as_ref())?;

    let cache = folder.join("cache");
    if let Some(outcome) = complete_already(config, settings, saved.as_ref())? {
        remove_cache(&cache)?;
        return Ok(outcome);
    }

    let task = task::load_in(config, &cache)?;
    tell(Progress::Data(&task.summary()));
    let mut run = Run::new(config, settings, &*task, store, saved, tell)?;
    let outcome = match run.complete(tell)? {
        Some(best) => Outcome {
            already_complete: true,
            step: run.state.step,
            stopped_early: run.state.step < run.total_steps,
            best,
            test: None,
        },
        None => {
            run.train(tell)?;
            run.finish(tell)?
        }
    };
    drop(run);
    // The task maps the files of the cache.
    drop(task);
    remove_cache(&cache)?;
    Ok(outcome)
}

/// Removes the token ids of a run that is over: nobody needs them any more.
fn remove_cache(cache: &Path) -> Result<(), TrainError> {
    if cache.exists() {
        std::fs::remove_dir_all(cache).map_err(at(cache))?;
    }
    Ok(())
}

/// A run under way.
struct Run<'a> {
    config: &'a Config,
    settings: &'a RunSettings,
    task: &'a dyn Task,
    store: CheckpointStore,
    log: EventLog,
    tensorboard: Option<TensorBoard>,
    sampler: Sampler,
    schedule: Schedule,
    total_steps: u64,
    steps_per_epoch: u64,
    evaluate_every: u64,
    stepper: Stepper,
    /// The moving average of the weights, if the configuration asks for one.
    average: Option<Average>,
    /// Draws, budget and noise, in a private run.
    private: Option<PrivateRun>,
    state: TrainingState,
    /// The checkpoint that is being written meanwhile, if one is.
    writer: Option<Writer>,
    /// The step of the newest checkpoint, that which is being written included.
    saved_step: Option<u64>,
}

impl<'a> Run<'a> {
    /// A run at its first step, or where `saved` stands.
    fn new(
        config: &'a Config,
        settings: &'a RunSettings,
        task: &'a dyn Task,
        store: CheckpointStore,
        saved: Option<Loaded>,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Self, TrainError> {
        let train = &config.train;
        let plan = Plan::new(config, task);
        // Of the whole run: its first process logs them, the later ones only tell them.
        let mut lasting = plan.warnings();
        let mut stepper = stepper(config, task, &settings.device, settings.workers)?;
        if let (Some(from), None) = (&train.init_from, &saved) {
            let note = start_from(&mut stepper, task, from, &settings.device)?;
            tell(Progress::Note(&note));
            if config.privacy.is_none() && Statement::of_bundle(from)?.is_some() {
                lasting.push(format!("{} promises privacy to what it was trained on; what comes from this run promises none, to nobody who is in its data", from.display()));
            }
        }
        let mut average = train
            .ema()
            .map(|decay| Average::new(stepper.model(), decay));
        let fresh = TrainingState {
            step: 0,
            epoch: 0,
            batch: 0,
            best: None,
            patience_left: train.early_stopping,
            history: Vec::new(),
            log_offset: 0,
            config_fingerprint: config.fingerprint()?,
            data_fingerprint: task.data_fingerprint(),
            seed: config.seed,
            finished: false,
            privacy: None,
            skipped: Skipped::default(),
            end: None,
        };
        if let Some(note) = describe_recomputed(&recomputed(config, task, settings.workers)?) {
            tell(Progress::Note(&note));
        }
        let ledger = saved
            .as_ref()
            .and_then(|saved| saved.state.privacy.as_ref());
        let mut private = PrivateRun::new(config, task, &settings.folder, ledger)?;
        if let (Some(private), Some(privacy)) = (&mut private, &config.privacy) {
            private.rehearse(&stepper, task)?;
            private.plant(config, &stepper);
            lasting.extend(private.warnings(privacy.dataset_size));
        }
        let mut warnings = Vec::new();
        let state = match saved {
            None => {
                warnings = lasting;
                fresh
            }
            Some(mut saved) => {
                for warning in &lasting {
                    tell(Progress::Warning(warning));
                }
                warnings.append(&mut saved.warnings);
                let mut state = resume(
                    &mut stepper,
                    average.as_mut(),
                    saved,
                    &fresh,
                    &settings.folder,
                )?;
                if let Some(best) = state.best
                    && let Err(error) = store.load_step(best.step)
                {
                    // It went when the newer checkpoint was saved that is damaged now.
                    warnings.push(format!("{error}; the best model is chosen anew"));
                    state.best = None;
                }
                state
            }
        };
        let path = settings.folder.join("events.jsonl");
        let mut run = Self {
            config,
            settings,
            task,
            store,
            log: EventLog::open(&path, state.log_offset)?,
            tensorboard: (config.report.tensorboard)
                .then(|| TensorBoard::new(&settings.folder.join("tensorboard"), state.step + 1)),
            sampler: plan.sampler,
            schedule: plan.schedule,
            total_steps: plan.total_steps,
            steps_per_epoch: plan.steps_per_epoch,
            evaluate_every: plan.evaluate_every,
            stepper,
            average,
            private,
            saved_step: Some(state.step),
            state,
            writer: None,
        };
        run.warn(&warnings, tell)?;
        Ok(run)
    }

    /// Whether there is no step left to make.
    fn is_done(&self) -> bool {
        let is_spent = match &self.private {
            // A crash may have cost steps that were never made.
            Some(private) => private.is_spent(),
            None => self.state.step >= self.total_steps,
        };
        is_spent || self.state.patience_left == Some(0)
    }

    /// Whether the run ended before its last step because the metric no longer improved.
    fn stopped_early(&self) -> bool {
        // A private run that a crash cost some steps ends where its budget does.
        self.private.is_none() && self.state.step < self.total_steps
    }

    /// The best evaluation, if nothing is left to do: no step, no line of the log, no bundle.
    fn complete(&mut self, tell: &mut dyn FnMut(Progress<'_>)) -> Result<Option<Best>, TrainError> {
        let folder = &self.settings.folder;
        if !self.is_done() || !self.log.has_ended()? || !Bundle::exists(folder) {
            return Ok(None);
        }
        match Bundle::load(folder, &self.settings.device) {
            // A run that ended, went on with more epochs and was killed before its second end has
            // the bundle of the first.
            Ok(bundle) => Ok(self
                .state
                .best
                .filter(|best| best.step == bundle.info().step)),
            Err(error) => {
                tell(Progress::Warning(&format!(
                    "{error}; making the bundle again from its checkpoint"
                )));
                Ok(None)
            }
        }
    }

    /// The algorithm.
    fn train(&mut self, tell: &mut dyn FnMut(Progress<'_>)) -> Result<(), TrainError> {
        tell(Progress::Begin {
            n_parameters: self.stepper.model().num_params(),
            done_steps: self.state.step,
            total_steps: self.total_steps,
            steps_per_epoch: self.steps_per_epoch,
        });
        while !self.is_done() {
            self.look_outside(tell)?;
            let begun = Instant::now();
            let (step, epoch) = (self.state.step, self.state.epoch);
            let learning_rate = self.config.train.learning_rate * self.schedule.multiplier(step);
            if let Some((report, private)) = self.step(step, epoch, learning_rate, tell)? {
                self.audit(tell)?;
                self.advance();
                self.state.skipped.in_a_row = 0;
                if let Some(average) = &mut self.average {
                    average.update(self.stepper.model(), self.state.step);
                }
                self.log_step(epoch, &report, private.as_ref(), learning_rate, begun)?;
                tell(Progress::Step {
                    step: self.state.step,
                    epoch,
                    report: &report,
                    learning_rate,
                });
            } else {
                self.advance();
            }

            let step = self.state.step;
            let evaluates = step.is_multiple_of(self.evaluate_every)
                || step == self.total_steps
                || self.is_done();
            if evaluates {
                self.evaluate(epoch, tell)?;
            }
            let every = self.config.checkpoint.every_steps;
            if evaluates || every.is_some_and(|every| step.is_multiple_of(every)) {
                self.save(tell)?;
            }
        }
        let judged = self.state.history.last().map(|point| point.step);
        let is_unjudged = self.private.is_some() && judged != Some(self.state.step);
        if self.state.best.is_none() || is_unjudged {
            // The budget of a crash was the last, or the run was continued with fewer steps than it had made, before its first evaluation.
            self.evaluate(self.state.epoch, tell)?;
            self.save(tell)?;
        }
        Ok(())
    }

    /// Draws a batch and makes a step on it; none if the step is passed over.
    fn step(
        &mut self,
        step: u64,
        epoch: u64,
        learning_rate: f64,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Option<(StepReport, Option<PrivateReport>)>, TrainError> {
        if let Some(private) = &mut self.private {
            let made = private.step(step, &mut self.stepper, self.task, learning_rate)?;
            return Ok(Some((made.report.clone(), Some(made))));
        }
        let draw = self.sampler.draw(epoch, self.state.batch as usize);
        let source = TaskSource {
            task: self.task,
            draw: &draw,
            key: Key::new(self.config.seed).stream("batch").fold(step),
        };
        let made = self
            .stepper
            .step(step, &source, draw.divisor, learning_rate);
        match made {
            Ok(report) => Ok(Some((report, None))),
            Err(problem) => self.skip_or_stop(&problem, tell).map(|()| None),
        }
    }

    /// Moves on to the next draw.
    fn advance(&mut self) {
        self.state.step += 1;
        self.state.batch += 1;
        if self.state.batch == self.steps_per_epoch {
            self.state.batch = 0;
            self.state.epoch += 1;
        }
    }

    fn log_step(
        &mut self,
        epoch: u64,
        report: &StepReport,
        private: Option<&PrivateReport>,
        learning_rate: f64,
        begun: Instant,
    ) -> Result<(), TrainError> {
        let event = Event::new(EventKind::Train, self.state.step, epoch)
            .with_number("loss", report.loss)
            .with_number("grad_norm", report.grad_norm)
            .with_number("learning_rate", learning_rate)
            .with("units", report.n_units)
            .with("tokens", report.n_tokens);
        let event = match private {
            Some(private) => event
                .with("clipped", private.n_clipped)
                .with("discarded", private.n_discarded),
            None => event,
        };
        let event = event.with_volatile("seconds", begun.elapsed().as_secs_f64());
        let event = match peak_rss_bytes() {
            Some(bytes) => event.with_volatile("peak_rss_mib", bytes as f64 / f64::from(1 << 20)),
            None => event,
        };
        self.log.write(&event)?;
        let scalars = [
            ("loss", report.loss),
            ("learning_rate", learning_rate),
            ("grad_norm", report.grad_norm),
        ];
        self.scalars("train", &scalars)
    }

    /// Writes scalars for TensorBoard, if the configuration wants them.
    fn scalars(&mut self, group: &str, scalars: &[(&str, f64)]) -> Result<(), TrainError> {
        if let Some(board) = &mut self.tensorboard {
            let tagged = scalars
                .iter()
                .map(|(name, value)| (format!("{group}/{name}"), *value));
            board.scalars(self.state.step, &tagged.collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// Tells warnings to whoever watches and to the log.
    fn warn(
        &mut self,
        warnings: &[String],
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), TrainError> {
        for warning in warnings {
            tell(Progress::Warning(warning));
            let event = Event::new(EventKind::Warning, self.state.step, self.state.epoch);
            self.log.write(&event.with("message", warning.as_str()))?;
        }
        Ok(())
    }

    /// Makes the bundle of the model that is kept and judges it on the test data.
    fn finish(&mut self, tell: &mut dyn FnMut(Progress<'_>)) -> Result<Outcome, TrainError> {
        self.wait_for_writer(tell)?;
        let best = self
            .state
            .best
            .expect("training ends with an evaluation, if there was none before");
        let chosen = self.store.load_step(best.step)?;
        let what = format!("the checkpoint of step {}", best.step);
        let file = weights_of(&chosen, &what)?;
        let model = weights::apply(self.stepper.model().clone(), file.clone(), &what)?;
        let RunSettings {
            device, workers, ..
        } = self.settings;
        self.task.calibrate(&model.valid(), *workers, device)?;
        let test = match self.task.n_units(Split::Test) {
            0 => None,
            _ => Some(self.judge(&model.valid(), Split::Test)?),
        };
        let stopped_early = self.stopped_early();
        let event = Event::new(EventKind::End, self.state.step, self.state.epoch)
            .with("best_step", best.step)
            .with_number("best_value", best.value)
            .with("stopped_early", stopped_early);
        let event = match self.state.skipped.total {
            0 => event,
            skipped => event.with("skipped", skipped),
        };
        let event = match &test {
            None => event,
            Some(test) => test.metrics().into_iter().fold(
                event.with("split", Split::Test.name()),
                |event, (name, value)| event.with_number(name, value),
            ),
        };
        self.log.write(&event)?;
        self.log.sync()?;
        // The bundle last: where it stands, everything else is done.
        let mut info = self.task.bundle_info(best.step);
        info.data_fingerprint =
            shown_fingerprint(self.config, &self.settings.folder, &info.data_fingerprint)?;
        let target = self.settings.folder.join("bundle");
        let attachments = match &self.private {
            Some(private) => {
                let [statement, ledger] =
                    private.attachments(self.config, &self.settings.folder)?;
                vec![(Bundle::PRIVACY, statement), (Bundle::LEDGER, ledger)]
            }
            None => Vec::new(),
        };
        Bundle::save_with(&target, &info, self.task.companion(), &file, attachments)?;
        if let Some(test) = &test {
            tell(Progress::Evaluated {
                step: best.step,
                evaluation: test,
                is_best: true,
            });
        }
        Ok(Outcome {
            already_complete: false,
            step: self.state.step,
            stopped_early,
            best,
            test,
        })
    }
}
