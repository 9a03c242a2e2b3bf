//! The private rule of each primitive: the norm of a unit's gradient, and a sum of gradients.

use std::collections::HashMap;

use burn::module::ParamId;
use burn::tensor::{IndexingUpdateOp, Int, Tensor};

use super::gradients::ParameterGradient;
use super::units::{Units, integers};

/// Up to this many positions a unit, comparing all ids with all costs less than sorting them.
const FEW_POSITIONS: usize = 16;
/// Up to this number of ids, an f32 tells each from the next.
const EXACT_IDS: usize = 1 << 24;

/// An operation as its per-unit gradients need it. Parameters that do not count are absent.
#[derive(Debug)]
pub(super) enum Rule {
    /// `output = input · weight + bias`.
    Linear {
        /// The weight with the input `[rows, len, d_in]`.
        weight: Option<(ParamId, Tensor<3>)>,
        bias: Option<ParamId>,
    },
    /// `output[b, t] = table[ids[b, t]]`.
    Lookup {
        table: ParamId,
        n_entries: usize,
        /// `[rows, len]`.
        ids: Tensor<2, Int>,
    },
    /// `output[b, t] = table[t]`.
    Rows { table: ParamId, n_entries: usize },
    /// `output = normalized ∘ weight + bias`.
    ScaleShift {
        /// The weight with the normalised input `[rows, len, d]`.
        weight: Option<(ParamId, Tensor<3>)>,
        bias: Option<ParamId>,
    },
    /// `output[b, t] = vector`.
    Vector { vector: ParamId },
}

impl Rule {
    pub fn parameters(&self) -> Vec<ParamId> {
        match self {
            Self::Linear { weight, bias } | Self::ScaleShift { weight, bias } => {
                let weight = weight.as_ref().map(|(weight, _)| *weight);
                weight.into_iter().chain(*bias).collect()
            }
            Self::Lookup { table, .. } | Self::Rows { table, .. } => vec![*table],
            Self::Vector { vector } => vec![*vector],
        }
    }

    /// What was kept of the pass, row by row, beside the output's gradient.
    pub fn kept_rows(&mut self) -> Option<&mut Tensor<3>> {
        match self {
            Self::Linear { weight, .. } | Self::ScaleShift { weight, .. } => {
                weight.as_mut().map(|(_, rows)| rows)
            }
            Self::Lookup { .. } | Self::Rows { .. } | Self::Vector { .. } => None,
        }
    }

    /// The squared norm of each unit's gradient, `[n_units]`. `gradient` is the output's.
    pub fn squared_norms(&self, gradient: &Tensor<3>, units: &Units) -> Tensor<1> {
        let parts: Vec<Tensor<1>> = match self {
            Self::Linear { weight, bias } => {
                let weight = weight
                    .as_ref()
                    .map(|(_, input)| linear_norms(input.clone(), gradient.clone(), units));
                let bias = bias.map(|_| summed_norms(gradient.clone(), units));
                weight.into_iter().chain(bias).collect()
            }
            Self::ScaleShift { weight, bias } => {
                let weight = weight.as_ref().map(|(_, normalized)| {
                    summed_norms(normalized.clone() * gradient.clone(), units)
                });
                let bias = bias.map(|_| summed_norms(gradient.clone(), units));
                weight.into_iter().chain(bias).collect()
            }
            Self::Lookup { ids, n_entries, .. } => {
                let [_, len] = ids.dims();
                vec![if len <= FEW_POSITIONS && *n_entries <= EXACT_IDS {
                    pairwise_lookup_norms(ids, gradient, units)
                } else {
                    entry_lookup_norms(ids, gradient, units)
                }]
            }
            Self::Rows { .. } => {
                let [rows, len, d] = gradient.dims();
                let sums = units.sum_rows(gradient.clone().reshape([rows, len * d]));
                vec![squares(sums)]
            }
            Self::Vector { .. } => vec![summed_norms(gradient.clone(), units)],
        };
        parts
            .into_iter()
            .reduce(|sum, part| sum + part)
            .expect("an operation without parameters that count is not kept")
    }

