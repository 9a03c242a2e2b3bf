//! The hook that records attention and looks for numbers that are not finite.

use std::collections::BTreeSet;

use burn::tensor::Tensor;
use regard_model::{Input, Padding, Transformer};
use regard_ops::{Context, Hook, Operation, Pass, Site};

use super::attention::AttentionMaps;
use super::not_finite::NotFinite;

/// What was seen of a forward pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// Of each row of the batch, the maps of each layer whose mechanism gives weights, in the order
    /// of the model.
    pub attention: Vec<Vec<AttentionMaps>>,
    /// Operations with NaN or infinity in their outputs, in the order of the model: the first is
    /// where it begins, the others as a rule follow from it.
    pub not_finite: Vec<NotFinite>,
}

/// Runs a model on a batch and records each layer's attention and whatever is not finite. Filling is
/// left out.
#[must_use]
pub fn record(model: &Transformer, input: &Input) -> Recording {
    let mut recorder = Recorder {
        padding: input.mask().padding().cloned(),
        n_blocks: model.n_stages() - 2,
        attention: vec![Vec::new(); input.n_rows()],
        found: Vec::new(),
        d_model: 0,
        n_heads: vec![None; model.n_stages()],
    };
    let _ = model.forward(input, &mut Context::evaluation().with_hook(&mut recorder));
    recorder.finish()
}

struct Recorder {
    padding: Option<Padding>,
    n_blocks: usize,
    attention: Vec<Vec<AttentionMaps>>,
    found: Vec<Found>,
    d_model: usize,
    /// The heads of each stage, known once its weights were seen.
    n_heads: Vec<Option<usize>>,
}

/// A finding before it is known how many heads its stage has.
struct Found {
    stage: usize,
    not_finite: NotFinite,
    packed: Option<Packed>,
}

/// An output that holds `copies` of `[heads, d_head]` side by side, and where it is not finite.
struct Packed {
    copies: usize,
    width: usize,
    columns: BTreeSet<usize>,
}

impl Hook for Recorder {
    fn observes(&self) -> bool {
        true
    }

    fn output(&mut self, site: Site<'_>, _: Operation<'_>, output: Tensor<3>) -> Tensor<3> {
        let [_, len, width] = output.dims();
        if site.stage == 0 {
            self.d_model = width;
        }
        let by_token = site.path.first() != Some(&"head");
        let values = on_host(output.clone());
        let of_row = |row: usize| &values[row * len * width..][..len * width];
        let positions = |row| {
            if by_token {
                self.positions(row, len)
            } else {
                (0..len).collect()
            }
        };
        let mut found = Count::default();
        let mut columns = BTreeSet::new();
        for row in 0..self.attention.len() {
            for t in positions(row) {
                for (column, value) in of_row(row)[t * width..][..width].iter().enumerate() {
                    if found.see(*value, row, by_token.then_some(t)) {
                        columns.insert(column);
                    }
                }
            }
        }
        let packed = match site.path {
            ["attention", "qkv"] => Some(3),
            ["attention", "kv"] => Some(2),
            ["attention", "q" | "mixed"] => Some(1),
            _ => None,
        };
        let packed = packed.map(|copies| Packed {
            copies,
            width,
            columns,
        });
        self.note(site, found, Vec::new(), packed);
        output
    }

    fn wants_attention_weights(&self, site: Site<'_>) -> bool {
        site.pass == Pass::Forward
    }

    fn attention_weights(&mut self, site: Site<'_>, weights: &Tensor<4>) {
        let [batch, n_heads, len, _] = weights.dims();
        self.n_heads[site.stage] = Some(n_heads);
        let values = on_host(weights.clone());
        let (mut found, mut heads) = (Count::default(), BTreeSet::new());
        for row in 0..batch {
            let positions = self.positions(row, len);
            let mut kept = Vec::with_capacity(n_heads * positions.len() * positions.len());
            for head in 0..n_heads {
                let map = &values[(row * n_heads + head) * len * len..][..len * len];
                for query in &positions {
                    for key in &positions {
                        let weight = map[query * len + key];
                        if found.see(weight, row, Some(*query)) {
                            heads.insert(head);
                        }
                        kept.push(weight);
                    }
                }
            }
            if let (Some(layer), false) = (site.stage.checked_sub(1), positions.is_empty()) {
                let maps = AttentionMaps::new(layer, n_heads, positions.len(), kept);
                self.attention[row].push(maps);
            }
        }
        let path = [site.path, &["weights"]].concat();
        let site = Site {
            path: &path,
            ..site
        };
        self.note(site, found, heads.into_iter().collect(), None);
    }
}

impl Recorder {
    /// The real positions of a row.
    fn positions(&self, row: usize, len: usize) -> Vec<usize> {
        let hidden = |t: &usize| {
            let padding = self.padding.as_ref();
            padding.is_some_and(|padding| padding.row(row)[*t])
        };
        (0..len).filter(|t| !hidden(t)).collect()
    }

    fn note(&mut self, site: Site<'_>, found: Count, heads: Vec<usize>, packed: Option<Packed>) {
        let Some((row, token)) = found.first else {
            return;
        };
        let path = site.path.join(".");
        let layer = site.stage.checked_sub(1);
        let layer = layer.filter(|layer| *layer < self.n_blocks);
        let operation = match layer {
            Some(layer) => format!("blocks.{layer}.{path}"),
            None if site.stage == 0 => format!("embed.{path}"),
            None => path,
        };
        self.found.push(Found {
            stage: site.stage,
            not_finite: NotFinite {
                operation,
                layer,
                heads,
                row,
                token,
                n_nan: found.n_nan,
                n_infinite: found.n_infinite,
                n_values: found.n_values,
            },
            packed,
        });
    }

    fn finish(self) -> Recording {
        let (d_model, n_heads) = (self.d_model, self.n_heads);
        let not_finite = self
            .found
            .into_iter()
            .map(|found| {
                let mut not_finite = found.not_finite;
                if let (Some(packed), Some(n_heads)) = (found.packed, n_heads[found.stage]) {
                    not_finite.heads = packed.heads(n_heads, d_model / n_heads);
                }
                not_finite
            })
            .collect();
        Recording {
            attention: self.attention,
            not_finite,
        }
    }
}

impl Packed {
    /// The heads that the columns belong to; a grouped key or value head belongs to all heads that
    /// share it.
    fn heads(&self, n_heads: usize, d_head: usize) -> Vec<usize> {
        let per_copy = self.width / self.copies;
        let group = n_heads * d_head / per_copy;
        let heads: BTreeSet<usize> = self
            .columns
            .iter()
            .map(|column| column % per_copy / d_head)
            .flat_map(|head| head * group..(head + 1) * group)
            .collect();
        heads.into_iter().collect()
    }
}

/// Counts what is not finite.
#[derive(Default)]
struct Count {
    n_nan: usize,
    n_infinite: usize,
    n_values: usize,
    /// Row and token of the first.
    first: Option<(usize, Option<usize>)>,
}

impl Count {
    /// Whether the value is not finite.
    fn see(&mut self, value: f32, row: usize, token: Option<usize>) -> bool {
        self.n_values += 1;
        if value.is_finite() {
            return false;
        }
        if value.is_nan() {
            self.n_nan += 1;
        } else {
            self.n_infinite += 1;
        }
        self.first.get_or_insert((row, token));
        true
    }
}

fn on_host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor
        .into_data()
        .try_into_vec_as::<f32>()
        .expect("a float tensor converts to f32")
}
