//! Bounding what a unit contributes to a step.

use burn::module::ParamId;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use regard_ops::bookkeeping::{ParameterGradient, UnitGradients};

use crate::config::ClippingStyle;

/// An f32 norm can come out a little too small; contributions are cut to a little less than the bound.
const MARGIN: f64 = 1e-3;
/// What AUTO-S adds to a norm, so that a vanishing gradient is not blown up (the paper's gamma).
const AUTO_S_GAMMA: f64 = 0.01;

/// What the norm of one unit's contribution to a sum never exceeds.
///
/// Only [`Clipping`] makes one, so that noise cannot be calibrated by anything else.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Sensitivity(f64);

impl Sensitivity {
    /// The bound.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }
}

/// How a unit's gradient is bounded.
///
/// # Guarantee
///
/// Whatever the gradients are, a unit that is taken out or put in changes [`Bounded::sum`]
/// by at most [`Clipping::sensitivity`] in norm, over all parameters together.
///
/// | gradient of a unit | its contribution |
/// |---|---|
/// | of a norm below the bound | itself (AUTO-S: brought to the bound) |
/// | of a larger norm | its direction, at the bound |
/// | zero | zero |
/// | infinite or NaN anywhere | zero |
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clipping {
    style: ClippingStyle,
    max_grad_norm: f64,
}

/// What becomes of each unit's gradient; the norms of all its parameters decide.
pub struct Bounded {
    factors: Factors,
    /// The units whose gradient is longer than the bound.
    pub n_clipped: usize,
    /// Whether each unit is taken out because its gradient is not finite.
    pub discarded: Vec<bool>,
}

/// The factor on each unit's gradient.
enum Factors {
    /// One for all operations.
    Shared(Vec<f64>),
    /// Of each operation.
    ByOperation(Vec<Vec<f64>>),
}

impl Clipping {
    /// Contributions of a norm of at most `max_grad_norm`.
    ///
    /// # Panics
    ///
    /// If the bound is not a positive number.
    #[must_use]
    pub fn new(style: ClippingStyle, max_grad_norm: f64) -> Self {
        assert!(
            max_grad_norm > 0.0 && max_grad_norm.is_finite(),
            "a bound is a positive number, found {max_grad_norm}"
        );
        Self {
            style,
            max_grad_norm,
        }
    }

    /// What a unit's contribution never exceeds.
    ///
    /// `max_grad_norm` for every style: per-layer clipping gives each of L operations
    /// `max_grad_norm / sqrt(L)`.
    #[must_use]
    pub const fn sensitivity(&self) -> Sensitivity {
        Sensitivity(self.max_grad_norm)
    }

    /// Decides by the squared norms of each unit's gradient, a list of units for each operation.
    #[must_use]
    pub fn bound(&self, norms: &[Vec<f64>]) -> Bounded {
        let n_units = norms.first().map_or(0, Vec::len);
        let whole: Vec<f64> = (0..n_units)
            .map(|unit| norms.iter().map(|of| of[unit]).sum::<f64>().sqrt())
            .collect();
        // A sum that overflows is as bad as one that is NaN.
        let discarded: Vec<bool> = whole.iter().map(|norm| !norm.is_finite()).collect();
        let cut = |norm: f64, bound: f64| match self.style {
            _ if !norm.is_finite() => 0.0,
            ClippingStyle::AutoS => bound / (norm + AUTO_S_GAMMA),
            _ if norm > bound => bound / norm,
            _ => 1.0,
        };
        let bound = self.max_grad_norm * (1.0 - MARGIN);
        #[cfg(test)]
        let bound = match () {
            () if super::mutant::Mutant::NoClipping.is_made() => f64::MAX,
            () if super::mutant::Mutant::BoundTwice.is_made() => 2.0 * bound,
            () => bound,
        };
        let factors = match self.style {
            ClippingStyle::PerLayer => {
                let bound = bound / (norms.len() as f64).sqrt();
                let of_operation = |of: &Vec<f64>| {
                    let factor = |(norm, gone): (&f64, &bool)| match gone {
                        true => 0.0,
                        false => cut(norm.sqrt(), bound),
                    };
                    of.iter().zip(&discarded).map(factor).collect()
                };
                Factors::ByOperation(norms.iter().map(of_operation).collect())
            }
            _ => Factors::Shared(whole.iter().map(|norm| cut(*norm, bound)).collect()),
        };
        Bounded {
            factors,
            n_clipped: whole.iter().filter(|norm| **norm > bound).count(),
            discarded,
        }
    }
}

impl Bounded {
    /// The sum of the units' bounded gradients, which live on `device`; `units` are those of the
    /// operations from `first` on.
    #[must_use]
    pub fn sum(&self, mut units: UnitGradients, first: usize, device: &Device) -> GradientsParams {
        if self.discarded.contains(&true) {
            // Taken out, not weighted with zero: zero times NaN is NaN.
            units.discard(&self.discarded);
        }
        let sums = match &self.factors {
            Factors::Shared(factors) => units.weighted_sum(&tensor(factors, device)),
            Factors::ByOperation(factors) => {
                let factors = factors[first..][..units.n_operations()].iter();
                let factors: Vec<_> = factors.map(|of| tensor(of, device)).collect();
                units.weighted_sum_by_operation(&factors)
            }
        };
        let mut sum = GradientsParams::new();
        for (id, gradient) in sums {
            register(&mut sum, id, gradient);
        }
        sum
    }
}

/// Each operation's squared norms, unit by unit, on the host. One transfer for all.
pub(super) fn norms_by_operation(units: &UnitGradients) -> Vec<Vec<f64>> {
    let each = units.squared_norms_by_operation();
    let n = each.len();
    if n == 0 {
        return Vec::new();
    }
    let all = Tensor::cat(each, 0)
        .into_data()
        .try_into_vec_as::<f32>()
        .expect("a float tensor converts to f32");
    let n_units = all.len() / n;
    // Rounding can take a vanishing norm below zero; NaN is not below it, and stays.
    let norm = |norm: &f32| if *norm < 0.0 { 0.0 } else { f64::from(*norm) };
    all.chunks(n_units.max(1))
        .map(|of| of.iter().map(norm).collect())
        .collect()
}

fn tensor(factors: &[f64], device: &Device) -> Tensor<1> {
    let n = factors.len();
    let factors: Vec<f32> = factors.iter().map(|factor| *factor as f32).collect();
    Tensor::from_data(TensorData::new(factors, [n]), device)
}

fn register(sum: &mut GradientsParams, id: ParamId, gradient: ParameterGradient) {
    match gradient {
        ParameterGradient::Vector(gradient) => sum.register(id, gradient),
        ParameterGradient::Matrix(gradient) => sum.register(id, gradient),
        other => panic!("the primitives hold vectors and matrices, found {other:?}"),
    }
}
