//! The forms of multi-head attention against each other: packed, cross, grouped; dropout; the hook.

mod common;

use burn::tensor::{Tensor, TensorData};
use common::{Host, Tensors, assert_close, device, with_parameters};
use regard_attention::{
    Mask, MultiHeadAttention, MultiHeadAttentionConfig, attend, attention_weights,
};
use regard_ops::{Context, Hook, Key, Operation, Site, dropout_mask};

const D_MODEL: usize = 8;
const HEADS: usize = 4;

fn normals(name: &str, shape: &[usize]) -> Host {
    let key = Key::new(31).stream(name);
    let n = shape.iter().product::<usize>() as u64;
    Host {
        shape: shape.to_vec(),
        data: (0..n).map(|i| key.normal(i) as f32).collect(),
    }
}

/// Parameters in the layout of files.
fn parameters(rows: &[(&str, usize)]) -> Tensors {
    let mut all = Tensors::new();
    for (name, d_out) in rows {
        let weight = format!("{name}.weight");
        let bias = format!("{name}.bias");
        all.insert(weight.clone(), normals(&weight, &[*d_out, D_MODEL]));
        all.insert(bias.clone(), normals(&bias, &[*d_out]));
    }
    all
}

fn config() -> MultiHeadAttentionConfig {
    MultiHeadAttentionConfig::new(D_MODEL, HEADS)
}

fn input(name: &str, len: usize) -> Tensor<3> {
    normals(name, &[2, len, D_MODEL]).tensor(&device())
}

/// Rows `from..to` of the first dimension.
fn cut(host: &Host, from: usize, to: usize) -> Host {
    let width = host.shape[1..].iter().product::<usize>();
    let mut shape = host.shape.clone();
    shape[0] = to - from;
    Host {
        shape,
        data: host.data[from * width..to * width].to_vec(),
    }
}

fn stacked(parts: &[Host]) -> Host {
    let mut shape = parts[0].shape.clone();
    shape[0] = parts.iter().map(|part| part.shape[0]).sum();
    let data = parts.iter().flat_map(|part| part.data.clone()).collect();
    Host { shape, data }
}

#[test]
fn cross_attention_to_itself_is_self_attention() {
    let packed = parameters(&[("qkv", 3 * D_MODEL), ("out", D_MODEL)]);
    let mut apart = packed.clone();
    for kind in ["weight", "bias"] {
        let qkv = apart.remove(&format!("qkv.{kind}")).expect("there");
        apart.insert(format!("q.{kind}"), cut(&qkv, 0, D_MODEL));
        apart.insert(format!("kv.{kind}"), cut(&qkv, D_MODEL, 3 * D_MODEL));
    }
    let layer = |config: MultiHeadAttentionConfig, parameters: &Tensors| {
        with_parameters(config.init(Key::new(1), &device()), parameters)
    };
    let (itself, cross) = (
        layer(config(), &packed),
        layer(config().with_cross(), &apart),
    );
    let x = input("x", 5);
    for mask in [
        Mask::none(),
        Mask::none().with_lengths(&[5, 2], 5).with_causal(),
    ] {
        let expected = itself.forward(x.clone(), &mask, &mut Context::evaluation());
        let expected = Host::from_tensor(expected);
        let context = &mut Context::evaluation();
        let found = cross.forward_cross(x.clone(), x.clone(), &mask, context);
        assert_close("cross", &Host::from_tensor(found), &expected);
        let found = cross.forward(x.clone(), &mask, context);
        assert_close("forward", &Host::from_tensor(found), &expected);
    }
}

#[test]
fn groups_share_their_key_and_value_heads() {
    let (kv_heads, d_head) = (2, D_MODEL / HEADS);
    let d_kv = kv_heads * d_head;
    let grouped = parameters(&[("q", D_MODEL), ("kv", 2 * d_kv), ("out", D_MODEL)]);
    // Each key and value head written out once for every query head of its group.
    let mut whole = grouped.clone();
    for kind in ["weight", "bias"] {
        let name = format!("kv.{kind}");
        let kv = whole.remove(&name).expect("there");
        let heads: Vec<Host> = [0, d_kv]
            .into_iter()
            .flat_map(|part| (0..HEADS).map(move |head| part + head / 2 * d_head))
            .map(|start| cut(&kv, start, start + d_head))
            .collect();
        whole.insert(name, stacked(&heads));
    }
    let init = |config: MultiHeadAttentionConfig| config.init(Key::new(1), &device());
    let grouped = with_parameters(init(config().with_kv_heads(kv_heads)), &grouped);
    let whole = with_parameters(init(config().with_cross()), &whole);
    let (x, memory) = (input("x", 3), input("memory", 5));
    let mask = Mask::none().with_lengths(&[4, 5], 5);
    let context = &mut Context::evaluation();
    let found = grouped.forward_cross(x.clone(), memory.clone(), &mask, context);
    let expected = whole.forward_cross(x.clone(), memory, &mask, context);
    assert_eq!(found.dims(), [2, 3, D_MODEL]);
    assert_close(
        "grouped",
        &Host::from_tensor(found),
        &Host::from_tensor(expected),
    );
    let mask = Mask::none().with_causal();
    let found = grouped.forward(x.clone(), &mask, context);
    let expected = whole.forward(x, &mask, context);
    assert_close(
        "grouped",
        &Host::from_tensor(found),
        &Host::from_tensor(expected),
    );
}

/// Keeps what it is told, wanting attention weights or not.
#[derive(Default)]
struct Seen {
    wants: bool,
    names: Vec<String>,
    outputs: Vec<Tensor<3>>,
    weights: Vec<(String, Tensor<4>)>,
    /// The mixed values of all heads, which are the input of `out`.
    mixed: Option<Tensor<3>>,
}

