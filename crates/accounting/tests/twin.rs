//! A naive twin: the loss of a step by differences of probabilities on a grid, rounded to the nearest
//! grid point, and composed by the schoolbook convolution. Slow and no bound, but nothing in it is
//! shared with the accountant.

use regard_accounting::{Adjacency, Event, Pld};

const INTERVAL: f64 = 0.01;
/// Losses from -WIDTH to WIDTH intervals.
const WIDTH: i64 = 1500;

type Density = Box<dyn Fn(f64) -> f64>;

fn bell(mean: f64, sigma: f64) -> impl Fn(f64) -> f64 {
    move |x| (-0.5 * ((x - mean) / sigma).powi(2)).exp() / sigma / std::f64::consts::TAU.sqrt()
}

/// The mixture of a Gaussian at 0 and one at `mean`, of weight `rate`.
fn mixture(rate: f64, mean: f64, sigma: f64) -> Density {
    let (without, with) = (bell(0.0, sigma), bell(mean, sigma));
    Box::new(move |x| (1.0 - rate) * without(x) + rate * with(x))
}

fn one_step(p: &Density, q: &Density, sigma: f64) -> Vec<f64> {
    let mut masses = vec![0.0; 2 * WIDTH as usize + 1];
    let step = sigma / 2000.0;
    let reach = (9.0 * sigma + 2.0) / step;
    for i in -(reach as i64)..=(reach as i64) {
        let x = i as f64 * step;
        let loss = (p(x) / q(x)).ln();
        let index = (loss / INTERVAL).round().clamp(-WIDTH as f64, WIDTH as f64);
        masses[(index as i64 + WIDTH) as usize] += p(x) * step;
    }
    masses
}

/// The composition of a loss with itself, cut back to the window.
fn twice(masses: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; masses.len()];
    for (i, a) in masses.iter().enumerate().filter(|(_, a)| **a > 1e-18) {
        for (j, b) in masses.iter().enumerate() {
            let index = (i + j) as i64 - WIDTH;
            sum[index.clamp(0, 2 * WIDTH) as usize] += a * b;
        }
    }
    sum
}

fn delta(masses: &[f64], epsilon: f64) -> f64 {
    let of = |(i, mass): (usize, &f64)| {
        let loss = (i as i64 - WIDTH) as f64 * INTERVAL;
        mass * (1.0 - (epsilon - loss).exp()).max(0.0)
    };
    masses.iter().enumerate().map(of).sum()
}

fn compare(p: Density, q: Density, sigma: f64, event: Event, adjacency: Adjacency) {
    // Eight steps, in both directions.
    let composed = |p, q| twice(&twice(&twice(&one_step(p, q, sigma))));
    let (removed, added) = (composed(&p, &q), composed(&q, &p));
    let pld = Pld::new(&event.repeated(8), adjacency).unwrap();
    for epsilon in [0.0, 0.3, 1.0, 2.5] {
        let expected = delta(&removed, epsilon).max(delta(&added, epsilon));
        let found = pld.delta(epsilon).unwrap();
        assert!(
            (found - expected).abs() <= 1e-3 * expected,
            "{epsilon}: {found}, not {expected}"
        );
        // The other way about, where epsilon is not 0.
        let again = pld.epsilon(expected).unwrap();
        assert!((again - epsilon).abs() <= 3e-4, "{epsilon}: {again}");
    }
}

#[test]
fn sampled_steps_compose_like_their_twin() {
    for (rate, sigma) in [(0.1, 0.8), (0.5, 2.0), (0.2, 0.7)] {
        let event = Event::PoissonSampledGaussian {
            sample_rate: rate,
            noise_multiplier: sigma,
        };
        let (p, q) = (mixture(rate, 1.0, sigma), mixture(0.0, 1.0, sigma));
        compare(p, q, sigma, event, Adjacency::AddRemove);
    }
}

#[test]
fn replaced_units_compose_like_their_twin() {
    for (rate, sigma) in [(0.1, 0.9), (0.4, 3.0)] {
        let event = Event::PoissonSampledGaussian {
            sample_rate: rate,
            noise_multiplier: sigma,
        };
        let (p, q) = (mixture(rate, 1.0, sigma), mixture(rate, -1.0, sigma));
        compare(p, q, sigma, event, Adjacency::ReplaceOne);
    }
}

#[test]
fn a_truncation_that_never_happens_costs_nothing() {
    let (rate, sigma) = (0.1, 0.9);
    let event = Event::TruncatedPoissonSampledGaussian {
        dataset_size: 1000,
        sample_rate: rate,
        max_batch_size: 300,
        noise_multiplier: sigma,
    };
    let (p, q) = (mixture(rate, 1.0, sigma), mixture(0.0, 1.0, sigma));
    compare(p, q, sigma, event, Adjacency::AddRemove);
}

#[test]
fn a_batch_that_is_always_full_replaces_another_unit() {
    // Everything is drawn, 7 of 10 are kept: a unit is kept in 7 of 10 cases, at another one's place.
    let sigma = 3.0;
    let event = Event::TruncatedPoissonSampledGaussian {
        dataset_size: 10,
        sample_rate: 1.0,
        max_batch_size: 7,
        noise_multiplier: sigma,
    };
    let (p, q) = (mixture(0.7, 2.0, sigma), mixture(0.0, 2.0, sigma));
    compare(p, q, sigma, event, Adjacency::AddRemove);
}
