//! Canaries in a run: contributions whose presence somebody tries to guess afterwards.

use std::collections::HashSet;
use std::path::Path;

use burn::optim::GradientsParams;
use regard_model::Transformer;
use serde::{Deserialize, Serialize};

use super::audit::{LowerBound, lower_bound};
use super::entropy::Entropy;
use super::mechanism::Mechanism;
use super::step::flat;
use crate::error::TrainError;
use crate::files::{at, write_whole};

/// The file in a run's folder. It holds what the guesser must not know before.
pub(super) const FILE: &str = "audit.json";
/// The probability with which a lower bound holds.
const CONFIDENCE: f64 = 0.95;

/// Canaries of one run: units that are nobody's (Steinke, Nasr and Jagielski 2023,
/// <https://arxiv.org/abs/2305.08846>, "Dirac canaries").
///
/// Each takes part with probability 1/2. One that does is drawn as every unit is, and contributes the
/// whole bound to one number of the model, its own. Whoever sees the updates can try to tell which
/// canaries took part; how well that can be done is what a promise bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canaries {
    /// Each canary's number, counted over the trained numbers of the model.
    places: Vec<usize>,
    took_part: Vec<bool>,
    /// The sum of what each canary's number got.
    scores: Vec<f64>,
}

impl Canaries {
    /// Plants `n` canaries among `n_numbers` trained numbers, at most one on each.
    pub(super) fn plant(n: usize, n_numbers: usize, entropy: &mut Entropy) -> Self {
        let (mut places, mut taken) = (Vec::new(), HashSet::new());
        while places.len() < n.min(n_numbers) {
            let place = (entropy.bits() % n_numbers as u64) as usize;
            if taken.insert(place) {
                places.push(place);
            }
        }
        Self {
            took_part: places.iter().map(|_| entropy.bits() & 1 == 1).collect(),
            scores: vec![0.0; places.len()],
            places,
        }
    }

    /// Adds the contributions of the canaries that are drawn to the noise on a sum.
    pub(super) fn contribute(
        &self,
        noise: &mut [f32],
        mechanism: &Mechanism,
        entropy: &mut Entropy,
    ) {
        let bound = mechanism.clipping.sensitivity().value() as f32;
        for (place, took_part) in self.places.iter().zip(&self.took_part) {
            let uniform = (entropy.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64);
            if *took_part && uniform < mechanism.sample_rate {
                noise[*place] += bound;
            }
        }
    }

    /// Looks at what a step released, as an attacker would.
    pub(super) fn look_at(&mut self, model: &Transformer, released: &GradientsParams) {
        let values = flat(model, released);
        for (score, place) in self.scores.iter_mut().zip(&self.places) {
            *score += values[*place];
        }
    }

    /// The lower bound on epsilon that the canaries give.
    #[must_use]
    pub fn lower_bound(&self, delta: f64) -> LowerBound {
        lower_bound(&self.scores, &self.took_part, delta, CONFIDENCE)
    }

    pub(super) fn save(&self, folder: &Path) -> Result<(), TrainError> {
        let json = serde_json::to_vec(self).expect("plain values under string keys are JSON");
        write_whole(&folder.join(FILE), &json)
    }

    /// The canaries of a run.
    ///
    /// # Errors
    ///
    /// If the run has none, or their file cannot be understood.
    pub fn load(folder: &Path) -> Result<Self, TrainError> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Err(TrainError::Privacy {
                what: format!(
                    "{} has no {FILE}: no canaries were planted; set privacy.audit_canaries before training",
                    folder.display()
                ),
            });
        }
        let text = std::fs::read(&path).map_err(at(&path))?;
        let wrong = |problem: String| TrainError::Privacy {
            what: format!("{} cannot be read: {problem}", path.display()),
        };
        let canaries: Self =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        let n = canaries.places.len();
        if n == 0 || canaries.took_part.len() != n || canaries.scores.len() != n {
            return Err(wrong("its lists are empty or of unlike length".to_owned()));
        }
        Ok(canaries)
    }
}
