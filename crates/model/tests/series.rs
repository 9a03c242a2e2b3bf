//! What must hold for every model of series: `SeriesConfig::EXAMPLES` with `HeadConfig::EXAMPLES`, on every device.

mod common;

use std::collections::BTreeMap;
use std::ops::{Deref, Range};

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::{devices, host, parameter_gradients, probe};
use regard_model::weights::{HostTensor, apply, collect, parameters};
use regard_model::{
    CalendarRow, EmbeddingConfig, HeadConfig, Input, ModelError, SeriesConfig, StemConfig,
    Transformer, TransformerConfig,
};
use regard_ops::bookkeeping::{Bookkeeping, Units};
use regard_ops::{Context, Key};

fn config(series: &SeriesConfig, head: &HeadConfig) -> TransformerConfig {
    let mut config = TransformerConfig::text(1, 1, head.clone())
        .with_d_model(8)
        .with_heads(2)
        .with_layers(2);
    config.embedding = EmbeddingConfig::Series(series.clone());
    config.d_ff = 12;
    config.dropout = 0.2;
    config.attention_dropout = 0.2;
    config
}

/// The heads that such an embedding may have.
fn heads(series: &SeriesConfig) -> Vec<HeadConfig> {
    let skip = HeadConfig::Forecast {
        n_outputs: 2,
        horizon: 3,
        linear_skip: true,
    };
    let skip = (series.channels == 1).then_some(skip);
    HeadConfig::EXAMPLES.iter().cloned().chain(skip).collect()
}

/// What rows of a model are like.
struct Kind<'a> {
    series: &'a SeriesConfig,
    horizon: usize,
}

impl<'a> Kind<'a> {
    fn new(series: &'a SeriesConfig, head: &HeadConfig) -> Self {
        let horizon = match head {
            HeadConfig::Forecast { horizon, .. } => *horizon,
            _ => 0,
        };
        Self { series, horizon }
    }
}

impl Deref for Kind<'_> {
    type Target = SeriesConfig;

    fn deref(&self) -> &SeriesConfig {
        self.series
    }
}

fn for_each_model(test: impl Fn(&Kind<'_>, &Transformer, &Device)) {
    for (name, device) in devices() {
        for series in SeriesConfig::EXAMPLES {
            for head in &heads(series) {
                println!("{name}: {series:?}, {head:?}");
                let model = config(series, head).init(Key::new(8), &device);
                let kind = Kind::new(series, head);
                test(&kind, &model.expect("a valid configuration"), &device);
            }
        }
    }
}

/// Rows of these lengths, with holes where the model takes them.
fn rows(series: &SeriesConfig, lengths: &[usize]) -> Vec<Vec<f32>> {
    let key = Key::new(21).stream("series");
    let row = |(row, length): (usize, &usize)| {
        let key = key.fold(row as u64);
        let value = |i: u64| match series.missing && key.stream("hole").uniform(i) < 0.2 {
            true => f32::NAN,
            false => 5.0 + 3.0 * key.normal(i) as f32,
        };
        (0..(length * series.channels) as u64).map(value).collect()
    };
    lengths.iter().enumerate().map(row).collect()
}

/// What is known of the steps of a row of this length.
fn calendar(series: &Kind<'_>, len: usize) -> [Vec<f32>; 2] {
    let known = |steps: Range<usize>| {
        let features = 1..=series.calendar;
        let wave = move |step: usize| {
            let of_feature = move |f: usize| ((step * f + len) as f32).sin();
            features.clone().map(of_feature)
        };
        steps.flat_map(wave).collect()
    };
    [known(0..len), known(len..len + series.horizon)]
}

fn batch(series: &Kind<'_>, rows: &[Vec<f32>], device: &Device) -> Input {
    let device = device.clone().inner();
    let known: Vec<[Vec<f32>; 2]> = (rows.iter())
        .map(|row| calendar(series, row.len() / series.channels))
        .collect();
    let known: Vec<CalendarRow<'_>> = (known.iter())
        .map(|[seen, to_come]| CalendarRow { seen, to_come })
        .collect();
    let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    Input::series(match series.calendar {
        0 => series.batch(&rows, &device),
        _ => series.batch_with_calendar(&rows, &known, &device),
    })
}

type Gradients = BTreeMap<String, HostTensor>;

fn run(model: &Transformer, input: &Input, first_row: usize) -> (HostTensor, Gradients) {
    let mut context = Context::training(Key::new(6).fold(2), first_row as u64);
    let output = model.forward(input, &mut context);
    let [rows, answers, features] = output.dims();
    let shape = [first_row + rows, answers, features];
    let weights = probe(shape, &output.device().inner()).narrow(0, first_row, rows);
    let gradients = (output.clone() * weights).sum().backward();
    (host(&output), parameter_gradients(model, &gradients))
}

fn add(sum: &mut Gradients, part: Gradients) {
    for (name, part) in part {
        let Some(sum) = sum.get_mut(&name) else {
            sum.insert(name, part);
            continue;
        };
        for (sum, part) in sum.values.iter_mut().zip(part.values) {
            *sum += part;
        }
    }
}

/// Every value within 2e-5 of the largest.
#[track_caller]
fn assert_near(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= 2e-5 * largest + 1e-6,
            "{what}[{i}]: found {found}, expected {expected}"
        );
    }
}

