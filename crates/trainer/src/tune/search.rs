//! The search: plan, train what is next, write down what came out, until nothing is next.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Device;
use regard_bundle::Workers;
use regard_model::ModelError;

use super::best::Found;
use super::budget::Budget;
use super::cost::{DataSizes, n_evaluations, on_rung};
use super::draw::{Drawn, Values, draw};
use super::halving::{Next, TrialOutcome, TrialResult, next, ranked, winner};
use super::measure::measure;
use super::plan::{Means, Plan, Rung};
use super::state::{Beginning, FILE_NAME, TuneState};
use crate::config::{Config, SearchRanges};
use crate::error::TrainError;
use crate::files::{at, write_whole};
use crate::lock::RunLock;
use crate::run::{Progress, Requests, RunSettings, train};
use crate::task;

/// More trials than this are better spent on longer ones.
const MOST_TRIALS: usize = 500;

/// Where and how a search works.
#[derive(Clone, Debug)]
pub struct TuneSettings {
    /// The search's folder; made if it is not there.
    pub folder: PathBuf,
    /// The device, without autodiff.
    pub device: Device,
    /// The threads that shards and evaluations run on.
    pub workers: Workers,
    /// What somebody outside asks for meanwhile.
    pub requests: Requests,
    /// What decides the settings that are drawn. Every trial trains with the configuration's own seed.
    pub seed: u64,
    /// What the search may spend.
    pub budget: Budget,
}

/// What a search tells while it goes on.
#[derive(Debug)]
#[non_exhaustive]
pub enum TuneProgress<'a> {
    /// The data was read; a line for each part.
    Data(&'a [String]),
    /// The speed of this machine is about to be measured.
    Measuring,
    /// The plan stands.
    Planned {
        /// The plan.
        plan: &'a Plan,
        /// What it should take, where the budget is a time.
        seconds: Option<f64>,
        /// Runs that earlier processes have finished.
        done_runs: usize,
    },
    /// A step of a trial was made.
    Step {
        /// The trial.
        trial: usize,
        /// The rung, counted from 0.
        rung: usize,
        /// Steps of the plan that are done, in batches of the configuration's own size.
        done_steps: u64,
        /// The loss of the step.
        loss: f64,
    },
    /// A trial has ended on a rung.
    Ended {
        /// How.
        result: &'a TrialResult,
        /// What it had set.
        values: &'a Values,
    },
    /// Something that a person should know.
    Warning(&'a str),
}

/// A trial after the search.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Trial {
    /// Its number; 0 is the configuration as it stands.
    pub number: usize,
    /// What it set.
    pub values: Values,
    /// What came out on each rung that it reached.
    pub results: Vec<TrialResult>,
}

/// What came out of a search.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TuneOutcome {
    /// Whether the search was complete before and nothing was trained.
    pub already_complete: bool,
    /// The plan.
    pub plan: Plan,
    /// What the plan was expected to take, where the budget is a time.
    pub planned_seconds: Option<f64>,
    /// What the runs took.
    pub seconds: f64,
    /// Every trial, by number.
    pub trials: Vec<Trial>,
    /// The result of the best one, on the longest rung that any trial finished.
    pub best: TrialResult,
    /// The best configuration.
    pub best_config: Config,
    /// The file that holds it.
    pub best_file: PathBuf,
    /// What the configuration as it stands reached on the same rung, if it came so far.
    pub base_value: Option<f64>,
}

impl TuneOutcome {
    /// The trials, the best first: those that came farther before the others, and failed ones behind
    /// those that ended on the same rung.
    #[must_use]
    pub fn ranked(&self) -> Vec<&Trial> {
        let mode = self.best_config.eval.mode();
        let all: Vec<TrialResult> = (self.trials.iter())
            .flat_map(|trial| trial.results.clone())
            .collect();
        let mut order: Vec<usize> = Vec::with_capacity(self.trials.len());
        for rung in (0..self.plan.rungs.len()).rev() {
            let finished = ranked(&all, rung, mode);
            order.extend(finished.iter().map(|result| result.trial));
            let failed = all.iter().filter(|result| result.rung == rung);
            order.extend(failed.map(|result| result.trial));
        }
        let mut seen = vec![false; self.trials.len()];
        order.retain(|trial| !std::mem::replace(&mut seen[*trial], true));
        order.iter().map(|trial| &self.trials[*trial]).collect()
    }
}

