//! Every parameter's gradient against central differences, in f64, dropout on.
//!
//! Dropout is a function of the key, so a training pass is as differentiable as any other. A part
//! that computes in f32 behind the back of an f64 model shows here: its rounding is a thousand times
//! the tolerance.

mod common;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, FloatDType, Tensor, TensorData};
use common::{batch, device, probe, rows, tiny};
use regard_attention::PositionKind;
use regard_model::weights::ParameterPath;
use regard_model::{
    Activation, CalendarRow, EmbeddingConfig, HeadConfig, Input, NormPosition, Pooling,
    SeriesConfig, Transformer, TransformerConfig,
};
use regard_ops::{Context, Key};

const STEP: f64 = 1e-5;
/// Entries of each parameter that are tried.
const SAMPLES: u64 = 5;

struct ToF64;

impl ModuleMapper for ToF64 {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| tensor.cast(FloatDType::F64).detach().require_grad())
    }
}

/// Adds `by` to one element of one parameter.
struct Nudge<'a> {
    path: ParameterPath,
    name: &'a str,
    element: usize,
    by: f64,
}

impl ModuleMapper for Nudge<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.path.name() != self.name {
            return param;
        }
        param.map(|tensor| {
            let shape = tensor.dims();
            let options = (&tensor.device().inner(), DType::F64);
            let mut change = vec![0.0_f64; shape.iter().product()];
            change[self.element] = self.by;
            tensor + Tensor::from_data(TensorData::new(change, shape), options)
        })
    }
}

/// The gradients in memory order, by name.
struct Take<'a> {
    path: ParameterPath,
    gradients: &'a burn::tensor::Gradients,
    taken: Vec<(String, Vec<f64>)>,
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
        let gradient = param.val().grad(self.gradients);
        let gradient = gradient.unwrap_or_else(|| panic!("{name} has no gradient"));
        assert_eq!(gradient.dtype(), DType::F64, "the gradient of {name}");
        let values = gradient.into_data().try_into_vec::<f64>().expect("f64");
        self.taken.push((name, values));
    }
}

/// A weighted sum of the outputs, nonlinear in them so that no gradient is a constant.
fn objective(model: &Transformer, input: &Input) -> Tensor<1> {
    let context = &mut Context::training(Key::new(9).fold(3), 4);
    let output = model.forward(input, context);
    assert_eq!(output.dtype(), DType::F64, "an f64 model answers in f64");
    let probe = probe(output.dims(), &output.device().inner()).cast(FloatDType::F64);
    (output * probe).sum()
}

fn value(model: &Transformer, input: &Input) -> f64 {
    objective(model, input).into_scalar::<f64>()
}

#[track_caller]
fn check(name: &str, config: &TransformerConfig) {
    // A whole row, filling, one position alone, nothing at all.
    let input = batch(&rows(&[5, 3, 1, 0]), 6, common::FILLING, &device());
    check_on(name, config, &input);
}

#[track_caller]
fn check_on(name: &str, config: &TransformerConfig, input: &Input) {
    let device = device();
    let model = config
        .init(Key::new(1), &device)
        .expect("a valid configuration");
    let model = model.map(&mut ToF64);
    let gradients = objective(&model, input).backward();
    let mut take = Take {
        path: ParameterPath::new(),
        gradients: &gradients,
        taken: Vec::new(),
    };
    model.visit(&mut take);
    let frozen = model.no_grad();
    let key = Key::new(2).stream(name);
    for (parameter, gradient) in take.taken {
        let largest = gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
        for sample in 0..SAMPLES {
            // The first sample is the largest entry, so that it cannot be zeros alone.
            let element = if sample == 0 {
                gradient
                    .iter()
                    .position(|g| g.abs() == largest)
                    .expect("finite gradients")
            } else {
                key.stream(&parameter).below(sample, gradient.len() as u64) as usize
            };
            let at = |by| {
                let mut nudge = Nudge {
                    path: ParameterPath::new(),
                    name: &parameter,
                    element,
                    by,
                };
                value(&frozen.clone().map(&mut nudge), input)
            };
            // Fourth order: embeddings start at 0.02, where the next term of the usual difference shows.
            let (near, far) = (at(STEP) - at(-STEP), at(2.0 * STEP) - at(-2.0 * STEP));
            let difference = (8.0 * near - far) / (12.0 * STEP);
            let found = gradient[element];
            assert!(
                (found - difference).abs() <= 1e-6 * difference.abs() + 1e-9,
                "{name}: {parameter}[{element}]: gradient {found}, central difference {difference}"
            );
        }
    }
}

fn with_dropout(pooling: Pooling) -> TransformerConfig {
    let mut config = tiny(HeadConfig::Classification {
        n_classes: 3,
        pooling,
    });
    config.dropout = 0.2;
    config.attention_dropout = 0.2;
    config
}

#[test]
fn gradients_are_the_central_differences_for_every_pooling() {
    for pooling in Pooling::EXAMPLES {
        check(&format!("{pooling:?}"), &with_dropout(*pooling));
    }
}

#[test]
fn gradients_are_the_central_differences_with_norms_after_the_sums() {
    let mut config = with_dropout(Pooling::Mean);
    config.norm_position = NormPosition::Post;
    config.activation = Activation::Relu;
    check("post-norm, ReLU", &config);
}

#[test]
fn gradients_are_the_central_differences_with_grouped_heads_and_computed_positions() {
    let mut config = with_dropout(Pooling::Mean);
    config.n_kv_heads = 1;
    let EmbeddingConfig::Text { position, .. } = &mut config.embedding else {
        panic!("a model of text");
    };
    *position = PositionKind::Sinusoidal;
    check("grouped, sinusoidal", &config);
}

#[test]
fn gradients_are_the_central_differences_of_a_forecaster_that_goes_by_the_calendar() {
    let series = &SeriesConfig::EXAMPLES[3];
    let mut config = with_dropout(Pooling::Mean);
    config.embedding = EmbeddingConfig::Series(series.clone());
    config.head = HeadConfig::Forecast {
        n_outputs: 2,
        horizon: 3,
        linear_skip: true,
    };
    let wave = |len: usize, speed: f32| -> Vec<f32> {
        (0..len).map(|t| (speed * t as f32).sin()).collect()
    };
    let rows = [wave(10, 0.7), wave(10, 1.9)];
    let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let (seen, to_come) = (wave(2 * 10, 0.3), wave(2 * 3, 1.1));
    let known = CalendarRow {
        seen: &seen,
        to_come: &to_come,
    };
    let input = series.batch_with_calendar(&rows, &[known; 2], &device().inner());
    check_on("calendar", &config, &Input::series(input));
}
