//! How well scores rank anomalous points above others.

/// The average precision, the area under the steps of the precision-recall curve:
///
/// ```text
/// sum over thresholds, from high to low, of (recall - recall before) * precision
/// ```
///
/// Points of one score pass a threshold together, whatever their order. NaN without a positive. scikit-learn equivalent:
/// `average_precision_score`.
///
/// # Panics
/// If the lengths differ or a score is NaN.
#[must_use]
pub fn average_precision(scores: &[f32], is_positive: &[bool]) -> f64 {
    let positives = count(is_positive);
    let (mut taken, mut hits, mut area) = (0_u64, 0_u64, 0.0);
    for (ties, hits_here) in by_score(scores, is_positive) {
        taken += ties;
        hits += hits_here;
        area += hits_here as f64 * (hits as f64 / taken as f64);
    }
    area / positives as f64
}

/// The area under the receiver operating characteristic: how likely a positive point scores above a negative one, ties
/// counting half. NaN without both. scikit-learn equivalent: `roc_auc_score`.
///
/// # Panics
/// If the lengths differ or a score is NaN.
#[must_use]
pub fn roc_auc(scores: &[f32], is_positive: &[bool]) -> f64 {
    let positives = count(is_positive);
    let negatives = is_positive.len() as u64 - positives;
    let (mut above, mut area) = (0_u64, 0.0);
    for (ties, hits) in by_score(scores, is_positive) {
        area += (ties - hits) as f64 * (above as f64 + hits as f64 / 2.0);
        above += hits;
    }
    area / (positives as f64 * negatives as f64)
}

fn count(flags: &[bool]) -> u64 {
    flags.iter().map(|flag| u64::from(*flag)).sum()
}

/// From the highest score down: how many points have it, and how many of them are positive.
fn by_score(scores: &[f32], is_positive: &[bool]) -> Vec<(u64, u64)> {
    assert_eq!(scores.len(), is_positive.len(), "one flag a score");
    assert!(scores.iter().all(|score| !score.is_nan()), "a score is NaN");
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    order
        .chunk_by(|a, b| scores[*a] == scores[*b])
        .map(|ties| {
            (
                ties.len() as u64,
                ties.iter()
                    .map(|point| u64::from(is_positive[*point]))
                    .sum(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f32; 8] = [0.1, 0.4, 0.35, 0.8, 0.8, 0.2, 0.8, 0.4];
    const POSITIVE: [bool; 8] = [false, false, true, true, false, true, true, true];

    /// `tests/golden/series_figures.py`.
    #[test]
    fn scores_with_ties_agree_with_scikit_learn() {
        assert!((average_precision(&SCORES, &POSITIVE) - 0.662_857_142_857_142_8).abs() < 1e-12);
        assert!((roc_auc(&SCORES, &POSITIVE) - 0.566_666_666_666_666_7).abs() < 1e-12);
    }

    #[test]
    fn the_area_is_how_often_a_positive_scores_above_a_negative() {
        let of = |flag: bool| {
            SCORES
                .iter()
                .zip(POSITIVE)
                .filter(move |(_, is)| *is == flag)
                .map(|(score, _)| *score)
        };
        let mut sum = 0.0;
        for positive in of(true) {
            for negative in of(false) {
                sum += if positive > negative {
                    1.0
                } else if positive == negative {
                    0.5
                } else {
                    0.0
                };
            }
        }
        assert!((roc_auc(&SCORES, &POSITIVE) - sum / 15.0).abs() < 1e-12);
    }

    #[test]
    fn without_positives_there_is_no_figure() {
        assert!(average_precision(&[1.0], &[false]).is_nan());
        assert!(roc_auc(&[1.0], &[true]).is_nan());
    }
}
