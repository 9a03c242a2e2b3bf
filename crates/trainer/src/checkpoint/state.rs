//! Where a run stands, beside its weights and moments.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::privacy::LedgerState;

/// Everything that a run needs to go on as if it had never stopped, but for the tensors.
///
/// Randomness, the learning rate and the order of the data are functions of the seed and the step,
/// so that they need no state here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingState {
    /// The optimiser steps done.
    pub step: u64,
    /// The epoch of the next draw, counted from 0.
    pub epoch: u64,
    /// The number of the next draw inside its epoch: the sampler's position.
    pub batch: u64,
    /// The evaluation whose model is kept: the best so far, or the last, as `eval.keep` says.
    pub best: Option<Best>,
    /// The evaluations without a better one that are left before the run ends early.
    pub patience_left: Option<u64>,
    /// The evaluations so far.
    pub history: Vec<MetricPoint>,
    /// The length of the log, in bytes.
    pub log_offset: u64,
    /// The hash of the settings that are fixed once a run has begun.
    pub config_fingerprint: String,
    /// The hash of the data files and of the tokenizer.
    pub data_fingerprint: String,
    /// The run's seed.
    pub seed: u64,
    /// The steps that were made without an update, because something was not finite. Checkpoints of older
    /// programs lack it.
    #[serde(default, skip_serializing_if = "Skipped::is_none")]
    pub skipped: Skipped,
    /// Whether the run had reached its end.
    pub finished: bool,
    /// What of the privacy budget was written down by then, in a private run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<LedgerState>,
    /// How it reached its end, which tells a later process so without a look at the data. Checkpoints of
    /// older programs lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// Steps without an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skipped {
    /// All of them.
    pub total: u64,
    /// Those since the last update.
    pub in_a_row: u64,
}

impl Skipped {
    fn is_none(&self) -> bool {
        self.total == 0
    }
}

/// How a run reached its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// The hash of all settings, those that may change on resume too: others may ask for more steps.
    pub config_hash: String,
    /// Whether it ended before its last step because the metric no longer improved.
    pub stopped_early: bool,
}

/// The evaluation of a run whose model is kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// The optimiser steps done by then.
    pub step: u64,
    /// The value of `eval.metric`.
    #[serde(with = "exact")]
    pub value: f64,
}

/// The figures of one evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricPoint {
    /// The optimiser steps done by then.
    pub step: u64,
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// The figures by name.
    #[serde(with = "exact_map")]
    pub metrics: BTreeMap<String, f64>,
}

/// Floats as JSON strings, because `serde_json` reads a float to the nearest neighbour but one, and
/// JSON has no infinity. `{:?}` writes the shortest text that reads back to the same number.
mod exact {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:?}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

mod exact_map {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Exact(#[serde(with = "super::exact")] f64);

    pub fn serialize<S: Serializer>(
        map: &BTreeMap<String, f64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(map.iter().map(|(name, value)| (name, Exact(*value))))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, f64>, D::Error> {
        let map = BTreeMap::<String, Exact>::deserialize(deserializer)?;
        Ok(map
            .into_iter()
            .map(|(name, value)| (name, value.0))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_state_reads_back_to_the_last_bit(step: u64, bits: u64, other: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(!value.is_nan());
            let state = TrainingState {
                step,
                best: Some(Best { step, value }),
                history: vec![MetricPoint {
                    step,
                    epoch: 0,
                    metrics: [("loss".to_owned(), f64::from_bits(other))].into(),
                }],
                ..TrainingState::default()
            };
            let text = serde_json::to_string(&state).unwrap();
            let back: TrainingState = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(back.best, state.best);
            let (back, there) = (back.history[0].metrics["loss"], f64::from_bits(other));
            prop_assert!(back.to_bits() == there.to_bits() || (back.is_nan() && there.is_nan()));
        }
    }
}
