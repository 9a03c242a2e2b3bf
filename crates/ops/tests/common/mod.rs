//! What the tests of this crate share.

#![allow(dead_code, reason = "each test program uses its part")]

use burn::tensor::{Device, Tensor, TensorData};
use regard_ops::{Hook, Key, Operation, Site};

/// The CPU, with gradients.
pub fn device() -> Device {
    Device::flex().autodiff()
}

/// Standard normal numbers, the same for the same name.
pub fn normals<const D: usize>(name: &str, shape: [usize; D], device: &Device) -> Tensor<D> {
    let key = Key::new(21).stream(name);
    let n = shape.iter().product::<usize>() as u64;
    let values: Vec<f32> = (0..n).map(|i| key.normal(i) as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

pub fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    let data = tensor.clone().into_data();
    data.try_into_vec_as::<f64>().expect("floats")
}

/// Every value within `tolerance` of the expected one, relative to the largest.
#[track_caller]
pub fn assert_near(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    let largest = expected.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance * largest + 1e-9,
            "{what}[{i}]: found {found}, expected {expected}"
        );
    }
}

/// Keeps the kind of each operation with its place, and the outputs.
#[derive(Default)]
pub struct Seen {
    pub operations: Vec<String>,
    pub outputs: Vec<Vec<f64>>,
    pub inputs: Vec<Vec<f64>>,
}

impl Hook for Seen {
    fn observes(&self) -> bool {
        true
    }

    fn output(&mut self, site: Site<'_>, operation: Operation<'_>, output: Tensor<3>) -> Tensor<3> {
        let (kind, input) = match operation {
            Operation::Linear { input, .. } => ("linear", values(input)),
            Operation::Lookup { ids, .. } => ("lookup", {
                let ids = ids.clone().into_data();
                ids.try_into_vec_as::<f64>().expect("numbers")
            }),
            Operation::Rows { .. } => ("rows", Vec::new()),
            Operation::ScaleShift { normalized, .. } => ("scale-shift", values(normalized)),
            Operation::Vector { .. } => ("vector", Vec::new()),
            other => panic!("an operation that these tests do not know: {other:?}"),
        };
        self.operations
            .push(format!("{site} ({kind}, {:?})", site.pass));
        self.outputs.push(values(&output));
        self.inputs.push(input);
        output
    }
}
