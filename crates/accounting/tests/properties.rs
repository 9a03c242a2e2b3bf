//! What must hold whatever the arguments: numbers, never NaN; more noise, fewer steps, a smaller
//! rate or a larger delta never cost more; PLD is never above RDP.

use proptest::prelude::*;
use regard_accounting::{
    Accountant, Adjacency, Bound, Event, Pld, Rdp, Settings, Target, gaussian_epsilon,
    noise_multiplier, sample_rate, steps,
};

/// How far two answers on different grids may lie apart.
const GRID: f64 = 3e-4;

fn pld(rate: f64, noise: f64, count: u64, delta: f64, adjacency: Adjacency) -> f64 {
    let event = Event::dp_sgd(rate, noise, count);
    Pld::new(&event, adjacency).unwrap().epsilon(delta).unwrap()
}

fn rdp(rate: f64, noise: f64, count: u64, delta: f64, adjacency: Adjacency) -> f64 {
    let event = Event::dp_sgd(rate, noise, count);
    Rdp::new(&event, adjacency).unwrap().epsilon(delta).unwrap()
}

/// A positive number whose logarithm is evenly spread.
fn spread(from: f64, to: f64) -> impl Strategy<Value = f64> {
    (from.ln()..to.ln()).prop_map(f64::exp)
}

