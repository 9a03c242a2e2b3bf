//! A search on disk: what it was begun with, its plan, and what was found so far.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::draw::Drawn;
use super::halving::TrialResult;
use super::plan::Plan;
use super::search::TuneSettings;
use crate::checkpoint::{FileLayer, RealFiles};
use crate::config::{self, Config, SearchRanges};
use crate::error::TrainError;
use crate::files::{at, write_whole};

/// The version of the file's layout.
const SCHEMA: u32 = 1;
/// The name of the file in the search's folder.
pub(super) const FILE_NAME: &str = "tune.json";
/// Far above any search: 500 trials make a megabyte.
const MAX_BYTES: u64 = 64 << 20;

/// A search on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TuneState {
    schema: u32,
    budget: String,
    seed: u64,
    /// The resolved configuration that trials differ from.
    config: String,
    ranges: BTreeMap<String, String>,
    data_fingerprint: String,
    pub plan: Plan,
    /// What the plan was expected to take, where the budget is a time.
    pub planned_seconds: Option<f64>,
    /// The settings of each trial. They are drawn again when the search goes on; here they stand for
    /// people, and to notice a version of the program that draws others.
    trials: Vec<BTreeMap<String, String>>,
    pub results: Vec<TrialResult>,
}

/// What a search is begun with.
pub(super) struct Beginning<'a> {
    pub config: &'a Config,
    pub ranges: &'a SearchRanges,
    pub settings: &'a TuneSettings,
    pub data_fingerprint: String,
}

impl TuneState {
    /// A search that has found nothing yet.
    pub fn new(
        beginning: &Beginning<'_>,
        plan: Plan,
        planned_seconds: Option<f64>,
        trials: &[Drawn],
    ) -> Result<Self, TrainError> {
        Ok(Self {
            schema: SCHEMA,
            budget: beginning.settings.budget.to_string(),
            seed: beginning.settings.seed,
            config: beginning.config.to_toml()?,
            ranges: as_text(beginning.ranges),
            data_fingerprint: beginning.data_fingerprint.clone(),
            plan,
            planned_seconds,
            trials: trials.iter().map(|trial| as_text(&trial.values)).collect(),
            results: Vec::new(),
        })
    }

    /// The search in a folder, if there is one.
    pub fn load(folder: &Path) -> Result<Option<Self>, TrainError> {
        let path = folder.join(FILE_NAME);
        let bytes = match RealFiles.read(&path, MAX_BYTES) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(at(&path))?,
        };
        let damaged = |problem: String| TrainError::SearchFile {
            path: path.clone(),
            problem,
        };
        let state: Self =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if state.schema != SCHEMA {
            return Err(damaged(format!(
                "expected schema {SCHEMA}, found {}",
                state.schema
            )));
        }
        let n_trials = state.plan.n_trials();
        let out_of_plan = |result: &TrialResult| {
            result.trial >= n_trials || result.rung >= state.plan.rungs.len()
        };
        if n_trials == 0 || state.results.iter().any(out_of_plan) {
            return Err(damaged("a result is of no trial of the plan".to_owned()));
        }
        Ok(Some(state))
    }

    /// Refuses to go on with what this search was not begun with.
    pub fn check(&self, beginning: &Beginning<'_>) -> Result<(), TrainError> {
        let folder = &beginning.settings.folder;
        let mut what = Vec::new();
        let config = beginning.config.to_toml()?;
        if config != self.config {
            let path = folder.join(FILE_NAME);
            let before = config::parse::<&str>(&self.config, &path, &[])?;
            let keys = before.differing_keys(beginning.config)?;
            what.push(format!("another configuration ({})", keys.join(", ")));
        }
        let ranges = as_text(beginning.ranges);
        if ranges != self.ranges {
            let paths = ranges.keys().chain(self.ranges.keys());
            let mut differ: Vec<&str> = paths
                .filter(|path| ranges.get(*path) != self.ranges.get(*path))
                .map(String::as_str)
                .collect();
            differ.sort_unstable();
            differ.dedup();
            what.push(format!("other ranges ({})", differ.join(", ")));
        }
        let settings = beginning.settings;
        if settings.budget.to_string() != self.budget {
            what.push(format!("the budget {}", self.budget));
        }
        if settings.seed != self.seed {
            what.push(format!("the seed {}", self.seed));
        }
        if !what.is_empty() {
            return Err(TrainError::OtherSearch {
                folder: folder.clone(),
                what: what.join(" and "),
            });
        }
        if beginning.data_fingerprint != self.data_fingerprint {
            return Err(TrainError::OtherData {
                folder: folder.clone(),
            });
        }
        Ok(())
    }

    /// Refuses a search whose trials were drawn otherwise.
    pub fn check_trials(&self, trials: &[Drawn], folder: &Path) -> Result<(), TrainError> {
        let drawn: Vec<_> = trials.iter().map(|trial| as_text(&trial.values)).collect();
        if drawn == self.trials {
            return Ok(());
        }
        Err(TrainError::SearchFile {
            path: folder.join(FILE_NAME),
            problem: "its trials have other settings than this version draws".to_owned(),
        })
    }

    /// Writes the search; after a crash at any moment the file is the one before or this one.
    pub fn save(&self, folder: &Path) -> Result<(), TrainError> {
        let path = folder.join(FILE_NAME);
        let mut text = serde_json::to_string_pretty(self)
            .map_err(std::io::Error::from)
            .map_err(at(&path))?;
        text.push('\n');
        write_whole(&path, text.as_bytes())
    }
}

/// Settings or ranges as TOML has them.
fn as_text<T: std::fmt::Display>(values: &BTreeMap<String, T>) -> BTreeMap<String, String> {
    let text = values
        .iter()
        .map(|(path, value)| (path.clone(), value.to_string()));
    text.collect()
}
