//! What must hold for every model, whatever it is made of.
//!
//! The models come from the registry: `Mechanism::EXAMPLES`, `HeadConfig::EXAMPLES`,
//! `NormPosition::EXAMPLES`, `PositionKind::EXAMPLES`, `Activation::EXAMPLES`, with and without
//! grouped heads, on every device of `common::devices`. A newcomer has to enter its list (a match
//! without a wildcard beside the list does not compile otherwise) and is tested here from then on.
//! A new primitive comes in with the first layer that holds it.

mod common;

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::{
    FILLING, batch, devices, host, ids, parameter_gradients, probe, rows, some_gradients, tiny,
};
use regard_attention::{Mechanism, PositionKind};
use regard_model::gradient_checkpointing::{Segments, StagedPass};
use regard_model::weights::{HostTensor, collect, parameters};
use regard_model::{
    Activation, EmbeddingConfig, HeadConfig, Input, NormPosition, Transformer, TransformerConfig,
};
use regard_ops::bookkeeping::{Bookkeeping, ParameterGradient, Units};
use regard_ops::{Context, Hook, Key, Operation, Pass, Site};

/// The registry's models: all pairs of choices, not all products. The kind of position goes round
/// with the other choices.
fn configs() -> Vec<(String, TransformerConfig)> {
    let mut configs = Vec::new();
    for (m, mechanism) in Mechanism::EXAMPLES.iter().enumerate() {
        for (h, head) in HeadConfig::EXAMPLES.iter().enumerate() {
            for (n, norm_position) in NormPosition::EXAMPLES.iter().enumerate() {
                for (a, activation) in Activation::EXAMPLES.iter().enumerate() {
                    for (g, n_kv_heads) in [2, 1].into_iter().enumerate() {
                        let kinds = PositionKind::EXAMPLES;
                        let kind = kinds[(m + h + n + a + g) % kinds.len()];
                        let mut config = tiny(head.clone());
                        config.attention = *mechanism;
                        config.norm_position = *norm_position;
                        config.activation = *activation;
                        config.n_kv_heads = n_kv_heads;
                        config.dropout = 0.2;
                        config.attention_dropout = 0.2;
                        if let EmbeddingConfig::Text { position, .. } = &mut config.embedding {
                            *position = kind;
                        }
                        let name = format!(
                            "{mechanism:?}, {head:?}, {norm_position:?}, {activation:?}, {kind:?}, {n_kv_heads} key heads"
                        );
                        configs.push((name, config));
                    }
                }
            }
        }
    }
    configs
}

/// Runs `test` for every model on every device; the last line of its output names the model that
/// failed.
fn for_each_model(test: impl Fn(&TransformerConfig, &Transformer, &Device)) {
    for (name, device) in devices() {
        for (config_name, config) in configs() {
            println!("{name}: {config_name}");
            test(&config, &init(&config, &device), &device);
        }
    }
}

fn init(config: &TransformerConfig, device: &Device) -> Transformer {
    config
        .init(Key::new(8), device)
        .expect("a valid configuration")
}

/// A training pass whose input begins with row `first_row` of the batch.
fn training(first_row: usize) -> Context<'static> {
    Context::training(Key::new(6).fold(2), first_row as u64)
}

/// A weighted sum of the outputs: each row of the whole batch has its own weights.
fn loss(output: &Tensor<3>, first_row: usize) -> Tensor<1> {
    let [rows, answers, features] = output.dims();
    let all = probe(
        [first_row + rows, answers, features],
        &output.device().inner(),
    );
    (output.clone() * all.narrow(0, first_row, rows)).sum()
}

type Gradients = BTreeMap<String, HostTensor>;

fn run(model: &Transformer, input: &Input, first_row: usize) -> (HostTensor, Gradients) {
    let output = model.forward(input, &mut training(first_row));
    let gradients = loss(&output, first_row).backward();
    (host(&output), parameter_gradients(model, &gradients))
}

fn add(sum: &mut Gradients, part: Gradients) {
    for (name, part) in part {
        match sum.get_mut(&name) {
            Some(sum) => sum
                .values
                .iter_mut()
                .zip(part.values)
                .for_each(|(s, p)| *s += p),
            None => {
                sum.insert(name, part);
            }
        }
    }
}

