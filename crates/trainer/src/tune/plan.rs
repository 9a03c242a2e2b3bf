//! How many trials train for how long: a function of the budget and of what trials cost.

use serde::{Deserialize, Serialize};

/// Each rung has a third of the trials of the rung before, and trains them three times as long.
const REDUCTION: usize = 3;
/// With more rungs than this the shortest is too short to tell anything of the longest.
const MOST_RUNGS: usize = 4;
/// Fewer steps than this rank settings by how fast they begin.
const SHORTEST_STEPS: u64 = 50;

/// A rung: some trials, each trained for a number of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// The most trials that train on it.
    pub trials: usize,
    /// The steps of each, in batches of the configuration's own size.
    pub steps: u64,
}

/// The rungs of a search, the shortest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The rungs; at least one, and at least one trial on each.
    pub rungs: Vec<Rung>,
}

/// What plans are made from.
pub(super) struct Means<'a> {
    /// What may be spent, in the unit of the costs.
    pub budget: f64,
    /// The steps of a whole training of the configuration.
    pub total_steps: u64,
    /// The trials that there are to choose from.
    pub n_candidates: usize,
    /// What a trial of a number of steps costs.
    pub cost: &'a dyn Fn(usize, u64) -> f64,
}

impl Plan {
    /// The plan that makes the most of the means.
    ///
    /// As many rungs as the budget feeds (at most four) with the last one as long as a whole training
    /// if that can be; what is left then goes into more trials. A budget for less than three short
    /// trials still gives one.
    pub(super) fn new(means: &Means<'_>) -> Self {
        let shortest = SHORTEST_STEPS.min(means.total_steps);
        for n_rungs in (1..=MOST_RUNGS).rev() {
            let fewest = match n_rungs {
                // One trial alone would be compared with nothing.
                1 => REDUCTION.min(means.n_candidates),
                _ => REDUCTION.pow(n_rungs as u32 - 1),
            };
            let least = shortest * (REDUCTION as u64).pow(n_rungs as u32 - 1);
            if fewest > means.n_candidates || least > means.total_steps {
                continue;
            }
            let fits = |steps| means.total(&Self::shaped(n_rungs, steps, fewest)) <= means.budget;
            let Some(steps) = largest(least, means.total_steps, fits) else {
                continue;
            };
            let trials = if steps == means.total_steps {
                let fits = |n: u64| {
                    let plan = Self::shaped(n_rungs, steps, n as usize);
                    means.total(&plan) <= means.budget
                };
                most_trials(fewest as u64, means.n_candidates as u64, fits) as usize
            } else {
                fewest
            };
            return Self::shaped(n_rungs, steps, trials);
        }
        let fits = |n: u64| means.total(&Self::shaped(1, shortest, n as usize)) <= means.budget;
        if fits(1) {
            let trials = most_trials(1, means.n_candidates as u64, fits);
            return Self::shaped(1, shortest, trials as usize);
        }
        let fits = |steps| means.total(&Self::shaped(1, steps, 1)) <= means.budget;
        Self::shaped(1, largest(1, shortest, fits).unwrap_or(1), 1)
    }

    /// `n_rungs` rungs, the last of `steps` steps and the first of `trials` trials.
    fn shaped(n_rungs: usize, steps: u64, trials: usize) -> Self {
        let rungs = (0..n_rungs).map(|rung| {
            let shorter = (REDUCTION as f64).powi((n_rungs - 1 - rung) as i32);
            Rung {
                trials: (trials / REDUCTION.pow(rung as u32)).max(1),
                steps: ((steps as f64 / shorter).round() as u64).max(1),
            }
        });
        Self {
            rungs: rungs.collect(),
        }
    }

    /// The number of trials in all.
    #[must_use]
    pub fn n_trials(&self) -> usize {
        self.rungs.first().map_or(0, |rung| rung.trials)
    }

    /// The number of runs, a trial on a rung being one.
    #[must_use]
    pub fn n_runs(&self) -> usize {
        self.rungs.iter().map(|rung| rung.trials).sum()
    }

    /// The steps of all runs, in batches of the configuration's own size.
    #[must_use]
    pub fn total_steps(&self) -> u64 {
        let steps = self
            .rungs
            .iter()
            .map(|rung| rung.trials as u64 * rung.steps);
        steps.sum()
    }
}

