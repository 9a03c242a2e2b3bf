//! Weights: names and layout on disk, round trips, and files that are refused.

mod common;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use common::{FILLING, batch, device, parameter_gradients, probe, rows, tiny};
use proptest::prelude::*;
use regard_model::weights::{self, HostTensor, TensorFile, apply, collect, parameters};
use regard_model::{HeadConfig, ModelError, NormPosition, Transformer, TransformerConfig};
use regard_ops::primitive::{Linear, LinearConfig, PatchProjectionConfig, TableConfig};
use regard_ops::{Context, Init, Key, deferred};

fn model(config: &TransformerConfig, seed: u64) -> Transformer {
    config
        .init(Key::new(seed), &device())
        .expect("a valid configuration")
}

fn config() -> TransformerConfig {
    tiny(HeadConfig::classification(3)).with_layers(1)
}

/// Name and shape on disk.
fn listed(model: &Transformer) -> Vec<(String, Vec<usize>)> {
    parameters(model)
        .into_iter()
        .map(|parameter| (parameter.name, parameter.shape))
        .collect()
}

#[test]
fn names_and_shapes_are_the_file_format() {
    let (d, d_ff) = (8, 12);
    let expected: &[(&str, &[usize])] = &[
        ("embed.token.weight", &[13, d]),
        ("embed.position.weight", &[9, d]),
        ("blocks.0.attention.qkv.weight", &[3 * d, d]),
        ("blocks.0.attention.qkv.bias", &[3 * d]),
        ("blocks.0.attention.out.weight", &[d, d]),
        ("blocks.0.attention.out.bias", &[d]),
        ("blocks.0.norm1.weight", &[d]),
        ("blocks.0.norm1.bias", &[d]),
        ("blocks.0.feed_forward.up.weight", &[d_ff, d]),
        ("blocks.0.feed_forward.up.bias", &[d_ff]),
        ("blocks.0.feed_forward.down.weight", &[d, d_ff]),
        ("blocks.0.feed_forward.down.bias", &[d]),
        ("blocks.0.norm2.weight", &[d]),
        ("blocks.0.norm2.bias", &[d]),
        ("norm.weight", &[d]),
        ("norm.bias", &[d]),
        ("head.weight", &[3, d]),
        ("head.bias", &[3]),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, shape)| ((*name).to_owned(), shape.to_vec()))
        .collect();
    assert_eq!(listed(&model(&config(), 1)), expected);

    let mut grouped = config();
    grouped.n_kv_heads = 1;
    let names = listed(&model(&grouped, 1));
    let attention: Vec<_> = names
        .iter()
        .filter(|(name, _)| name.contains("attention"))
        .collect();
    let kv = 2 * (d / 2);
    let expected: [(&str, &[usize]); 6] = [
        ("blocks.0.attention.q.weight", &[d, d]),
        ("blocks.0.attention.q.bias", &[d]),
        ("blocks.0.attention.kv.weight", &[kv, d]),
        ("blocks.0.attention.kv.bias", &[kv]),
        ("blocks.0.attention.out.weight", &[d, d]),
        ("blocks.0.attention.out.bias", &[d]),
    ];
    let expected = expected.map(|(name, shape)| (name.to_owned(), shape.to_vec()));
    assert_eq!(attention, expected.iter().collect::<Vec<_>>());

    let mut post = config();
    post.norm_position = NormPosition::Post;
    let names = listed(&model(&post, 1));
    assert!(
        names.iter().all(|(name, _)| !name.starts_with("norm.")),
        "no final norm"
    );
}

#[test]
fn only_weights_of_linear_layers_decay() {
    let decayed: Vec<String> = parameters(&model(&config(), 1))
        .into_iter()
        .filter(|parameter| parameter.decayed)
        .map(|parameter| parameter.name)
        .collect();
    assert_eq!(
        decayed,
        [
            "blocks.0.attention.qkv.weight",
            "blocks.0.attention.out.weight",
            "blocks.0.feed_forward.up.weight",
            "blocks.0.feed_forward.down.weight",
            "head.weight",
        ]
    );
}

