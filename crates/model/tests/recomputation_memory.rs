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
const LEN: usize = 256;
const D_MODEL: usize = 64;

fn input(device: &Device) -> Input {
    let ids: Vec<i32> = (0..(BATCH * LEN) as i32).map(|i| i % 50).collect();
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [BATCH, LEN]), device);
    Input::text(ids)
}

/// The bytes that live when the last segment's tape is gone, and the most that live at once; the model left out. (Right after
/// the forward pass Burn still holds a part of the weights' size, until it cleans up in the first backward pass.)
fn kept_and_peak(n_layers: usize, every: usize) -> (f64, f64) {
    let device = device();
    let config = TransformerConfig::text(50, LEN, HeadConfig::classification(2))
        .with_d_model(D_MODEL)
        .with_layers(n_layers)
        .with_heads(4);
    let model = config.init(Key::new(1), &device).expect("valid");
    let input = input(&device.inner());
    let segments = Segments::of_blocks(n_layers, every);
    let embed = |model: &Transformer, context: &mut Context<'_>| model.embed(&input, context);
    let begin = ALLOCATOR.current_usage() as f64;
    ALLOCATOR.reset_peak_usage();
    let mut context = Context::training(Key::new(3), 0);
    let pass = StagedPass::forward(&model, &input, &segments, &embed, &mut context);
    let mut kept = None;
    pass.backward(&mut context, |output| output.sum(), &mut |_, gradients| {
        drop(gradients);
        kept.get_or_insert(ALLOCATOR.current_usage() as f64 - begin);
    });
    let peak = ALLOCATOR.peak_usage() as f64 - begin;
    (kept.expect("there is a segment"), peak)
}

#[test]
fn a_block_more_keeps_its_input_and_nothing_else() {
    let input = (BATCH * LEN * D_MODEL * size_of::<f32>()) as f64;
    let [few, many] = [4, 12].map(|layers| {
        // Burn cleans up behind one pass in the next; and what is allocated once stays: threads, buffers of kernels.
        let _ = kept_and_peak(2, 1);
        kept_and_peak(layers, 1)
    });
    let a_block_more = (many.0 - few.0) / 8.0 / input;
    assert!(
        (0.99..1.05).contains(&a_block_more),
        "{a_block_more} inputs"
    );
    // The rest is what one block takes with a tape, however many there are.
    let [at_once_few, at_once_many] = [few, many].map(|(kept, peak)| peak - kept);
    assert!(
        at_once_many < 1.1 * at_once_few,
        "{at_once_few} and {at_once_many} bytes"
    );
    let [plain_few, plain_many] = [4, 12].map(|layers| kept_and_peak(layers, layers).1);
    let plain = (plain_many - plain_few) / 8.0 / input;
    assert!(plain > 10.0, "without it a block keeps {plain} inputs");
}
