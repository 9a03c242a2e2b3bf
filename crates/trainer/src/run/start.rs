//! Starting from a trained model.

use std::path::Path;

use burn::tensor::Device;
use regard_bundle::{Bundle, Schema};
use regard_model::EmbeddingConfig;
use regard_model::weights::{HostTensor, collect};

use crate::error::TrainError;
use crate::step::Stepper;
use crate::task::Task;

/// The parameters of a model's head: those that depend on the labels.
const HEAD: &str = "head.";
/// The projection of patches, which is wider where values may be missing.
const PATCHES: &str = "embed.patch.weight";

/// Puts the weights of the bundle or run at `path` in place of those of `stepper`; a head for other
/// labels, or of another shape, stays as it was drawn. Gives a line for a person.
///
/// # Errors
///
/// If there is no bundle, or another parameter is missing or has another shape.
pub(crate) fn start_from(
    stepper: &mut Stepper,
    task: &dyn Task,
    path: &Path,
    device: &Device,
) -> Result<String, TrainError> {
    let (labels, model) = (task.bundle_info(0).labels, task.model());
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
        let there = there.and_then(|there| match name == PATCHES {
            true => for_gaps(there, &info.model.embedding, &model.embedding),
            false => Some(there),
        });
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

/// The projection of patches `[d_model, features · length]` of a model as another needs it, of which one takes gaps and the
/// other does not; none if patches are of other steps besides. The features that say what is missing come last: without gaps
/// they are 0, so that nothing else changes.
fn for_gaps(
    weight: HostTensor,
    found: &EmbeddingConfig,
    wanted: &EmbeddingConfig,
) -> Option<HostTensor> {
    let (EmbeddingConfig::Series(found), EmbeddingConfig::Series(wanted)) = (found, wanted) else {
        return Some(weight);
    };
    let width = found.channels * found.patch_length;
    let is_alike = width == wanted.channels * wanted.patch_length
        && found.stem.is_none()
        && wanted.stem.is_none();
    match (found.missing == wanted.missing, is_alike) {
        (true, _) => return Some(weight),
        (false, false) => return None,
        (false, true) => {}
    }
    let HostTensor { mut shape, values } = weight;
    let values = match wanted.missing {
        true => (values.chunks(width))
            .flat_map(|row| [row, &vec![0.0; width]].concat())
            .collect(),
        false => (values.chunks(2 * width))
            .flat_map(|row| row[..width].to_vec())
            .collect(),
    };
    shape[1] = if wanted.missing { 2 * width } else { width };
    Some(HostTensor { shape, values })
}

#[cfg(test)]
mod tests {
    use regard_model::{PositionKind, SeriesConfig};

    use super::*;

    #[test]
    fn a_projection_for_gaps_is_the_one_without_beside_zeros() {
        let of = |missing| {
            EmbeddingConfig::Series(SeriesConfig {
                channels: 1,
                max_steps: 8,
                patch_length: 2,
                patch_stride: 2,
                end_padding: false,
                position: PositionKind::Learned,
                instance_norm: true,
                missing,
                calendar: 0,
                stem: None,
            })
        };
        let plain = HostTensor {
            shape: vec![3, 2],
            values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        };
        let wide = for_gaps(plain.clone(), &of(false), &of(true)).unwrap();
        let expected = [1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0, 5.0, 6.0, 0.0, 0.0];
        assert_eq!(
            (wide.shape.as_slice(), wide.values.as_slice()),
            (&[3, 4][..], &expected[..])
        );
        assert_eq!(
            for_gaps(wide.clone(), &of(true), &of(true)),
            Some(wide.clone())
        );
        assert_eq!(for_gaps(wide, &of(true), &of(false)), Some(plain));
    }
}
