//! A private step against a loop over single units, and what it does at its edges.

mod common;

use std::collections::BTreeMap;

use common::{
    Spoil, Units, assert_near, config, gradients, model, settings, weights, without_dropout,
};
use regard_accounting::Adjacency;
use regard_bundle::Workers;
use regard_model::gradient_checkpointing::Segments;
use regard_model::weights::HostTensor;
use regard_trainer::config::ClippingStyle;
use regard_trainer::privacy::{Clipping, Entropy, Mechanism, PrivateReport};
use regard_trainer::step::{StepSettings, Stepper};

const BOUND: f64 = 0.9;
const DIVISOR: f64 = 11.0;

type Gradients = BTreeMap<String, HostTensor>;

fn mechanism(style: ClippingStyle, noise_multiplier: f64) -> Mechanism {
    Mechanism {
        sample_rate: 0.5,
        noise_multiplier,
        clipping: Clipping::new(style, BOUND),
        divisor: DIVISOR,
        adjacency: Adjacency::AddRemove,
    }
}

/// A private step; what it released.
fn private(
    mechanism: &Mechanism,
    settings: StepSettings,
    units: &Units,
) -> (Gradients, PrivateReport) {
    let mut stepper = Stepper::new(model(&without_dropout()), settings);
    let mut entropy = Entropy::not_private(4);
    let report = stepper.private_step(mechanism, units, &mut entropy, 1e-2);
    (gradients(&stepper), report)
}

/// The gradient of a unit by itself.
fn alone(units: &Units, unit: usize) -> Gradients {
    let mut one = Units::new(&[1]);
    one.rows = vec![units.rows[unit].clone()];
    one.classes = vec![Units::class(unit)];
    let mut stepper = Stepper::new(model(&without_dropout()), settings());
    stepper.step(0, &one, 1.0, 1e-2).unwrap();
    gradients(&stepper)
}

fn squares(gradients: &Gradients, of: impl Fn(&str) -> bool) -> f64 {
    let named = gradients.iter().filter(|(name, _)| of(name));
    let values = named.flat_map(|(_, gradient)| &gradient.values);
    values.map(|g| f64::from(*g).powi(2)).sum()
}

/// The operation that a parameter belongs to: weight and bias are one.
fn operation(name: &str) -> &str {
    name.rsplit_once('.')
        .map_or(name, |(operation, _)| operation)
}

/// The mean of bounded gradients as its definition has it.
fn naive(style: ClippingStyle, units: &Units) -> Gradients {
    let bound = BOUND * (1.0 - 1e-3);
    let mut mean = Gradients::new();
    for unit in 0..units.rows.len() {
        let gradient = alone(units, unit);
        let operations: std::collections::BTreeSet<&str> =
            gradient.keys().map(|name| operation(name)).collect();
        let whole = squares(&gradient, |_| true).sqrt();
        for (name, tensor) in &gradient {
            let scale = match style {
                ClippingStyle::Flat => (bound / whole).min(1.0),
                ClippingStyle::AutoS => bound / (whole + 0.01),
                _ => {
                    let of = |other: &str| operation(other) == operation(name);
                    let bound = bound / (operations.len() as f64).sqrt();
                    (bound / squares(&gradient, of).sqrt()).min(1.0)
                }
            };
            let sum = mean.entry(name.clone()).or_insert_with(|| HostTensor {
                shape: tensor.shape.clone(),
                values: vec![0.0; tensor.values.len()],
            });
            for (sum, g) in sum.values.iter_mut().zip(&tensor.values) {
                *sum += (f64::from(*g) * scale / DIVISOR) as f32;
            }
        }
    }
    mean
}

const STYLES: [ClippingStyle; 3] = [
    ClippingStyle::Flat,
    ClippingStyle::AutoS,
    ClippingStyle::PerLayer,
];

/// Next to no noise, so that what is under it can be seen.
const SILENT: f64 = 1e-9;

#[test]
fn a_step_is_the_loop_over_units_however_it_is_cut() {
    for n_rows in [&[1; 7][..], &[2, 1, 3, 1, 4]] {
        let units = Units::new(n_rows);
        for style in STYLES {
            let expected = naive(style, &units);
            for (micro_batch, shards, every) in [
                (None, 1, 2),
                (None, 4, 2),
                (Some(2), 1, 2),
                (Some(3), 2, 2),
                (None, 2, 1),
            ] {
                let settings = StepSettings {
                    micro_batch,
                    shards,
                    segments: Segments::of_blocks(2, every),
                    workers: Workers::new(2),
                    ..settings()
                };
                let (found, report) = private(&mechanism(style, SILENT), settings, &units);
                let what = format!("{style:?}, {n_rows:?}, {micro_batch:?}, {shards}, {every}");
                // Key biases have no gradient: only rounding is compared there.
                let real = |gradients: &Gradients| -> Gradients {
                    let named = gradients.iter().map(|(name, g)| (name.clone(), g.clone()));
                    named
                        .map(|(name, mut g)| {
                            g.values.iter_mut().for_each(|v| {
                                if v.abs() < 1e-7 {
                                    *v = 0.0;
                                }
                            });
                            (name, g)
                        })
                        .collect()
                };
                assert_near(&what, &real(&found), &real(&expected), 2e-4);
                assert_eq!(report.report.n_units, n_rows.len());
                assert!(report.n_clipped > 0, "{what}: a bound that nobody reaches");
            }
        }
    }
}

