//! The label of the nearest series.

/// How far two series are apart.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Distance {
    /// The sum of squares over steps and channels. The shorter series is filled up with zeros, as the archives' published
    /// figures have it.
    Euclidean,
    /// Dynamic time warping within a Sakoe-Chiba band of this share of the shorter length, of all channels together, with
    /// squares as costs. aeon equivalent: `dtw_distance(a, b, window=share)` for series of one length; of others the
    /// bands differ by a step.
    Warping {
        /// The share, in [0, 1].
        band: f64,
    },
}

/// The label of the nearest of `known` for each of `series`, the first of several that are equally near; values are
/// `[length, channels]`. A value that is missing counts as 0.
///
/// # Panics
/// If nothing is known.
#[must_use]
pub fn nearest_neighbour(
    known: &[(&[f32], u32)],
    series: &[&[f32]],
    channels: usize,
    distance: Distance,
) -> Vec<u32> {
    let values = |series: &[f32]| -> Vec<f64> {
        let value = |value: &f32| {
            if value.is_nan() {
                0.0
            } else {
                f64::from(*value)
            }
        };
        series.iter().map(value).collect()
    };
    let known: Vec<(Vec<f64>, u32)> = (known.iter())
        .map(|(series, label)| (values(series), *label))
        .collect();
    series
        .iter()
        .map(|series| {
            let series = values(series);
            let (mut nearest, mut least) = (known[0].1, f64::INFINITY);
            for (other, label) in &known {
                let apart = match distance {
                    Distance::Euclidean => euclidean(&series, other, least),
                    Distance::Warping { band } => warping(&series, other, channels, band, least),
                };
                if apart < least {
                    (nearest, least) = (*label, apart);
                }
            }
            nearest
        })
        .collect()
}

/// The sum of squares, or infinity once it is beyond `least`.
fn euclidean(a: &[f64], b: &[f64], least: f64) -> f64 {
    let mut sum = 0.0;
    for place in 0..a.len().max(b.len()) {
        let at = |series: &[f64]| series.get(place).copied().unwrap_or(0.0);
        sum += (at(a) - at(b)).powi(2);
        if sum > least {
            return f64::INFINITY;
        }
    }
    sum
}

/// The least sum of squares over a path that goes through both series in order, or infinity once none is below `least`.
fn warping(a: &[f64], b: &[f64], channels: usize, band: f64, least: f64) -> f64 {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let (n_short, n_long) = (short.len() / channels, long.len() / channels);
    let radius = (band * n_short as f64).floor() as usize;
    let cost = |i: usize, j: usize| -> f64 {
        let (a, b) = (
            &short[i * channels..][..channels],
            &long[j * channels..][..channels],
        );
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
    };
    let mut before = vec![f64::INFINITY; n_short];
    let mut column = before.clone();
    for j in 0..n_long {
        column.fill(f64::INFINITY);
        // The band follows the diagonal from the first steps of both series to their last ones.
        let centre = (j + 1) * n_short / (n_long + 1);
        for i in centre.saturating_sub(radius)..(centre + radius + 1).min(n_short) {
            let (above, diagonal) = match i.checked_sub(1) {
                Some(above) => (column[above], before[above]),
                None => (f64::INFINITY, f64::INFINITY),
            };
            let reach = above.min(diagonal).min(before[i]);
            column[i] = cost(i, j) + if (i, j) == (0, 0) { 0.0 } else { reach };
        }
        if column.iter().all(|sum| *sum > least) {
            return f64::INFINITY;
        }
        std::mem::swap(&mut before, &mut column);
    }
    before[n_short - 1]
}
