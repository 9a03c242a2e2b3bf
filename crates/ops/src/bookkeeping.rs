//! Per-unit gradients from one backward pass, through the hook.
//!
//! Private training needs, for each unit (a record, a document, a user), the norm of that unit's
//! gradient, and then the sum of the units' gradients, each scaled by a weight. Book-keeping (Bu et
//! al. 2022, <https://arxiv.org/abs/2210.00038>) never forms a unit's gradient: for a linear layer
//! with input `a` and output gradient `g` (`[rows, len, d]`), unit `u`'s weight gradient is
//! `sum a[r, t]ᵀ g[r, t]` over its rows and positions, and both quantities follow from `a` and `g`.
//!
//! The output gradient comes from a probe: a leaf of zeros, without memory of its own, added to the
//! operation's output. One backward pass, public tensor operations only, any backend.
//!
//! ```
//! use burn::module::Module;
//! use burn::tensor::{Device, Tensor};
//! use regard_ops::bookkeeping::{Bookkeeping, Units};
//! use regard_ops::{Context, Key, primitive::LinearConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let device = Device::flex().autodiff();
//! let model = LinearConfig::new(4, 2).init(Key::new(1), &device).no_grad();
//! let input = Tensor::ones([3, 5, 4], &device);
//!
//! let mut hook = Bookkeeping::new();
//! let output = model.forward(input, "layer", &mut Context::evaluation().with_hook(&mut hook));
//! let mut gradients = output.square().sum().backward(); // a loss summed over units
//!
//! // The first two rows are one unit, the third is another.
//! let units = hook.finish(&mut gradients, &Units::new(vec![0, 0, 1]))?;
//! let norms = units.squared_norms().ok_or("no linear layer")?.sqrt();
//! let largest_norm = 1.0;
//! let weights = norms.recip().mul_scalar(largest_norm).clamp_max(1.0);
//! assert_eq!(units.weighted_sum(&weights).len(), 2); // the weight's and the bias'
//! # Ok(())
//! # }
//! ```
//!
//! The linear primitive has its rule now; the sites of the other primitives that a pass went through
//! are listed by [`UnitGradients::without_rule`], so that nobody takes a partial norm for a whole one.

use std::fmt;

use burn::module::ParamId;
use burn::tensor::{Gradients, Int, Tensor, TensorData};

use crate::hook::{Hook, Operation, Site};

/// The rows of each unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Units {
    unit_of_row: Vec<usize>,
    n_units: usize,
}

impl Units {
    /// Row `r` belongs to unit `unit_of_row[r]`; units are numbered from 0.
    #[must_use]
    pub fn new(unit_of_row: Vec<usize>) -> Self {
        let n_units = unit_of_row.iter().max().map_or(0, |last| last + 1);
        Self {
            unit_of_row,
            n_units,
        }
    }

    /// Each row is a unit of its own.
    #[must_use]
    pub fn one_row_each(n_units: usize) -> Self {
        Self {
            unit_of_row: (0..n_units).collect(),
            n_units,
        }
    }

    /// The number of units.
    #[must_use]
    pub fn n_units(&self) -> usize {
        self.n_units
    }

    /// The unit of each row.
    #[must_use]
    pub fn unit_of_row(&self) -> &[usize] {
        &self.unit_of_row
    }

    fn assert_rows(&self, n_rows: usize) {
        assert_eq!(
            n_rows,
            self.unit_of_row.len(),
            "every row of the batch belongs to a unit"
        );
    }

    /// Joins each unit's rows into one long row: `[rows, len, d]` to `[units, most_rows * len, d]`.
    /// A unit with fewer rows is filled up with zeros, which add nothing to a gradient.
    fn join(&self, rows: Tensor<3>) -> Tensor<3> {
        let [n_rows, len, d] = rows.dims();
        self.assert_rows(n_rows);
        if self.unit_of_row.iter().copied().eq(0..n_rows) {
            return rows;
        }
        let mut rows_of_unit = vec![Vec::new(); self.n_units];
        for (row, &unit) in self.unit_of_row.iter().enumerate() {
            rows_of_unit[unit].push(row as i64);
        }
        let most = rows_of_unit.iter().map(Vec::len).max().unwrap_or(0);
        let filler = n_rows as i64;
        let index: Vec<i64> = rows_of_unit
            .into_iter()
            .flat_map(|mut unit| {
                unit.resize(most, filler);
                unit
            })
            .collect();
        let zeros = Tensor::zeros([1, len, d], (&rows.device(), rows.dtype()));
        let index = integers(index, &rows);
        Tensor::cat(vec![rows, zeros], 0)
            .select(0, index) // [units * most, len, d]
            .reshape([self.n_units, most * len, d])
    }
}

fn integers(values: Vec<i64>, like: &Tensor<3>) -> Tensor<1, Int> {
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), &like.device())
}