#[test]
fn every_parameter_receives_a_finite_gradient() {
    for_each_model(|series, model, device| {
        let most = series.max_steps;
        let input = batch(series, &rows(series, &[most, most - 3, 1]), device);
        let (output, gradients) = run(model, &input, 0);
        assert!(output.values.iter().all(|v| v.is_finite()));
        assert_eq!(gradients.len(), parameters(model).len());
        for (name, gradient) in gradients {
            let largest = gradient.values.iter().fold(0.0_f32, |m, g| m.max(g.abs()));
            assert!(largest.is_finite() && largest > 1e-6, "{name}: {largest}");
        }
    });
}

#[test]
fn neither_longer_neighbours_nor_the_cut_of_a_batch_change_a_row() {
    for_each_model(|series, model, device| {
        let most = series.max_steps;
        let rows = rows(series, &[most, 2, 1, most / 2, 0]);
        let (output, gradients) = run(model, &batch(series, &rows, device), 0);
        let features = output.values.len() / rows.len();
        let mut sum = Gradients::new();
        for (r, row) in rows.iter().enumerate() {
            let alone = batch(series, std::slice::from_ref(row), device);
            let (alone, part) = run(model, &alone, r);
            let together = &output.values[r * features..][..features];
            assert_near("row", &alone.values, together);
            add(&mut sum, part);
        }
        for (name, expected) in gradients {
            assert_near(&name, &sum[&name].values, &expected.values);
        }
    });
}

#[test]
fn a_shifted_and_stretched_row_gives_the_shifted_and_stretched_forecast() {
    for_each_model(|series, model, device| {
        if !series.instance_norm {
            return;
        }
        let plain = rows(series, &[series.max_steps]);
        let moved: Vec<f32> = plain[0].iter().map(|v| 40.0 + 2.0 * v).collect();
        let answer = |rows: &[Vec<f32>]| {
            let output = model.forward(&batch(series, rows, device), &mut Context::evaluation());
            (output.dims(), host(&output).values)
        };
        let ([_, answers, _], found) = answer(&plain);
        let (_, stretched) = answer(&[moved]);
        let is_forecast = model.pooling().is_none();
        let expected: Vec<f32> = match is_forecast {
            true => found.iter().map(|v| 40.0 + 2.0 * v).collect(),
            false => found,
        };
        assert!(is_forecast || answers == 1);
        // The epsilon under the root of the variance keeps this from being exact.
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 2e-3 * (1.0 + b.abs());
        assert!(
            stretched.iter().zip(&expected).all(near),
            "{stretched:?}, {expected:?}"
        );
    });
}

#[test]
fn what_is_missing_is_told_apart_from_a_zero() {
    let (_, device) = devices().swap_remove(0);
    let series = &SeriesConfig::EXAMPLES[1];
    assert!(series.missing && !series.instance_norm);
    let head = HeadConfig::classification(2);
    let model = config(series, &head)
        .init(Key::new(3), &device)
        .expect("a valid configuration");
    let answer = |value: f32| {
        let mut row = vec![1.0; 2 * 5];
        row[4] = value;
        let input = batch(&Kind::new(series, &head), &[row], &device);
        host(&model.forward(&input, &mut Context::evaluation())).values
    };
    assert_ne!(answer(f32::NAN), answer(0.0));
    // A step of which nothing is known is hidden from attention.
    let mut row = vec![1.0; 2 * 5];
    (row[4], row[5]) = (f32::NAN, f32::NAN);
    let input = batch(&Kind::new(series, &head), &[row], &device);
    let padding = input.mask().padding().expect("a hidden step");
    assert_eq!(padding.row(0), [false, false, true, false, false]);
}

#[test]
#[should_panic(expected = "a value is missing or infinite in a model of complete series")]
fn a_hole_in_a_model_of_complete_series_is_refused() {
    let _ = SeriesConfig::EXAMPLES[0].batch(&[&[1.0, f32::NAN]], &Device::flex());
}