fn adjacencies() -> impl Strategy<Value = Adjacency> {
    prop_oneof![Just(Adjacency::AddRemove), Just(Adjacency::ReplaceOne)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    #[test]
    fn epsilon_goes_the_way_of_each_argument(
        rate in spread(1e-4, 0.9),
        noise in spread(0.4, 20.0),
        count in spread(2.0, 500.0),
        delta in spread(1e-12, 0.1),
        more in 1.05f64..2.0,
        adjacency in adjacencies(),
    ) {
        let count = count as u64;
        let at = pld(rate, noise, count, delta, adjacency);
        let room = |epsilon: f64| epsilon * (1.0 + GRID) + 1e-7;
        prop_assert!(pld(rate, noise * more, count, delta, adjacency) <= room(at));
        prop_assert!(pld(rate / more, noise, count, delta, adjacency) <= room(at));
        prop_assert!(pld(rate, noise, count, delta * more, adjacency) <= room(at));
        prop_assert!(pld(rate, noise, count * 2, delta, adjacency) >= at * (1.0 - GRID) - 1e-7);
        prop_assert!(rdp(rate, noise, count, delta, adjacency) >= at);
        // What adjacency hides is hidden from a weaker one.
        let replaced = pld(rate, noise, count, delta, Adjacency::ReplaceOne);
        prop_assert!(room(replaced) >= pld(rate, noise, count, delta, Adjacency::AddRemove));
    }

    #[test]
    fn delta_is_the_inverse_of_epsilon(
        rate in spread(1e-3, 0.9),
        noise in spread(0.4, 20.0),
        count in spread(2.0, 500.0),
        delta in spread(1e-12, 0.1),
    ) {
        let event = Event::dp_sgd(rate, noise, count as u64);
        let pld = Pld::new(&event, Adjacency::AddRemove).unwrap();
        let epsilon = pld.epsilon(delta).unwrap();
        prop_assume!(epsilon > 1e-3);
        let (above, below) = (pld.delta(epsilon * 1.001).unwrap(), pld.delta(epsilon * 0.999).unwrap());
        prop_assert!(above <= delta && delta <= below, "{} {} {}", above, delta, below);
    }

    #[test]
    fn no_argument_gives_nonsense(
        rate in prop_oneof![spread(1e-9, 1.0), Just(1.0), Just(0.0), Just(1.0 - 1e-13)],
        noise in prop_oneof![spread(0.02, 1e3), Just(0.0), Just(f64::MIN_POSITIVE), Just(f64::MAX)],
        count in prop_oneof![0u64..3, 3u64..300],
        delta in prop_oneof![spread(1e-300, 0.99), Just(0.0), Just(f64::MIN_POSITIVE)],
        adjacency in adjacencies(),
    ) {
        let found = pld(rate, noise, count, delta, adjacency);
        let bound = rdp(rate, noise, count, delta, adjacency);
        prop_assert!(found >= 0.0, "{}", found);
        // Next to zero one is rounded up and the other down.
        prop_assert!(bound + f64::MIN_POSITIVE >= found * (1.0 - 1e-6), "{} {}", found, bound);
        let event = Event::dp_sgd(rate, noise, count);
        for accountant in [Accountant::Pld, Accountant::Rdp] {
            let delta = accountant.delta(&event, adjacency, 1.0).unwrap();
            prop_assert!((0.0..=1.0).contains(&delta), "{}", delta);
        }
    }

    #[test]
    fn arguments_out_of_range_are_refused_in_words(
        bad in prop_oneof![Just(f64::NAN), Just(-1.0), Just(f64::INFINITY), Just(1.5)],
    ) {
        let message = |event: Event| {
            Rdp::new(&event, Adjacency::AddRemove).map(drop).unwrap_err().to_string()
        };
        let found = format!("found {bad}");
        prop_assert!(message(Event::dp_sgd(bad, 1.0, 1)).starts_with("sample_rate: "));
        prop_assert!(message(Event::dp_sgd(bad, 1.0, 1)).ends_with(&found));
        if bad != 1.5 {
            prop_assert!(message(Event::dp_sgd(0.1, bad, 1)).starts_with("noise_multiplier: "));
        }
        let good = Event::dp_sgd(0.1, 1.0, 1);
        let error = Bound::of(&good, Adjacency::AddRemove, bad).unwrap_err();
        prop_assert!(error.to_string().starts_with("delta: "));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn solvers_stay_on_the_safe_side(
        rate in spread(1e-3, 0.5),
        epsilon in spread(0.1, 20.0),
        delta in spread(1e-10, 1e-3),
        count in 1u64..500,
        by_pld in any::<bool>(),
    ) {
        let settings = Settings {
            accountant: if by_pld { Accountant::Pld } else { Accountant::Rdp },
            adjacency: Adjacency::AddRemove,
        };
        let target = Target { epsilon, delta };
        let at = |rate, noise, count| {
            let event = Event::dp_sgd(rate, noise, count);
            settings.accountant.epsilon(&event, settings.adjacency, delta).unwrap()
        };
        let noise = noise_multiplier(target, rate, count, settings).unwrap();
        prop_assert!(at(rate, noise, count) <= epsilon);
        // And no more than needed.
        prop_assert!(noise <= 0.0101 || at(rate, noise * 0.999, count) > epsilon);
        let most = steps(target, rate, noise, settings).unwrap();
        prop_assert!(most >= count, "{} {}", most, count);
        prop_assert!(at(rate, noise, most) <= epsilon);
        let largest = sample_rate(target, noise, count, settings).unwrap();
        prop_assert!(largest >= rate * (1.0 - 2e-4), "{} {}", largest, rate);
        prop_assert!(at(largest, noise, count) <= epsilon);
    }
}

#[test]
fn ten_million_steps_and_the_smallest_deltas_have_an_answer() {
    for (rate, noise, delta) in [(1e-6, 0.2, 1e-12), (1e-3, 50.0, 1e-5)] {
        let found = pld(rate, noise, 10_000_000, delta, Adjacency::AddRemove);
        let bound = rdp(rate, noise, 10_000_000, delta, Adjacency::AddRemove);
        assert!(
            found > 0.0 && found <= bound,
            "{rate} {noise}: {found} {bound}"
        );
    }
}

#[test]
fn a_rate_of_nearly_one_is_nearly_a_gaussian() {
    for (noise, count, delta) in [(2.0, 10, 1e-5), (30.0, 1000, 1e-12)] {
        let exact = gaussian_epsilon(noise, count, delta).unwrap();
        assert_eq!(pld(1.0, noise, count, delta, Adjacency::AddRemove), exact);
        let nearly = pld(1.0 - 1e-12, noise, count, delta, Adjacency::AddRemove);
        assert!((nearly / exact - 1.0).abs() < 2e-5, "{nearly} {exact}");
        let twice = gaussian_epsilon(noise / 2.0, count, delta).unwrap();
        assert_eq!(pld(1.0, noise, count, delta, Adjacency::ReplaceOne), twice);
    }
}

#[test]
fn one_step_on_the_grid_is_the_closed_form() {
    // Two steps of which one does next to nothing: no closed form applies.
    for (rate, noise, delta) in [(0.01, 0.7, 1e-5), (0.3, 1.0, 1e-9), (1e-3, 0.4, 1e-6)] {
        let exact = pld(rate, noise, 1, delta, Adjacency::AddRemove);
        let nothing = Event::dp_sgd(1e-9, 1e6, 1);
        let event = Event::Composed(vec![Event::dp_sgd(rate, noise, 1), nothing]);
        let found = Pld::new(&event, Adjacency::AddRemove).unwrap();
        let found = found.epsilon(delta).unwrap();
        assert!(
            found >= exact && found <= exact * (1.0 + GRID),
            "{found} {exact}"
        );
    }
}

#[test]
fn zeroing_out_is_removing_or_replacing() {
    let event = Event::dp_sgd(0.05, 1.0, 100);
    let at = |event: &Event, adjacency| Pld::new(event, adjacency)?.epsilon(1e-5);
    assert_eq!(
        at(&event, Adjacency::ZeroOut),
        at(&event, Adjacency::AddRemove)
    );
    let fixed = Event::FixedSizeSampledGaussian {
        dataset_size: 1000,
        batch_size: 50,
        noise_multiplier: 1.0,
    };
    assert_eq!(
        at(&fixed, Adjacency::ZeroOut),
        at(&fixed, Adjacency::ReplaceOne)
    );
    assert_eq!(
        at(&fixed, Adjacency::AddRemove).unwrap_err().to_string(),
        "adjacency: a batch of fixed size has no bound under add-remove: the share that is drawn \
         depends on the number of units, which differs; choose zero-out or replace-one, or sample \
         by Poisson"
    );
}

#[test]
fn what_cannot_be_is_said() {
    let message = |event: Event| {
        let accountant = Pld::new(&event, Adjacency::ReplaceOne);
        accountant.map(drop).unwrap_err().to_string()
    };
    let fixed = |batch_size| Event::FixedSizeSampledGaussian {
        dataset_size: 10,
        batch_size,
        noise_multiplier: 1.0,
    };
    assert_eq!(
        message(fixed(11)),
        "batch_size: expected 0 to 10 (dataset_size), found 11"
    );
    let truncated = Event::TruncatedPoissonSampledGaussian {
        dataset_size: 10,
        sample_rate: 0.1,
        max_batch_size: 0,
        noise_multiplier: 1.0,
    };
    assert!(message(truncated).starts_with("max_batch_size: expected 1 or more"));
    let many = Event::dp_sgd(0.1, 1.0, u64::MAX).repeated(2);
    assert!(message(many).starts_with("steps: expected at most 18446744073709551615"));
    let target = Target {
        epsilon: 1.0,
        delta: 0.0,
    };
    let error = noise_multiplier(target, 0.1, 10, Settings::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "noise_multiplier: no value from 0.01 to 1000000000 keeps epsilon 1 at delta 0"
    );
}

#[test]
fn large_deltas_are_as_tight_as_small_ones() {
    for delta in [0.05, 0.1, 0.13] {
        let found = pld(0.1, 0.8, 8, delta, Adjacency::AddRemove);
        let event = Event::dp_sgd(0.1, 0.8, 8);
        let pld = Pld::new(&event, Adjacency::AddRemove).unwrap();
        assert!(pld.delta(found * 0.99).unwrap() > delta, "{delta}: {found}");
    }
}
