//! Attention against PyTorch's numbers (`tests/golden/`).

mod common;

use burn::tensor::{Bool, Tensor, TensorData};
use common::{Case, Host, assert_close, cases, device, parameter_gradients, with_parameters};
use regard_attention::{Mask, MultiHeadAttentionConfig, attend, attention_weights};
use regard_ops::{Context, Hook, Key, Site};

/// The mask of a case, built from its structure where the case has one.
fn mask(case: &Case, len: usize) -> Mask {
    let mut mask = Mask::none();
    if let Some(lengths) = case.inputs.get("lengths") {
        mask = mask.with_lengths(&lengths.integers(), len);
    }
    if case.name.contains("causal") {
        mask = mask.with_causal();
    }
    if case.name == "dense" {
        mask = mask.with_dense(dense(&case.inputs["hidden"]));
    }
    mask
}

fn dense(hidden: &Host) -> Tensor<3, Bool> {
    let values: Vec<bool> = hidden.data.iter().map(|value| *value != 0.0).collect();
    let data = TensorData::new(values, hidden.shape.clone());
    Tensor::from_data(data, &device().inner())
}

/// Compares weights, output and gradients under `mask`.
fn compare_attention(case: &Case, mask: &Mask) {
    let device = device();
    let [q, k, v] = ["q", "k", "v"].map(|name| case.inputs[name].leaf::<4>(&device));
    let weights = attention_weights(q.clone(), k.clone(), mask);
    let name = &case.name;
    assert_close(name, &Host::from_tensor(weights), &case.outputs["weights"]);
    let output = attend(q.clone(), k.clone(), v.clone(), mask);
    assert_close(
        name,
        &Host::from_tensor(output.clone()),
        &case.outputs["output"],
    );
    let gradients = (output * case.inputs["probe"].tensor(&device))
        .sum()
        .backward();
    for (name, leaf) in [("q", q), ("k", k), ("v", v)] {
        let gradient = leaf.grad(&gradients).expect("a leaf has a gradient");
        let what = format!("{}: gradient of {name}", case.name);
        assert_close(&what, &Host::from_tensor(gradient), &case.gradients[name]);
    }
}

#[test]
fn attention_is_pytorchs_under_every_mask() {
    for case in cases("attention.json") {
        let key_len = case.inputs["k"].shape[2];
        compare_attention(&case, &mask(&case, key_len));
    }
}

#[test]
fn a_mask_without_structure_means_the_same() {
    for case in cases("attention.json") {
        let hidden = dense(&case.inputs["hidden"]);
        compare_attention(&case, &Mask::none().with_dense(hidden));
    }
}

#[test]
fn a_query_that_sees_no_key_gives_exact_zeros() {
    let mut rows = 0;
    for case in cases("attention.json") {
        let device = device();
        let [q, k, v] = ["q", "k", "v"].map(|name| case.inputs[name].leaf::<4>(&device));
        let key_len = k.dims()[2];
        let mask = mask(&case, key_len);
        let weights = Host::from_tensor(attention_weights(q.clone(), k.clone(), &mask));
        let output = attend(q.clone(), k, v, &mask);
        let host = Host::from_tensor(output.clone());
        let gradients = (output * case.inputs["probe"].tensor(&device))
            .sum()
            .backward();
        let gradient = Host::from_tensor(q.grad(&gradients).expect("a leaf has a gradient"));
        let [_, heads, query_len, d_head] = q.dims();
        let hidden = &case.inputs["hidden"];
        for (row, hidden) in hidden.data.chunks(key_len).enumerate() {
            if hidden.contains(&0.0) {
                continue;
            }
            rows += 1;
            let (batch, query) = (row / query_len, row % query_len);
            for head in 0..heads {
                let row = (batch * heads + head) * query_len + query;
                assert!(
                    weights.data[row * key_len..][..key_len]
                        .iter()
                        .all(|w| *w == 0.0)
                );
                assert!(
                    host.data[row * d_head..][..d_head]
                        .iter()
                        .all(|o| *o == 0.0)
                );
                assert!(
                    gradient.data[row * d_head..][..d_head]
                        .iter()
                        .all(|g| *g == 0.0)
                );
            }
        }
    }
    assert!(rows >= 3, "the files have rows with everything hidden");
}

/// Keeps the attention weights.
#[derive(Default)]
struct Weights(Vec<Host>);

impl Hook for Weights {
    fn wants_attention_weights(&self, _site: Site<'_>) -> bool {
        true
    }

    fn attention_weights(&mut self, _site: Site<'_>, weights: &Tensor<4>) {
        self.0.push(Host::from_tensor(weights.clone()));
    }
}

#[test]
fn multi_head_attention_is_pytorchs() {
    for case in cases("multi_head.json") {
        let device = device();
        let x = case.inputs["x"].leaf::<3>(&device);
        let [_, len, d_model] = x.dims();
        let heads = case.outputs["weights"].shape[1];
        let layer = MultiHeadAttentionConfig::new(d_model, heads).init(Key::new(0), &device);
        let layer = with_parameters(layer, &case.parameters);
        let mut seen = Weights::default();
        let output = layer.forward(
            x.clone(),
            &mask(&case, len),
            &mut Context::evaluation().with_hook(&mut seen),
        );
        let name = &case.name;
        assert_close(
            name,
            &Host::from_tensor(output.clone()),
            &case.outputs["output"],
        );
        let [weights] = &seen.0[..] else {
            panic!("{name}: one set of weights, found {}", seen.0.len());
        };
        assert_close(name, weights, &case.outputs["weights"]);

        let gradients = (output * case.inputs["probe"].tensor(&device))
            .sum()
            .backward();
        let mut found = parameter_gradients(&layer, &gradients);
        let of_x = Host::from_tensor(x.grad(&gradients).expect("a leaf has a gradient"));
        for (row, length) in case.inputs["lengths"].integers().into_iter().enumerate() {
            let filling = &of_x.data[row * len * d_model..][length * d_model..len * d_model];
            assert!(
                filling.iter().all(|g| *g == 0.0),
                "{name}: filling has a gradient"
            );
        }
        found.insert("x".to_owned(), of_x);
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            case.gradients.keys().collect::<Vec<_>>()
        );
        for (parameter, expected) in &case.gradients {
            let what = format!("{name}: gradient of {parameter}");
            assert_close(&what, &found[parameter], expected);
        }
    }
}
