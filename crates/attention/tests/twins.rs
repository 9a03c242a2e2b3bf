//! Attention and positions against triple loops on the host, under every mask.

mod common;

use burn::tensor::{Bool, DType, FloatDType, Tensor, TensorData};
use common::{Host, device};
use proptest::prelude::*;
use regard_attention::{
    Mask, Mechanism, Padding, SelfAttentionConfig, attend, attention_weights, sinusoidal_positions,
};
use regard_ops::{Context, Hook, Key, Operation, Site};

/// Shapes and masks of one call.
#[derive(Clone, Debug)]
struct Call {
    batch: usize,
    heads: usize,
    query_len: usize,
    key_len: usize,
    d_head: usize,
    d_value: usize,
    /// `[batch, key_len]`, true = filling.
    padding: Option<Vec<bool>>,
    causal: bool,
    /// `[batch or 1, query_len, key_len]`, true = hidden.
    dense: Option<(usize, Vec<bool>)>,
}

impl Call {
    fn mask(&self) -> Mask {
        let mut mask = Mask::none();
        if let Some(padding) = &self.padding {
            mask = mask.with_padding(Padding::new(padding.clone(), self.batch, self.key_len));
        }
        if self.causal {
            mask = mask.with_causal();
        }
        if let Some((rows, hidden)) = &self.dense {
            let data = TensorData::new(hidden.clone(), [*rows, self.query_len, self.key_len]);
            let hidden: Tensor<3, Bool> = Tensor::from_data(data, &device().inner());
            mask = mask.with_dense(hidden);
        }
        mask
    }

    fn hides(&self, row: usize, q: usize, k: usize) -> bool {
        let padded = self
            .padding
            .as_ref()
            .is_some_and(|padding| padding[row * self.key_len + k]);
        // The last query sees every key.
        let future = self.causal && self.query_len - 1 - q + k > self.key_len - 1;
        let dense = self.dense.as_ref().is_some_and(|(rows, hidden)| {
            let row = if *rows == 1 { 0 } else { row };
            hidden[(row * self.query_len + q) * self.key_len + k]
        });
        padded || future || dense
    }

    fn shape(&self, len: usize, d: usize) -> [usize; 4] {
        [self.batch, self.heads, len, d]
    }

    /// `[query, key, value, probe]`.
    fn tensors(&self) -> [Vec<f64>; 4] {
        let key = Key::new(11).stream("inputs");
        let shapes = [
            self.shape(self.query_len, self.d_head),
            self.shape(self.key_len, self.d_head),
            self.shape(self.key_len, self.d_value),
            self.shape(self.query_len, self.d_value),
        ];
        std::array::from_fn(|i| {
            let n = shapes[i].iter().product::<usize>() as u64;
            (0..n).map(|j| 1.5 * key.fold(i as u64).normal(j)).collect()
        })
    }

    /// Weights, output, and the gradients of `sum(output · probe)` by query, key and value.
    fn naive(&self) -> [Vec<f64>; 5] {
        let [query, key, value, probe] = self.tensors();
        let (d, dv) = (self.d_head, self.d_value);
        let scale = 1.0 / (d as f64).sqrt();
        let mut weights = vec![0.0; self.batch * self.heads * self.query_len * self.key_len];
        let mut output = vec![0.0; probe.len()];
        let mut of_query = vec![0.0; query.len()];
        let mut of_key = vec![0.0; key.len()];
        let mut of_value = vec![0.0; value.len()];
        for head in 0..self.batch * self.heads {
            for q in 0..self.query_len {
                let query_at = (head * self.query_len + q) * d;
                let key_at = |k: usize| (head * self.key_len + k) * d;
                let value_at = |k: usize| (head * self.key_len + k) * dv;
                let output_at = (head * self.query_len + q) * dv;
                let seen: Vec<usize> = (0..self.key_len)
                    .filter(|k| !self.hides(head / self.heads, q, *k))
                    .collect();
                let score = |k: usize| {
                    (0..d)
                        .map(|i| query[query_at + i] * key[key_at(k) + i])
                        .sum::<f64>()
                        * scale
                };
                let best = seen.iter().fold(f64::MIN, |best, k| best.max(score(*k)));
                let total: f64 = seen.iter().map(|k| (score(*k) - best).exp()).sum();
                // How the objective changes with a weight.
                let of_weight = |k: usize| {
                    (0..dv)
                        .map(|i| probe[output_at + i] * value[value_at(k) + i])
                        .sum::<f64>()
                };
                let weight = |k: usize| (score(k) - best).exp() / total;
                let mean: f64 = seen.iter().map(|k| weight(*k) * of_weight(*k)).sum();
                for &k in &seen {
                    weights[(head * self.query_len + q) * self.key_len + k] = weight(k);
                    for i in 0..dv {
                        output[output_at + i] += weight(k) * value[value_at(k) + i];
                        of_value[value_at(k) + i] += weight(k) * probe[output_at + i];
                    }
                    let of_score = weight(k) * (of_weight(k) - mean) * scale;
                    for i in 0..d {
                        of_query[query_at + i] += of_score * key[key_at(k) + i];
                        of_key[key_at(k) + i] += of_score * query[query_at + i];
                    }
                }
            }
        }
        [weights, output, of_query, of_key, of_value]
    }

