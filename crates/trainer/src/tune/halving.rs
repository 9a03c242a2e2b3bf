//! Who goes on and who wins: a function of the plan and of what was found.

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use crate::config::Mode;

/// How a trial ended on a rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TrialOutcome {
    /// It trained to the end.
    Scored {
        /// The best validation metric.
        #[serde(with = "exact")]
        value: f64,
        /// The validation loss of the same evaluation.
        #[serde(with = "exact")]
        loss: f64,
        /// The step of that evaluation.
        step: u64,
    },
    /// It diverged, or its model could not be made.
    Failed(
        /// Why.
        String,
    ),
}

/// A trial that has trained on a rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialResult {
    /// The trial's number.
    pub trial: usize,
    /// The rung, counted from 0.
    pub rung: usize,
    /// Steps that were to be made.
    pub steps: u64,
    /// How it ended.
    pub outcome: TrialOutcome,
    /// Seconds of the process that ended it; no decision depends on them.
    pub seconds: f64,
}

impl TrialResult {
    /// The best validation metric, unless the trial failed.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        match self.outcome {
            TrialOutcome::Scored { value, .. } => Some(value),
            TrialOutcome::Failed(_) => None,
        }
    }
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This trial trains on this rung.
    Train { trial: usize, rung: usize },
    /// Nothing.
    Over,
}

/// What is to be done after these results, which may come in any order.
pub(super) fn next(plan: &Plan, results: &[TrialResult], mode: Mode) -> Next {
    for (rung, size) in plan.rungs.iter().enumerate() {
        let entrants = match rung {
            0 => (0..size.trials).collect(),
            _ => survivors(results, rung - 1, size.trials, mode),
        };
        let done = |trial: usize| {
            let mut results = results.iter();
            results.any(|result| result.rung == rung && result.trial == trial)
        };
        if let Some(&trial) = entrants.iter().find(|trial| !done(**trial)) {
            return Next::Train { trial, rung };
        }
    }
    Next::Over
}

/// The best `n` trials of a rung, best first; fewer where fewer did not fail.
fn survivors(results: &[TrialResult], rung: usize, n: usize, mode: Mode) -> Vec<usize> {
    let ranked = ranked(results, rung, mode);
    ranked.iter().take(n).map(|result| result.trial).collect()
}

/// The results of a rung that did not fail, best first.
///
/// Few validation examples make ties of a share common; the lower loss then goes first, and at last
/// the earlier trial, so that the order never depends on the order of the results.
pub(super) fn ranked(results: &[TrialResult], rung: usize, mode: Mode) -> Vec<&TrialResult> {
    let score = |result: &TrialResult| match result.outcome {
        TrialOutcome::Scored { value, loss, .. } => Some((value, loss)),
        TrialOutcome::Failed(_) => None,
    };
    let mut scored: Vec<((f64, f64), &TrialResult)> = results
        .iter()
        .filter(|result| result.rung == rung)
        .filter_map(|result| Some((score(result)?, result)))
        .collect();
    scored.sort_by(|((value, loss), a), ((other, other_loss), b)| {
        let by_value = match mode {
            Mode::Max => other.total_cmp(value),
            Mode::Min => value.total_cmp(other),
        };
        by_value
            .then(loss.total_cmp(other_loss))
            .then(a.trial.cmp(&b.trial))
    });
    scored.into_iter().map(|(_, result)| result).collect()
}

/// The best result of the longest rung that any trial finished.
pub(super) fn winner<'a>(
    plan: &Plan,
    results: &'a [TrialResult],
    mode: Mode,
) -> Option<&'a TrialResult> {
    let rungs = (0..plan.rungs.len()).rev();
    rungs
        .filter_map(|rung| ranked(results, rung, mode).first().copied())
        .next()
}