/// Every value within 1e-5 of the largest.
#[track_caller]
fn assert_near(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= 1e-5 * largest + 1e-7,
            "{what}[{i}]: found {found}, expected {expected}"
        );
    }
}

#[track_caller]
fn assert_same_gradients(found: &Gradients, expected: &Gradients) {
    assert_eq!(found.len(), expected.len());
    for (name, expected) in expected {
        assert_near(name, &found[name].values, &expected.values);
    }
}

/// No filling may leave a trace: its id and the positions that only filling reaches get a gradient
/// of exactly nothing.
fn assert_filling_gets_nothing(gradients: &Gradients, d_model: usize, longest: usize) {
    let filling = &gradients["embed.token.weight"].values[FILLING * d_model..][..d_model];
    assert!(
        filling.iter().all(|g| *g == 0.0),
        "the filling's vector has a gradient: {filling:?}"
    );
    if let Some(positions) = gradients.get("embed.position.weight") {
        let behind = &positions.values[longest * d_model..];
        assert!(
            behind.iter().all(|g| *g == 0.0),
            "positions of filling have a gradient"
        );
    }
}

fn assert_finite(output: &HostTensor, gradients: &Gradients) {
    assert!(
        output.values.iter().all(|v| v.is_finite()),
        "{:?}",
        output.values
    );
    for (name, gradient) in gradients {
        assert!(
            gradient.values.iter().all(|g| g.is_finite()),
            "{name}: {:?}",
            gradient.values
        );
    }
}

/// The parameter in the parts that play different roles: the packed projections hold several.
fn parts<'a>(name: &'a str, gradient: &'a HostTensor) -> Vec<(String, &'a [f32])> {
    let roles: &[&str] = if name.contains(".qkv.") {
        &["query", "key", "value"]
    } else if name.contains(".kv.") {
        &["key", "value"]
    } else {
        return vec![(name.to_owned(), &gradient.values)];
    };
    let size = gradient.values.len() / roles.len();
    let parts = gradient.values.chunks(size);
    roles
        .iter()
        .zip(parts)
        .map(|(role, part)| (format!("{name}, {role}"), part))
        .collect()
}

#[test]
fn every_parameter_receives_a_finite_gradient() {
    for_each_model(|config, model, device| {
        let input = batch(&rows(&[5, 3, 1]), 6, FILLING, device);
        let (output, gradients) = run(model, &input, 0);
        assert_finite(&output, &gradients);
        for (name, gradient) in &gradients {
            for (part, values) in parts(name, gradient) {
                let largest = values.iter().fold(0.0_f32, |m, g| m.max(g.abs()));
                // A number added to every key's score leaves a softmax as it was.
                if part.ends_with("bias, key") {
                    assert!(
                        largest < 1e-6,
                        "{part}: {largest}, which the mathematics forbids"
                    );
                } else {
                    assert!(largest > 1e-6, "{part}: no gradient to speak of, {largest}");
                }
            }
        }
        assert_filling_gets_nothing(&gradients, config.d_model, 5);
    });
}

#[test]
fn filling_changes_nothing() {
    for_each_model(|config, model, device| {
        let rows = rows(&[5, 2, 1, 4]);
        let padded = batch(&rows, 9, FILLING, device);
        let (output, gradients) = run(model, &padded, 0);
        let in_evaluation = host(&model.forward(&padded, &mut Context::evaluation()));
        assert_ne!(
            output, in_evaluation,
            "dropout is on, or this shows nothing of it"
        );
        assert_filling_gets_nothing(&gradients, config.d_model, 5);

        let features = output.values.len() / rows.len();
        let row_of =
            |all: &HostTensor, row: usize| all.values[row * features..][..features].to_vec();
        let mut sum = Gradients::new();
        for (row, tokens) in rows.iter().enumerate() {
            let alone = ids(std::slice::from_ref(tokens), tokens.len(), FILLING, device);
            let (output_alone, part) = run(model, &alone, row);
            assert_near("training", &output_alone.values, &row_of(&output, row));
            add(&mut sum, part);
            let alone = host(&model.forward(&alone, &mut Context::evaluation()));
            assert_near("evaluation", &alone.values, &row_of(&in_evaluation, row));
        }
        assert_same_gradients(&sum, &gradients);

        let other = run(model, &batch(&rows, 9, 7, device), 0).0;
        assert_eq!(output, other, "what stands at filling is read");
    });
}

