//! The loss of many steps: a product of Fourier transforms.
//!
//! Every step's distribution is first **tilted**: multiplied by `exp(theta L)` and scaled to 1, with
//! the theta that moves the mean of the composition to where delta is asked for. There, and only
//! there, the tilted composition has its mass, so that a float's rounding, which is relative to the
//! largest values, is relative to delta itself, be it 1e-2 or 1e-12; and a transform that covers that
//! neighbourhood suffices. Tilting commutes with convolution, so taking it back is exact.
//!
//! What is not exact is counted, always against the user:
//! - losses beyond the window, by Chernoff's bound, and infinite ones, are added to delta;
//! - what the circular transform wraps around is mass where there is less: it can only add;
//! - rounding of the transforms (`transform_error`) is added to every grid point;
//! - rounding of the masses, once for every step, enlarges delta.

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use super::cumulants::{Composition, Losses};
use super::discretise::Grid;
use crate::quadrature::Sum;

/// How to compose: the grid, and the neighbourhood in which the answer lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// The distance of grid points.
    pub(crate) interval: f64,
    /// The tilt.
    pub(crate) theta: f64,
    /// The largest loss of interest, and the tilt of the Chernoff bound on what lies above.
    pub(crate) highest: f64,
    pub(crate) highest_theta: f64,
    /// The number of grid points, down from `highest`.
    pub(crate) points: usize,
}

/// The distribution of the composed loss within a window.
#[derive(Debug)]
pub(crate) struct Composed {
    pub(crate) window: Window,
    /// The index of the first grid point.
    pub(crate) first: i64,
    /// Tilted masses.
    pub(crate) tilted: Vec<f64>,
    /// `K(theta)` of the whole: a mass is `tilted * exp(cumulant - theta L)`.
    pub(crate) cumulant: f64,
    /// By how much a tilted mass may be too small.
    pub(crate) error: f64,
    /// By what factor everything may be too small.
    pub(crate) factor: f64,
    /// The probability of what lies above the window or at infinity.
    pub(crate) above: f64,
}

pub(crate) fn compose(steps: &[(Grid, u64)], window: Window) -> Composed {
    let Window {
        interval,
        theta,
        points,
        ..
    } = window;
    let losses: Vec<(Losses, u64)> = steps
        .iter()
        .map(|(grid, count)| (grid.losses(interval), *count))
        .collect();
    let composition = Composition(&losses);
    let whole = composition.cumulants(theta);
    let count: f64 = steps.iter().map(|(_, count)| *count as f64).sum();

    let fft = FftPlanner::new().plan_fft_forward(points);
    let mut scratch = vec![Complex::default(); fft.get_inplace_scratch_len()];
    // The transform of something real: its second half mirrors the first.
    let half = points / 2 + 1;
    let mut product: Vec<Complex<f64>> = Vec::new();
    let mut exponents = vec![0.0; half];
    let mut buffer = vec![Complex::default(); points];
    let mut shift = 0i128;
    for ((grid, count), (losses, _)) in steps.iter().zip(&losses) {
        let k = losses.cumulants(theta).k;
        let tilt = |(index, mass): &(i64, f64)| {
            let loss = *index as f64 * interval;
            (*index, (theta * loss - k + mass.ln()).exp())
        };
        let tilted: Vec<(i64, f64)> = grid.points.iter().map(tilt).collect();
        // Most of the mass often lies at two neighbouring points. Seen from the larger one, a
        // coefficient is 1 + w with a small w; and what the few large masses contribute to w is
        // written down, not transformed, so that little is left to be rounded.
        let mut heavy: Vec<(i64, f64)> = tilted.clone();
        heavy.retain(|(_, mass)| *mass > HEAVY);
        heavy.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
        heavy.truncate(HEAVIEST);
        let centre = heavy.first().map_or(0, |(index, _)| *index);
        shift += i128::from(centre) * i128::from(*count);
        buffer.fill(Complex::default());
        let (mut light, mut square) = (Sum::default(), 0.0);
        for (index, mass) in tilted {
            if !heavy.iter().any(|(known, _)| *known == index) {
                buffer[(index - centre).rem_euclid(points as i64) as usize].re += mass;
                light.add(mass);
                square += mass * mass;
            }
        }
        fft.process_with_scratch(&mut buffer, &mut scratch);
        let light = light.get();
        let rounding = transform_error(points) * square.sqrt() + 4.0 * f64::EPSILON * light;
        for (k, exponent) in exponents.iter_mut().enumerate() {
            let written: Complex<f64> = heavy
                .iter()
                .skip(1)
                .map(|(index, mass)| turn(k, index - centre, points) * *mass)
                .sum();
            let rounding = rounding + 4.0 * f64::EPSILON * written.norm();
            let away = buffer[k] - light + written;
            buffer[k] = power(away, *count as f64, rounding, exponent);
        }
        if product.is_empty() {
            product = buffer[..half].to_vec();
        } else {
            for (total, value) in product.iter_mut().zip(&buffer) {
                *total *= value;
            }
        }
    }

    // The error of a product of powers, (|z| + e)^n - |z|^n, averaged over all coefficients.
    let (mut error, mut square) = (0.0, 0.0);
    for (value, exponent) in product.iter().zip(&exponents) {
        let size = value.norm();
        error += size * exponent.exp_m1() + VANISHED;
        square += size * size;
    }
    let mean = |sum: f64| 2.0 * sum / points as f64;
    let error = mean(error) + transform_error(points) * mean(square).sqrt();

    // The first index of the window comes out at place 0: turn by `first`.
    let last = last_index(steps, &window);
    let first = last - points as i64 + 1;
    for k in 0..points {
        let value = if k < half {
            product[k]
        } else {
            product[points - k].conj()
        };
        // The inverse transform is the forward one of the conjugate.
        buffer[k] = value.conj();
    }
    fft.process_with_scratch(&mut buffer, &mut scratch);
    let offset = (i128::from(first) - shift).rem_euclid(points as i128) as usize;
    let tilted = (0..points)
        .map(|i| (buffer[(i + offset) % points].re / points as f64).max(0.0))
        .collect();

    let finite = if i128::from(last) >= largest(steps) {
        0.0
    } else {
        chernoff(&composition, window.highest_theta, last as f64 * interval)
    };
    let infinite = steps
        .iter()
        .map(|(grid, count)| *count as f64 * grid.infinite)
        .sum::<f64>();
    Composed {
        window,
        first,
        tilted,
        cumulant: whole.k,
        error,
        factor: (f64::EPSILON * (16.0 * count + 4.0 * whole.exponent + 1e3)).exp(),
        above: finite + infinite,
    }
}

