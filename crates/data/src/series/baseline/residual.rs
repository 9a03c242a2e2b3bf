//! Anomaly scores without a model.

/// How many deviations a value is from the mean of the values `train`; 0 where it is missing.
#[must_use]
pub fn level_scores(values: &[f32], train: &[f32]) -> Vec<f32> {
    let present = || {
        train
            .iter()
            .filter(|value| !value.is_nan())
            .map(|value| f64::from(*value))
    };
    let count = present().count() as f64;
    let mean = present().sum::<f64>() / count;
    let std = (present().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    let score = |value: &f32| ((f64::from(*value) - mean).abs() / std) as f32;
    values
        .iter()
        .map(score)
        .map(|score| if score.is_nan() { 0.0 } else { score })
        .collect()
}

/// How far a value is from that of one season before; 0 where either is missing.
#[must_use]
pub fn seasonal_residual(values: &[f32], season: usize) -> Vec<f32> {
    let score = |row: usize| match row.checked_sub(season) {
        Some(before) => (values[row] - values[before]).abs(),
        None => 0.0,
    };
    (0..values.len())
        .map(score)
        .map(|score| if score.is_nan() { 0.0 } else { score })
        .collect()
}
