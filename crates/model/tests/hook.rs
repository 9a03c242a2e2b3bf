//! What a hook is told of a whole model.

mod common;

use burn::tensor::Tensor;
use common::{FILLING, batch, device, rows, tiny};
use regard_attention::PositionKind;
use regard_model::{
    EmbeddingConfig, HeadConfig, Input, NormPosition, Transformer, TransformerConfig,
};
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
