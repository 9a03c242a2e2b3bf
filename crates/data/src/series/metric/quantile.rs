//! Quantile forecasts.

/// The pinball loss of a forecast of one quantile, its mean over the targets that are not missing; NaN if all are.
///
/// ```text
/// loss = max(q (y - f), (q - 1) (y - f))        y the truth, f the forecast, q the quantile
/// ```
///
/// At 0.5 it is half the absolute error. scikit-learn equivalent: `mean_pinball_loss(y, f, alpha=q)`.
///
/// # Panics
/// If the lengths differ or `quantile` is not in (0, 1).
#[must_use]
pub fn pinball(quantile: f64, forecast: &[f32], truth: &[f32]) -> f64 {
    assert!(
        quantile > 0.0 && quantile < 1.0,
        "a quantile is in (0, 1), not {quantile}"
    );
    mean_over_present(forecast, truth, |forecast, truth| {
        let above = truth - forecast;
        (quantile * above).max((quantile - 1.0) * above)
    })
}

/// The share of targets at or below the forecast of a quantile, which a calibrated forecast has at that quantile; targets
/// that are missing are left out, NaN if all are.
///
/// # Panics
/// If the lengths differ.
#[must_use]
pub fn coverage(forecast: &[f32], truth: &[f32]) -> f64 {
    mean_over_present(forecast, truth, |forecast, truth| {
        f64::from(u8::from(truth <= forecast))
    })
}

fn mean_over_present(forecast: &[f32], truth: &[f32], of: impl Fn(f64, f64) -> f64) -> f64 {
    assert_eq!(forecast.len(), truth.len(), "one forecast a target");
    let present = forecast
        .iter()
        .zip(truth)
        .filter(|(_, truth)| !truth.is_nan());
    let (sum, count) = present.fold((0.0, 0_u64), |(sum, count), (forecast, truth)| {
        (sum + of(f64::from(*forecast), f64::from(*truth)), count + 1)
    });
    sum / count as f64
}
