//! What a hook is told, and when.

mod common;

use burn::tensor::Tensor;
use common::{device, values};
use regard_ops::primitive::LinearConfig;
use regard_ops::{Context, Hook, Key, Operation, Pass, Site};

/// Replaces every output by ones and keeps where it was.
#[derive(Default)]
struct Ones(Vec<(usize, Vec<&'static str>, Pass)>);

impl Hook for Ones {
    fn observes(&self) -> bool {
        true
    }

    fn output(&mut self, site: Site<'_>, _: Operation<'_>, output: Tensor<3>) -> Tensor<3> {
        self.0.push((site.stage, site.path.to_vec(), site.pass));
        output.ones_like()
    }
}

#[test]
fn the_model_goes_on_with_what_the_hook_returns_and_the_hook_knows_the_place() {
    let device = device();
    let layer = LinearConfig::new(2, 2).init(Key::new(1), &device);
    let mut hook = Ones::default();
    let mut context = Context::evaluation()
        .with_hook(&mut hook)
        .with_pass(Pass::Recompute);
    context.enter_stage(3);
    let output = context.within("outer", |context| {
        context.within("inner", |context| {
            layer.forward(Tensor::zeros([1, 1, 2], &device), "layer", context)
        })
    });
    assert_eq!(values(&output), [1.0, 1.0]);
    let _ = layer.forward(output, "after", &mut context);
    assert_eq!(
        hook.0,
        [
            (3, vec!["outer", "inner", "layer"], Pass::Recompute),
            (3, vec!["after"], Pass::Recompute),
        ]
    );
}

/// Sees no operation, wants the weights of one place.
#[derive(Default)]
struct Wants(Vec<(String, Vec<f64>)>);

impl Hook for Wants {
    fn output(&mut self, _: Site<'_>, _: Operation<'_>, _: Tensor<3>) -> Tensor<3> {
        panic!("a hook that does not observe is not told");
    }

    fn wants_attention_weights(&self, site: Site<'_>) -> bool {
        site.path == ["here"]
    }

    fn attention_weights(&mut self, site: Site<'_>, weights: &Tensor<4>) {
        self.0.push((site.to_string(), values(weights)));
    }
}

#[test]
fn weights_go_where_they_are_wanted() {
    let device = device();
    assert!(!Context::evaluation().wants_attention_weights());
    assert!(!Context::evaluation().observes());
    let mut nobody = ();
    let mut context = Context::evaluation().with_hook(&mut nobody);
    assert!(!context.wants_attention_weights() && !context.observes());
    context.attention_weights(&Tensor::ones([1, 1, 1, 1], &device));

    let mut hook = Wants::default();
    let mut context = Context::evaluation().with_hook(&mut hook);
    let layer = LinearConfig::new(2, 2).init(Key::new(1), &device);
    let _ = layer.forward(Tensor::zeros([1, 1, 2], &device), "layer", &mut context);
    let asked = ["here", "there"].map(|name| {
        context.within(name, |context| {
            let wanted = context.wants_attention_weights();
            if wanted {
                context.attention_weights(&Tensor::ones([1, 1, 1, 1], &device));
            }
            wanted
        })
    });
    assert_eq!(asked, [true, false]);
    assert_eq!(hook.0, [("stage 0: here".to_owned(), vec![1.0])]);
}
