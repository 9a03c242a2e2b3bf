//! The audit on a training that is right, and on every mistake.

use std::fmt::Write as _;

use burn::tensor::Device;
use regard_accounting::Adjacency;
use regard_bundle::Workers;

use super::*;
use crate::config::{self, Config};
use crate::privacy::audit::checks::Nobody;
use crate::privacy::mutant::Mutant;
use crate::privacy::step::n_trainable;
use crate::privacy::{Canaries, Clipping, Entropy, Mechanism};
use crate::run::stepper;
use crate::task;

/// A private configuration on little data of its own.
fn config(folder: &std::path::Path, more: &str) -> Config {
    let mut rows = String::from("label\ttext\tuser\n");
    for row in 0..160 {
        let (label, word) = [("ham", "see you"), ("spam", "win now")][row % 2];
        writeln!(rows, "{label}\t{word} {row}\tu{}", row / 2).unwrap();
    }
    let train = folder.join("train.tsv");
    std::fs::write(&train, rows).unwrap();
    let text = format!(
        "version = 1\ntask = \"text-classification\"\n[data]\ntrain = {train:?}\nvalid = 0.1\nlabels = [\"ham\", \"spam\"]\n[tokenizer]\nkind = \"bytes\"\nmax_length = 12\n[model]\nd_model = 8\nn_layers = 1\nn_heads = 2\nd_ff = 8\n[train]\nepochs = 4\nbatch_size = 16\n[privacy]\nnoise_multiplier = 1.1\ndelta = 1e-3\ndataset_size = 140\nmax_grad_norm = 0.8\n{more}"
    );
    config::parse::<&str>(&text, "c.toml".as_ref(), &[]).unwrap()
}

fn audit(config: &Config) -> ConfigAudit {
    let task = task::load(config).unwrap();
    // One thread: a mistake is made on the thread that asks for it.
    audit_config(config, &*task, &Device::flex(), Workers::new(1)).unwrap()
}

#[test]
fn a_training_that_is_right_passes_under_every_style_and_unit() {
    let folder = tempfile::tempdir().unwrap();
    for more in [
        "",
        "clipping = \"auto-s\"",
        "clipping = \"per-layer\"",
        "unit = \"user:user\"\nmax_rows_per_unit = 2",
        "adjacency = \"replace-one\"",
    ] {
        let found = audit(&config(folder.path(), more));
        assert!(found.passed(), "{more}: {found:#?}");
        assert_eq!(found.checks.len(), 9);
    }
}

#[test]
fn every_mistake_is_found_by_the_check_that_is_there_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "");
    for mutant in Mutant::ALL {
        let found = mutant.make(|| audit(&config));
        let failed: Vec<&str> = found
            .checks
            .iter()
            .filter(|check| !check.passed)
            .map(|check| check.name)
            .collect();
        let expected = match mutant {
            Mutant::NoClipping | Mutant::BoundTwice => "neighbours",
            Mutant::TooLittleNoise | Mutant::NoiseOverBatch => "noise",
            Mutant::NoiseReused => "fresh noise",
            Mutant::DivisorOfTheDraw => "divisor",
            Mutant::FixedBatch => "independent draws",
            Mutant::HalfTheRate => "accountant",
        };
        assert!(failed.contains(&expected), "{mutant:?}: {failed:?}");
    }
}

/// The lower bound of a run's canaries, and the upper bound that the run claims.
fn one_run(config: &Config) -> (f64, f64) {
    let task = task::load(config).unwrap();
    let mut stepper = stepper(config, &*task, &Device::flex(), Workers::new(1)).unwrap();
    let mechanism = Mechanism {
        sample_rate: 1.0,
        noise_multiplier: 4.0,
        clipping: Clipping::new(config::ClippingStyle::Flat, 0.8),
        divisor: 16.0,
        adjacency: Adjacency::AddRemove,
    };
    let (steps, delta) = (2, 1e-6);
    let mut entropy = Entropy::not_private(3);
    let n_numbers = n_trainable(stepper.model());
    let mut canaries = Canaries::plant(600, n_numbers, &mut entropy);
    for _ in 0..steps {
        let planted = Some(&mut canaries);
        stepper.private_step_among(&mechanism, &Nobody, &mut entropy, planted, 1e-3);
    }
    let claimed = mechanism.bound(steps, delta).unwrap().epsilon;
    (canaries.lower_bound(delta).epsilon_lower, claimed)
}

#[test]
fn canaries_of_one_run_refute_too_little_noise_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "");
    let (lower, claimed) = one_run(&config);
    assert!(lower <= claimed, "{lower} refutes {claimed}");
    let (lower, claimed) = Mutant::NoiseOverBatch.make(|| one_run(&config));
    assert!(lower > claimed + 1.0, "{lower} does not refute {claimed}");
}