#[test]
fn matrices_of_linear_layers_lie_transposed_and_tables_do_not() {
    let device = device();
    let linear = LinearConfig::new(2, 3).init(Key::new(1), &device);
    let found = collect(&linear);
    let found = found.get("weight").expect("a weight");
    assert_eq!(found.shape, [3, 2]);
    let memory = linear
        .weight()
        .val()
        .into_data()
        .try_into_vec::<f32>()
        .expect("f32");
    for (i, value) in found.values.iter().enumerate() {
        assert_eq!(*value, memory[i % 2 * 3 + i / 2]);
    }
    let table = TableConfig::new(5, 2).init(Key::new(1), &device);
    let memory = table
        .weight()
        .val()
        .into_data()
        .try_into_vec::<f32>()
        .expect("f32");
    let found = collect(&table);
    let expected = HostTensor {
        shape: vec![5, 2],
        values: memory,
    };
    assert_eq!(found.get("weight"), Some(&expected));
    let patch = PatchProjectionConfig::new(4, 2, 3).init(Key::new(1), &device);
    assert_eq!(
        collect(&patch).get("weight").expect("a weight").shape,
        [3, 4]
    );
}

#[test]
fn weights_survive_the_way_to_bytes_and_back_bit_by_bit() {
    for seed in [1, 2] {
        let first = model(&config(), seed);
        let bytes = collect(&first).to_bytes();
        let file = TensorFile::from_bytes(&bytes, "bytes").expect("what was written");
        assert_eq!(file, collect(&first));
        let second = apply(model(&config(), 9), file, "bytes").expect("the same model");
        assert_eq!(collect(&second).to_bytes(), bytes);
    }
    // Values that a detour through text or another precision would change.
    let mut file = TensorFile::default();
    let values = vec![f32::MIN_POSITIVE / 2.0, -0.0, f32::MAX, f32::NEG_INFINITY];
    file.insert(
        "odd",
        HostTensor {
            shape: vec![2, 2],
            values: values.clone(),
        },
    );
    file.insert(
        "empty",
        HostTensor {
            shape: vec![0, 3],
            values: Vec::new(),
        },
    );
    file.insert(
        "scalar",
        HostTensor {
            shape: Vec::new(),
            values: vec![1.5],
        },
    );
    let back = TensorFile::from_bytes(&file.to_bytes(), "bytes").expect("what was written");
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&back.get("odd").expect("there").values), bits(&values));
    assert_eq!(back, file);
    assert_eq!(back.n_values(), 5);
}

/// The loss' gradients and the output of a training pass, to the bit.
fn training_bits(model: &Transformer) -> Vec<u32> {
    let input = batch(&rows(&[20, 31, 3, 17]), 32, FILLING, &device());
    let output = model.forward(&input, &mut Context::training(Key::new(4), 0));
    let weights = probe(output.dims(), &output.device().inner());
    let gradients = (output.clone() * weights).sum().backward();
    let gradients = parameter_gradients(model, &gradients);
    let gradients = gradients.into_values().flat_map(|gradient| gradient.values);
    common::host(&output)
        .values
        .into_iter()
        .chain(gradients)
        .map(f32::to_bits)
        .collect()
}

fn a_step_of_adamw(model: Transformer) -> Transformer {
    let input = batch(&rows(&[20, 31, 3, 17]), 32, FILLING, &device());
    let loss = model
        .forward(&input, &mut Context::training(Key::new(4), 0))
        .sum();
    let gradients = GradientsParams::from_grads(loss.backward(), &model);
    let mut optimizer: ModuleOptimizer = AdamWConfig::new().init();
    optimizer.step(1e-2, model, gradients)
}