impl Means<'_> {
    /// What a plan costs. Which trials reach a longer rung is not known before: they count as the
    /// mean of all.
    pub fn total(&self, plan: &Plan) -> f64 {
        let n = plan.n_trials();
        let rungs = plan.rungs.iter().map(|rung| {
            let sum: f64 = (0..n).map(|trial| (self.cost)(trial, rung.steps)).sum();
            rung.trials as f64 * sum / n as f64
        });
        rungs.sum()
    }
}

/// The largest number in `low..=high` that fits, where everything below one that fits does.
fn largest(low: u64, high: u64, fits: impl Fn(u64) -> bool) -> Option<u64> {
    if low > high || !fits(low) {
        return None;
    }
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if fits(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Some(low)
}

/// The last number before the first that does not fit: a costly trial ends the row, whatever cheap
/// ones stand behind it.
fn most_trials(first: u64, most: u64, fits: impl Fn(u64) -> bool) -> u64 {
    (first..most).find(|n| !fits(n + 1)).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rungs(budget: f64, total_steps: u64, n_candidates: usize) -> Vec<(usize, u64)> {
        let plan = Plan::new(&Means {
            budget,
            total_steps,
            n_candidates,
            cost: &|_, steps| steps as f64,
        });
        let rungs = plan.rungs.iter();
        rungs.map(|rung| (rung.trials, rung.steps)).collect()
    }

    #[test]
    fn a_budget_becomes_rungs() {
        // 2,700 steps are a whole training: four rungs of 27 trials cost four of them.
        assert_eq!(
            rungs(4.0 * 2700.0, 2700, 500),
            [(27, 100), (9, 300), (3, 900), (1, 2700)]
        );
        // Three times as much: three times as many trials.
        assert_eq!(
            rungs(12.0 * 2700.0, 2700, 500),
            [(81, 100), (27, 300), (9, 900), (3, 2700)]
        );
        // Half as much: half as long.
        assert_eq!(
            rungs(2.0 * 2700.0, 2700, 500),
            [(27, 50), (9, 150), (3, 450), (1, 1350)]
        );
        // No longer 27 trials of 50 steps: nine trials.
        assert_eq!(rungs(5000.0, 2700, 500), [(9, 185), (3, 556), (1, 1667)]);
        assert_eq!(rungs(600.0, 2700, 500), [(3, 100), (1, 300)]);
        assert_eq!(rungs(299.0, 2700, 500), [(3, 99)]);
        assert_eq!(rungs(120.0, 2700, 500), [(2, 50)]);
        assert_eq!(rungs(20.0, 2700, 500), [(1, 20)]);
        assert_eq!(rungs(0.0, 2700, 500), [(1, 1)]);
    }

    #[test]
    fn a_short_training_is_not_cut_shorter() {
        // 40 steps are all that there is: trials train in full, and the budget goes into trials.
        assert_eq!(rungs(1000.0, 40, 500), [(25, 40)]);
        assert_eq!(rungs(1e9, 40, 500), [(500, 40)]);
    }

    #[test]
    fn few_candidates_make_few_rungs() {
        assert_eq!(rungs(1e9, 2700, 5), [(5, 900), (1, 2700)]);
        assert_eq!(rungs(1e9, 2700, 2), [(2, 2700)]);
        assert_eq!(rungs(1e9, 2700, 1), [(1, 2700)]);
    }

    proptest! {
        #[test]
        fn a_plan_keeps_its_budget_and_its_shape(
            budget in 0.0..1e6_f64, total_steps in 1..100_000_u64, n_candidates in 1..200_usize,
            fixed in 0.0..100.0_f64, unequal in 0.0..10.0_f64,
        ) {
            let cost = |trial: usize, steps: u64| {
                fixed + steps as f64 * (1.0 + unequal * (trial % 7) as f64)
            };
            let means = Means { budget, total_steps, n_candidates, cost: &cost };
            let plan = Plan::new(&means);
            let smallest = Plan::shaped(1, 1, 1);
            prop_assert!(means.total(&plan) <= budget || plan == smallest);
            prop_assert!(plan.n_trials() <= n_candidates);
            prop_assert!(plan.rungs.iter().all(|r| r.trials >= 1 && r.steps >= 1));
            prop_assert!(plan.rungs.iter().all(|r| r.steps <= total_steps));
            for pair in plan.rungs.windows(2) {
                prop_assert_eq!(pair[1].trials, pair[0].trials / 3);
                prop_assert!(pair[1].steps > 2 * pair[0].steps);
                prop_assert!(pair[0].steps >= 50);
            }
        }
    }
}
