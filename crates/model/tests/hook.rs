//! What a hook is told of a whole model, and private training's book-keeping through it.

mod common;

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::Tensor;
use common::{FILLING, batch, device, host, parameter_gradients, probe, rows, tiny};
use regard_attention::PositionKind;
use regard_model::weights::{HostTensor, parameters};
use regard_model::{
    EmbeddingConfig, HeadConfig, Input, NormPosition, Transformer, TransformerConfig,
};
use regard_ops::bookkeeping::{Bookkeeping, ParameterGradient, Units};
use regard_ops::{Context, Hook, Key, Operation, Pass, Site};

fn config() -> TransformerConfig {
    let mut config = tiny(HeadConfig::classification(3));
    config.dropout = 0.2;
    config.attention_dropout = 0.2;
    config
}

fn init(config: &TransformerConfig) -> Transformer {
    config
        .init(Key::new(1), &device())
        .expect("a valid configuration")
}

fn input() -> Input {
    batch(&rows(&[5, 0, 3, 2]), 6, FILLING, &device())
}

fn training() -> Context<'static> {
    Context::training(Key::new(2).fold(4), 0)
}

/// Keeps the places.
#[derive(Default)]
struct Places {
    operations: Vec<String>,
    weights: Vec<String>,
}

impl Hook for Places {
    fn observes(&self) -> bool {
        true
    }

    fn output(&mut self, site: Site<'_>, _: Operation<'_>, output: Tensor<3>) -> Tensor<3> {
        assert_eq!(site.pass, Pass::Forward);
        self.operations.push(site.to_string());
        output
    }

    fn wants_attention_weights(&self, site: Site<'_>) -> bool {
        site.stage == 2
    }

    fn attention_weights(&mut self, site: Site<'_>, weights: &Tensor<4>) {
        assert_eq!(weights.dims(), [4, 2, 6, 6]);
        self.weights.push(site.to_string());
    }
}

fn places(config: &TransformerConfig) -> Places {
    let mut places = Places::default();
    let _ = init(config).forward(&input(), &mut training().with_hook(&mut places));
    places
}

#[test]
fn every_operation_is_seen_once_where_it_stands() {
    let block = |stage| {
        [
            "norm1",
            "attention.qkv",
            "attention.mixed",
            "attention.out",
            "sum1",
            "norm2",
            "feed_forward.up",
            "feed_forward.activation",
            "feed_forward.down",
            "sum2",
        ]
        .map(|name| format!("stage {stage}: {name}"))
    };
    let ends = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let mut expected = ends(&["stage 0: token", "stage 0: position", "stage 0: sum"]);
    expected.extend(block(1).into_iter().chain(block(2)));
    expected.extend(ends(&[
        "stage 3: norm",
        "stage 3: head.pooled",
        "stage 3: head.linear",
    ]));
    let seen = places(&config());
    assert_eq!(seen.operations, expected);
    assert_eq!(
        seen.weights,
        ["stage 2: attention"],
        "the wanted stage alone"
    );

    let mut other = config();
    other.norm_position = NormPosition::Post;
    other.n_kv_heads = 1;
    if let EmbeddingConfig::Text { position, .. } = &mut other.embedding {
        *position = PositionKind::Sinusoidal;
    }
    let block = |stage| {
        [
            "attention.q",
            "attention.kv",
            "attention.mixed",
            "attention.out",
            "sum1",
            "norm1",
            "feed_forward.up",
            "feed_forward.activation",
            "feed_forward.down",
            "sum2",
            "norm2",
        ]
        .map(|name| format!("stage {stage}: {name}"))
    };
    let mut expected = ends(&["stage 0: token", "stage 0: sum"]);
    expected.extend(block(1).into_iter().chain(block(2)));
    expected.extend(ends(&["stage 3: head.pooled", "stage 3: head.linear"]));
    assert_eq!(places(&other).operations, expected);
}

/// The gradients of a model's loss, by name.
fn gradients(model: &Transformer, input: &Input, first_row: usize) -> BTreeMap<String, HostTensor> {
    let context = Context::training(Key::new(2).fold(4), first_row as u64);
    let output = model.forward(input, &mut { context });
    parameter_gradients(model, &loss(output, first_row).backward())
}

fn loss(output: Tensor<3>, first_row: usize) -> Tensor<1> {
    let [rows, _, classes] = output.dims();
    let all = probe([first_row + rows, 1, classes], &output.device().inner());
    // A row without positions answers zero: one more, and it has a gradient too.
    (output.add_scalar(1.0).square() * all.narrow(0, first_row, rows)).sum()
}

#[test]
fn book_keeping_over_a_whole_model_is_the_loop_over_its_rows() {
    let model = init(&config());
    let lengths = [5, 0, 3, 2];
    let mut hook = Bookkeeping::new();
    let frozen = model.clone().no_grad();
    let output = frozen.forward(&input(), &mut training().with_hook(&mut hook));
    let mut tape = loss(output, 0).backward();
    let units = Units::new(vec![0, 1, 0, 2]);
    let all = hook
        .finish(&mut tape, &units)
        .expect("every output is read");
    // The tables, and two norms a block with a last one, whose rules come with private training.
    assert_eq!(all.without_rule().len(), 2 + 2 * 2 + 1);

    let is_linear = |name: &str| !name.contains("norm") && !name.contains("embed");
    let mut per_unit: Vec<BTreeMap<String, Vec<f32>>> = vec![BTreeMap::new(); 3];
    for (row, tokens) in rows(&lengths).into_iter().enumerate() {
        let unit = &mut per_unit[units.unit_of_row()[row]];
        let row_alone = batch(std::slice::from_ref(&tokens), 6, FILLING, &device());
        for (name, gradient) in gradients(&model, &row_alone, row) {
            if is_linear(&name) {
                let zeros = || vec![0.0; gradient.values.len()];
                let sum = unit.entry(name).or_insert_with(zeros);
                sum.iter_mut()
                    .zip(&gradient.values)
                    .for_each(|(s, g)| *s += g);
            }
        }
    }
    let norms = host(&all.squared_norms().expect("linear layers")).values;
    for (unit, norm) in norms.iter().enumerate() {
        let squares = per_unit[unit]
            .values()
            .flatten()
            .map(|g| f64::from(*g).powi(2));
        let expected = squares.sum::<f64>();
        assert!(
            (f64::from(*norm) - expected).abs() < 1e-5 * expected,
            "{norm}, {expected}"
        );
    }

    let weights = [0.5_f32, -1.0, 2.0];
    let sums = all.weighted_sum(&Tensor::from_data(weights, &device().inner()));
    let known = parameters(&model);
    assert_eq!(
        sums.len(),
        known
            .iter()
            .filter(|parameter| is_linear(&parameter.name))
            .count()
    );
    for (id, sum) in sums {
        let parameter = known
            .iter()
            .find(|parameter| parameter.id == id)
            .expect("of the model");
        let found = match sum {
            ParameterGradient::Matrix(sum) => HostTensor::from_tensor(sum, true).values,
            ParameterGradient::Vector(sum) => HostTensor::from_tensor(sum, false).values,
            other => panic!("a rank that this test does not know: {other:?}"),
        };
        let name = &parameter.name;
        let expected: Vec<f32> = (0..found.len())
            .map(|i| {
                (0..3)
                    .map(|unit| weights[unit] * per_unit[unit][name][i])
                    .sum()
            })
            .collect();
        let largest = expected.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= 1e-5 * largest + 1e-7,
                "{name}: {found}, {expected}"
            );
        }
    }
}
