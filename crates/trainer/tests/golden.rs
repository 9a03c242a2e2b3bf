//! The optimiser and the loss against PyTorch's numbers (`tests/golden/optimizer.py`). Clipping stands
//! beside its function in `gradients.rs`.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use regard_model::weights::{HostTensor, TensorFile, apply, collect, parameters};
use regard_ops::Key;
use regard_ops::primitive::{LinearConfig, TableConfig};
use regard_trainer::layer_decay::LayerDecay;
use regard_trainer::optimizer::{NamedOptimizer, OptimizerSettings, UpdateRule};
use regard_trainer::task::cross_entropy;
use serde::Deserialize;

#[derive(Deserialize)]
struct Raw {
    shape: Vec<usize>,
    data: Vec<f32>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    inputs: BTreeMap<String, Raw>,
    #[serde(default)]
    parameters: BTreeMap<String, Raw>,
    outputs: BTreeMap<String, Raw>,
    #[serde(default)]
    gradients: BTreeMap<String, Raw>,
}

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

fn case(name: &str) -> Case {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/optimizer.json"
    );
    let file: File = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut cases = file.cases.into_iter();
    cases.find(|case| case.name == name).unwrap()
}

impl Case {
    fn number(&self, name: &str) -> f64 {
        f64::from(self.inputs[name].data[0])
    }
}

impl Raw {
    fn host(&self) -> HostTensor {
        HostTensor {
            shape: self.shape.clone(),
            values: self.data.clone(),
        }
    }
}

/// A few units in the last place of f32.
const EXACT: f32 = 1e-6;
/// Burn's decay rates are f32, PyTorch's f64, so that `1 - 0.999` is 1.3e-5 off; the correction of
/// the bias has the same factor, and the weights agree exactly all the same.
const SECOND_MOMENT: f32 = 2e-5;

#[track_caller]
fn assert_close(what: &str, found: &HostTensor, expected: &Raw, relative: f32) {
    assert_eq!(found.shape, expected.shape, "{what}: shape");
    for (found, expected) in found.values.iter().zip(&expected.data) {
        let tolerance = 1e-12 + relative * expected.abs();
        assert!(
            (found - expected).abs() <= tolerance,
            "{what}: found {found}, expected {expected}"
        );
    }
}

fn settings(case: &Case, weight_decay: f64) -> OptimizerSettings {
    let given = |name: &str, otherwise: f64| match case.inputs.contains_key(name) {
        true => case.number(name),
        false => otherwise,
    };
    let rule = match case.inputs.contains_key("momentum") {
        true => UpdateRule::Sgd {
            momentum: case.number("momentum"),
        },
        false => UpdateRule::AdamW,
    };
    OptimizerSettings {
        rule,
        betas: [given("beta_1", 0.9), given("beta_2", 0.999)],
        epsilon: given("epsilon", 1e-8),
        weight_decay,
        layer_decay: LayerDecay::none(),
    }
}

/// Makes the case's three steps on `module`, whose one parameter is called `weight`. Between steps
/// the optimiser is saved and loaded by another one, as a continued run does.
fn check_steps<M: Module>(case: &Case, mut module: M, weight_decay: f64) {
    let device = Device::flex();
    let settings = settings(case, weight_decay);
    // What the optimiser keeps, as it calls it and as PyTorch does, and how near they are.
    let kept = match settings.rule {
        UpdateRule::Sgd { .. } => vec![("moment_1", "velocity", EXACT)],
        _ => vec![
            ("moment_1", "first_moment", EXACT),
            ("moment_2", "second_moment", SECOND_MOMENT),
        ],
    };
    let mut file = TensorFile::default();
    file.insert("weight", case.parameters["weight"].host());
    module = apply(module, file, "the golden file").unwrap();
    let parameter = parameters(&module).remove(0);
    let learning_rate = case.number("learning_rate");
    let mut optimizer = NamedOptimizer::new(&settings);
    for step in 1..=3_u64 {
        let gradient = case.inputs[&format!("gradient.{step}")].host();
        let mut shape = gradient.shape.clone();
        if parameter.decayed {
            shape.reverse();
        }
        let like = Tensor::<2>::zeros(shape, &device);
        let mut gradients = GradientsParams::new();
        // Twice the gradient, halved by the scale.
        let gradient = gradient
            .into_tensor(&like, parameter.decayed)
            .mul_scalar(2.0);
        gradients.register::<2>(parameter.id, gradient);
        module = optimizer.step(module, gradients, learning_rate, 0.5);

        let what = format!("{} after step {step}", case.name);
        let expected = |name: &str| &case.outputs[&format!("{name}.{step}")];
        let weights = collect(&module);
        assert_close(
            &what,
            weights.get("weight").unwrap(),
            expected("weight"),
            EXACT,
        );
        let state = optimizer.state();
        for (ours, theirs, relative) in &kept {
            let found = state.moments.get(&format!("{ours}.weight")).unwrap();
            assert_close(&what, found, expected(theirs), *relative);
        }
        assert_eq!(state.moments.names().count(), kept.len());
        assert_eq!(state.updates, BTreeMap::from([("weight".to_owned(), step)]));

        optimizer = NamedOptimizer::new(&settings);
        optimizer.load(&module, state, &device).unwrap();
    }
}

#[test]
fn a_linear_layer_is_updated_as_pytorch_does_with_decay_and_without() {
    let device = Device::flex().autodiff();
    for name in ["adamw", "adamw-without-decay", "sgd", "sgd-without-decay"] {
        let case = case(name);
        let layer = LinearConfig::new(3, 2)
            .with_bias(false)
            .init(Key::new(0), &device);
        let decay = case.number("weight_decay");
        assert_eq!(decay > 0.0, !name.ends_with("without-decay"));
        check_steps(&case, layer, decay);
    }
}