/// A linear operation of the pass: its parameters, its input and the probe on its output.
#[derive(Debug)]
struct Record {
    site: String,
    weight: ParamId,
    bias: Option<ParamId>,
    input: Tensor<3>,
    probe: Tensor<3>,
}

/// The hook that keeps what per-unit gradients need.
///
/// Run the model with its weights frozen (`no_grad`): the weighted sum replaces the weights' own
/// gradients.
#[derive(Debug, Default)]
pub struct Bookkeeping {
    records: Vec<Record>,
    without_rule: Vec<String>,
}

impl Bookkeeping {
    /// Nothing kept yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the output gradients out of `gradients`.
    ///
    /// # Errors
    ///
    /// - [`BookkeepingError::Shared`] if a weight was used twice: the cross terms of shared weights
    ///   have no rule.
    /// - [`BookkeepingError::Untracked`] if a probe got no gradient: the loss does not depend on that
    ///   output, or the input's device has no autodiff.
    pub fn finish(
        self,
        gradients: &mut Gradients,
        units: &Units,
    ) -> Result<UnitGradients, BookkeepingError> {
        let mut linear: Vec<LinearUnits> = Vec::with_capacity(self.records.len());
        for record in self.records {
            if linear.iter().any(|other| other.weight == record.weight) {
                return Err(BookkeepingError::Shared { site: record.site });
            }
            let Some(gradient) = record.probe.grad_remove(gradients) else {
                return Err(BookkeepingError::Untracked { site: record.site });
            };
            linear.push(LinearUnits {
                weight: record.weight,
                bias: record.bias,
                input: record.input,
                gradient,
            });
        }
        Ok(UnitGradients {
            linear,
            units: units.clone(),
            without_rule: self.without_rule,
        })
    }
}

impl Hook for Bookkeeping {
    fn observes(&self) -> bool {
        true
    }

    fn output(&mut self, site: Site<'_>, operation: Operation<'_>, output: Tensor<3>) -> Tensor<3> {
        match operation {
            Operation::Linear {
                input,
                weight,
                bias,
            } => {
                // Zero strides: the probe costs no memory.
                let zeros =
                    Tensor::<3>::zeros([1, 1, 1], (&output.device().inner(), output.dtype()));
                let mut probe = zeros.expand(output.dims()).autodiff();
                // Burn refuses to add tensors that differ in this.
                if let Some(strategy) = output.gradient_checkpointing_strategy() {
                    probe = probe.with_gradient_checkpointing_strategy(strategy);
                }
                let probe = probe.require_grad();
                self.records.push(Record {
                    site: site.to_string(),
                    weight,
                    bias,
                    input: input.clone().inner(),
                    probe: probe.clone(),
                });
                output + probe
            }
            Operation::Function => output,
            _ => {
                self.without_rule.push(site.to_string());
                output
            }
        }
    }
}

/// Why book-keeping cannot answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BookkeepingError {
    /// A weight was used at two places.
    Shared {
        /// The second place.
        site: String,
    },
    /// An output got no gradient.
    Untracked {
        /// The place.
        site: String,
    },
}

impl fmt::Display for BookkeepingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared { site } => write!(
                f,
                "{site}: this weight was already used in the same pass; shared weights have no per-unit rule, so give the layer its own weight"
            ),
            Self::Untracked { site } => write!(
                f,
                "{site}: no gradient reached this output; the loss must depend on it and the input must be on an autodiff device"
            ),
        }
    }
}

impl std::error::Error for BookkeepingError {}

/// Inputs and output gradients of the pass, grouped by unit.
#[derive(Debug)]
pub struct UnitGradients {
    linear: Vec<LinearUnits>,
    units: Units,
    without_rule: Vec<String>,
}

/// The gradient of one parameter.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ParameterGradient {
    /// Of a vector.
    Vector(Tensor<1>),
    /// Of a matrix.
    Matrix(Tensor<2>),
}

impl UnitGradients {
    /// The sites of the pass whose parameters have no per-unit rule yet: neither the norms nor the
    /// sums count them.
    #[must_use]
    pub fn without_rule(&self) -> &[String] {
        &self.without_rule
    }

    /// The squared norm of each unit's gradient over all recorded parameters together.
    ///
    /// # Shapes
    ///
    /// - output: `[n_units]`
    #[must_use]
    pub fn squared_norms(&self) -> Option<Tensor<1>> {
        self.linear
            .iter()
            .map(|layer| layer.squared_norms(&self.units))
            .reduce(|sum, norms| sum + norms)
    }

    /// The sum of the units' gradients, unit `u`'s scaled by `weights[u]`, for each parameter.
    ///
    /// # Shapes
    ///
    /// - weights: `[n_units]`, on the inner device
    ///
    /// # Panics
    ///
    /// If there is not a weight for each unit.
    #[must_use]
    pub fn weighted_sum(&self, weights: &Tensor<1>) -> Vec<(ParamId, ParameterGradient)> {
        let ([n_weights], n_units) = (weights.dims(), self.units.n_units());
        assert_eq!(
            n_weights, n_units,
            "a weight for each of {n_units} units, found {n_weights}"
        );
        self.linear
            .iter()
            .flat_map(|layer| layer.weighted_sum(&self.units, weights))
            .collect()
    }
}

