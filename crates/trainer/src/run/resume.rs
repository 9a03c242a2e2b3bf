//! Going on where a run stopped: whose folder it is, and putting a checkpoint back.

use std::path::Path;

use regard_bundle::Bundle;
use regard_model::weights::TensorFile;

use super::{Outcome, RunSettings};
use crate::average::Average;
use crate::checkpoint::{Loaded, TrainingState};
use crate::config::{self, Config};
use crate::error::TrainError;
use crate::files::write_whole;
use crate::log::EventLog;
use crate::optimizer::OptimizerState;
use crate::step::Stepper;

/// Writes the resolved configuration into the folder; refuses a folder that belongs to another one.
///
/// A folder belongs to a configuration from its first checkpoint on: nothing is lost before, and who
/// mends a configuration whose data could not be read wants the same folder.
pub(super) fn claim(
    config: &Config,
    folder: &Path,
    saved: Option<&Loaded>,
) -> Result<(), TrainError> {
    let path = folder.join("config.toml");
    if let Some(saved) = saved
        && saved.state.config_fingerprint != config.fingerprint()?
    {
        // The file names the keys that differ. The checkpoint decides: the file may have been
        // edited since, or be gone.
        if path.exists() {
            let begun = config::load::<&str>(&path, &[])?;
            config.check_resume(&begun, &path)?;
        }
        return Err(TrainError::Checkpoint {
            what: format!("the checkpoint of step {}", saved.state.step),
            problems: vec![format!(
                "it was saved under another configuration, and {} is gone or was edited since",
                path.display()
            )],
        });
    }
    let text = config.to_toml()?;
    write_whole(&path, text.as_bytes())
}

/// The outcome of a run whose last process did all that these settings ask for. Told without the data, which may be gone:
/// a model that is done does not need it.
pub(super) fn complete_already(
    config: &Config,
    settings: &RunSettings,
    saved: Option<&Loaded>,
) -> Result<Option<Outcome>, TrainError> {
    let Some(Loaded { state, .. }) = saved else {
        return Ok(None);
    };
    let (Some(end), Some(best)) = (&state.end, state.best) else {
        return Ok(None);
    };
    let folder = &settings.folder;
    if end.config_hash != config.whole_hash()?
        || !EventLog::open(&folder.join("events.jsonl"), state.log_offset)?.has_ended()?
        || !Bundle::exists(folder)
    {
        return Ok(None);
    }
    // A bundle that cannot be read is made again, with the data.
    let bundle = Bundle::load(folder, &settings.device);
    if bundle.is_ok_and(|bundle| bundle.info().step == best.step) {
        return Ok(Some(Outcome {
            already_complete: true,
            step: state.step,
            stopped_early: end.stopped_early,
            best,
            test: None,
        }));
    }
    Ok(None)
}

/// Puts a checkpoint back.
pub(super) fn resume(
    stepper: &mut Stepper,
    average: Option<&mut Average>,
    mut saved: Loaded,
    fresh: &TrainingState,
    folder: &Path,
) -> Result<TrainingState, TrainError> {
    let what = format!("the checkpoint of step {}", saved.state.step);
    if saved.state.data_fingerprint != fresh.data_fingerprint {
        return Err(TrainError::OtherData {
            folder: folder.to_owned(),
        });
    }
    let damaged = |problems: Vec<String>| TrainError::Checkpoint {
        what: what.clone(),
        problems,
    };
    let updates = serde_json::from_slice(&saved.files[2])
        .map_err(|error| damaged(vec![format!("optimizer.json: {error}")]))?;
    // One after the other, and each file's bytes are gone before the next one's tensors are made: at no
    // time is there twice what the checkpoint takes.
    let average_bytes = saved.files.get_mut(3).map(std::mem::take);
    let read = |bytes: Vec<u8>| TensorFile::from_bytes(&bytes, &what);
    stepper.set_weights(read(std::mem::take(&mut saved.files[0]))?, &what)?;
    if let Some(average) = average {
        let bytes = average_bytes.ok_or_else(|| damaged(vec!["it has no average".to_owned()]))?;
        average.set_weights(read(bytes)?, &what)?;
    }
    let moments = read(std::mem::take(&mut saved.files[1]))?;
    stepper
        .load_optimizer(OptimizerState { moments, updates })
        .map_err(damaged)?;
    // Patience may change when a run is continued; what was used of it stays used.
    let best = saved.state.best.map_or(0, |best| best.step);
    let history = saved.state.history.iter();
    let used = history.filter(|point| point.step > best).count() as u64;
    saved.state.patience_left = fresh.patience_left.map(|all| all.saturating_sub(used));
    Ok(saved.state)
}

/// The files of a checkpoint, beside its manifest.
pub(crate) fn checkpoint_files(has_average: bool) -> &'static [&'static str] {
    const FILES: &[&str] = &[
        "weights.safetensors",
        "moments.safetensors",
        "optimizer.json",
        "average.safetensors",
    ];
    if has_average { FILES } else { &FILES[..3] }
}

/// The weights in a checkpoint that are judged and kept: their average, if there is one.
pub(super) fn weights_of(saved: &Loaded, what: &str) -> Result<TensorFile, TrainError> {
    let file = saved.files.get(3).unwrap_or(&saved.files[0]);
    Ok(TensorFile::from_bytes(file, what)?)
}