impl Hook for Seen {
    fn observes(&self) -> bool {
        true
    }

    fn output(&mut self, site: Site<'_>, operation: Operation<'_>, output: Tensor<3>) -> Tensor<3> {
        match (site.path, operation) {
            (["mixed"], Operation::Function) => self.mixed = Some(output.clone()),
            (["out"], Operation::Linear { input, .. }) => {
                let mixed = self.mixed.clone().expect("`mixed` comes before `out`");
                assert_eq!(Host::from_tensor(input.clone()), Host::from_tensor(mixed));
            }
            _ => {}
        }
        self.names.push(site.to_string());
        self.outputs.push(output.clone());
        output
    }

    fn wants_attention_weights(&self, _: Site<'_>) -> bool {
        self.wants
    }

    fn attention_weights(&mut self, site: Site<'_>, weights: &Tensor<4>) {
        self.weights.push((site.to_string(), weights.clone()));
    }
}

/// Query, key and value by head, from the packed projection's output.
fn heads(packed: &Tensor<3>) -> [Tensor<4>; 3] {
    let [batch, len, _] = packed.dims();
    let host = Host::from_tensor(packed.clone());
    let d_head = D_MODEL / HEADS;
    std::array::from_fn(|part| {
        let mut values: Vec<f32> = Vec::new();
        for row in 0..batch {
            for head in 0..HEADS {
                for t in 0..len {
                    let at = (row * len + t) * 3 * D_MODEL + part * D_MODEL + head * d_head;
                    values.extend(&host.data[at..at + d_head]);
                }
            }
        }
        Tensor::from_data(
            TensorData::new(values, [batch, HEADS, len, d_head]),
            &device(),
        )
    })
}

fn run(layer: &MultiHeadAttention, mask: &Mask, context: Context<'_>, wants: bool) -> (Host, Seen) {
    let mut seen = Seen {
        wants,
        ..Seen::default()
    };
    let output = layer.forward(input("x", 5), mask, &mut context.with_hook(&mut seen));
    (Host::from_tensor(output), seen)
}

#[test]
fn each_operation_is_seen_once_and_weights_only_when_wanted() {
    let layer = config().init(Key::new(1), &device());
    let mask = Mask::none().with_lengths(&[5, 3], 5);
    let unseen = layer.forward(input("x", 5), &mask, &mut Context::evaluation());
    for wants in [false, true] {
        let (output, seen) = run(&layer, &mask, Context::evaluation(), wants);
        // Not to the bit: whoever looks gets the packed projection in one piece.
        assert_close("looked at", &output, &Host::from_tensor(unseen.clone()));
        assert_eq!(
            seen.names,
            ["stage 0: qkv", "stage 0: mixed", "stage 0: out"]
        );
        assert_eq!(seen.weights.len(), usize::from(wants));
        for (site, weights) in &seen.weights {
            assert_eq!(site, "stage 0: ", "the place of the layer itself");
            let [query, key, _] = heads(&seen.outputs[0]);
            let expected = Host::from_tensor(attention_weights(query, key, &mask));
            assert_close("weights", &Host::from_tensor(weights.clone()), &expected);
        }
    }
}

#[test]
fn dropout_falls_on_the_weights_and_the_hook_sees_them_before() {
    let rate = 0.4;
    let layer = config().with_dropout(rate).init(Key::new(1), &device());
    let mask = Mask::none().with_lengths(&[5, 3], 5);
    let key = Key::new(3).fold(7);
    let (_, seen) = run(&layer, &mask, Context::training(key, 2), true);
    let [query, key_heads, value] = heads(&seen.outputs[0]);
    let weights = attention_weights(query.clone(), key_heads.clone(), &mask);
    assert_close(
        "weights",
        &Host::from_tensor(seen.weights[0].1.clone()),
        &Host::from_tensor(weights.clone()),
    );
    let drop = dropout_mask([2, HEADS, 5, 5], rate, key.fold(0).stream("weights"), 2);
    let drop = Tensor::<4>::from_data(drop, &device());
    let by_head =
        |mixed: Tensor<4>| Host::from_tensor(mixed.swap_dims(1, 2).reshape([2, 5, D_MODEL]));
    let mixed = Host::from_tensor(seen.mixed.expect("`mixed` was seen"));
    assert_close(
        "mixed",
        &mixed,
        &by_head((weights * drop).matmul(value.clone())),
    );
    let without = by_head(attend(query, key_heads, value, &mask));
    assert_ne!(mixed, without, "dropout changes something");
    let (_, seen) = run(&layer, &mask, Context::evaluation(), false);
    let mixed = Host::from_tensor(seen.mixed.expect("`mixed` was seen"));
    assert_close("evaluation", &mixed, &without);
}

#[test]
#[should_panic(expected = "the number of heads (3) must divide d_model (8)")]
fn heads_that_do_not_divide_the_width_are_refused() {
    let _ = MultiHeadAttentionConfig::new(8, 3);
}

#[test]
#[should_panic(
    expected = "the number of key and value heads (3) must divide the number of heads (4)"
)]
fn groups_of_unequal_size_are_refused() {
    let _ = config().with_kv_heads(3);
}

#[test]
#[should_panic(expected = "this layer is for self-attention: make it with `with_cross`")]
fn a_self_attention_layer_attends_to_nothing_else() {
    let layer = config().init(Key::new(1), &device());
    let x = input("x", 2);
    let _ = layer.forward_cross(x.clone(), x, &Mask::none(), &mut Context::evaluation());
}