    /// The gradient of each parameter, summed over all rows; `weighted` is the output's gradient with
    /// its units' weights in it.
    pub fn sum(&self, weighted: Tensor<3>) -> Vec<(ParamId, ParameterGradient)> {
        let [rows, len, d] = weighted.dims();
        let flat = weighted.clone().reshape([rows * len, d]);
        let total = |flat: Tensor<2>| ParameterGradient::Vector(flat.sum_dim(0).reshape([d]));
        match self {
            Self::Linear { weight, bias } => {
                // `aᵀ diag(w) g`: one matrix product for all units.
                let weight = weight.as_ref().map(|(weight, input)| {
                    let [_, _, d_in] = input.dims();
                    let input = input.clone().reshape([rows * len, d_in]);
                    let sum = input.transpose().matmul(flat.clone());
                    (*weight, ParameterGradient::Matrix(sum))
                });
                let bias = bias.map(|bias| (bias, total(flat)));
                weight.into_iter().chain(bias).collect()
            }
            Self::ScaleShift { weight, bias } => {
                let weight = weight.as_ref().map(|(weight, normalized)| {
                    let scaled = normalized.clone().reshape([rows * len, d]) * flat.clone();
                    (*weight, total(scaled))
                });
                let bias = bias.map(|bias| (bias, total(flat)));
                weight.into_iter().chain(bias).collect()
            }
            Self::Lookup {
                table,
                n_entries,
                ids,
            } => {
                let ids = ids.clone().reshape([rows * len]);
                let sum = Tensor::zeros([*n_entries, d], (&flat.device(), flat.dtype()))
                    .select_assign(0, ids, flat, IndexingUpdateOp::Add);
                vec![(*table, ParameterGradient::Matrix(sum))]
            }
            Self::Rows { table, n_entries } => {
                let sum = weighted.sum_dim(0).reshape([len, d]);
                let sum = if len == *n_entries {
                    sum
                } else {
                    let rest = [*n_entries - len, d];
                    let zeros = Tensor::zeros(rest, (&sum.device(), sum.dtype()));
                    Tensor::cat(vec![sum, zeros], 0)
                };
                vec![(*table, ParameterGradient::Matrix(sum))]
            }
            Self::Vector { vector } => vec![(*vector, total(flat))],
        }
    }
}

/// Of each row of `[n, m]` the sum of squares.
fn squares(rows: Tensor<2>) -> Tensor<1> {
    let [n, _] = rows.dims();
    rows.square().sum_dim(1).reshape([n])
}

/// `‖sum_t x‖²` per unit, of `[rows, len, d]`.
fn summed_norms(rows: Tensor<3>, units: &Units) -> Tensor<1> {
    let [n_rows, _, d] = rows.dims();
    squares(units.sum_rows(rows.sum_dim(1).reshape([n_rows, d])))
}

/// `‖sum_t aᵀ g‖²` per unit.
fn linear_norms(input: Tensor<3>, gradient: Tensor<3>, units: &Units) -> Tensor<1> {
    let a = units.join(input); // [units, len, d_in]
    let g = units.join(gradient); // [units, len, d_out]
    let ([_, len, d_in], [_, _, d_out]) = (a.dims(), g.dims());
    if ghost_is_cheaper(len, d_in, d_out) {
        ghost_norms(a, g)
    } else {
        instantiated_norms(a, g)
    }
}

/// Whether `len · len` products of rows cost less than a gradient of `d_in · d_out`.
fn ghost_is_cheaper(len: usize, d_in: usize, d_out: usize) -> bool {
    len * (d_in + d_out) < d_in * d_out
}

/// `sum((a aᵀ) ∘ (g gᵀ))` per unit: never forms the gradient.
fn ghost_norms(a: Tensor<3>, g: Tensor<3>) -> Tensor<1> {
    let left = a.clone().matmul(a.transpose()); // [units, len, len]
    let right = g.clone().matmul(g.transpose()); // [units, len, len]
    sum_of_pairs(left * right)
}

/// `‖aᵀ g‖²` per unit, by forming the gradient.
fn instantiated_norms(a: Tensor<3>, g: Tensor<3>) -> Tensor<1> {
    let [n_units, _, _] = a.dims();
    let gradient = a.transpose().matmul(g); // [units, d_in, d_out]
    gradient.square().sum_dim(2).sum_dim(1).reshape([n_units])
}

/// The sum of each `[len, len]` of `[units, len, len]`.
fn sum_of_pairs(pairs: Tensor<3>) -> Tensor<1> {
    let [n_units, _, _] = pairs.dims();
    // Rounding can take a vanishing norm below zero.
    let norms = pairs.sum_dim(2).sum_dim(1).clamp_min(0.0);
    norms.reshape([n_units])
}

/// `sum over pairs of positions with one id of g · g'` per unit: the norm without the entries.
fn pairwise_lookup_norms(ids: &Tensor<2, Int>, gradient: &Tensor<3>, units: &Units) -> Tensor<1> {
    let [rows, len] = ids.dims();
    let g = units.join(gradient.clone()); // [units, len, d]
    let dtype = gradient.dtype();
    // What a unit is filled up with has the id 0 and a gradient of zero.
    let ids = units.join(ids.clone().reshape([rows, len, 1]).float().cast(dtype));
    let [n_units, len, _] = g.dims();
    let pairs = [n_units, len, len];
    let same = ids
        .clone()
        .expand(pairs)
        .equal(ids.transpose().expand(pairs));
    let products = g.clone().matmul(g.transpose()); // [units, len, len]
    sum_of_pairs(products.mask_fill(same.bool_not(), 0.0))
}