#[test]
fn a_loaded_model_computes_what_the_saved_one_did_to_the_bit() {
    // A run that continues from a checkpoint stands on this; layouts in memory must not differ.
    let mut config = TransformerConfig::text(13, 32, HeadConfig::classification(3))
        .with_d_model(64)
        .with_layers(2);
    for n_kv_heads in [4, 2] {
        config.n_kv_heads = n_kv_heads;
        let first = model(&config, 1);
        let second = apply(model(&config, 2), collect(&first), "memory").expect("the same model");
        assert!(training_bits(&second) == training_bits(&first), "as drawn");
        // An optimiser's arithmetic may leave its parameters in another order in memory.
        let first = a_step_of_adamw(first);
        let second = apply(model(&config, 2), collect(&first), "memory").expect("the same model");
        assert!(
            training_bits(&second) == training_bits(&first),
            "after a step"
        );
    }
}

#[test]
fn frozen_stays_frozen_and_trained_stays_trained() {
    let file = collect(&model(&config(), 1));
    let frozen = apply(model(&config(), 2).no_grad(), file.clone(), "memory").expect("fits");
    let input = batch(&rows(&[3]), 3, FILLING, &device());
    let output = frozen.forward(&input, &mut Context::evaluation());
    assert!(!output.is_tracked(), "a frozen model has no tape");
    let trained = apply(model(&config(), 2), file, "memory").expect("fits");
    assert_eq!(training_bits_len(&trained), parameters(&trained).len());
}

fn training_bits_len(model: &Transformer) -> usize {
    let input = batch(&rows(&[3]), 3, FILLING, &device());
    let output = model.forward(&input, &mut Context::evaluation());
    parameter_gradients(model, &output.sum().backward()).len()
}

#[test]
fn everything_that_does_not_fit_is_named_at_once() {
    let mut file = collect(&model(&config(), 1));
    file.take("head.bias").expect("there");
    file.take("embed.token.weight").expect("there");
    file.insert(
        "head.weight",
        HostTensor {
            shape: vec![8, 3],
            values: vec![0.0; 24],
        },
    );
    file.insert(
        "head.scale",
        HostTensor {
            shape: vec![1],
            values: vec![0.0],
        },
    );
    let error = apply(model(&config(), 2), file, "weights.safetensors").expect_err("misfits");
    assert_eq!(
        error.to_string(),
        "the weights in weights.safetensors do not fit the model: \
         embed.token.weight is missing; \
         head.weight has the shape [8, 3], expected [3, 8]; \
         head.bias is missing; \
         head.scale is not a parameter of the model"
    );
    let ModelError::Mismatch { problems, .. } = error else {
        panic!("a mismatch, found {error:?}");
    };
    assert_eq!(problems.len(), 4);
}

/// A field called `linear` gives no name, so its weight is called as the other field is.
#[derive(Module, Debug)]
struct Twins {
    linear: Linear,
    weight: Param<Tensor<2>>,
}

fn twins() -> Twins {
    Twins {
        linear: LinearConfig::new(2, 2)
            .with_bias(false)
            .init(Key::new(1), &device()),
        weight: Init::Constant(1.0).param([2, 2], Key::new(1), &device()),
    }
}

/// How many parameters have a value.
struct Drawn(usize);

impl ModuleVisitor for Drawn {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0 += usize::from(param.is_initialized());
    }
}

fn drawn(model: &Transformer) -> usize {
    let mut drawn = Drawn(0);
    model.visit(&mut drawn);
    drawn.0
}

#[test]
fn a_model_that_waits_for_weights_is_never_drawn() {
    let config = || TransformerConfig::text(13, 32, HeadConfig::classification(3)).with_d_model(8);
    let file = collect(&model(&config(), 1));
    let later = deferred(|| model(&config(), 2));
    assert_eq!(listed(&later), listed(&model(&config(), 1)));
    assert_eq!(
        drawn(&later),
        0,
        "names and shapes are known without values"
    );
    let mut cut = file.clone();
    cut.take("head.bias");
    assert!(apply(later, cut, "cut").is_err());

    let later = deferred(|| model(&config(), 2));
    let loaded = apply(later, file.clone(), "memory").expect("the same shape");
    assert_eq!(drawn(&loaded), parameters(&loaded).len());
    assert_eq!(collect(&loaded), file);
    let plain = apply(model(&config(), 2), file, "memory").expect("the same shape");
    assert_eq!(training_bits_len(&loaded), training_bits_len(&plain));
    assert!(training_bits(&loaded) == training_bits(&plain));
}

