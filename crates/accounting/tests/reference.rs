//! Every row of `tests/golden/privacy_accounting.json`: values by Opacus, dp_accounting,
//! prv_accountant and mpmath, under the tolerances that the file states.

use regard_accounting::{
    Accountant, Adjacency, Event, Pld, Rdp, Settings, Target, gaussian_epsilon, noise_multiplier,
};
use serde_json::Value;

/// The orders that Opacus uses.
fn opacus_orders() -> Vec<f64> {
    let fractional = (1..100).map(|x| 1.0 + f64::from(x) / 10.0);
    fractional.chain((12..64).map(f64::from)).collect()
}

/// The rows of some kinds, of which there must be `count`.
fn rows(kinds: &[&str], count: usize) -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/privacy_accounting.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let mut file: Value = serde_json::from_str(&text).unwrap();
    let Value::Array(rows) = file["rows"].take() else {
        panic!("no rows in {path}");
    };
    let rows: Vec<Value> = rows
        .into_iter()
        .filter(|row| kinds.contains(&row["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(rows.len(), count, "{kinds:?}");
    rows
}

fn number(row: &Value, key: &str) -> f64 {
    row[key]
        .as_f64()
        .unwrap_or_else(|| panic!("{key} of {}", row["id"]))
}

fn count(row: &Value, key: &str) -> u64 {
    row[key]
        .as_u64()
        .unwrap_or_else(|| panic!("{key} of {}", row["id"]))
}

fn dp_sgd(row: &Value) -> Event {
    Event::dp_sgd(
        number(row, "q"),
        number(row, "noise_multiplier"),
        count(row, "steps"),
    )
}

fn event(row: &Value) -> Event {
    match row["phases"].as_array() {
        Some(phases) => Event::Composed(phases.iter().map(dp_sgd).collect()),
        None => dp_sgd(row),
    }
}

fn adjacency(row: &Value) -> Adjacency {
    match row["adjacency"].as_str() {
        Some("add_or_remove_one") => Adjacency::AddRemove,
        Some("replace_one") => Adjacency::ReplaceOne,
        other => panic!("adjacency {other:?} of {}", row["id"]),
    }
}

/// The largest of the lower bounds that a row has.
fn lower_bound(row: &Value) -> f64 {
    [
        &row["exact"]["epsilon"],
        &row["pld_lower_optimistic"]["epsilon"],
        &row["prv"]["prv_accountant"]["lower"],
    ]
    .into_iter()
    .filter_map(Value::as_f64)
    .fold(0.0, f64::max)
}

fn close(found: f64, expected: f64, relative: f64) -> bool {
    (found / expected - 1.0).abs() <= relative
}

#[test]
fn divergences_are_those_of_fifty_digits() {
    for row in rows(&["rdp_at_order"], 13) {
        let rdp = Rdp::new(&dp_sgd(&row), Adjacency::AddRemove).unwrap();
        let found = rdp.divergence(number(&row, "alpha")).unwrap();
        let expected = number(&row, "rdp_mpmath_50dps");
        assert!(close(found, expected, 1e-9), "{row}: {found}");
    }
}

#[test]
fn rdp_on_the_grid_of_opacus_is_opacus() {
    for row in rows(&["epsilon", "heterogeneous"], 58) {
        let rdp = Rdp::new(&event(&row), adjacency(&row)).unwrap();
        let searched = rdp.epsilon(number(&row, "delta")).unwrap();
        let gridded = rdp.with_orders(&opacus_orders()).unwrap();
        let found = gridded.epsilon(number(&row, "delta")).unwrap();
        let expected = number(&row["rdp_opacus_grid"], "epsilon");
        assert!(close(found, expected, 1e-6), "{row}: {found}");
        assert!(searched <= found * (1.0 + 1e-6), "{row}: {searched}");
        assert!(searched >= lower_bound(&row), "{row}: {searched}");
    }
}

#[test]
fn pld_lies_between_the_bounds() {
    for row in rows(&["epsilon", "heterogeneous", "epsilon_replace_one"], 62) {
        let pld = Pld::new(&event(&row), adjacency(&row)).unwrap();
        let found = pld.epsilon(number(&row, "delta")).unwrap();
        let upper = number(&row["pld_upper_fine"], "epsilon");
        assert!(found >= lower_bound(&row), "{row}: {found}");
        assert!(found <= upper * (1.0 + 1e-3) + 1e-3, "{row}: {found}");
        // As tight as the best of them, not merely within the tolerance.
        assert!(close(found, upper, 1e-3), "{row}: {found}");
        if let Some(exact) = row["exact"]["epsilon"].as_f64() {
            assert!(close(found, exact, 1e-6), "{row}: {found}");
        }
        let rdp = Rdp::new(&event(&row), adjacency(&row)).unwrap();
        assert!(
            found <= rdp.epsilon(number(&row, "delta")).unwrap(),
            "{row}"
        );
    }
}

#[test]
fn deltas_are_those_of_the_fine_grid() {
    for row in rows(&["delta_for_epsilon"], 5) {
        let pld = Pld::new(&event(&row), adjacency(&row)).unwrap();
        let found = pld.delta(number(&row, "epsilon")).unwrap();
        let expected = number(&row["pld_upper_fine"], "delta");
        assert!(found <= expected * (1.0 + 1e-3), "{row}: {found}");
        assert!(found >= expected * (1.0 - 1e-3), "{row}: {found}");
        let by_rdp = Rdp::new(&event(&row), adjacency(&row)).unwrap();
        let by_rdp = by_rdp.delta(number(&row, "epsilon")).unwrap();
        let expected = number(&row["rdp_fine_grid"], "delta");
        assert!(by_rdp >= found, "{row}: {by_rdp}");
        assert!(by_rdp <= expected * (1.0 + 1e-3), "{row}: {by_rdp}");
    }
}

#[test]
fn a_fixed_size_is_no_dearer_than_by_rdp() {
    for row in rows(&["epsilon_fixed_size_without_replacement"], 2) {
        let event = Event::FixedSizeSampledGaussian {
            dataset_size: count(&row, "dataset_size"),
            batch_size: count(&row, "batch_size"),
            // The file divides by the 2C by which a sum moves, Regard by C.
            noise_multiplier: 2.0 * number(&row, "noise_multiplier"),
        };
        let event = event.repeated(count(&row, "steps"));
        let bound = number(&row["rdp_dp_accounting_default_grid"], "epsilon");
        let delta = number(&row, "delta");
        let pld = Pld::new(&event, adjacency(&row)).unwrap();
        let rdp = Rdp::new(&event, adjacency(&row)).unwrap();
        let (pld, rdp) = (pld.epsilon(delta).unwrap(), rdp.epsilon(delta).unwrap());
        assert!(pld > 0.0 && pld <= rdp, "{row}: {pld} {rdp}");
        assert!(rdp <= bound * (1.0 + 1e-6), "{row}: {rdp}");
    }
}

#[test]
fn truncation_costs_something_and_no_more_than_known() {
    for row in rows(&["epsilon_truncated_poisson"], 2) {
        let event = Event::TruncatedPoissonSampledGaussian {
            dataset_size: count(&row, "dataset_size"),
            sample_rate: number(&row, "q"),
            max_batch_size: count(&row, "truncated_batch_size"),
            noise_multiplier: number(&row, "noise_multiplier"),
        };
        let event = event.repeated(count(&row, "steps"));
        let delta = number(&row, "delta");
        let pld = Pld::new(&event, adjacency(&row))
            .unwrap()
            .epsilon(delta)
            .unwrap();
        let rdp = Rdp::new(&event, adjacency(&row))
            .unwrap()
            .epsilon(delta)
            .unwrap();
        let upper = number(&row["pld_upper"], "epsilon");
        assert!(pld <= upper, "{row}: {pld}");
        assert!(pld >= number(&row, "untruncated_pld"), "{row}: {pld}");
        assert!(pld <= rdp, "{row}: {pld} {rdp}");
    }
}

#[test]
fn the_noise_found_keeps_the_target_and_is_the_least() {
    for row in rows(&["noise_multiplier_for_epsilon"], 13) {
        let target = Target {
            epsilon: number(&row, "target_epsilon"),
            delta: number(&row, "delta"),
        };
        let (rate, steps) = (number(&row, "q"), count(&row, "steps"));
        for accountant in [Accountant::Pld, Accountant::Rdp] {
            let settings = Settings {
                accountant,
                adjacency: adjacency(&row),
            };
            let found = noise_multiplier(target, rate, steps, settings).unwrap();
            let expected = match accountant {
                Accountant::Pld => number(&row["pld"], "noise_multiplier"),
                _ => number(&row["rdp_opacus_grid"], "noise_multiplier"),
            };
            assert!(found <= expected * (1.0 + 5e-3), "{row}: {found}");
            assert!(found >= expected * (1.0 - 1e-3), "{row}: {found}");
            let epsilon = accountant
                .epsilon(
                    &Event::dp_sgd(rate, found, steps),
                    settings.adjacency,
                    target.delta,
                )
                .unwrap();
            assert!(epsilon <= target.epsilon, "{row}: {epsilon}");
        }
        if let Some(exact) = row["exact"]["noise_multiplier"].as_f64() {
            let at = |noise| gaussian_epsilon(noise, steps, target.delta).unwrap();
            assert!(close(at(exact), target.epsilon, 1e-6), "{row}");
        }
    }
}

#[test]
fn the_edges_are_what_they_mean() {
    for row in rows(&["edge"], 5) {
        let pld = Pld::new(&event(&row), adjacency(&row)).unwrap();
        let found = pld.epsilon(number(&row, "delta")).unwrap();
        let expected = row["epsilon_expected"].as_f64().unwrap_or(f64::INFINITY);
        assert_eq!(found, expected, "{row}");
        let rdp = Rdp::new(&event(&row), adjacency(&row)).unwrap();
        assert!(
            rdp.epsilon(number(&row, "delta")).unwrap() >= expected,
            "{row}"
        );
    }
}
