//! Trains an encoder of Regard for one step with Burn's own AdamW, on this project's backend.

use std::error::Error;

use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor};
use regard_model::{
    Context, HeadConfig, Input, Key, ModelError, Transformer, TransformerConfig, weights,
};

const SEED: u64 = 1;
const LEARNING_RATE: f64 = 1e-3;

fn main() -> Result<(), Box<dyn Error>> {
    let device = Device::flex().autodiff();
    let model = new_model(&device)?;
    let (input, labels) = batch(&device);
    let before = weights::collect(&model);

    let loss = loss(
        &model,
        &input,
        &labels,
        &mut Context::training(Key::new(SEED).fold(0), 0),
    );
    let gradients = GradientsParams::from_grads(loss.backward(), &model);
    let mut optimizer: ModuleOptimizer = AdamWConfig::new().init();
    let loss_before = evaluate(&model, &input, &labels);
    let model = optimizer.step(LEARNING_RATE, model, gradients);
    let loss_after = evaluate(&model, &input, &labels);

    let after = weights::collect(&model);
    let moved = before
        .names()
        .filter(|name| before.get(name) != after.get(name))
        .count();
    println!("loss before the step: {loss_before:.6}");
    println!("loss after the step:  {loss_after:.6}");
    println!(
        "tensors that moved:   {moved} of {}",
        before.names().count()
    );
    if !(loss_before.is_finite() && loss_after.is_finite()) {
        return Err("the loss is not finite".into());
    }
    if moved == 0 {
        return Err("the step moved no parameter".into());
    }
    Ok(())
}

fn new_model(device: &Device) -> Result<Transformer, ModelError> {
    TransformerConfig::text(50, 8, HeadConfig::classification(2))
        .with_d_model(32)
        .with_layers(2)
        .init(Key::new(SEED), device)
}

/// Three texts of different lengths, filled up with id 0, and their classes.
fn batch(device: &Device) -> (Input, Tensor<2, Int>) {
    let ids = [[7, 3, 12, 40, 9], [7, 22, 5, 0, 0], [31, 0, 0, 0, 0]];
    let ids = Tensor::<2, Int>::from_data(ids, device);
    let labels = Tensor::from_data([[1], [0], [1]], device);
    (Input::text(ids).with_lengths(&[5, 3, 1]), labels)
}

/// The mean cross-entropy.
fn loss(
    model: &Transformer,
    input: &Input,
    labels: &Tensor<2, Int>,
    context: &mut Context<'_>,
) -> Tensor<1> {
    let logits = model.forward(input, context).squeeze_dim::<2>(1); // [batch, n_classes]
    log_softmax(logits, 1)
        .gather(1, labels.clone())
        .neg()
        .mean()
}

fn evaluate(model: &Transformer, input: &Input, labels: &Tensor<2, Int>) -> f32 {
    loss(model, input, labels, &mut Context::evaluation()).into_scalar::<f32>()
}