#[test]
fn a_table_is_never_decayed() {
    let device = Device::flex().autodiff();
    for name in ["adamw-without-decay", "sgd-without-decay"] {
        let table = TableConfig::new(2, 3).init(Key::new(0), &device);
        check_steps(&case(name), table, 0.5);
    }
}

#[test]
fn a_state_that_is_not_the_models_is_refused_with_every_problem() {
    let device = Device::flex();
    let layer = LinearConfig::new(3, 2).init(Key::new(0), &device.clone().autodiff());
    let settings = OptimizerSettings {
        rule: UpdateRule::AdamW,
        betas: [0.9, 0.999],
        epsilon: 1e-8,
        weight_decay: 0.0,
        layer_decay: LayerDecay::none(),
    };
    let mut optimizer = NamedOptimizer::new(&settings);
    let mut state = optimizer.state();
    let zeros = |shape: &[usize]| HostTensor {
        shape: shape.to_vec(),
        values: vec![0.0; shape.iter().product()],
    };
    state.moments.insert("moment_1.bias", zeros(&[2]));
    // As it lies in memory, not in files.
    state.moments.insert("moment_1.weight", zeros(&[3, 2]));
    state.moments.insert("moment_2.weight", zeros(&[3, 2]));
    state.moments.insert("moment_1.other", zeros(&[1]));
    state.updates.insert("weight".to_owned(), 1);
    state.updates.insert("another".to_owned(), 1);
    let problems = optimizer.load(&layer, state, &device).unwrap_err();
    assert_eq!(
        problems,
        [
            "the moments of weight have the shapes [3, 2] and [3, 2], expected [2, 3]",
            "bias has only a part of its moments",
            "moment_1.other belongs to no parameter of the model",
            "another belongs to no parameter of the model",
        ]
    );
    assert_eq!(optimizer.state(), Default::default());
}

#[test]
fn cross_entropy_and_its_gradient_are_pytorchs_with_smoothing_and_without() {
    for name in ["cross-entropy", "cross-entropy-smoothed"] {
        let case = case(name);
        let smoothing = case.number("label_smoothing");
        assert_eq!(smoothing > 0.0, name == "cross-entropy-smoothed");
        let logits = &case.inputs["logits"];
        let [rows, n_classes] = logits.shape[..] else {
            panic!("a matrix");
        };
        let data = TensorData::new(logits.data.clone(), [rows, 1, n_classes]);
        let logits = Tensor::<3>::from_data(data, &Device::flex().autodiff()).require_grad();
        let labels = &case.inputs["labels"].data;
        let classes: Vec<u32> = labels.iter().map(|label| *label as u32).collect();

        let losses = cross_entropy(logits.clone(), &classes, smoothing);
        let found = HostTensor::from_tensor(losses.clone(), false);
        assert_close(name, &found, &case.outputs["loss_per_row"], EXACT);

        let gradients = losses.mean().backward();
        let gradient = logits.grad(&gradients).unwrap().reshape([rows, n_classes]);
        let found = HostTensor::from_tensor::<2>(gradient, false);
        assert_eq!(found.shape, case.gradients["logits"].shape);
        for (found, expected) in found.values.iter().zip(&case.gradients["logits"].data) {
            // The gradient is a difference of numbers near 1.
            assert!(
                (found - expected).abs() < 1e-7,
                "{name}: {found}, {expected}"
            );
        }
    }
}

/// `v = 0.9 v + g`, `w -= 0.1 v` after a decay of `0.1 · 0.5`, through a save after every step.
#[test]
fn descent_with_momentum_is_its_formula_in_every_process() {
    let device = Device::flex();
    let settings = OptimizerSettings {
        rule: UpdateRule::Sgd { momentum: 0.9 },
        betas: [0.9, 0.999],
        epsilon: 1e-8,
        weight_decay: 0.5,
        layer_decay: LayerDecay::none(),
    };
    let mut layer = LinearConfig::new(3, 2).init(Key::new(0), &device.clone().autodiff());
    let values = |layer: &regard_ops::primitive::Linear| -> Vec<f32> {
        let data = layer.weight().val().into_data();
        data.try_into_vec_as::<f32>().unwrap()
    };
    let mut expected = values(&layer);
    let mut velocity = [0.0_f32; 6];
    let mut optimizer = NamedOptimizer::new(&settings);
    for step in 1..=3 {
        let gradient: Vec<f32> = (0..6).map(|i| (i * step) as f32 - 2.0).collect();
        for ((weight, v), g) in expected.iter_mut().zip(&mut velocity).zip(&gradient) {
            *v = 0.9 * *v + g;
            *weight = *weight * (1.0 - 0.1 * 0.5) - 0.1 * *v;
        }
        let mut gradients = GradientsParams::new();
        let data = TensorData::new(gradient, [3, 2]);
        gradients.register(layer.weight().id, Tensor::<2>::from_data(data, &device));
        layer = optimizer.step(layer, gradients, 0.1, 1.0);
        for (found, expected) in values(&layer).iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5, "{found}, {expected}");
        }
        let state = optimizer.state();
        optimizer = NamedOptimizer::new(&settings);
        optimizer.load(&layer, state.clone(), &device).unwrap();
        assert_eq!(optimizer.state(), state);
        let adamw = OptimizerSettings {
            rule: UpdateRule::AdamW,
            ..settings
        };
        let refused = NamedOptimizer::new(&adamw).load(&layer, state, &device);
        assert!(refused.unwrap_err()[0].contains("has only a part of its moments"));
    }
}
