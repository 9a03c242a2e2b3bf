//! One step: what it does not depend on, and when it is not made.

mod common;

use std::sync::mpsc;
use std::time::Duration;

use burn::tensor::Device;
use burn::tensor::activation::log_softmax;
use common::{
    Spoil, Units, assert_near, config, gradients, model, settings, weights, without_dropout,
};
use regard_bundle::{Workers, text_input};
use regard_model::TransformerConfig;
use regard_model::gradient_checkpointing::Segments;
use regard_ops::Context;
use regard_trainer::step::{NotFinite, StepReport, StepSettings, Stepper};

const LEARNING_RATE: f64 = 1e-2;

/// One step on the draw.
fn step(
    config: &TransformerConfig,
    settings: StepSettings,
    units: &Units,
) -> (Stepper, StepReport) {
    let mut stepper = Stepper::new(model(config), settings);
    let divisor = units.rows.len() as f64;
    let report = stepper.step(5, units, divisor, LEARNING_RATE).unwrap();
    (stepper, report)
}

#[test]
fn micro_batches_and_shards_change_neither_loss_nor_gradient() {
    for n_rows in [&[1; 9][..], &[2, 1, 3, 1, 1, 2, 4]] {
        let units = Units::new(n_rows);
        let (whole, expected) = step(&config(), settings(), &units);
        let gradient = gradients(&whole);
        for micro_batch in [None, Some(1), Some(2), Some(3), Some(100)] {
            for shards in [1, 2, 4, 8] {
                let what = format!("micro-batch {micro_batch:?}, {shards} shards, {n_rows:?}");
                let with = |segments| StepSettings {
                    micro_batch,
                    shards,
                    workers: Workers::new(2),
                    segments,
                    ..settings()
                };
                let (stepper, found) = step(&config(), with(Segments::whole(2)), &units);
                let every_block = with(Segments::of_blocks(2, 1));
                let (again, same) = step(&config(), every_block, &units);
                assert_eq!(same, found, "{what}: recomputed");
                assert_eq!(gradients(&again), gradients(&stepper), "{what}: recomputed");
                let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-5;
                assert!(near(found.loss, expected.loss), "{what}");
                assert!(near(found.grad_norm, expected.grad_norm), "{what}");
                assert_eq!(found.n_units, n_rows.len(), "{what}");
                assert_eq!(found.n_tokens, expected.n_tokens, "{what}");
                assert_near(&what, &gradients(&stepper), &gradient, 1e-5);
            }
        }
        // The comparison says nothing if dropout was off.
        let (_, sure) = step(&without_dropout(), settings(), &units);
        assert!((sure.loss - expected.loss).abs() > 1e-3);
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let units = Units::new(&[1; 16]);
    let run = |threads| {
        let settings = StepSettings {
            shards: 4,
            workers: Workers::new(threads),
            max_grad_norm: Some(0.5),
            ..settings()
        };
        let mut stepper = Stepper::new(model(&config()), settings);
        for number in 0..5 {
            stepper.step(number, &units, 16.0, LEARNING_RATE).unwrap();
        }
        let moments = stepper.optimizer().state().moments;
        (weights(&stepper).to_bytes(), moments.to_bytes())
    };
    let one = run(1);
    for threads in [2, 3, 8] {
        assert!(run(threads) == one, "{threads} threads");
    }
}

#[test]
fn dropout_is_drawn_anew_each_step_and_again_when_a_step_is_repeated() {
    let units = Units::new(&[1; 4]);
    let loss = |number| {
        let mut stepper = Stepper::new(model(&config()), settings());
        stepper
            .step(number, &units, 4.0, LEARNING_RATE)
            .unwrap()
            .loss
    };
    assert_eq!(loss(0), loss(0));
    assert_ne!(loss(0), loss(1));
}

#[test]
fn a_step_on_nothing_leaves_everything_as_it_was() {
    let units = Units::new(&[1; 4]);
    let empty = Units::new(&[]);
    let settings = || StepSettings {
        micro_batch: Some(2),
        shards: 2,
        max_grad_norm: Some(1.0),
        ..settings()
    };
    let mut with = Stepper::new(model(&config()), settings());
    let mut without = Stepper::new(model(&config()), settings());
    for stepper in [&mut with, &mut without] {
        stepper.step(0, &units, 4.0, LEARNING_RATE).unwrap();
    }
    let before = weights(&with).to_bytes();
    for divisor in [4.0, 0.0] {
        let report = with.step(1, &empty, divisor, LEARNING_RATE).unwrap();
        let nothing = StepReport {
            loss: 0.0,
            grad_norm: 0.0,
            n_units: 0,
            n_tokens: 0,
        };
        assert_eq!(report, nothing);
    }
    assert!(weights(&with).to_bytes() == before);
    assert!(with.optimizer().state() == without.optimizer().state());
    for stepper in [&mut with, &mut without] {
        stepper.step(2, &units, 4.0, LEARNING_RATE).unwrap();
    }
    assert!(weights(&with).to_bytes() == weights(&without).to_bytes());
    assert!(weights(&with).to_bytes() != before);
}

#[test]
fn a_units_loss_is_the_mean_over_its_rows_and_the_sum_is_divided_once() {
    let units = Units::new(&[2, 1, 3]);
    let model_alone = without_dropout()
        .init(regard_ops::Key::new(1), &Device::flex())
        .unwrap();
    let mut expected = 0.0;
    for (unit, rows) in units.rows.iter().enumerate() {
        let mut losses = Vec::new();
        for row in rows {
            let input = text_input(&[row], 0, &Device::flex());
            let output = model_alone.forward(&input, &mut Context::evaluation());
            let log_probabilities: Vec<f32> =
                log_softmax(output, 2).into_data().try_into_vec().unwrap();
            losses.push(-f64::from(log_probabilities[Units::class(unit) as usize]));
        }
        expected += losses.iter().sum::<f64>() / losses.len() as f64;
    }
    for divisor in [1.0, 3.0, 7.5] {
        let mut stepper = Stepper::new(model(&without_dropout()), settings());
        let report = stepper.step(0, &units, divisor, LEARNING_RATE).unwrap();
        let relative = report.loss / (expected / divisor) - 1.0;
        assert!(relative.abs() < 1e-6, "{divisor}: {relative}");
    }
}

#[test]
fn a_row_that_stands_twice_in_its_unit_weighs_as_much_as_once() {
    let mut twice = Units::new(&[1, 1, 1]);
    let (once, report_once) = step(&without_dropout(), settings(), &twice);
    let again = twice.rows[1].clone();
    twice.rows[1].extend(again);
    let (both, report_both) = step(&without_dropout(), settings(), &twice);
    assert!((report_once.loss / report_both.loss - 1.0).abs() < 1e-6);
    assert_near("twice", &gradients(&both), &gradients(&once), 1e-5);
}

#[test]
fn clipping_scales_the_whole_gradient_to_the_norm_it_may_have() {
    let units = Units::new(&[1; 4]);
    let (free, report) = step(&config(), settings(), &units);
    let clipped = |most: f64| {
        let settings = StepSettings {
            max_grad_norm: Some(most),
            ..settings()
        };
        let (stepper, clipped) = step(&config(), settings, &units);
        assert_eq!(clipped, report, "the norm is told as it was");
        gradients(&stepper)
    };
    let mut expected = gradients(&free);
    assert_near(
        "far below",
        &clipped(report.grad_norm * 10.0),
        &expected,
        0.0,
    );
    let scale = (1.0 / 8.0) as f32;
    for tensor in expected.values_mut() {
        tensor.values.iter_mut().for_each(|value| *value *= scale);
    }
    assert_near("above", &clipped(report.grad_norm / 8.0), &expected, 1e-4);
}

#[test]
fn what_is_not_finite_stops_the_step_before_the_update() {
    for (spoil, what) in [
        (Spoil::Loss(5, f32::INFINITY), "loss"),
        (Spoil::Loss(0, f32::NEG_INFINITY), "loss"),
        (Spoil::Loss(8, f32::NAN), "loss"),
        (Spoil::Gradient, "gradient norm"),
    ] {
        for micro_batch in [None, Some(2)] {
            let settings = StepSettings {
                micro_batch,
                shards: 2,
                workers: Workers::new(2),
                max_grad_norm: Some(1.0),
                ..settings()
            };
            let mut stepper = Stepper::new(model(&config()), settings);
            let mut units = Units::new(&[1; 9]);
            stepper.step(0, &units, 9.0, LEARNING_RATE).unwrap();
            let before = weights(&stepper).to_bytes();
            let moments = stepper.optimizer().state();

            units.spoil = spoil;
            let problem = stepper.step(1, &units, 9.0, LEARNING_RATE).unwrap_err();
            let NotFinite { what: found, value } = problem;
            assert_eq!(found, what, "{spoil:?}");
            assert!(!value.is_finite(), "{spoil:?}");
            assert!(weights(&stepper).to_bytes() == before, "{spoil:?}");
            assert!(stepper.optimizer().state() == moments, "{spoil:?}");

            // Nothing of it stays behind.
            units.spoil = Spoil::Nothing;
            stepper.step(1, &units, 9.0, LEARNING_RATE).unwrap();
        }
    }
}

#[test]
fn eight_shards_on_eight_threads_never_wait_for_each_other() {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let settings = StepSettings {
            shards: 8,
            workers: Workers::new(8),
            max_grad_norm: Some(1.0),
            ..settings()
        };
        let units = Units::new(&[1; 16]);
        let mut stepper = Stepper::new(model(&config()), settings);
        let mut losses = Vec::new();
        for number in 0..300 {
            let report = stepper.step(number, &units, 16.0, LEARNING_RATE).unwrap();
            losses.push(report.loss);
        }
        tell.send(losses).unwrap();
    });
    let losses = told
        .recv_timeout(Duration::from_secs(120))
        .expect("300 steps of milliseconds end within two minutes");
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    assert!(mean(&losses[250..]) < 0.7 * mean(&losses[..50]));
}