#[test]
fn a_step_on_nobody_is_a_step_of_noise() {
    let nobody = Units::new(&[]);
    let (noise, report) = private(&mechanism(ClippingStyle::Flat, 2.0), settings(), &nobody);
    assert_eq!(report.report.n_units, 0);
    let n: usize = noise.values().map(|g| g.values.len()).sum();
    let deviation = (squares(&noise, |_| true) / n as f64).sqrt();
    let expected = 2.0 * BOUND / DIVISOR;
    // Five standard errors.
    let spread = 5.0 / (2.0 * n as f64).sqrt();
    assert!(
        (deviation / expected - 1.0).abs() < spread,
        "{deviation}, {expected}"
    );
    let zeros = noise
        .values()
        .flat_map(|g| &g.values)
        .filter(|v| **v == 0.0);
    assert_eq!(zeros.count(), 0, "every parameter has its noise");
}

#[test]
fn a_unit_that_is_not_finite_contributes_nothing_and_stops_nothing() {
    for (style, every) in STYLES
        .into_iter()
        .flat_map(|style| [(style, 2), (style, 1)])
    {
        let mut units = Units::new(&[1, 2, 1, 1]);
        let mechanism = mechanism(style, SILENT);
        let settings = || StepSettings {
            segments: Segments::of_blocks(2, every),
            ..settings()
        };
        units.spoil = Spoil::Loss(1, f32::NAN);
        let (found, report) = private(&mechanism, settings(), &units);
        assert_eq!(report.n_discarded, 1);
        assert!(report.report.loss.is_finite());
        // The same units without it, at the same places.
        let mut others = units.clone();
        others.spoil = Spoil::Loss(1, 0.0);
        let (expected, _) = private(&mechanism, settings(), &others);
        assert_near("without it", &found, &expected, 1e-5);
    }
}

/// The first pass gives the norms and the second the sum: on other masks of dropout a unit would not
/// keep its bound. AUTO-S brings a single unit to the bound, so the sum's norm shows it.
#[test]
fn both_passes_of_gradient_checkpointing_draw_the_same_dropout() {
    let one = Units::new(&[3]);
    let mechanism = mechanism(ClippingStyle::AutoS, SILENT);
    for every in [2, 1] {
        let settings = StepSettings {
            segments: Segments::of_blocks(2, every),
            ..settings()
        };
        let mut stepper = Stepper::new(model(&config()), settings);
        stepper.private_step(&mechanism, &one, &mut Entropy::not_private(4), 1e-2);
        let norm = squares(&gradients(&stepper), |_| true).sqrt() * DIVISOR;
        let bound = BOUND * (1.0 - 1e-3);
        assert!(norm <= bound * (1.0 + 1e-4) && norm > 0.9 * bound, "{norm}");
    }
}

#[test]
fn a_unit_moves_the_sum_by_at_most_the_bound() {
    for style in STYLES {
        for by in [1e-3, 1.0, 1e5] {
            let mechanism = mechanism(style, SILENT);
            let mut units = Units::new(&[1, 2, 1, 3]);
            units.spoil = Spoil::Loss(3, by);
            let (with, _) = private(&mechanism, settings(), &units);
            units.rows.pop();
            let (without, _) = private(&mechanism, settings(), &units);
            let mut moved = 0.0;
            for (name, with) in &with {
                let pairs = with.values.iter().zip(&without[name].values);
                moved += pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
            }
            let moved = moved.sqrt() * DIVISOR;
            assert!(moved <= BOUND, "{style:?}, {by}: {moved}");
        }
    }
}

#[test]
fn noise_and_masks_are_new_in_every_step_and_every_process() {
    let units = Units::new(&[1, 1]);
    let run = || {
        let mut stepper = Stepper::new(model(&without_dropout()), settings());
        let mut entropy = Entropy::from_system().unwrap();
        let mechanism = mechanism(ClippingStyle::Flat, 1.0);
        let mut seen = Vec::new();
        for _ in 0..2 {
            stepper.private_step(&mechanism, &units, &mut entropy, 1e-2);
            seen.push(gradients(&stepper));
        }
        (seen, weights(&stepper).to_bytes())
    };
    let ((first, a), (second, b)) = (run(), run());
    assert_ne!(a, b, "the run's seed decides nothing");
    let all = [&first[0], &first[1], &second[0], &second[1]];
    let flat = |g: &Gradients| -> Vec<f64> {
        let values = g.values().flat_map(|g| &g.values);
        values.map(|v| f64::from(*v)).collect()
    };
    for (i, one) in all.iter().enumerate() {
        for other in &all[..i] {
            let (one, other) = (flat(one), flat(other));
            let product: f64 = one.iter().zip(&other).map(|(a, b)| a * b).sum();
            let norm = |v: &[f64]| v.iter().map(|a| a * a).sum::<f64>().sqrt();
            let correlation = product / norm(&one) / norm(&other);
            // Two units of a bound of 0.9 in noise of deviation 0.9: the mean explains little.
            assert!(correlation.abs() < 0.3, "{correlation}");
        }
    }
}
