//! The time of an epsilon and of a noise multiplier. `dp_accounting.py` beside this file times the
//! same questions with dp_accounting.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use regard_accounting::{Accountant, Adjacency, Event, Settings, Target, noise_multiplier};

/// Sample rate, noise multiplier, steps, delta.
const TRAININGS: [(&str, f64, f64, u64, f64); 4] = [
    ("1000 steps", 0.01, 1.0, 1000, 1e-5),
    ("14062 steps", 256.0 / 60_000.0, 1.1, 14_062, 1e-5),
    ("100000 steps", 0.001, 1.0, 100_000, 1e-5),
    ("100000 steps, delta 1e-10", 0.001, 1.0, 100_000, 1e-10),
];

fn epsilon(criterion: &mut Criterion) {
    for accountant in [Accountant::Rdp, Accountant::Pld] {
        let mut group = criterion.benchmark_group(format!("epsilon by {accountant}"));
        group.sample_size(10);
        for (name, rate, noise, steps, delta) in TRAININGS {
            let event = Event::dp_sgd(rate, noise, steps);
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    accountant.epsilon(black_box(&event), Adjacency::AddRemove, black_box(delta))
                });
            });
        }
        group.finish();
    }
}

fn noise(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("noise by pld");
    group.sample_size(10);
    for (name, rate, _, steps, delta) in TRAININGS {
        let target = Target {
            epsilon: 3.0,
            delta,
        };
        group.bench_function(name, |bencher| {
            bencher.iter(|| noise_multiplier(black_box(target), rate, steps, Settings::default()));
        });
    }
    group.finish();
}

criterion_group!(benches, epsilon, noise);
criterion_main!(benches);