/// The private rules of the linear primitive.
#[derive(Debug)]
struct LinearUnits {
    weight: ParamId,
    bias: Option<ParamId>,
    /// `[rows, len, d_in]`.
    input: Tensor<3>,
    /// `[rows, len, d_out]`.
    gradient: Tensor<3>,
}

impl LinearUnits {
    /// Per unit, `‖aᵀ g‖²`, plus `‖sum_t g‖²` for the bias.
    fn squared_norms(&self, units: &Units) -> Tensor<1> {
        let a = units.join(self.input.clone()); // [units, len, d_in]
        let g = units.join(self.gradient.clone()); // [units, len, d_out]
        let ([_, len, d_in], [n_units, _, d_out]) = (a.dims(), g.dims());
        let norms = if ghost_is_cheaper(len, d_in, d_out) {
            ghost_norms(a, g.clone())
        } else {
            instantiated_norms(a, g.clone())
        };
        if self.bias.is_some() {
            norms + g.sum_dim(1).square().sum_dim(2).reshape([n_units])
        } else {
            norms
        }
    }

    /// `aᵀ diag(w) g`, one matrix product for all units.
    fn weighted_sum(
        &self,
        units: &Units,
        weights: &Tensor<1>,
    ) -> Vec<(ParamId, ParameterGradient)> {
        let ([rows, len, d_in], [_, _, d_out]) = (self.input.dims(), self.gradient.dims());
        units.assert_rows(rows);
        let unit_of_row = units.unit_of_row.iter().map(|unit| *unit as i64).collect();
        let weight_of_row = weights
            .clone()
            .select(0, integers(unit_of_row, &self.gradient))
            .reshape([rows, 1, 1]);
        let g = (self.gradient.clone() * weight_of_row).reshape([rows * len, d_out]);
        let a = self.input.clone().reshape([rows * len, d_in]);
        let mut sums = vec![(
            self.weight,
            ParameterGradient::Matrix(a.transpose().matmul(g.clone())),
        )];
        if let Some(bias) = self.bias {
            let sum = g.sum_dim(0).reshape([d_out]);
            sums.push((bias, ParameterGradient::Vector(sum)));
        }
        sums
    }
}

/// Whether `len · len` products of rows cost less than a gradient of `d_in · d_out`.
fn ghost_is_cheaper(len: usize, d_in: usize, d_out: usize) -> bool {
    len * (d_in + d_out) < d_in * d_out
}

/// `sum((a aᵀ) ∘ (g gᵀ))` per unit: never forms the gradient.
fn ghost_norms(a: Tensor<3>, g: Tensor<3>) -> Tensor<1> {
    let [n_units, _, _] = a.dims();
    let left = a.clone().matmul(a.transpose()); // [units, len, len]
    let right = g.clone().matmul(g.transpose()); // [units, len, len]
    // Rounding can take a vanishing norm below zero.
    let norms = (left * right).sum_dim(2).sum_dim(1).clamp_min(0.0);
    norms.reshape([n_units])
}

/// `‖aᵀ g‖²` per unit, by forming the gradient.
fn instantiated_norms(a: Tensor<3>, g: Tensor<3>) -> Tensor<1> {
    let [n_units, _, _] = a.dims();
    let gradient = a.transpose().matmul(g); // [units, d_in, d_out]
    gradient.square().sum_dim(2).sum_dim(1).reshape([n_units])
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::random::Key;

    #[test]
    fn both_ways_to_a_norm_agree_and_the_cheaper_is_taken() {
        let draw = |name, shape: [usize; 3]| {
            let key = Key::new(1).stream(name);
            let n = shape.iter().product::<usize>() as u64;
            let values: Vec<f32> = (0..n).map(|i| key.normal(i) as f32).collect();
            Tensor::<3>::from_data(TensorData::new(values, shape), &Device::flex())
        };
        let mut taken = Vec::new();
        for (len, d_in, d_out) in [(1, 8, 8), (2, 9, 7), (16, 8, 8), (1, 1, 1), (4, 8, 8)] {
            let (a, g) = (draw("a", [3, len, d_in]), draw("g", [3, len, d_out]));
            let host = |norms: Tensor<1>| norms.into_data().try_into_vec::<f32>().expect("f32");
            let ghost = host(ghost_norms(a.clone(), g.clone()));
            let instantiated = host(instantiated_norms(a.clone(), g.clone()));
            for (unit, (ghost, instantiated)) in ghost.iter().zip(&instantiated).enumerate() {
                let (a, g) = (a.clone().narrow(0, unit, 1), g.clone().narrow(0, unit, 1));
                let (a, g) = (a.reshape([len * d_in]), g.reshape([len * d_out]));
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
}