/// The largest index that the composed loss has, infinity aside.
fn largest(steps: &[(Grid, u64)]) -> i128 {
    let of = |(grid, count): &(Grid, u64)| {
        let last = grid.points.last().map_or(0, |(index, _)| *index);
        i128::from(last) * i128::from(*count)
    };
    steps.iter().map(of).sum()
}

/// The index at which the window ends: where it was planned, or where the losses end, if that is
/// near. Rounding up to grid points moves the end of a bounded loss, once for every step.
fn last_index(steps: &[(Grid, u64)], window: &Window) -> i64 {
    let planned = (window.highest / window.interval).ceil() as i64;
    let largest = largest(steps);
    if largest > i128::from(planned) && largest - i128::from(planned) < window.points as i128 / 8 {
        largest as i64
    } else {
        planned
    }
}

/// Chernoff's bound on the probability of a loss above `beyond`: the first theta is the best one for
/// the true loss, smaller ones may be better for the one on the grid.
fn chernoff(composition: &Composition, theta: f64, beyond: f64) -> f64 {
    let (mut theta, mut best) = (theta, f64::INFINITY);
    loop {
        let exponent = composition.cumulants(theta).k - theta * beyond;
        // False for NaN as well.
        let better = exponent < best;
        if !better && best < f64::INFINITY || theta < 1e-12 {
            return best.exp();
        }
        if better {
            best = exponent;
        }
        theta *= 0.5;
    }
}

/// Masses above this are written down; of them so many, and the first for nothing.
const HEAVY: f64 = 1e-3;
const HEAVIEST: usize = 4;

/// `exp(-i k distance tau / points) - 1`.
fn turn(k: usize, distance: i64, points: usize) -> Complex<f64> {
    let turned = (k as i128 * i128::from(distance)).rem_euclid(points as i128);
    let angle = turned as f64 / points as f64 * std::f64::consts::TAU;
    let half = (0.5 * angle).sin();
    Complex::new(-2.0 * half * half, -angle.sin())
}

/// What a coefficient that was dropped may have been.
const VANISHED: f64 = 1e-30;

/// The error of one coefficient of a transform of a vector of length 1, in the mean over the
/// coefficients (Higham 2002, theorem 24.2: rounding errors grow with the logarithm of the size).
fn transform_error(points: usize) -> f64 {
    4.0 * f64::EPSILON * ((points as f64).log2() + 4.0)
}

/// `(1 + away)^count`; adds to `exponent` by how much an error of `rounding` in `away` enlarges its
/// logarithm.
fn power(away: Complex<f64>, count: f64, rounding: f64, exponent: &mut f64) -> Complex<f64> {
    // ln |1 + w| = ln(1 + 2 Re w + |w|²) / 2, without the 1 that would swallow a small w.
    let ln_size = 0.5 * (2.0 * away.re + away.norm_sqr()).ln_1p();
    let size = ln_size.exp();
    let possible = count * (ln_size + (rounding / size).ln_1p());
    let possible = if size > 0.0 {
        possible
    } else {
        count * rounding.ln()
    };
    if possible < VANISHED.ln() {
        return Complex::default();
    }
    if count * ln_size < -80.0 {
        // It may be large by error alone. Its place is taken by what it may be.
        *exponent += std::f64::consts::LN_2;
        return Complex::new(possible.exp(), 0.0);
    }
    *exponent += possible - count * ln_size;
    let angle = away.im.atan2(1.0 + away.re);
    Complex::from_polar((count * ln_size).exp(), angle * count)
}