#[test]
#[should_panic(expected = "two parameters are called weight: rename a field")]
fn two_parameters_of_one_name_are_not_written() {
    let _ = collect(&twins());
}

#[test]
#[should_panic(expected = "two parameters are called weight: rename a field")]
fn two_parameters_of_one_name_are_not_read() {
    let mut file = TensorFile::default();
    file.insert(
        "weight",
        HostTensor {
            shape: vec![2, 2],
            values: vec![0.0; 4],
        },
    );
    let _ = apply(twins(), file, "memory");
}

/// The reason why `bytes` are refused.
#[track_caller]
fn refused(bytes: &[u8]) -> String {
    match TensorFile::from_bytes(bytes, "w") {
        Err(ModelError::Format { what, reason }) => {
            assert_eq!(what, "w");
            let whole = ModelError::Format {
                what,
                reason: reason.clone(),
            }
            .to_string();
            assert_eq!(
                whole,
                format!("w is not a valid safetensors file: {reason}")
            );
            reason
        }
        other => panic!("refusal expected, found {other:?}"),
    }
}

fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn files_of_other_kinds_are_refused_by_name() {
    let way_out = "which can run code when read; in Python, save the weights with `safetensors.torch.save_file` instead";
    assert_eq!(
        refused(b"PK\x03\x04 and the rest of an archive"),
        format!("found a zip archive (a PyTorch .pt file?), {way_out}")
    );
    for protocol in 2..=5 {
        let pickle = [&[0x80, protocol], &b"}q\x00."[..]].concat();
        assert_eq!(
            refused(&pickle),
            format!("found a Python pickle, {way_out}")
        );
    }
    assert!(refused(b"").contains("eader"), "{}", refused(b""));
    assert!(!refused(b"{\"weights\": [1, 2, 3]}").is_empty());
}

#[test]
fn a_header_whose_length_looks_like_a_pickle_is_read() {
    // 640 is 80 02, which also begins a pickle; 896, 1152 and 1408 likewise.
    for length in [640, 896, 1152, 1408] {
        let start = "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}";
        let header = format!("{start}{}}}", " ".repeat(length - start.len() - 1));
        let file = TensorFile::from_bytes(&with_header(&header, &1.5_f32.to_le_bytes()), "w");
        let file = file.unwrap_or_else(|error| panic!("a header of {length} bytes: {error}"));
        assert_eq!(file.get("a").expect("there").values, [1.5]);
    }
}

#[test]
fn a_tensor_that_stands_twice_is_refused() {
    let one = "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}";
    let two = "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}";
    let reason = refused(&with_header(&format!("{{{one},{two}}}"), &[0; 8]));
    assert!(
        reason.contains("the tensor a stands in the file twice"),
        "{reason}"
    );
    let reason = refused(&with_header(&format!("{{{one},{one}}}"), &[0; 4]));
    assert!(
        reason.contains("the tensor a stands in the file twice"),
        "{reason}"
    );
}

#[test]
fn other_numbers_than_f32_are_refused() {
    for (dtype, size) in [("F16", 2), ("BF16", 2), ("F64", 8), ("I32", 4)] {
        let header = format!(
            "{{\"layer.weight\":{{\"dtype\":\"{dtype}\",\"shape\":[1],\"data_offsets\":[0,{size}]}}}}"
        );
        assert_eq!(
            refused(&with_header(&header, &vec![0; size])),
            format!("layer.weight holds {dtype}, expected F32: convert the file")
        );
    }
}