#[test]
#[should_panic(expected = "a series of 19 steps in a model of 18")]
fn a_series_that_is_too_long_is_refused() {
    let _ = SeriesConfig::EXAMPLES[0].batch(&[&[0.0; 19]], &Device::flex());
}

#[test]
fn every_problem_of_a_series_is_named_at_once() {
    let series = SeriesConfig {
        channels: 2,
        max_steps: 0,
        patch_stride: 5,
        stem: Some(StemConfig {
            layers: 9,
            kernel: 2,
        }),
        ..SeriesConfig::EXAMPLES[0].clone()
    };
    let head = HeadConfig::Forecast {
        n_outputs: 1,
        horizon: 0,
        linear_skip: true,
    };
    let Err(ModelError::Config(problems)) = config(&series, &head).validate() else {
        panic!("the configuration has problems");
    };
    assert_eq!(
        problems,
        [
            "horizon is 0: give at least 1",
            "linear_skip needs series of single channels: make each channel a row",
            "max_steps is 0: give at least 1",
            "patch_stride (5) exceeds patch_length (4): the steps between would be in no patch",
            "the stem has 9 layers: give 1 to 4",
            "the stem's kernel is 2: give an odd number of steps",
            "instance_norm takes the scale from 2 channels of a row, and the head's steps get one back: \
             make each channel a row",
        ]
    );
}

#[test]
fn the_count_is_that_of_the_model_made_and_names_are_fixed() {
    for_each_model(|series, model, _| {
        let names: Vec<String> = parameters(model).into_iter().map(|p| p.name).collect();
        let mut expected = Vec::new();
        for i in 0..series.stem.map_or(0, |stem| stem.layers) {
            for part in ["convolution", "norm"] {
                expected.push(format!("embed.stem.{i}.{part}.weight"));
                expected.push(format!("embed.stem.{i}.{part}.bias"));
            }
        }
        expected.extend(["embed.patch.weight".into(), "embed.patch.bias".into()]);
        if series.calendar > 0 {
            expected.push("embed.calendar.weight".into());
        }
        assert_eq!(names[..expected.len()], expected);
        let of_head = names.iter().any(|name| name == "head.calendar.weight");
        assert_eq!(of_head, series.calendar > 0 && series.horizon > 0);
    });
    for series in SeriesConfig::EXAMPLES {
        for head in &heads(series) {
            let config = config(series, head);
            let model = config.init(Key::new(0), &Device::flex()).expect("valid");
            let n: usize = parameters(&model)
                .iter()
                .map(|parameter| parameter.shape.iter().product::<usize>())
                .sum();
            assert_eq!(config.parameter_counts().total(), n as u64, "{config:?}");
        }
    }
}

/// A series of one channel as the embedding takes it.
#[test]
fn end_padding_repeats_the_last_value() {
    let device = Device::flex();
    let series = SeriesConfig {
        instance_norm: false,
        ..SeriesConfig::EXAMPLES[0].clone()
    };
    let input = series.batch(&[&[1.0, 2.0, 3.0, 4.0, 5.0]], &device);
    let head = HeadConfig::classification(2);
    let model = config(&series, &head)
        .init(Key::new(1), &device)
        .expect("valid");
    // Patches of 4 every 2: 1234 and 3455, and position vectors that are the same for both inputs.
    let long = series.batch(&[&[1.0, 2.0, 3.0, 4.0, 5.0, 5.0]], &device);
    let embed =
        |input| -> Tensor<3> { model.embed(&Input::series(input), &mut Context::evaluation()) };
    let (short, long) = (embed(input), embed(long));
    assert_eq!((short.dims(), long.dims()), ([1, 2, 8], [1, 3, 8]));
    assert_eq!(host(&short), host(&long.narrow(1, 0, 2)));
}

#[test]
fn a_skip_sees_the_normalised_steps_and_is_brought_back_to_their_scale() {
    let series = SeriesConfig {
        missing: false,
        ..SeriesConfig::EXAMPLES[0].clone()
    };
    let head = HeadConfig::Forecast {
        n_outputs: 1,
        horizon: 3,
        linear_skip: true,
    };
    let device = Device::flex();
    let model = config(&series, &head).init(Key::new(5), &device);
    let model = model.expect("valid");
    let mut weights = collect(&model);
    for name in ["head.weight", "head.bias", "head.skip.weight"] {
        let mut tensor = weights.take(name).expect("a parameter of the head");
        tensor.values.fill(0.0);
        if name == "head.skip.weight" {
            // Step h is the value h + 1 rows before the end.
            for step in 0..3 {
                tensor.values[step * series.max_steps + series.max_steps - 1 - step] = 1.0;
            }
        }
        weights.insert(name, tensor);
    }
    let model = apply(model, weights, "a map of the last steps").expect("names fit");
    let rows = rows(&series, &[series.max_steps; 2]);
    let input = batch(&Kind::new(&series, &head), &rows, &device);
    let output = model.forward(&input, &mut Context::evaluation());
    let expected: Vec<f32> = (rows.iter())
        .flat_map(|row| row.iter().rev().take(3).copied())
        .collect();
    assert_near("the last steps", &host(&output).values, &expected);
}

