//! Metrics of classification against scikit-learn and a naive twin (`tests/golden/classification.py`).

use regard_trainer::metrics::ClassificationMetrics;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    labels: Vec<usize>,
    probabilities: Vec<Vec<f64>>,
    mcc: f64,
    brier: f64,
    ece: f64,
    loss: f64,
}

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[test]
fn correlation_score_and_calibration_are_those_of_python() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/classification.json"
    );
    let file: File = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(file.cases.len(), 2);
    for case in file.cases {
        let mut metrics = ClassificationMetrics::new(case.probabilities[0].len());
        for (row, label) in case.probabilities.iter().zip(&case.labels) {
            metrics.add(row, *label).unwrap();
        }
        let report = metrics.report().unwrap();
        for (name, found, expected) in [
            ("mcc", report.mcc, case.mcc),
            ("brier", report.brier, case.brier),
            ("ece", report.ece, case.ece),
            ("loss", report.loss, case.loss),
        ] {
            assert!(
                (found - expected).abs() < 1e-12,
                "{} of {}: {found} for {expected}",
                name,
                case.name
            );
        }
        let counted: u64 = report.calibration.iter().map(|bin| bin.n).sum();
        assert_eq!(counted, report.n);
    }
}
