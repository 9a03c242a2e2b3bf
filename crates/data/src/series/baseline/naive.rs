//! Forecasts without a parameter.

/// The last value, at every step: `[horizon, channels]` from `[lookback, channels]`. Of a channel whose last values are
/// missing the last that is there; 0 if none is, the mean in scaled units.
///
/// # Panics
/// If the sizes are not multiples of `channels`.
pub fn repeat_last(past: &[f32], channels: usize, forecast: &mut [f32]) {
    seasonal_naive(past, channels, 1, forecast);
}

/// The value of one season before, again and again: step `h` is that of `season - h % season` rows before the end.
///
/// A value that is missing, or lies before the lookback, is that of the season before or, without any, of the last row
/// with a value; 0 if none has one, the mean in scaled units.
///
/// # Panics
/// If the sizes are not multiples of `channels`, or `season` is 0.
pub fn seasonal_naive(past: &[f32], channels: usize, season: usize, forecast: &mut [f32]) {
    assert!(
        past.len().is_multiple_of(channels) && forecast.len().is_multiple_of(channels),
        "rows have {channels} channels"
    );
    assert!(season > 0, "a season has rows");
    let lookback = past.len() / channels;
    for (step, row) in forecast.chunks_exact_mut(channels).enumerate() {
        for (channel, value) in row.iter_mut().enumerate() {
            let at = |row: usize| past[row * channels + channel];
            let first = (lookback + step % season).checked_sub(season);
            let seasonal = std::iter::successors(first, |row| row.checked_sub(season)).map(at);
            let latest = (0..lookback).rev().map(at);
            *value = seasonal
                .chain(latest)
                .find(|value| !value.is_nan())
                .unwrap_or(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(past: &[f32], season: usize, horizon: usize) -> Vec<f32> {
        let mut forecast = vec![f32::NAN; horizon];
        seasonal_naive(past, 1, season, &mut forecast);
        forecast
    }

    #[test]
    fn a_season_repeats_and_missing_values_come_from_before() {
        assert_eq!(
            naive(&[1.0, 2.0, 3.0, 4.0], 3, 5),
            [2.0, 3.0, 4.0, 2.0, 3.0]
        );
        assert_eq!(naive(&[1.0, 2.0, f32::NAN, 4.0], 2, 2), [1.0, 4.0]);
        // The season is longer than what is seen.
        assert_eq!(naive(&[1.0, 2.0], 4, 4), [2.0, 2.0, 1.0, 2.0]);
        assert_eq!(naive(&[1.0, f32::NAN], 1, 2), [1.0, 1.0]);
        assert_eq!(naive(&[f32::NAN], 1, 1), [0.0]);
    }

    #[test]
    fn channels_do_not_mix() {
        let mut forecast = [0.0; 4];
        repeat_last(&[1.0, 10.0, 2.0, 20.0], 2, &mut forecast);
        assert_eq!(forecast, [2.0, 20.0, 2.0, 20.0]);
    }
}
