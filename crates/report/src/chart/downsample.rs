//! Fewer points that look like all of them.

/// At most `2 * n_buckets + 2` of `points`: of each stretch the lowest and the highest, and both ends. A
/// spike stays visible, which a mean would hide.
pub(super) fn downsample(points: &[(f64, f64)], n_buckets: usize) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    if points.len() <= 2 * n_buckets + 2 {
        return points.to_vec();
    }
    let inner = &points[1..points.len() - 1];
    let mut kept = vec![*first];
    for bucket in inner.chunks(inner.len().div_ceil(n_buckets)) {
        let index = |better: fn(f64, f64) -> bool| {
            (1..bucket.len()).fold(0, |best, index| {
                if better(bucket[index].1, bucket[best].1) {
                    index
                } else {
                    best
                }
            })
        };
        let (lowest, highest) = (index(|a, b| a < b), index(|a, b| a > b));
        kept.push(bucket[lowest.min(highest)]);
        if lowest != highest {
            kept.push(bucket[lowest.max(highest)]);
        }
    }
    kept.push(*last);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_among_a_hundred_thousand_steps_stays() {
        let mut points: Vec<(f64, f64)> = (0..100_000).map(|x| (f64::from(x), 1.0)).collect();
        points[54_321].1 = 9.0;
        let kept = downsample(&points, 200);
        assert!(kept.len() <= 402, "{}", kept.len());
        assert!(kept.contains(&(54_321.0, 9.0)));
        assert!(kept.contains(&(0.0, 1.0)) && kept.contains(&(99_999.0, 1.0)));
        assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(downsample(&points[..5], 200), points[..5]);
    }
}