#[test]
fn a_row_without_positions_is_finite_and_reads_nothing() {
    for_each_model(|config, model, device| {
        for lengths in [&[3, 0, 2][..], &[0, 0][..]] {
            let rows = rows(lengths);
            let input = batch(&rows, 4, FILLING, device);
            let (output, gradients) = run(model, &input, 0);
            assert_finite(&output, &gradients);
            assert_filling_gets_nothing(&gradients, config.d_model, 3);
            let other = run(model, &batch(&rows, 4, 7, device), 0).0;
            assert_eq!(output, other, "what stands at filling is read");
        }
    });
}

#[test]
fn a_batch_in_two_parts_is_the_batch() {
    for_each_model(|_, model, device| {
        let rows = rows(&[4, 6, 2, 5, 3]);
        let (output, gradients) = run(model, &batch(&rows, 6, FILLING, device), 0);
        let (mut joined, mut sum) = (Vec::new(), Gradients::new());
        for (first, part) in [(0, &rows[..2]), (2, &rows[2..])] {
            let (output, gradients) = run(model, &batch(part, 6, FILLING, device), first);
            joined.extend(output.values);
            add(&mut sum, gradients);
        }
        assert_near("output", &joined, &output.values);
        assert_same_gradients(&sum, &gradients);
    });
}

#[test]
fn a_key_means_one_model() {
    for_each_model(|config, model, device| {
        let weights = collect(model);
        assert_eq!(
            weights.to_bytes(),
            collect(&init(config, device)).to_bytes()
        );
        let plain = init(config, &device.clone().inner());
        assert_eq!(weights, collect(&plain), "with gradients or without");
        let other = config
            .init(Key::new(9), device)
            .expect("a valid configuration");
        let other = collect(&other);
        let mut blocks = BTreeMap::new();
        for name in weights.names() {
            let values = weights.get(name);
            let is_drawn = name.ends_with("weight") && !name.contains("norm");
            assert_eq!(values != other.get(name), is_drawn, "{name}");
            // Two places never share their numbers, whatever their shapes.
            if is_drawn {
                let first = values.map(|tensor| tensor.values[0].to_bits());
                assert!(
                    blocks.insert(first, name).is_none(),
                    "{name} begins like another"
                );
            }
        }
    });
}

#[test]
fn a_stage_that_runs_again_gives_the_same_bits() {
    for_each_model(|_, model, device| {
        let input = batch(&rows(&[5, 0, 2]), 6, FILLING, device);
        let whole = model.forward(&input, &mut training(3));
        let again = || training(3).with_pass(Pass::Recompute);
        let mut hidden = model.embed(&input, &mut training(3));
        assert_eq!(host(&hidden), host(&model.embed(&input, &mut again())));
        for index in 1..model.n_stages() {
            // Without the tape first, with it the second time, as gradient checkpointing does.
            let first = model.clone().no_grad().stage(
                index,
                hidden.clone().detach(),
                &input,
                &mut training(3),
            );
            let second = model.stage(index, hidden, &input, &mut again());
            assert_eq!(host(&first), host(&second), "stage {index}");
            hidden = second;
        }
        assert_eq!(host(&hidden), host(&whole));
    });
}

/// The loss of each row by itself; a row without positions has a gradient too.
fn curved(output: Tensor<3>, first_row: usize) -> Tensor<1> {
    let output = output.add_scalar(1.0);
    loss(&output.clone().square(), first_row)
}

