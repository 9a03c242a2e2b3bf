//! The learning rate as a pure function of the step, so that a resumed run needs no state of it.

use std::f64::consts::PI;

use crate::config::ScheduleKind;

/// The course of the learning rate over a run.
///
/// With warm-up of `w` steps out of `n`, step `s` (counted from 0) has the multiplier
///
/// - `(s + 1) / w` while `s < w`, so that the first step already learns;
/// - then, with `p = (s - w) / (n - w)`: `(1 + cos(pi p)) / 2`, `1 - p`, or `1`.
///
/// The last step is `s = n - 1`, so that it too learns a little; from `s = n` on the multiplier is
/// zero (but `1` for a constant schedule).
///
/// PyTorch equivalent: `LambdaLR` with `get_cosine_schedule_with_warmup` of Hugging Face
/// transformers. Differs from it: warm-up begins at `1 / w` instead of 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    kind: ScheduleKind,
    warmup_steps: u64,
    total_steps: u64,
}

impl Schedule {
    /// A schedule over `total_steps` steps, of which the first `warmup_steps` warm up.
    #[must_use]
    pub const fn new(kind: ScheduleKind, warmup_steps: u64, total_steps: u64) -> Self {
        Self {
            kind,
            warmup_steps,
            total_steps,
        }
    }

    /// What the peak learning rate is multiplied by at `step`, counted from 0; in `[0, 1]`.
    #[must_use]
    pub fn multiplier(&self, step: u64) -> f64 {
        if step < self.warmup_steps {
            return (step + 1) as f64 / self.warmup_steps as f64;
        }
        let past = step - self.warmup_steps;
        let rest = self.total_steps.saturating_sub(self.warmup_steps);
        let progress = if past < rest {
            past as f64 / rest as f64
        } else {
            1.0
        };
        match self.kind {
            ScheduleKind::Constant => 1.0,
            ScheduleKind::Linear => 1.0 - progress,
            ScheduleKind::Cosine => 0.5 * (1.0 + (PI * progress).cos()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KINDS: [ScheduleKind; 3] = [
        ScheduleKind::Cosine,
        ScheduleKind::Linear,
        ScheduleKind::Constant,
    ];

    fn multipliers(kind: ScheduleKind, warmup: u64, total: u64) -> Vec<f64> {
        let schedule = Schedule::new(kind, warmup, total);
        (0..=total).map(|step| schedule.multiplier(step)).collect()
    }

    #[test]
    fn each_kind_has_its_course() {
        let expect = |kind, expected: [f64; 7]| {
            for (found, expected) in multipliers(kind, 2, 6).into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-15, "{found} for {expected}");
            }
        };
        let half = 0.5_f64.sqrt() / 2.0;
        expect(
            ScheduleKind::Cosine,
            [0.5, 1.0, 1.0, 0.5 + half, 0.5, 0.5 - half, 0.0],
        );
        expect(ScheduleKind::Linear, [0.5, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]);
        expect(ScheduleKind::Constant, [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    }

    proptest! {
        #[test]
        fn the_multiplier_rises_then_falls_inside_0_and_1(
            kind in 0..3_usize, warmup in 0..50_u64, total in 0..100_u64,
        ) {
            let course = multipliers(KINDS[kind], warmup, total);
            prop_assert!(course.iter().all(|m| (0.0..=1.0).contains(m)), "{course:?}");
            for (step, pair) in course.windows(2).enumerate() {
                if (step as u64) + 1 < warmup {
                    prop_assert!(pair[0] < pair[1]);
                } else {
                    prop_assert!(pair[0] >= pair[1]);
                }
            }
        }
    }
}
