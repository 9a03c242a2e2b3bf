//! Training takes no more memory the longer it goes on, in live bytes. A program of its own, because it counts all that it
//! allocates.

use std::path::Path;

use burn::tensor::Device;
use peak_alloc::PeakAlloc;
use regard_bundle::Workers;
use regard_trainer::config;
use regard_trainer::{Progress, Requests, RunSettings, train};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const EPOCHS: u64 = 12;

#[test]
fn no_epoch_leaves_anything_behind() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..60)
        .map(|i| format!("{}\t{}\n", ["no", "yes"][i % 2], "words ".repeat(i % 7 + 1)))
        .collect();
    let data = folder.path().join("data.tsv");
    std::fs::write(&data, format!("label\ttext\n{rows}")).unwrap();
    let text = format!(
        "version = 1\ntask = \"text-classification\"\n[data]\ntrain = {:?}\nvalid = 0.2\n\
         [tokenizer]\nkind = \"bytes\"\nmax_length = 40\n\
         [model]\nd_model = 16\nn_layers = 2\nn_heads = 2\nd_ff = 32\n\
         [train]\nbatch_size = 12\nepochs = {EPOCHS}\nema = 0.9\n[report]\nhtml = false\n",
        data.to_str().unwrap()
    );
    let config = config::parse::<&str>(&text, Path::new("test.toml"), &[]).unwrap();
    let settings = RunSettings {
        folder: folder.path().join("run"),
        device: Device::flex(),
        workers: Workers::new(2),
        requests: Requests::default(),
    };
    // What lives at the last step of each epoch.
    let mut live = Vec::new();
    let mut last = 0;
    train(&config, &settings, &mut |progress| {
        if let Progress::Step { epoch, .. } = progress {
            let now = ALLOCATOR.current_usage();
            match epoch == last && !live.is_empty() {
                true => *live.last_mut().unwrap() = now,
                false => live.push(now),
            }
            last = epoch;
        }
    })
    .unwrap();
    assert_eq!(live.len(), EPOCHS as usize);
    // 7,000 numbers and their moments take 100 kB: what one step leaves behind would show.
    let (early, late) = (live[3], live[EPOCHS as usize - 1]);
    assert!(
        late < early + 40_000,
        "{live:?} bytes live at the end of each epoch"
    );
}
