//! Each primitive against a loop on the host, seen by a hook and unseen; dropout; initial values.

mod common;

use burn::tensor::{Int, Tensor, TensorData};
use common::{Seen, assert_near, device, normals, values};
use regard_ops::primitive::{
    LayerNormConfig, LinearConfig, PatchProjectionConfig, TableConfig, VectorConfig,
};
use regard_ops::{Context, Hook, Init, Key};

/// Runs `forward` without and with an observing hook; both must give the same values within f32's
/// rounding. Returns the unseen output and what the hook saw.
fn both(forward: impl Fn(&mut Context<'_>) -> Tensor<3>) -> (Tensor<3>, Seen) {
    let unseen = forward(&mut Context::evaluation());
    let mut seen = Seen::default();
    let observed = forward(&mut Context::evaluation().with_hook(&mut seen));
    assert_eq!(unseen.dims(), observed.dims());
    assert_near("observed", &values(&observed), &values(&unseen), 1e-6);
    assert_eq!(seen.operations.len(), 1, "{:?}", seen.operations);
    assert_eq!(
        seen.outputs[0],
        values(&observed),
        "the hook sees the output"
    );
    (unseen, seen)
}

#[test]
fn a_linear_layer_is_the_loop() {
    let device = device();
    let (d_in, d_out) = (3, 5);
    for bias in [true, false] {
        let layer = LinearConfig::new(d_in, d_out)
            .with_bias(bias)
            .init(Key::new(1), &device);
        let input = normals("input", [2, 4, d_in], &device);
        let (output, seen) = both(|context| layer.forward(input.clone(), "layer", context));
        assert_eq!(seen.operations, ["stage 0: layer (linear, Forward)"]);
        assert_eq!(seen.inputs[0], values(&input));
        let (x, w) = (values(&input), values(&layer.weight().val()));
        let expected: Vec<f64> = (0..8 * d_out)
            .map(|i| {
                (0..d_in)
                    .map(|k| x[i / d_out * d_in + k] * w[k * d_out + i % d_out])
                    .sum()
            })
            .collect();
        assert_near("output", &values(&output), &expected, 1e-6);
        assert_eq!(layer.bias().is_some(), bias);
        if let Some(bias) = layer.bias() {
            assert_eq!(
                values(&bias.val()),
                vec![0.0; d_out],
                "a bias starts at zero"
            );
        }
    }
}

#[test]
fn a_linear_layers_bias_is_added_to_every_position() {
    let device = device();
    let layer = LinearConfig::new(2, 3)
        .with_init(Init::Constant(0.0))
        .init(Key::new(1), &device);
    let mut layer = layer;
    layer = burn::module::Module::map(layer, &mut Fill(0.5));
    let output = layer.forward(
        Tensor::zeros([2, 2, 2], &device),
        "x",
        &mut Context::evaluation(),
    );
    assert_eq!(values(&output), vec![0.5; 12]);
}

#[test]
fn parts_of_a_packed_projection_are_cut_from_its_output() {
    let device = device();
    for bias in [true, false] {
        let config = LinearConfig::new(3, 6).with_bias(bias);
        let layer = burn::module::Module::map(config.init(Key::new(1), &device), &mut Draw(0));
        let input = normals("input", [2, 4, 3], &device);
        let probe = normals("probe", [2, 4, 6], &device);
        let gradients = |output: &Tensor<3>| {
            let gradients = &(output.clone() * probe.clone()).sum().backward();
            let mut taken = Gradients {
                gradients,
                taken: Vec::new(),
            };
            burn::module::Module::visit(&layer, &mut taken);
            taken.taken
        };
        let whole = layer.forward(input.clone(), "packed", &mut Context::evaluation());
        let expected = gradients(&whole);
        assert_eq!(expected.len(), 1 + usize::from(bias));

        let mut seen = Seen::default();
        for looked_at in [false, true] {
            let mut nobody = ();
            let hook: &mut dyn Hook = if looked_at { &mut seen } else { &mut nobody };
            let mut context = Context::evaluation().with_hook(hook);
            let parts = layer.forward_parts::<3>(input.clone(), "packed", &mut context);
            let [first, ..] = &parts;
            assert_eq!(first.dims(), [2, 4, 2]);
            let joined = Tensor::cat(parts.to_vec(), 2);
            assert_near("parts", &values(&joined), &values(&whole), 1e-6);
            for (found, expected) in gradients(&joined).iter().zip(&expected) {
                assert_near("gradient", found, expected, 1e-6);
            }
        }
        assert_eq!(
            seen.operations,
            ["stage 0: packed (linear, Forward)"],
            "one operation"
        );
        assert_near("seen", &seen.outputs[0], &values(&whole), 1e-6);
    }
}

#[test]
#[should_panic(expected = "5 features cannot be cut into 2 equal parts")]
fn parts_of_unequal_width_are_refused() {
    let device = device();
    let layer = LinearConfig::new(3, 5).init(Key::new(1), &device);
    let input = Tensor::zeros([1, 1, 3], &device);
    let _ = layer.forward_parts::<2>(input, "packed", &mut Context::evaluation());
}

/// Sets every parameter to one value.
struct Fill(f64);

impl burn::module::ModuleMapper for Fill {
    fn map_float<const D: usize>(
        &mut self,
        param: burn::module::Param<Tensor<D>>,
    ) -> burn::module::Param<Tensor<D>> {
        param.map(|tensor| tensor.full_like(self.0).detach().require_grad())
    }
}

#[test]
fn a_table_gives_its_rows() {
    let device = device();
    let (n, d) = (5, 3);
    let table = TableConfig::new(n, d).init(Key::new(2), &device);
    assert_eq!(table.n_entries(), n);
    let ids = [[4, 0, 4, 2], [1, 1, 3, 0]];
    let w = values(&table.weight().val());
    let row = |id: usize| w[id * d..][..d].to_vec();

    let tensor = Tensor::<2, Int>::from_data(ids, &device);
    let (output, seen) = both(|context| table.lookup(tensor.clone(), "token", context));
    assert_eq!(seen.operations, ["stage 0: token (lookup, Forward)"]);
    let flat: Vec<usize> = ids.concat().iter().map(|id| *id as usize).collect();
    assert_eq!(
        seen.inputs[0],
        flat.iter().map(|id| *id as f64).collect::<Vec<_>>()
    );
    assert_eq!(
        values(&output),
        flat.iter().flat_map(|id| row(*id)).collect::<Vec<_>>()
    );

    let probe = normals("probe", [2, 4, d], &device);
    let gradients = (output * probe.clone()).sum().backward();
    let found = values(&table.weight().val().grad(&gradients).expect("a gradient"));
    let mut expected = vec![0.0; n * d];
    let probe = values(&probe);
    for (position, id) in flat.iter().enumerate() {
        for i in 0..d {
            expected[id * d + i] += probe[position * d + i];
        }
    }
    assert_near("gradient", &found, &expected, 1e-6);

    let (output, seen) = both(|context| table.rows(2, 4, "position", context));
    assert_eq!(seen.operations, ["stage 0: position (rows, Forward)"]);
    let four: Vec<f64> = (0..4).flat_map(row).collect();
    assert_eq!(values(&output), [four.clone(), four].concat());
    let gradients = output.sum().backward();
    let found = values(&table.weight().val().grad(&gradients).expect("a gradient"));
    assert_eq!(
        found,
        [vec![2.0; 4 * d], vec![0.0; d]].concat(),
        "both rows, four entries"
    );
}

#[test]
#[should_panic(expected = "6 positions asked of a table of 5: shorten the input")]
fn a_table_without_so_many_rows_says_so() {
    let table = TableConfig::new(5, 3).init(Key::new(2), &device());
    let _ = table.rows(1, 6, "position", &mut Context::evaluation());
}

#[test]
fn a_vector_stands_at_every_position() {
    let device = device();
    let vector = VectorConfig::new(3).init(Key::new(3), &device);
    let (output, seen) = both(|context| vector.forward(2, 4, "class", context));
    assert_eq!(seen.operations, ["stage 0: class (vector, Forward)"]);
    assert_eq!(output.dims(), [2, 4, 3]);
    let first = values(&output.clone().slice([0..1, 0..1]));
    assert!(first.iter().all(|v| *v != 0.0), "{first:?}");
    assert_eq!(values(&output), first.repeat(8));
}

#[test]
fn patches_are_the_loop() {
    let device = device();
    for (len, length, stride) in [
        (8, 4, 2),
        (9, 4, 2),
        (5, 5, 3),
        (7, 2, 3),
        (6, 3, 1),
        (4, 1, 1),
    ] {
        let config = PatchProjectionConfig::new(length, stride, 3);
        let layer = config.init(Key::new(4), &device);
        let series = normals("series", [2, len, 1], &device).require_grad();
        let n_patches = (0..len)
            .step_by(stride)
            .filter(|start| start + length <= len)
            .count();
        assert_eq!(
            config.n_patches(len),
            n_patches,
            "{len}, {length}, {stride}"
        );

        let mut seen = Seen::default();
        let mut context = Context::evaluation();
        let unseen = layer.forward(series.clone(), "patch", &mut context);
        let output = layer.forward(series.clone(), "patch", &mut context.with_hook(&mut seen));
        assert_eq!(values(&unseen), values(&output));
        assert_eq!(output.dims(), [2, n_patches, 3]);
        assert_eq!(seen.operations, ["stage 0: patch (linear, Forward)"]);
        let x = values(&series);
        let patches: Vec<f64> = (0..2)
            .flat_map(|row| (0..n_patches).map(move |p| row * len + p * stride))
            .flat_map(|start| x[start..][..length].to_vec())
            .collect();
        assert_eq!(seen.inputs[0], patches);

        // The gradient of the series: how often each step is in a patch, times the weights.
        let gradients = output.sum().backward();
        let found = values(&series.grad(&gradients).expect("a leaf has a gradient"));
        let mut parameters = Parameters::default();
        burn::module::Module::visit(&layer, &mut parameters);
        let (w, bias) = (&parameters.0[0], &parameters.0[1]);
        assert_eq!((w.len(), bias.as_slice()), (length * 3, &[0.0; 3][..]));
        let mut expected = vec![0.0; 2 * len];
        for row in 0..2 {
            for p in 0..n_patches {
                for i in 0..length {
                    let sum: f64 = w[i * 3..][..3].iter().sum();
                    expected[row * len + p * stride + i] += sum;
                }
            }
        }
        assert_near("gradient of the series", &found, &expected, 1e-6);
        let expected: Vec<f64> = (0..2 * n_patches * 3)
            .map(|i| {
                (0..length)
                    .map(|k| patches[i / 3 * length + k] * w[k * 3 + i % 3])
                    .sum()
            })
            .collect();
        assert_near("output", &values(&unseen), &expected, 1e-6);
    }
    for (len, length, stride) in [(0, 4, 2), (3, 4, 2), (3, 4, 9)] {
        assert_eq!(
            PatchProjectionConfig::new(length, stride, 3).n_patches(len),
            0
        );
    }
}

/// The values of every parameter.
#[derive(Default)]
struct Parameters(Vec<Vec<f64>>);

impl burn::module::ModuleVisitor for Parameters {
    fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
        self.0.push(values(&param.val()));
    }
}

