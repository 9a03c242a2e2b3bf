//! What the tests of this crate share: PyTorch's numbers, gradients by name, comparison, a tiny
//! model.

#![allow(dead_code, reason = "each test program uses its part")]

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use regard_model::weights::{HostTensor, ParameterPath, TensorFile, parameters};
use regard_model::{HeadConfig, Input, TransformerConfig};
use regard_ops::Key;
use serde::Deserialize;

/// The devices that the tests run on, by name, with gradients. Whoever compiles another backend in
/// adds it here, and every test of the matrix runs on it.
pub fn devices() -> Vec<(&'static str, Device)> {
    vec![
        ("flex", device()),
        (
            "flex with Burn's checkpointing",
            device().gradient_checkpointing(),
        ),
    ]
}

/// The CPU, with gradients.
pub fn device() -> Device {
    Device::flex().autodiff()
}

/// One case of a golden file.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    pub inputs: BTreeMap<String, HostTensor>,
    pub parameters: TensorFile,
    pub outputs: BTreeMap<String, HostTensor>,
    pub gradients: BTreeMap<String, HostTensor>,
}

/// The cases of a file in `tests/golden/`.
pub fn cases(file: &str) -> Vec<Case> {
    #[derive(Deserialize)]
    struct Raw {
        shape: Vec<usize>,
        data: Vec<f32>,
    }
    #[derive(Deserialize)]
    struct RawCase {
        name: String,
        inputs: BTreeMap<String, Raw>,
        parameters: BTreeMap<String, Raw>,
        outputs: BTreeMap<String, Raw>,
        gradients: BTreeMap<String, Raw>,
    }
    #[derive(Deserialize)]
    struct File {
        cases: Vec<RawCase>,
    }
    fn read(raw: BTreeMap<String, Raw>) -> BTreeMap<String, HostTensor> {
        raw.into_iter()
            .map(|(name, Raw { shape, data })| {
                let values = data;
                (name, HostTensor { shape, values })
            })
            .collect()
    }
    let path = format!("{}/../../tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the golden file is there");
    let file: File = serde_json::from_str(&text).expect("the golden file has the known format");
    assert!(!file.cases.is_empty(), "{path} has no case");
    file.cases
        .into_iter()
        .map(|raw| {
            let mut parameters = TensorFile::default();
            for (name, tensor) in read(raw.parameters) {
                parameters.insert(name, tensor);
            }
            Case {
                name: raw.name,
                inputs: read(raw.inputs),
                parameters,
                outputs: read(raw.outputs),
                gradients: read(raw.gradients),
            }
        })
        .collect()
}

/// The values as whole numbers.
pub fn integers(tensor: &HostTensor) -> Vec<usize> {
    tensor.values.iter().map(|value| *value as usize).collect()
}

/// A tensor with these values.
pub fn tensor<const D: usize>(host: &HostTensor, device: &Device) -> Tensor<D> {
    Tensor::from_data(
        TensorData::new(host.values.clone(), host.shape.clone()),
        device,
    )
}

/// The tensor's values.
pub fn host<const D: usize>(tensor: &Tensor<D>) -> HostTensor {
    HostTensor::from_tensor(tensor.clone(), false)
}

/// Every value within `1e-6 + relative · |expected|`.
#[track_caller]
pub fn assert_close(what: &str, found: &HostTensor, expected: &HostTensor, relative: f32) {
    assert_eq!(found.shape, expected.shape, "{what}: shape");
    for (i, (found, expected)) in found.values.iter().zip(&expected.values).enumerate() {
        let tolerance = 1e-6 + relative * expected.abs();
        assert!(
            (found - expected).abs() <= tolerance,
            "{what}[{i}]: found {found}, expected {expected}"
        );
    }
}

/// The gradient of every parameter, by name and in the layout of files; a missing one is a failure.
#[track_caller]
pub fn parameter_gradients<M: Module>(
    module: &M,
    gradients: &Gradients,
) -> BTreeMap<String, HostTensor> {
    let taken = some_gradients(module, gradients);
    for parameter in parameters(module) {
        let name = parameter.name;
        assert!(taken.contains_key(&name), "{name} has no gradient");
    }
    taken
}

/// The gradient of every parameter that has one, by name and in the layout of files.
pub fn some_gradients<M: Module>(
    module: &M,
    gradients: &Gradients,
) -> BTreeMap<String, HostTensor> {
    struct Take<'a> {
        path: ParameterPath,
        gradients: &'a Gradients,
        taken: BTreeMap<String, HostTensor>,
    }
    impl ModuleVisitor for Take<'_> {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.enter(name, container);
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let name = self.path.name();
            let Some(gradient) = param.val().grad(self.gradients) else {
                return;
            };
            let gradient = HostTensor::from_tensor(gradient, self.path.is_transposed());
            let twin = self.taken.insert(name.clone(), gradient);
            assert!(twin.is_none(), "two parameters are called {name}");
        }
    }
    let mut take = Take {
        path: ParameterPath::new(),
        gradients,
        taken: BTreeMap::new(),
    };
    module.visit(&mut take);
    take.taken
}

/// Entries of the tiny model's table.
pub const VOCAB: usize = 13;
/// The id that stands at filling.
pub const FILLING: usize = 0;
/// Positions of the tiny model.
pub const MAX_LENGTH: usize = 9;

/// A model that runs in a millisecond.
pub fn tiny(head: HeadConfig) -> TransformerConfig {
    let mut config = TransformerConfig::text(VOCAB, MAX_LENGTH, head)
        .with_d_model(8)
        .with_heads(2)
        .with_layers(2);
    config.d_ff = 12;
    config
}

/// Rows of ids, none of them [`FILLING`], of these lengths.
pub fn rows(lengths: &[usize]) -> Vec<Vec<usize>> {
    let key = Key::new(77).stream("ids");
    let row = |(row, length): (usize, &usize)| {
        let id = |t| 1 + key.fold(row as u64).below(t as u64, VOCAB as u64 - 1) as usize;
        (0..*length).map(id).collect()
    };
    lengths.iter().enumerate().map(row).collect()
}

/// The rows as a batch, each filled up to `len` with `filling`.
pub fn batch(rows: &[Vec<usize>], len: usize, filling: usize, device: &Device) -> Input {
    let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
    ids(rows, len, filling, device).with_lengths(&lengths)
}

/// The rows as a batch without a mask.
pub fn ids(rows: &[Vec<usize>], len: usize, filling: usize, device: &Device) -> Input {
    let ids: Vec<i32> = rows
        .iter()
        .flat_map(|row| (0..len).map(|t| *row.get(t).unwrap_or(&filling) as i32))
        .collect();
    let data = TensorData::new(ids, [rows.len(), len]);
    Input::text(Tensor::<2, Int>::from_data(data, device))
}

/// Numbers without a pattern, around zero; the first rows are the same whatever the number of rows.
pub fn probe<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    normals("probe", shape, device)
}

/// Standard normal numbers, the same for the same name.
pub fn normals<const D: usize>(name: &str, shape: [usize; D], device: &Device) -> Tensor<D> {
    let key = Key::new(5).stream(name);
    let n = shape.iter().product::<usize>() as u64;
    let values: Vec<f32> = (0..n).map(|i| key.normal(i) as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}