    /// The same from the library, computed in `dtype`.
    fn ours(&self, dtype: FloatDType) -> [Vec<f64>; 5] {
        let device = device();
        let [query, key, value, probe] = self.tensors();
        let leaf = |values: Vec<f64>, len: usize, d: usize| {
            let data = TensorData::new(values, self.shape(len, d));
            Tensor::<4>::from_data(data, (&device, DType::from(dtype)))
        };
        let query = leaf(query, self.query_len, self.d_head).require_grad();
        let key = leaf(key, self.key_len, self.d_head).require_grad();
        let value = leaf(value, self.key_len, self.d_value).require_grad();
        let probe = leaf(probe, self.query_len, self.d_value);
        let mask = self.mask();
        let weights = attention_weights(query.clone(), key.clone(), &mask);
        let output = attend(query.clone(), key.clone(), value.clone(), &mask);
        let mixed = Mechanism::Full.attend(
            query.clone(),
            key.clone(),
            value.clone(),
            &mask,
            0.0,
            &mut Context::evaluation(),
        );
        assert_eq!(
            values(mixed),
            values(output.clone()),
            "the mechanism is the function"
        );
        let gradients = (output.clone() * probe).sum().backward();
        let gradient = |leaf: Tensor<4>| values(leaf.grad(&gradients).expect("a leaf"));
        [
            values(weights),
            values(output),
            gradient(query),
            gradient(key),
            gradient(value),
        ]
    }

    fn compare(&self, dtype: FloatDType, tolerance: f64) {
        let names = ["weights", "output", "query", "key", "value"];
        let (ours, naive) = (self.ours(dtype), self.naive());
        for ((name, ours), naive) in names.iter().zip(&ours).zip(&naive) {
            assert_eq!(ours.len(), naive.len(), "{name}");
            for (i, (ours, naive)) in ours.iter().zip(naive).enumerate() {
                let close = (ours - naive).abs() <= tolerance * (1.0 + naive.abs());
                assert!(close, "{name}[{i}]: found {ours}, the loop gives {naive}");
                if *naive == 0.0 {
                    assert!(
                        *ours == 0.0,
                        "{name}[{i}]: found {ours}, hidden means exactly zero"
                    );
                }
            }
        }
    }
}

fn values(tensor: Tensor<4>) -> Vec<f64> {
    tensor.into_data().try_into_vec_as::<f64>().expect("floats")
}

