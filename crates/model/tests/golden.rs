//! Blocks and a whole classifier against PyTorch's numbers (`tests/golden/`).

mod common;

use std::collections::BTreeMap;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use common::{Case, assert_close, cases, device, host, integers, parameter_gradients, tensor};
use regard_attention::Mask;
use regard_model::weights::{HostTensor, apply};
use regard_model::{
    Activation, Block, CalendarRow, EmbeddingConfig, HeadConfig, Input, NormPosition, Pooling,
    TransformerConfig,
};
use regard_ops::{Context, Hook, Key, Operation, Site};

const RELATIVE: f32 = 1e-5;

fn compare(case: &Case, found: &BTreeMap<String, HostTensor>) {
    let names =
        |tensors: &BTreeMap<String, HostTensor>| tensors.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(&case.gradients), "{}", case.name);
    for (parameter, expected) in &case.gradients {
        let what = format!("{}: gradient of {parameter}", case.name);
        assert_close(&what, &found[parameter], expected, RELATIVE);
    }
}

#[test]
fn blocks_are_pytorchs() {
    for case in cases("block.json") {
        let device = device();
        let x = tensor::<3>(&case.inputs["x"], &device).require_grad();
        let [_, len, d_model] = x.dims();
        let mut config = TransformerConfig::text(2, len, HeadConfig::classification(2))
            .with_d_model(d_model)
            .with_heads(2);
        config.d_ff = 16;
        (config.norm_position, config.activation) = match case.name.as_str() {
            "pre-norm-gelu" => (NormPosition::Pre, Activation::Gelu),
            "pre-norm-relu" => (NormPosition::Pre, Activation::Relu),
            "post-norm-gelu" => (NormPosition::Post, Activation::Gelu),
            "post-norm-relu" => (NormPosition::Post, Activation::Relu),
            other => panic!("a case that this test does not know: {other}"),
        };
        let block = Block::new(&config, Key::new(0), &device);
        let block =
            apply(block, case.parameters.clone(), &case.name).expect("names and shapes fit");
        let lengths = integers(&case.inputs["lengths"]);
        let mask = Mask::none().with_lengths(&lengths, len);
        let output = block.forward(x.clone(), &mask, &mut Context::evaluation());
        assert_close(
            &case.name,
            &host(&output),
            &case.outputs["output"],
            RELATIVE,
        );

        let gradients = (output * tensor(&case.inputs["probe"], &device))
            .sum()
            .backward();
        let mut found = parameter_gradients(&block, &gradients);
        let of_x = host(&x.grad(&gradients).expect("a leaf has a gradient"));
        for (row, length) in lengths.into_iter().enumerate() {
            let filling = &of_x.values[(row * len + length) * d_model..(row + 1) * len * d_model];
            assert!(filling.iter().all(|g| *g == 0.0), "filling has a gradient");
        }
        found.insert("x".to_owned(), of_x);
        compare(&case, &found);
    }
}

/// Keeps the output of the final norm.
#[derive(Default)]
struct FinalNorm(Option<Tensor<3>>);

impl Hook for FinalNorm {
    fn observes(&self) -> bool {
        true
    }

    fn output(&mut self, site: Site<'_>, _: Operation<'_>, output: Tensor<3>) -> Tensor<3> {
        if site.path == ["norm"] {
            assert!(self.0.is_none(), "there is one final norm");
            self.0 = Some(output.clone().inner());
        }
        output
    }
}

fn whole_numbers<const D: usize>(from: &HostTensor, device: &Device) -> Tensor<D, Int> {
    let values: Vec<i32> = from.values.iter().map(|value| *value as i32).collect();
    Tensor::from_data(TensorData::new(values, from.shape.clone()), device)
}

#[test]
fn a_whole_classifier_is_pytorchs() {
    for case in cases("encoder.json") {
        // With a hook the norms take their composed way, without one the fused: the same numbers.
        for observed in [false, true] {
            compare_classifier(&case, observed);
        }
    }
}

