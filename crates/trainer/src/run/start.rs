//! Starting from a trained model.

use std::path::Path;

use burn::tensor::Device;
use regard_bundle::{Bundle, Schema};
use regard_model::weights::{HostTensor, collect};

use crate::error::TrainError;
use crate::step::Stepper;

/// The parameters of a model's head: those that depend on the labels.
const HEAD: &str = "head.";

/// Puts the weights of the bundle or run at `path` in place of those of `stepper`; a head for other
/// labels, or of another shape, stays as it was drawn. Gives a line for a person.
///
/// # Errors
///
/// If there is no bundle, or another parameter is missing or has another shape.
pub(crate) fn start_from(
    stepper: &mut Stepper,
    labels: &[String],
    path: &Path,
    device: &Device,
) -> Result<String, TrainError> {
    let bundle = Bundle::load(path, device)?;
    let info = bundle.info().clone();
    let mut found = match &info.schema {
        Schema::Series(_) => collect(bundle.into_series_model()?.model()),
        _ => collect(bundle.into_text_classifier()?.model()),
    };
    let mut weights = collect(stepper.model());
    let names: Vec<String> = weights.names().map(str::to_owned).collect();
    let mut problems = Vec::new();
    let mut head_is_new = false;
    for name in names {
        let (wanted, there) = (weights.get(&name), found.take(&name));
        let fits = match (wanted, &there) {
            (Some(wanted), Some(there)) => wanted.shape == there.shape,
            _ => false,
        };
        let is_head = name.starts_with(HEAD);
        match there {
            Some(there) if fits && (!is_head || info.labels == labels) => {
                weights.insert(name, there);
            }
            _ if is_head => head_is_new = true,
            there => {
                let shape = |tensor: Option<&HostTensor>| {
                    tensor.map_or_else(|| "nothing".to_owned(), |t| format!("{:?}", t.shape))
                };
                problems.push(format!(
                    "{name}: expected {}, found {}",
                    shape(wanted),
                    shape(there.as_ref())
                ));
            }
        }
    }
    let more = found.names().filter(|name| !name.starts_with(HEAD));
    problems.extend(more.map(|name| format!("{name}: this model has no such parameter")));
    if !problems.is_empty() {
        return Err(TrainError::InitFrom {
            path: path.to_owned(),
            problems,
        });
    }
    stepper.set_weights(weights, &path.display().to_string())?;
    Ok(format!(
        "weights of {}, trained for {} steps{}",
        path.display(),
        info.step,
        if head_is_new {
            "; the head starts afresh"
        } else {
            ""
        }
    ))
}