fn calls() -> impl Strategy<Value = Call> {
    let sizes = (
        1..4_usize,
        1..3_usize,
        1..6_usize,
        1..6_usize,
        1..5_usize,
        1..5_usize,
    );
    sizes.prop_flat_map(|(batch, heads, query_len, key_len, d_head, d_value)| {
        let bools = |n: usize| proptest::collection::vec(any::<bool>(), n);
        let dense = (prop_oneof![Just(1), Just(batch)])
            .prop_flat_map(move |rows| (Just(rows), bools(rows * query_len * key_len)));
        let padding = proptest::option::of(bools(batch * key_len));
        (padding, any::<bool>(), proptest::option::of(dense)).prop_map(
            move |(padding, causal, dense)| Call {
                batch,
                heads,
                query_len,
                key_len,
                d_head,
                d_value,
                padding,
                causal,
                dense,
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn attention_is_the_triple_loop_under_any_mask(call in calls()) {
        call.compare(FloatDType::F64, 1e-12);
        call.compare(FloatDType::F32, 1e-5);
    }
}

/// Four rows: whole, padded behind, padded in front, nothing but filling.
fn padded(causal: bool, dense: bool) -> Call {
    let (batch, heads, query_len, key_len) = (4, 2, 3, 3);
    let padding = [[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 1, 1]];
    let hidden = [[0, 1, 0], [1, 1, 1], [0, 0, 0]];
    Call {
        batch,
        heads,
        query_len,
        key_len,
        d_head: 4,
        d_value: 2,
        padding: Some(padding.concat().iter().map(|hidden| *hidden == 1).collect()),
        causal,
        dense: dense.then(|| {
            (
                1,
                hidden.concat().iter().map(|hidden| *hidden == 1).collect(),
            )
        }),
    }
}

#[test]
fn masks_combine() {
    for (causal, dense) in [(false, false), (true, false), (false, true), (true, true)] {
        let call = padded(causal, dense);
        call.compare(FloatDType::F64, 1e-12);
        // Three masks together must not leave the range of the narrowest type.
        call.compare(FloatDType::F16, 3e-2);
        let [weights, output, of_query, ..] = call.ours(FloatDType::F32);
        let last = |all: &[f64]| all[all.len() / 4 * 3..].to_vec();
        for blind in [last(&weights), last(&output), last(&of_query)] {
            assert!(blind.iter().all(|value| *value == 0.0), "{blind:?}");
        }
    }
}

#[test]
fn extreme_scores_stay_finite_and_hidden_keys_stay_hidden() {
    let device = device();
    let query = Tensor::<4>::full([1, 1, 2, 1], 1e10, &device).require_grad();
    let key = Tensor::<4>::from_data([[[[-1e10_f32], [1e10], [1e10]]]], &device);
    let weights = attention_weights(query.clone(), key, &Mask::none().with_lengths(&[1], 3));
    assert_eq!(values(weights.clone()), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    let gradient = query.grad(&weights.sum().backward()).expect("a leaf");
    assert!(values(gradient).iter().all(|g| g.is_finite()));
}

#[test]
fn a_mask_that_was_used_serves_other_lengths_and_precisions() {
    // The tensors are kept with the mask; another question must not get the kept answer.
    let mask = Mask::none().with_causal();
    for (len, dtype) in [
        (3, DType::F32),
        (3, DType::F64),
        (2, DType::F64),
        (3, DType::F32),
    ] {
        let query = Tensor::<4>::ones([1, 1, len, 1], (&device(), dtype));
        let weights = attention_weights(query.clone(), query, &mask);
        assert_eq!(weights.dtype(), dtype);
        let expected = (0..len * len).map(|i| {
            let (q, k) = (i / len, i % len);
            if k <= q { 1.0 / (q + 1) as f64 } else { 0.0 }
        });
        let found = values(weights);
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(f, e)| (f - e).abs() < 1e-6),
            "{found:?}"
        );
    }
    let key = Tensor::<4>::ones([1, 1, 2, 1], &device());
    let padded = mask.clone().with_lengths(&[1], 2);
    assert_eq!(
        values(attention_weights(key.clone(), key.clone(), &padded)),
        [1.0, 0.0, 1.0, 0.0]
    );
    assert_eq!(
        values(attention_weights(key.clone(), key, &mask)),
        [1.0, 0.0, 0.5, 0.5]
    );
}

/// Keeps operations' inputs and outputs, and attention weights, by place.
#[derive(Default)]
struct Seen {
    outputs: Vec<(String, Host)>,
    weights: Vec<(String, Host)>,
}

impl Hook for Seen {
    fn observes(&self) -> bool {
        true
    }

    fn output(&mut self, site: Site<'_>, _: Operation<'_>, output: Tensor<3>) -> Tensor<3> {
        self.outputs
            .push((site.to_string(), Host::from_tensor(output.clone())));
        output
    }

    fn wants_attention_weights(&self, _: Site<'_>) -> bool {
        true
    }

    fn attention_weights(&mut self, site: Site<'_>, weights: &Tensor<4>) {
        self.weights
            .push((site.to_string(), Host::from_tensor(weights.clone())));
    }
}

#[test]
fn one_head_is_the_equation() {
    let device = device();
    let layer = SelfAttentionConfig::new(6, 4).init(Key::new(1), &device);
    let data = (0..2 * 3 * 6)
        .map(|i| Key::new(2).normal(i) as f32)
        .collect::<Vec<_>>();
    let input = Tensor::<3>::from_data(TensorData::new(data, [2, 3, 6]), &device);
    let mask = Mask::none().with_lengths(&[3, 2], 3);
    let mut seen = Seen::default();
    let output = layer.forward(
        input,
        &mask,
        &mut Context::evaluation().with_hook(&mut seen),
    );
    let names: Vec<&str> = seen.outputs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["stage 0: query", "stage 0: key", "stage 0: value"]);
    let [query, key, value] = [0, 1, 2].map(|i| {
        let part: Tensor<3> = seen.outputs[i].1.tensor(&device);
        part.unsqueeze_dim::<4>(1)
    });
    let weights = Host::from_tensor(attention_weights(query.clone(), key.clone(), &mask));
    assert_eq!(seen.weights, [("stage 0: ".to_owned(), weights)]);
    let expected = attend(query, key, value, &mask).squeeze_dim::<3>(1);
    assert_eq!(Host::from_tensor(output), Host::from_tensor(expected));
}

#[test]
fn computed_positions_are_the_formula() {
    for d_model in [1, 4, 7] {
        let found = sinusoidal_positions(50, d_model);
        assert_eq!(found.shape().to_vec(), [50, d_model]);
        let found = found.try_into_vec::<f32>().expect("f32");
        for t in 0..50 {
            for i in 0..d_model {
                let pair = (i / 2) as f64;
                let angle = t as f64 * (-(10_000_f64.ln()) * 2.0 * pair / d_model as f64).exp();
                let expected = if i % 2 == 0 { angle.sin() } else { angle.cos() };
                let found = f64::from(found[t * d_model + i]);
                assert!(
                    (found - expected).abs() < 1e-6,
                    "[{t}, {i}]: {found}, {expected}"
                );
            }
        }
    }
}