/// Figures as text: a JSON reader may round the last bit of a number, and two trials may differ by it.
mod exact {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        let text = String::deserialize(from)?;
        let number: Result<f64, _> = text.parse();
        number.map_err(|_| serde::de::Error::custom(format!("{text:?} is no number")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::Rung;
    use super::*;

    fn plan(rungs: &[(usize, u64)]) -> Plan {
        let rungs = rungs.iter().map(|(trials, steps)| Rung {
            trials: *trials,
            steps: *steps,
        });
        Plan {
            rungs: rungs.collect(),
        }
    }

    fn scored(trial: usize, rung: usize, value: f64, loss: f64) -> TrialResult {
        TrialResult {
            trial,
            rung,
            steps: 1,
            outcome: TrialOutcome::Scored {
                value,
                loss,
                step: 1,
            },
            seconds: 0.0,
        }
    }

    fn failed(trial: usize, rung: usize) -> TrialResult {
        TrialResult {
            outcome: TrialOutcome::Failed("diverged".to_owned()),
            ..scored(trial, rung, 0.0, 0.0)
        }
    }

    /// Lets every trial train; `value(trial, rung)` is what it reaches, NaN where it fails.
    fn play(
        plan: &Plan,
        mode: Mode,
        value: impl Fn(usize, usize) -> f64,
    ) -> (Vec<Vec<usize>>, Option<usize>) {
        let mut results = Vec::new();
        let mut rungs = vec![Vec::new(); plan.rungs.len()];
        while let Next::Train { trial, rung } = next(plan, &results, mode) {
            rungs[rung].push(trial);
            let value = value(trial, rung);
            results.push(if value.is_nan() {
                failed(trial, rung)
            } else {
                scored(trial, rung, value, 0.0)
            });
        }
        let winner = winner(plan, &results, mode).map(|result| result.trial);
        (rungs, winner)
    }

    #[test]
    fn the_best_third_goes_on_and_the_best_of_the_last_rung_wins() {
        let nine = plan(&[(9, 10), (3, 30), (1, 90)]);
        let quality = [5.0, 3.0, 8.0, 1.0, 9.0, 2.0, 7.0, 4.0, 6.0];
        let (rungs, winner) = play(&nine, Mode::Max, |trial, _| quality[trial]);
        assert_eq!(rungs[0], [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(rungs[1], [4, 2, 6]);
        assert_eq!(rungs[2], [4]);
        assert_eq!(winner, Some(4));
        let (rungs, winner) = play(&nine, Mode::Min, |trial, _| quality[trial]);
        assert_eq!(rungs[1], [3, 5, 1]);
        assert_eq!(winner, Some(3));
    }

    #[test]
    fn a_longer_rung_decides_over_a_shorter_one() {
        let two = plan(&[(3, 10), (2, 30)]);
        // Trial 0 shines early and trial 1 late.
        let values = [[0.9, 0.7], [0.8, 0.75], [0.1, 0.99]];
        let (rungs, winner) = play(&two, Mode::Max, |trial, rung| values[trial][rung]);
        assert_eq!(rungs, [vec![0, 1, 2], vec![0, 1]]);
        assert_eq!(winner, Some(1));
    }

    #[test]
    fn failed_trials_go_no_further_and_the_search_goes_on() {
        let three = plan(&[(9, 10), (3, 30), (1, 90)]);
        // Two of nine live.
        let (rungs, winner) = play(&three, Mode::Max, |trial, rung| match (trial, rung) {
            (2 | 7, 0 | 1) => trial as f64,
            (2, 2) => 2.0,
            _ => f64::NAN,
        });
        assert_eq!(rungs[1..], [vec![7, 2], vec![7]]);
        // The only trial of the last rung failed: the best of the rung before stands.
        assert_eq!(winner, Some(7));
        let (rungs, winner) = play(&three, Mode::Max, |_, _| f64::NAN);
        assert_eq!(rungs, vec![(0..9).collect::<Vec<usize>>(), vec![], vec![]]);
        assert_eq!(winner, None);
    }

    #[test]
    fn ties_go_to_the_lower_loss_and_then_to_the_earlier_trial() {
        let results = [
            scored(3, 0, 0.5, 0.4),
            scored(1, 0, 0.5, 0.3),
            scored(0, 0, 0.5, 0.4),
            scored(2, 0, 0.6, 0.9),
            scored(4, 1, 0.9, 0.1),
        ];
        for mode in [Mode::Max, Mode::Min] {
            let order: Vec<usize> = ranked(&results, 0, mode).iter().map(|r| r.trial).collect();
            match mode {
                Mode::Max => assert_eq!(order, [2, 1, 0, 3]),
                Mode::Min => assert_eq!(order, [1, 0, 3, 2]),
            }
        }
    }

    #[test]
    fn a_figure_comes_back_from_disk_to_the_last_bit() {
        for value in [0.1 + 0.2, 1.0 / 3.0, 5e-324, 0.972_477_064_220_183_5] {
            let result = scored(0, 0, value, -value);
            let text = serde_json::to_string(&result).unwrap();
            let back: TrialResult = serde_json::from_str(&text).unwrap();
            assert_eq!(back, result, "{text}");
        }
    }
}