/// Searches in the folder of `settings`, or goes on where the folder's search stopped.
///
/// # Errors
///
/// If the folder holds another search, the data or the device fails, or every trial fails. What was
/// found before stays.
pub fn tune(
    config: &Config,
    ranges: &SearchRanges,
    settings: &TuneSettings,
    tell: &mut dyn FnMut(TuneProgress<'_>),
) -> Result<TuneOutcome, TrainError> {
    if config.privacy.is_some() {
        return Err(TrainError::Privacy {
            what: "a search chooses by private data, trial after trial, and nobody counts what that tells; search on public data of the same kind without [privacy], or choose by hand"
                .to_owned(),
        });
    }
    let folder = &settings.folder;
    std::fs::create_dir_all(folder).map_err(at(folder))?;
    let _lock = RunLock::acquire(folder, &folder.display().to_string())?;
    let saved = TuneState::load(folder)?;
    if saved.is_none() && folder.join("config.toml").exists() {
        return Err(TrainError::SearchFile {
            path: folder.join(FILE_NAME),
            problem: "the folder holds a run, and no search".to_owned(),
        });
    }
    let task = task::load(config)?;
    let sizes = DataSizes::of(&*task, config);
    let beginning = Beginning {
        config,
        ranges,
        settings,
        data_fingerprint: task.data_fingerprint(),
    };
    if let Some(saved) = &saved {
        saved.check(&beginning)?;
    }
    tell(TuneProgress::Data(&task.summary()));
    drop(task);
    let (state, trials) = match saved {
        Some(state) => {
            let trials = draw(config, ranges, settings.seed, state.plan.n_trials())?;
            state.check_trials(&trials, folder)?;
            (state, trials)
        }
        None => begin(&beginning, &sizes, tell)?,
    };
    tell(TuneProgress::Planned {
        plan: &state.plan,
        seconds: state.planned_seconds,
        done_runs: state.results.len(),
    });
    let mut search = Search {
        base: config,
        settings,
        sizes,
        trials,
        state,
    };
    search.run(tell)
}

/// Draws the trials and plans; both are on disk when this returns.
fn begin(
    beginning: &Beginning<'_>,
    sizes: &DataSizes,
    tell: &mut dyn FnMut(TuneProgress<'_>),
) -> Result<(TuneState, Vec<Drawn>), TrainError> {
    let Beginning {
        config,
        ranges,
        settings,
        ..
    } = beginning;
    let begun = Instant::now();
    let mut trials = draw(config, ranges, settings.seed, MOST_TRIALS)?;
    let means = |budget, cost| Means {
        budget,
        total_steps: sizes.total_steps(config),
        n_candidates: trials.len(),
        cost,
    };
    let (plan, seconds) = match settings.budget {
        Budget::Steps(steps) => {
            let cost = |_: usize, steps: u64| steps as f64;
            (Plan::new(&means(steps as f64, &cost)), None)
        }
        Budget::Seconds(seconds) => {
            tell(TuneProgress::Measuring);
            let speed = measure(config, sizes, settings, seconds as f64)?;
            let work = sizes.step_work(config);
            let ratios: Vec<f64> = trials
                .iter()
                .map(|trial| {
                    let batches = config.train.batch_size as f64;
                    // A step of the plan is as many examples, whatever the trial's batches.
                    let batches = batches / trial.config.train.batch_size as f64;
                    batches * sizes.step_work(&trial.config) / work
                })
                .collect();
            let cost = |trial: usize, steps: u64| {
                let run = on_rung(&trials[trial].config, config, steps, sizes);
                speed.seconds(steps, n_evaluations(&run, sizes), ratios[trial])
            };
            let left = seconds as f64 - begun.elapsed().as_secs_f64();
            let means = means(left, &cost);
            let plan = Plan::new(&means);
            let expected = begun.elapsed().as_secs_f64() + means.total(&plan);
            (plan, Some(expected))
        }
    };
    trials.truncate(plan.n_trials());
    let state = TuneState::new(beginning, plan, seconds, &trials)?;
    state.save(&settings.folder)?;
    Ok((state, trials))
}

/// A search under way.
struct Search<'a> {
    base: &'a Config,
    settings: &'a TuneSettings,
    sizes: DataSizes,
    trials: Vec<Drawn>,
    state: TuneState,
}

impl Search<'_> {
    fn run(&mut self, tell: &mut dyn FnMut(TuneProgress<'_>)) -> Result<TuneOutcome, TrainError> {
        let mode = self.base.eval.mode();
        for result in &self.state.results {
            // A kill may have come between a result and the tidying after it.
            self.tidy(result, tell);
        }
        let mut already_complete = true;
        while let Next::Train { trial, rung } = next(&self.state.plan, &self.state.results, mode) {
            already_complete = false;
            let result = self.train(trial, rung, tell)?;
            self.state.results.push(result.clone());
            self.state.save(&self.settings.folder)?;
            self.tidy(&result, tell);
            tell(TuneProgress::Ended {
                result: &result,
                values: &self.trials[trial].values,
            });
        }
        self.finish(already_complete)
    }

    /// Trains a trial on a rung.
    fn train(
        &self,
        trial: usize,
        rung: usize,
        tell: &mut dyn FnMut(TuneProgress<'_>),
    ) -> Result<TrialResult, TrainError> {
        let begun = Instant::now();
        let Rung { steps, .. } = self.state.plan.rungs[rung];
        let mut config = on_rung(&self.trials[trial].config, self.base, steps, &self.sizes);
        config.name = Some(format!("trial-{trial:03}-rung-{rung}"));
        let run = RunSettings {
            folder: self.run_folder(trial, rung),
            device: self.settings.device.clone(),
            workers: self.settings.workers,
            requests: self.settings.requests.clone(),
        };
        let before = self.done_steps();
        let mut of_run = 1;
        let ended = train(&config, &run, &mut |progress| match progress {
            Progress::Begin { total_steps, .. } => of_run = total_steps.max(1),
            Progress::Step { step, report, .. } => tell(TuneProgress::Step {
                trial,
                rung,
                done_steps: before + step * steps / of_run,
                loss: report.loss,
            }),
            Progress::Warning(text) => tell(TuneProgress::Warning(text)),
            _ => {}
        });
        let outcome = match ended {
            Ok(outcome) => self.score(&run.folder, outcome.best.step)?,
            Err(error) if is_the_trials_own(&error) => TrialOutcome::Failed(error.to_string()),
            Err(error) => return Err(error),
        };
        Ok(TrialResult {
            trial,
            rung,
            steps,
            outcome,
            seconds: begun.elapsed().as_secs_f64(),
        })
    }

    /// The figures of a run's best evaluation, from its log: there they are the same whichever process
    /// made the evaluation.
    fn score(&self, run: &Path, step: u64) -> Result<TrialOutcome, TrainError> {
        let path = run.join("events.jsonl");
        let text = std::fs::read_to_string(&path).map_err(at(&path))?;
        let metric = self.base.eval.metric.name();
        let best = text
            .lines()
            .rev()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .find(|event| event["kind"] == "eval" && event["step"] == step);
        let figure = |name: &str| best.as_ref().and_then(|event| event[name].as_f64());
        match (figure(metric), figure("loss")) {
            (Some(value), Some(loss)) => Ok(TrialOutcome::Scored { value, loss, step }),
            _ => Err(TrainError::SearchFile {
                path,
                problem: format!("the evaluation of step {step} is not in it"),
            }),
        }
    }

    /// Steps of the plan that finished runs have made.
    fn done_steps(&self) -> u64 {
        self.state.results.iter().map(|result| result.steps).sum()
    }

    fn run_folder(&self, trial: usize, rung: usize) -> PathBuf {
        let trials = self.settings.folder.join("trials");
        trials
            .join(format!("{trial:03}"))
            .join(format!("rung-{rung}"))
    }

    /// Removes what nobody needs of a finished run: its checkpoints, and on the shorter rungs its
    /// model. Its configuration and its log stay.
    fn tidy(&self, result: &TrialResult, tell: &mut dyn FnMut(TuneProgress<'_>)) {
        let run = self.run_folder(result.trial, result.rung);
        let is_last = result.rung + 1 == self.state.plan.rungs.len();
        for name in ["cache", "checkpoints", "bundle"] {
            let path = run.join(name);
            if name == "bundle" && is_last {
                continue;
            }
            match std::fs::remove_dir_all(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    let warning = format!("cannot remove {}: {error}", path.display());
                    tell(TuneProgress::Warning(&warning));
                }
                _ => {}
            }
        }
    }

    /// Writes the best configuration.
    fn finish(&self, already_complete: bool) -> Result<TuneOutcome, TrainError> {
        let results = &self.state.results;
        let plan = &self.state.plan;
        let Some(best) = winner(plan, results, self.base.eval.mode()) else {
            let first = results.first().map(|result| &result.outcome);
            return Err(TrainError::AllTrialsFailed {
                n_trials: plan.n_trials(),
                first: match first {
                    Some(TrialOutcome::Failed(why)) => why.clone(),
                    _ => "unknown".to_owned(),
                },
            });
        };
        let of_base = results
            .iter()
            .find(|result| result.trial == 0 && result.rung == best.rung);
        let base_value = of_base.and_then(TrialResult::value);
        let trial = &self.trials[best.trial];
        let found = Found {
            base: self.base,
            config: &trial.config,
            values: &trial.values,
            trial: best.trial,
            n_trials: plan.n_trials(),
            steps: best.steps,
            value: best
                .value()
                .expect("the winner is chosen among results with a value"),
            base_value,
        };
        let best_file = self.settings.folder.join("best.toml");
        write_whole(&best_file, found.to_toml()?.as_bytes())?;
        let trials = self.trials.iter().enumerate().map(|(number, trial)| Trial {
            number,
            values: trial.values.clone(),
            results: (results.iter())
                .filter(|result| result.trial == number)
                .cloned()
                .collect(),
        });
        Ok(TuneOutcome {
            already_complete,
            plan: plan.clone(),
            planned_seconds: self.state.planned_seconds,
            seconds: results.iter().map(|result| result.seconds).sum(),
            trials: trials.collect(),
            best: best.clone(),
            best_config: trial.config.clone(),
            best_file,
            base_value,
        })
    }
}

/// Whether the settings of a trial are to blame, and not the data, the disk or the person who stops it.
fn is_the_trials_own(error: &TrainError) -> bool {
    match error {
        TrainError::Diverged { .. } | TrainError::Metrics(_) | TrainError::TooLarge { .. } => true,
        TrainError::Model(error) => !matches!(error, ModelError::Io { .. }),
        _ => false,
    }
}