/// `sum over the entries that a unit reads of ‖sum_t g‖²`, by forming these entries.
fn entry_lookup_norms(ids: &Tensor<2, Int>, gradient: &Tensor<3>, units: &Units) -> Tensor<1> {
    let [rows, len, d] = gradient.dims();
    let host = ids.clone().into_data();
    let host = host
        .try_into_vec_as::<i64>()
        .expect("a tensor of whole numbers converts to i64");
    let mut entry_of = HashMap::new();
    let mut unit_of_entry = Vec::new();
    let entries: Vec<i64> = host
        .iter()
        .enumerate()
        .map(|(position, id)| {
            let unit = units.unit_of_row()[position / len];
            *entry_of.entry((unit, *id)).or_insert_with(|| {
                unit_of_entry.push(unit as i64);
                unit_of_entry.len() as i64 - 1
            })
        })
        .collect();
    let options = (&gradient.device(), gradient.dtype());
    let flat = gradient.clone().reshape([rows * len, d]);
    let sums = Tensor::<2>::zeros([unit_of_entry.len(), d], options).select_assign(
        0,
        integers(entries, gradient),
        flat,
        IndexingUpdateOp::Add,
    );
    Tensor::<1>::zeros([units.n_units()], options).select_assign(
        0,
        integers(unit_of_entry, gradient),
        squares(sums),
        IndexingUpdateOp::Add,
    )
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::random::Key;

    fn draw(name: &str, shape: [usize; 3]) -> Tensor<3> {
        let key = Key::new(1).stream(name);
        let n = shape.iter().product::<usize>() as u64;
        let values: Vec<f32> = (0..n).map(|i| key.normal(i) as f32).collect();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_into_vec::<f32>().expect("f32")
    }

    #[test]
    fn both_ways_to_a_norm_agree_and_the_cheaper_is_taken() {
        let mut taken = Vec::new();
        for (len, d_in, d_out) in [(1, 8, 8), (2, 9, 7), (16, 8, 8), (1, 1, 1), (4, 8, 8)] {
            let (a, g) = (draw("a", [3, len, d_in]), draw("g", [3, len, d_out]));
            let ghost = host(ghost_norms(a.clone(), g.clone()));
            let instantiated = host(instantiated_norms(a.clone(), g.clone()));
            for (unit, (ghost, instantiated)) in ghost.iter().zip(&instantiated).enumerate() {
                let (a, g) = (a.clone().narrow(0, unit, 1), g.clone().narrow(0, unit, 1));
                let (a, g) = (host(a), host(g));
                let mut naive = 0.0;
                for i in 0..d_in {
                    for o in 0..d_out {
                        let entry: f64 = (0..len)
                            .map(|t| f64::from(a[t * d_in + i]) * f64::from(g[t * d_out + o]))
                            .sum();
                        naive += entry * entry;
                    }
                }
                assert!((f64::from(*ghost) - naive).abs() < 1e-5 * naive);
                assert!((f64::from(*instantiated) - naive).abs() < 1e-5 * naive);
            }
            taken.push(ghost_is_cheaper(len, d_in, d_out));
        }
        assert_eq!(taken, [true, true, false, false, false]);
    }

    #[test]
    fn both_ways_to_the_norm_of_a_lookup_agree() {
        let (rows, len, d) = (5, 7, 3);
        let g = draw("g", [rows, len, d]);
        let key = Key::new(2);
        let host_ids: Vec<i64> = (0..35).map(|i| key.below(i, 4) as i64).collect();
        let data = TensorData::new(host_ids.clone(), [rows, len]);
        let ids = Tensor::<2, Int>::from_data(data, &Device::flex());
        for unit_of_row in [vec![0, 1, 2, 3, 4], vec![2, 0, 2, 1, 0]] {
            let units = Units::new(unit_of_row.clone());
            let values = host(g.clone());
            let mut entries = HashMap::<(usize, i64, usize), f64>::new();
            for (place, value) in values.iter().enumerate() {
                let (position, feature) = (place / d, place % d);
                let unit = unit_of_row[position / len];
                *entries
                    .entry((unit, host_ids[position], feature))
                    .or_default() += f64::from(*value);
            }
            let mut expected = vec![0.0; units.n_units()];
            for ((unit, ..), value) in entries {
                expected[unit] += value * value;
            }
            for norms in [pairwise_lookup_norms, entry_lookup_norms] {
                for (found, expected) in host(norms(&ids, &g, &units)).iter().zip(&expected) {
                    assert!((f64::from(*found) - expected).abs() < 1e-5 * expected);
                }
            }
        }
    }
}