#[test]
fn a_file_that_ends_early_or_late_is_refused() {
    let mut file = TensorFile::default();
    file.insert(
        "a",
        HostTensor {
            shape: vec![2],
            values: vec![1.0, 2.0],
        },
    );
    let mut bytes = file.to_bytes();
    for end in 0..bytes.len() {
        assert!(!refused(&bytes[..end]).is_empty());
    }
    bytes.push(0);
    assert!(!refused(&bytes).is_empty());
}

#[test]
fn a_file_that_grew_after_its_length_was_taken_is_refused() {
    let bytes = with_header("{}", &[]);
    for length in 0..bytes.len() as u64 {
        let read = TensorFile::read(&bytes[..], length, "w");
        assert!(read.is_err(), "{length} bytes told");
    }
    assert!(TensorFile::read(&bytes[..], bytes.len() as u64, "w").is_ok());
}

#[test]
fn a_header_that_lies_about_sizes_is_refused_before_anything_is_allocated() {
    let huge = u64::MAX;
    for header in [
        format!("{{\"a\":{{\"dtype\":\"F32\",\"shape\":[{huge},{huge}],\"data_offsets\":[0,4]}}}}"),
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}".to_owned(),
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}".to_owned(),
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}".to_owned(),
        "{\"a\":".to_owned() + &"[".repeat(100_000),
    ] {
        assert!(!refused(&with_header(&header, &[0; 4])).is_empty());
    }
    assert!(!refused(&huge.to_le_bytes()).is_empty());
}

/// `PROPTEST_CASES` where it is set, as `just torture` does.
fn cases(usually: u32) -> u32 {
    let set = std::env::var("PROPTEST_CASES").ok();
    set.and_then(|n| n.parse().ok()).unwrap_or(usually)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(4_000)))]

    /// Whatever happens to the bytes, the answer is a file or an error, never a panic; and a file
    /// that is read is whole.
    #[test]
    fn damaged_files_are_errors_or_files(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut file = TensorFile::default();
        file.insert("a.weight", HostTensor { shape: vec![2, 2], values: vec![1.0, 2.0, 3.0, 4.0] });
        file.insert("b", HostTensor { shape: vec![1], values: vec![5.0] });
        let mut bytes = file.to_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(read) = TensorFile::from_bytes(&bytes, "damaged") {
            for name in read.names() {
                let tensor = read.get(name).expect("a name has its tensor");
                prop_assert_eq!(tensor.shape.iter().product::<usize>(), tensor.values.len());
            }
        }
    }

    #[test]
    fn noise_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(TensorFile::from_bytes(&bytes, "noise").is_err());
    }
}

#[test]
fn files_are_written_whole_and_read_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("weights.safetensors");
    let first = model(&config(), 1);
    for _ in 0..2 {
        weights::save(&first, &path).expect("a writable folder");
    }
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(names, ["weights.safetensors"], "nothing is left beside it");
    let second = weights::load(model(&config(), 2), &path).expect("what was written");
    assert_eq!(collect(&second), collect(&first));

    let mut other = config();
    other.d_ff = 4;
    let error = weights::load(model(&other, 2), &path).expect_err("another width");
    assert!(
        error.to_string().contains(&*path.display().to_string()),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("feed_forward.up.weight has the shape [12, 8], expected [4, 8]")
    );

    let missing = folder.path().join("missing/weights.safetensors");
    let error = weights::load(model(&config(), 2), &missing).expect_err("no such file");
    let prefix = format!("cannot access the weights {}: ", missing.display());
    assert!(error.to_string().starts_with(&prefix), "{error}");
    let error = weights::save(&first, &missing).expect_err("no such folder");
    assert!(error.to_string().starts_with(&prefix), "{error}");
}

#[test]
fn a_model_in_double_precision_is_written_as_f32() {
    let host = HostTensor {
        shape: vec![2],
        values: vec![0.1, -3.0],
    };
    let like = Tensor::<1>::zeros([2], (&Device::flex(), burn::tensor::DType::F64));
    let tensor = host.clone().into_tensor(&like, false);
    assert_eq!(tensor.dtype(), burn::tensor::DType::F64);
    assert_eq!(HostTensor::from_tensor(tensor, false), host);
}
