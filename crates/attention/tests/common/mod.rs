//! What the tests of this crate share: PyTorch's numbers, parameters by name, comparison.

#![allow(dead_code, reason = "each test program uses its part")]

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use serde::Deserialize;

/// The CPU, with gradients.
pub fn device() -> Device {
    Device::flex().autodiff()
}

/// A tensor on the host, as the golden files have it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Host {
    pub shape: Vec<usize>,
    pub data: Vec<f32>,
}

pub type Tensors = BTreeMap<String, Host>;

/// One case of a golden file.
#[derive(Debug, Deserialize)]
pub struct Case {
    pub name: String,
    pub inputs: Tensors,
    pub parameters: Tensors,
    pub outputs: Tensors,
    pub gradients: Tensors,
}

/// The cases of a file in `tests/golden/`.
pub fn cases(file: &str) -> Vec<Case> {
    #[derive(Deserialize)]
    struct File {
        cases: Vec<Case>,
    }
    let path = format!("{}/../../tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the golden file is there");
    let file: File = serde_json::from_str(&text).expect("the golden file has the known format");
    assert!(!file.cases.is_empty(), "{path} has no case");
    file.cases
}

impl Host {
    pub fn from_tensor<const D: usize>(tensor: Tensor<D>) -> Self {
        let shape = tensor.dims().to_vec();
        let data = tensor.into_data().try_into_vec_as().expect("floats");
        Self { shape, data }
    }

    pub fn tensor<const D: usize>(&self, device: &Device) -> Tensor<D> {
        let data = TensorData::new(self.data.clone(), self.shape.clone());
        Tensor::from_data(data, device)
    }

    /// A leaf that keeps its gradient.
    pub fn leaf<const D: usize>(&self, device: &Device) -> Tensor<D> {
        self.tensor(device).require_grad()
    }

    pub fn integers(&self) -> Vec<usize> {
        self.data.iter().map(|value| *value as usize).collect()
    }

    /// The matrix with its two dimensions swapped.
    pub fn transposed(&self) -> Self {
        let [rows, columns] = self.shape[..] else {
            panic!("a matrix, found {:?}", self.shape);
        };
        let data = (0..columns)
            .flat_map(|column| (0..rows).map(move |row| self.data[row * columns + column]))
            .collect();
        let shape = vec![columns, rows];
        Self { shape, data }
    }
}

/// Every value within `1e-6 + 1e-5 · |expected|`: some ten times the rounding of f32.
#[track_caller]
pub fn assert_close(what: &str, found: &Host, expected: &Host) {
    assert_eq!(found.shape, expected.shape, "{what}: shape");
    for (i, (found, expected)) in found.data.iter().zip(&expected.data).enumerate() {
        let tolerance = 1e-6 + 1e-5 * expected.abs();
        assert!(
            (found - expected).abs() <= tolerance,
            "{what}[{i}]: found {found}, expected {expected}"
        );
    }
}

/// Puts `parameters`, named and laid out as in files (`[d_out, d_in]`), into `module`.
pub fn with_parameters<M: Module>(module: M, parameters: &Tensors) -> M {
    struct Put<'a> {
        path: Vec<String>,
        left: BTreeMap<&'a str, &'a Host>,
    }
    impl ModuleMapper for Put<'_> {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let name = self.path.join(".");
            let host = self.left.remove(name.as_str());
            let host = host.unwrap_or_else(|| panic!("no values for {name}"));
            let host = if D == 2 {
                host.transposed()
            } else {
                host.clone()
            };
            param.map(|old| {
                assert_eq!(old.dims().to_vec(), host.shape, "{name}");
                host.leaf(&old.device())
            })
        }
    }
    let mut put = Put {
        path: Vec::new(),
        left: parameters
            .iter()
            .map(|(name, host)| (name.as_str(), host))
            .collect(),
    };
    let module = module.map(&mut put);
    assert!(
        put.left.is_empty(),
        "not in the module: {:?}",
        put.left.keys()
    );
    module
}

/// The gradient of every parameter, named and laid out as in files; a missing one is a failure.
pub fn parameter_gradients<M: Module>(module: &M, gradients: &Gradients) -> Tensors {
    struct Take<'a> {
        path: Vec<String>,
        gradients: &'a Gradients,
        taken: Tensors,
    }
    impl ModuleVisitor for Take<'_> {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let name = self.path.join(".");
            let gradient = param.val().grad(self.gradients);
            let gradient = gradient.unwrap_or_else(|| panic!("{name} has no gradient"));
            let host = Host::from_tensor(gradient);
            let host = if D == 2 { host.transposed() } else { host };
            self.taken.insert(name, host);
        }
    }
    let mut take = Take {
        path: Vec::new(),
        gradients,
        taken: Tensors::new(),
    };
    module.visit(&mut take);
    take.taken
}