#[test]
#[should_panic(expected = "a series of 3 steps is shorter than a patch of 4")]
fn a_series_shorter_than_a_patch_is_refused() {
    let device = device();
    let layer = PatchProjectionConfig::new(4, 2, 3).init(Key::new(4), &device);
    let _ = layer.forward(
        Tensor::zeros([1, 3, 1], &device),
        "patch",
        &mut Context::evaluation(),
    );
}

#[test]
fn layer_norm_is_the_loop_seen_or_unseen() {
    let device = device();
    let d = 6;
    for epsilon in [1e-5, 0.3] {
        let layer = LayerNormConfig::new(d)
            .with_epsilon(epsilon)
            .init(Key::new(5), &device);
        let layer = burn::module::Module::map(layer, &mut Draw(0));
        // Rows of different spread, one of them constant: its variance is zero.
        let scale = Tensor::<3>::from_data([[[1.0], [100.0], [0.01], [0.0]]], &device);
        let leaf = |offset: f64| {
            let input = normals("input", [2, 4, d], &device) * scale.clone() + offset;
            input.detach().require_grad()
        };
        let probe = normals("probe", [2, 4, d], &device);
        let input = leaf(0.5);
        let (output, seen) = both(|context| layer.forward(input.clone(), "norm", context));
        assert_eq!(seen.operations, ["stage 0: norm (scale-shift, Forward)"]);

        let x = values(&input);
        let mut parameters = Parameters::default();
        burn::module::Module::visit(&layer, &mut parameters);
        let mut normalized = Vec::new();
        for row in x.chunks(d) {
            let mean = row.iter().sum::<f64>() / d as f64;
            let variance = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / d as f64;
            normalized.extend(row.iter().map(|v| (v - mean) / (variance + epsilon).sqrt()));
        }
        let expected: Vec<f64> = normalized
            .iter()
            .enumerate()
            .map(|(i, v)| v * parameters.0[0][i % d] + parameters.0[1][i % d])
            .collect();
        assert_near("output", &values(&output), &expected, 1e-5);
        assert_near("normalized", &seen.inputs[0], &normalized, 1e-5);

        let unseen = (output * probe.clone()).sum().backward();
        let (leaf, mut hook) = (leaf(0.5), Seen::default());
        let mut context = Context::evaluation().with_hook(&mut hook);
        let observed = (layer.forward(leaf.clone(), "norm", &mut context) * probe)
            .sum()
            .backward();
        let (unseen_input, observed_input) = (input.grad(&unseen), leaf.grad(&observed));
        let of = |gradient: Option<Tensor<3>>| values(&gradient.expect("a leaf has a gradient"));
        assert_near(
            "input gradient",
            &of(observed_input),
            &of(unseen_input),
            1e-5,
        );
        let gradients = |gradients| {
            let mut taken = Gradients {
                gradients,
                taken: Vec::new(),
            };
            burn::module::Module::visit(&layer, &mut taken);
            taken.taken
        };
        for (observed, unseen) in gradients(&observed).iter().zip(gradients(&unseen)) {
            assert_near("parameter gradient", observed, &unseen, 1e-5);
        }
    }
}

/// Standard normal parameters.
struct Draw(u64);

impl burn::module::ModuleMapper for Draw {
    fn map_float<const D: usize>(
        &mut self,
        param: burn::module::Param<Tensor<D>>,
    ) -> burn::module::Param<Tensor<D>> {
        self.0 += 1;
        let name = format!("parameter {}", self.0);
        param.map(|old| normals(&name, old.dims(), &old.device()).require_grad())
    }
}

struct Gradients<'a> {
    gradients: &'a burn::tensor::Gradients,
    taken: Vec<Vec<f64>>,
}

impl burn::module::ModuleVisitor for Gradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
        let gradient = param.val().grad(self.gradients).expect("a gradient");
        self.taken.push(values(&gradient));
    }
}

#[test]
fn a_tables_gradient_of_an_id_that_nobody_names_is_zero() {
    let device = device();
    let table = TableConfig::new(4, 2).init(Key::new(1), &device);
    let ids = Tensor::<2, Int>::from_data(TensorData::new(vec![1, 3], [1, 2]), &device);
    let output = table.lookup(ids, "token", &mut Context::evaluation());
    let gradient = table
        .weight()
        .val()
        .grad(&output.sum().backward())
        .expect("a gradient");
    assert_eq!(values(&gradient), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
}