fn compare_classifier(case: &Case, observed: bool) {
    let device = device();
    let pooling = match case.name.as_str() {
        "mean" => Pooling::Mean,
        "first" => Pooling::First,
        "max" => Pooling::Max,
        other => panic!("a case that this test does not know: {other}"),
    };
    let [batch, len] = case.inputs["ids"].shape[..] else {
        panic!("ids are [batch, len]");
    };
    let (n_classes, vocab_size) = (3, 11);
    let head = HeadConfig::Classification { n_classes, pooling };
    let mut config = TransformerConfig::text(vocab_size, len, head)
        .with_d_model(8)
        .with_heads(2)
        .with_layers(2);
    config.d_ff = 16;
    let model = config
        .init(Key::new(0), &device)
        .expect("a valid configuration");
    let model = apply(model, case.parameters.clone(), &case.name).expect("names and shapes fit");
    let lengths = integers(&case.inputs["lengths"]);
    let input = Input::text(whole_numbers(&case.inputs["ids"], &device)).with_lengths(&lengths);

    let mut hook = FinalNorm::default();
    let mut context = Context::evaluation();
    let logits = if observed {
        model.forward(&input, &mut context.with_hook(&mut hook))
    } else {
        model.forward(&input, &mut context)
    };
    let logits = logits.reshape([batch, n_classes]);
    assert_close(
        &case.name,
        &host(&logits),
        &case.outputs["logits"],
        RELATIVE,
    );
    if observed {
        let encoded = hook.0.expect("the hook saw the final norm");
        // Filling comes out too, though nothing depends on it: the file has zeros there.
        let padding = input.mask().padding().expect("there is filling");
        let visible = padding.visible(&encoded.device(), encoded.dtype());
        let encoded = encoded * visible.reshape([batch, len, 1]);
        assert_close(
            &case.name,
            &host(&encoded),
            &case.outputs["encoded"],
            RELATIVE,
        );
    }

    let labels = whole_numbers::<1>(&case.inputs["labels"], &device).reshape([batch, 1]);
    let losses = log_softmax(logits, 1)
        .gather(1, labels)
        .neg()
        .reshape([batch]);
    assert_close(
        &case.name,
        &host(&losses),
        &case.outputs["loss_per_row"],
        RELATIVE,
    );
    let loss = losses.mean();
    let expected = HostTensor {
        shape: vec![1],
        ..case.outputs["loss"].clone()
    };
    assert_close(&case.name, &host(&loss), &expected, RELATIVE);
    compare(case, &parameter_gradients(&model, &loss.backward()));
}

/// Keeps the patches that the projection was given.
#[derive(Default)]
struct Patches(Option<Tensor<3>>);

impl Hook for Patches {
    fn observes(&self) -> bool {
        true
    }

    fn output(&mut self, site: Site<'_>, operation: Operation<'_>, output: Tensor<3>) -> Tensor<3> {
        if let (["patch"], Operation::Linear { input, .. }) = (site.path, operation) {
            self.0 = Some(input.clone().inner());
        }
        output
    }
}

#[test]
fn instance_norm_patches_and_a_whole_forecaster_are_pytorchs() {
    for case in cases("series.json") {
        let device = device();
        let series = &case.inputs["series"];
        let [_, steps] = series.shape[..] else {
            panic!("series are [rows, steps]");
        };
        let [
            length,
            stride,
            end_padding,
            n_outputs,
            horizon,
            skip,
            calendar,
        ] = integers(&case.inputs["settings"])[..]
        else {
            panic!("a case has seven settings");
        };
        let mut config = TransformerConfig::forecaster(steps, horizon)
            .with_d_model(8)
            .with_layers(2)
            .with_heads(2);
        config.d_ff = 12;
        config.head = HeadConfig::Forecast {
            n_outputs,
            horizon,
            linear_skip: skip == 1,
        };
        let EmbeddingConfig::Series(embedding) = &mut config.embedding else {
            panic!("a forecaster takes series");
        };
        (embedding.patch_length, embedding.patch_stride) = (length, stride);
        embedding.end_padding = end_padding == 1;
        embedding.calendar = calendar;
        let rows: Vec<&[f32]> = series.values.chunks(steps).collect();
        let plain = device.clone().inner();
        let input = Input::series(match calendar {
            0 => embedding.batch(&rows, &plain),
            _ => {
                let part = |name: &str, len: usize| case.inputs[name].values.chunks(len * calendar);
                let known: Vec<CalendarRow<'_>> = part("calendar-seen", steps)
                    .zip(part("calendar-to-come", horizon))
                    .map(|(seen, to_come)| CalendarRow { seen, to_come })
                    .collect();
                embedding.batch_with_calendar(&rows, &known, &plain)
            }
        });
        let model = config.init(Key::new(0), &device).expect("valid");
        let model = apply(model, case.parameters.clone(), &case.name).expect("names fit");

        let mut hook = Patches::default();
        let output = model.forward(&input, &mut Context::evaluation().with_hook(&mut hook));
        let patches = host(&hook.0.expect("the projection was seen"));
        assert_close("patches", &patches, &case.outputs["patches"], RELATIVE);
        let what = &case.name;
        assert_close(what, &host(&output), &case.outputs["output"], RELATIVE);
        let probe = tensor::<3>(&case.inputs["probe"], &device);
        let gradients = (output * probe).sum().backward();
        compare(&case, &parameter_gradients(&model, &gradients));
    }
}