#[test]
fn a_calendar_moves_each_step_to_come_by_what_is_known_of_it() {
    let series = &SeriesConfig::EXAMPLES[3];
    let head = HeadConfig::Forecast {
        n_outputs: 2,
        horizon: 3,
        linear_skip: false,
    };
    let device = Device::flex();
    let model = config(series, &head).init(Key::new(5), &device);
    let mut weights = collect(&model.expect("valid"));
    let mut without = config(series, &head);
    let EmbeddingConfig::Series(plain) = &mut without.embedding else {
        panic!("a model of series");
    };
    plain.calendar = 0;
    let plain = plain.clone();
    let model = without.init(Key::new(5), &device).expect("valid");
    let row: Vec<f32> = (0..10).map(|t| (t * t % 7) as f32).collect();
    let kind = Kind::new(series, &head);
    let rows = [row];
    let expected = host(&model.forward(
        &batch(&Kind::new(&plain, &head), &rows, &device),
        &mut Context::evaluation(),
    ));
    let with = |weights| {
        let model = config(series, &head)
            .init(Key::new(6), &device)
            .expect("valid");
        let model = apply(model, weights, "a map of the calendar").expect("names fit");
        let input = batch(&kind, &rows, &device);
        host(&model.forward(&input, &mut Context::evaluation())).values
    };
    // It begins as a model without.
    assert_eq!(with(weights.clone()), expected.values);
    let mut tensor = weights.take("head.calendar.weight").expect("a parameter");
    assert_eq!(tensor.shape, [2, 2]);
    tensor.values.copy_from_slice(&[1.0, 0.0, 0.0, -2.0]);
    weights.insert("head.calendar.weight", tensor);
    let [_, known] = calendar(&kind, 10);
    let mean = rows[0].iter().sum::<f32>() / 10.0;
    let variance = rows[0].iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 10.0;
    let scale = (variance + 1e-5).sqrt();
    let moved: Vec<f32> = (0..6)
        .map(|i| {
            let (output, step) = (i / 3, i % 3);
            let told = [known[2 * step], -2.0 * known[2 * step + 1]][output];
            expected.values[i] + scale * told
        })
        .collect();
    assert_near("moved", &with(weights), &moved);
}

#[test]
#[should_panic(expected = "a model that goes by the calendar is given that of the steps")]
fn a_model_that_goes_by_the_calendar_is_not_run_without() {
    let device = Device::flex();
    let series = &SeriesConfig::EXAMPLES[3];
    let model = config(series, &HeadConfig::classification(2)).init(Key::new(5), &device);
    let input = Input::series(series.batch(&[&[1.0, 2.0]], &device));
    let _ = model
        .expect("valid")
        .forward(&input, &mut Context::evaluation());
}

#[test]
fn book_keeping_is_the_loop_over_rows() {
    for_each_model(|series, model, device| {
        let most = series.max_steps;
        let rows = rows(series, &[most, most - 3, 2]);
        let mut hook = Bookkeeping::new();
        let input = batch(series, &rows, device);
        let curved = |output: Tensor<3>| output.add_scalar(1.0).square().sum();
        let mut context = Context::training(Key::new(6).fold(2), 0).with_hook(&mut hook);
        let output = model.clone().no_grad().forward(&input, &mut context);
        let mut tape = curved(output).backward();
        let units = Units::new(vec![0, 1, 2]);
        let all = hook
            .finish(&mut tape, &units)
            .expect("every output is read");
        let norms = host(&all.squared_norms().expect("parameters")).values;
        for (r, found) in norms.into_iter().enumerate() {
            let alone = batch(series, &rows[r..=r], device);
            let mut context = Context::training(Key::new(6).fold(2), r as u64);
            let gradients = curved(model.forward(&alone, &mut context)).backward();
            let gradients = parameter_gradients(model, &gradients);
            let squares = gradients.values().flat_map(|gradient| &gradient.values);
            let expected: f64 = squares.map(|g| f64::from(*g).powi(2)).sum();
            assert!(
                (f64::from(found) - expected).abs() < 1e-4 * expected + 1e-9,
                "{found}, expected {expected}"
            );
        }
    });
}
