//! What gradient checkpointing keeps, in live bytes. A program of its own, because it counts all that it allocates.

mod common;

use burn::tensor::{Device, Int, Tensor, TensorData};
use common::device;
use peak_alloc::PeakAlloc;
use regard_model::gradient_checkpointing::{Segments, StagedPass};
use regard_model::{HeadConfig, Input, Transformer, TransformerConfig};
use regard_ops::{Context, Key};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const BATCH: usize = 8;
const LEN: usize = 128;
const D_MODEL: usize = 64;

fn input(device: &Device) -> Input {
    let ids: Vec<i32> = (0..(BATCH * LEN) as i32).map(|i| i % 50).collect();
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [BATCH, LEN]), device);
    Input::text(ids)
}

/// The most bytes that live at once in a forward and backward pass, beside the model.
fn peak(n_layers: usize, every: usize) -> usize {
    let device = device();
    let config = TransformerConfig::text(50, LEN, HeadConfig::classification(2))
        .with_d_model(D_MODEL)
        .with_layers(n_layers)
        .with_heads(4);
    let model = config.init(Key::new(1), &device).expect("valid");
    let input = input(&device.inner());
    let segments = Segments::of_blocks(n_layers, every);
    let embed = |model: &Transformer, context: &mut Context<'_>| model.embed(&input, context);
    let begin = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let mut context = Context::training(Key::new(3), 0);
    let pass = StagedPass::forward(&model, &input, &segments, &embed, &mut context);
    pass.backward(&mut context, |output| output.sum(), &mut |_, gradients| {
        drop(gradients);
    });
    ALLOCATOR.peak_usage() - begin
}

#[test]
fn a_block_more_keeps_its_input_and_nothing_else() {
    // What is allocated once stays: thread pools, buffers of kernels.
    let _ = peak(2, 1);
    let a_block_more = |every: fn(usize) -> usize| {
        let [few, many] = [4, 12].map(|layers| peak(layers, every(layers)));
        (many as f64 - few as f64) / 8.0
    };
    let input = (BATCH * LEN * D_MODEL * size_of::<f32>()) as f64;
    let recomputed = a_block_more(|_| 1) / input;
    assert!((0.98..1.05).contains(&recomputed), "{recomputed} inputs");
    let plain = a_block_more(|layers| layers) / input;
    assert!(plain > 10.0, "without it a block keeps {plain} inputs");
}