#[test]
fn book_keeping_is_the_loop_over_units() {
    for_each_model(|_, model, device| {
        let rows = rows(&[5, 0, 3, 2]);
        let units = Units::new(vec![0, 1, 0, 2]);
        let mut hook = Bookkeeping::new();
        let input = batch(&rows, 6, FILLING, device);
        let mut context = training(0).with_hook(&mut hook);
        let output = model.clone().no_grad().forward(&input, &mut context);
        let mut tape = curved(output, 0).backward();
        let all = hook
            .finish(&mut tape, &units)
            .expect("every output is read");

        let mut each = vec![Gradients::new(); 3];
        for (row, tokens) in rows.iter().enumerate() {
            let alone = batch(std::slice::from_ref(tokens), 6, FILLING, device);
            let output = model.forward(&alone, &mut training(row));
            let gradients = parameter_gradients(model, &curved(output, row).backward());
            add(&mut each[units.unit_of_row()[row]], gradients);
        }
        let norms = host(&all.squared_norms().expect("parameters")).values;
        for (unit, found) in each.iter().zip(norms) {
            let squares = unit.values().flat_map(|gradient| &gradient.values);
            let expected: f64 = squares.map(|g| f64::from(*g).powi(2)).sum();
            assert!(
                (f64::from(found) - expected).abs() < 1e-5 * expected + 1e-12,
                "{found}, expected {expected}"
            );
        }

        let weights = [0.5_f32, -1.0, 2.0];
        let mut expected = Gradients::new();
        for (mut unit, weight) in each.into_iter().zip(weights) {
            for gradient in unit.values_mut() {
                gradient.values.iter_mut().for_each(|g| *g *= weight);
            }
            add(&mut expected, unit);
        }
        let parameters = parameters(model);
        let weights = Tensor::from_data(weights, &device.clone().inner());
        let found: Gradients = all
            .weighted_sum(&weights)
            .into_iter()
            .map(|(id, sum)| {
                let mut parameters = parameters.iter();
                let parameter = parameters.find(|parameter| parameter.id == id);
                let parameter = parameter.expect("of the model");
                let sum = match sum {
                    // Those of linear layers alone decay, and are swapped in files.
                    ParameterGradient::Matrix(sum) => {
                        HostTensor::from_tensor(sum, parameter.decayed)
                    }
                    ParameterGradient::Vector(sum) => HostTensor::from_tensor(sum, false),
                    other => panic!("a rank that this test does not know: {other:?}"),
                };
                (parameter.name.clone(), sum)
            })
            .collect();
        assert_same_gradients(&found, &expected);
    });
}

/// A hook that changes what is embedded, and counts how often each stage's operations run.
#[derive(Default)]
struct Shaken(BTreeMap<(usize, bool), usize>);

impl Hook for Shaken {
    fn observes(&self) -> bool {
        true
    }

    fn output(&mut self, site: Site<'_>, _: Operation<'_>, output: Tensor<3>) -> Tensor<3> {
        let again = site.pass == Pass::Recompute;
        *self.0.entry((site.stage, again)).or_default() += 1;
        match site.path {
            ["sum"] => output.mul_scalar(1.5),
            _ => output,
        }
    }
}

#[test]
fn gradient_checkpointing_gives_the_same_bits_and_runs_only_the_last_segment_once() {
    for_each_model(|config, _, device| {
        let mut config = config.clone();
        config.n_layers = 3;
        let model = &init(&config, device);
        let input = &batch(&rows(&[5, 0, 2]), 6, FILLING, device);
        let mut plain = Shaken::default();
        let output = model.forward(input, &mut training(3).with_hook(&mut plain));
        let expected_output = host(&output);
        let expected = parameter_gradients(model, &loss(&output, 0).backward());

        for every in 1..=3 {
            let segments = Segments::of_blocks(3, every);
            let embed =
                |model: &Transformer, context: &mut Context<'_>| model.embed(input, context);
            let mut hook = Shaken::default();
            let mut context = training(3).with_hook(&mut hook);
            let pass = StagedPass::forward(model, input, &segments, &embed, &mut context);
            // Twice, as private training does.
            for _ in 0..2 {
                let mut stages = Vec::new();
                let mut found = Gradients::new();
                pass.backward(
                    &mut context,
                    |output| {
                        assert_eq!(host(&output), expected_output);
                        loss(&output, 0)
                    },
                    &mut |range, tape| {
                        stages.push(range);
                        found.extend(some_gradients(model, &tape));
                    },
                );
                stages.reverse();
                let whole: Vec<usize> = stages.into_iter().flatten().collect();
                assert_eq!(whole, [0, 1, 2, 3, 4]);
                assert_eq!(found, expected, "segments of {every}");
            }
            let last = segments.stages(segments.len() - 1);
            for stage in 0..5 {
                let seen = |again| hook.0.get(&(stage, again)).copied().unwrap_or(0);
                let once = plain.0[&(stage, false)];
                if last.contains(&stage) {
                    // In each of the two backward passes.
                    assert_eq!((seen(false), seen(true)), (2 * once, 0), "stage {stage}");
                } else {
                    assert_eq!((seen(false), seen(true)), (once, 2 * once), "stage {stage}");
                }
            }
        }
    });
}
