//! What the tests of this crate share: a tiny model, and a draw of units that needs no task.
#![allow(dead_code, reason = "each test program uses its part")]

use std::collections::BTreeMap;
use std::ops::Range;

use burn::tensor::{Device, Tensor};
use regard_bundle::{Workers, text_input};
use regard_model::gradient_checkpointing::Segments;
use regard_model::weights::{HostTensor, TensorFile, collect};
use regard_model::{HeadConfig, Transformer, TransformerConfig};
use regard_ops::Key;
use regard_trainer::layer_decay::LayerDecay;
use regard_trainer::optimizer::{OptimizerSettings, UpdateRule};
use regard_trainer::step::{StepSettings, StepSource, Stepper};
use regard_trainer::task::{Batch, Targets, cross_entropy};

pub const VOCAB: usize = 13;
pub const MAX_LENGTH: usize = 9;

/// A model that makes a step in a millisecond. Every dropout is on.
pub fn config() -> TransformerConfig {
    let head = HeadConfig::classification(3);
    let mut config = TransformerConfig::text(VOCAB, MAX_LENGTH, head)
        .with_d_model(8)
        .with_heads(2)
        .with_layers(2);
    config.d_ff = 12;
    config.dropout = 0.3;
    config.attention_dropout = 0.2;
    config
}

pub fn without_dropout() -> TransformerConfig {
    TransformerConfig {
        dropout: 0.0,
        attention_dropout: 0.0,
        ..config()
    }
}

pub fn model(config: &TransformerConfig) -> Transformer {
    config
        .init(Key::new(1), &Device::flex().autodiff())
        .unwrap()
}

/// One shard, one thread, no clipping. The first moment forgets at once, so that after a step it is
/// the gradient.
pub fn settings() -> StepSettings {
    StepSettings {
        device: Device::flex(),
        key: Key::new(1),
        micro_batch: None,
        shards: 1,
        workers: Workers::new(1),
        segments: Segments::whole(2),
        mixup: None,
        max_grad_norm: None,
        optimizer: OptimizerSettings {
            rule: UpdateRule::AdamW,
            betas: [0.0, 0.999],
            epsilon: 1e-8,
            weight_decay: 0.01,
            layer_decay: LayerDecay::none(),
        },
    }
}

/// How a draw's losses are spoilt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spoil {
    Nothing,
    /// The losses of this unit are multiplied by this.
    Loss(usize, f32),
    /// The gradient of every loss is infinite, and the losses are what they were.
    Gradient,
}

/// A draw whose units have one row or several.
#[derive(Clone, Debug)]
pub struct Units {
    pub rows: Vec<Vec<Vec<u32>>>,
    /// The class of each unit.
    pub classes: Vec<u32>,
    pub spoil: Spoil,
}

impl Units {
    /// Units with these numbers of rows, the rows of unlike lengths.
    pub fn new(n_rows: &[usize]) -> Self {
        let key = Key::new(9).stream("rows");
        let mut rows = Vec::new();
        let mut number = 0;
        for n in n_rows {
            let mut unit = Vec::new();
            for _ in 0..*n {
                let key = key.fold(number);
                let len = 1 + key.below(0, MAX_LENGTH as u64);
                let id = |t| 1 + key.below(t, VOCAB as u64 - 1) as u32;
                unit.push((1..=len).map(id).collect());
                number += 1;
            }
            rows.push(unit);
        }
        Self {
            classes: (0..rows.len()).map(Self::class).collect(),
            rows,
            spoil: Spoil::Nothing,
        }
    }

    pub fn class(unit: usize) -> u32 {
        (unit % 3) as u32
    }

    fn flat(&self, places: Range<usize>) -> (Vec<&[u32]>, Vec<usize>) {
        let units = self.rows[places].iter().enumerate();
        units
            .flat_map(|(unit, rows)| rows.iter().map(move |row| (row.as_slice(), unit)))
            .unzip()
    }
}

impl StepSource for Units {
    fn n_units(&self) -> usize {
        self.rows.len()
    }

    fn n_rows(&self, place: usize) -> usize {
        self.rows[place].len()
    }

    fn batch(&self, places: Range<usize>, device: &Device) -> Batch {
        let (rows, unit_of_row) = self.flat(places.clone());
        // The number of the unit goes along, for `Spoil::Loss`.
        let classes = unit_of_row.iter().map(|unit| {
            let unit = places.start + unit;
            self.classes[unit] + 3 * unit as u32
        });
        Batch {
            input: text_input(&rows, 0, device),
            targets: Targets::Classes(classes.collect()),
            n_tokens: rows.iter().map(|row| row.len()).sum(),
            unit_of_row,
        }
    }

    fn row_losses(&self, output: Tensor<3>, targets: &Targets) -> Tensor<1> {
        let Targets::Classes(numbers) = targets else {
            panic!("other targets");
        };
        let classes: Vec<u32> = numbers.iter().map(|number| number % 3).collect();
        let device = output.device().inner();
        let losses = cross_entropy(output, &classes, 0.0);
        match self.spoil {
            Spoil::Nothing => losses,
            Spoil::Loss(unit, by) => {
                let factor = |number: &u32| {
                    if *number as usize / 3 == unit {
                        by
                    } else {
                        1.0
                    }
                };
                let factors: Vec<f32> = numbers.iter().map(factor).collect();
                losses * Tensor::<1>::from_data(factors.as_slice(), &device)
            }
            // The root of nothing: its value is 0 and its slope infinite.
            Spoil::Gradient => losses.clone() + (losses.clone() - losses.detach()).sqrt(),
        }
    }
}

/// The gradient of the last step, by name: with `settings`, the first moment.
pub fn gradients(stepper: &Stepper) -> BTreeMap<String, HostTensor> {
    let mut state = stepper.optimizer().state();
    let names: Vec<String> = state.moments.names().map(str::to_owned).collect();
    let mut gradients = BTreeMap::new();
    for name in names {
        if let Some(parameter) = name.strip_prefix("moment_1.") {
            let tensor = state.moments.take(&name).unwrap();
            gradients.insert(parameter.to_owned(), tensor);
        }
    }
    assert!(!gradients.is_empty());
    gradients
}

/// Every value within `relative` of the largest of its tensor.
#[track_caller]
pub fn assert_near(
    what: &str,
    found: &BTreeMap<String, HostTensor>,
    expected: &BTreeMap<String, HostTensor>,
    relative: f32,
) {
    assert!(found.keys().eq(expected.keys()), "{what}");
    for (name, expected) in expected {
        let found = &found[name];
        assert_eq!(found.shape, expected.shape, "{what}: {name}");
        let largest = expected
            .values
            .iter()
            .fold(0.0_f32, |most, v| most.max(v.abs()));
        for (i, (a, b)) in found.values.iter().zip(&expected.values).enumerate() {
            assert!(
                (a - b).abs() <= relative * largest,
                "{what}: {name}[{i}] is {a}, expected {b}"
            );
        }
    }
}

pub fn weights(stepper: &Stepper) -> TensorFile {
    collect(stepper.model())
}
