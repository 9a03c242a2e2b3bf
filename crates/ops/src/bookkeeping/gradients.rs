//! What a pass tells of each unit's gradient.

use burn::module::ParamId;
use burn::tensor::Tensor;

use super::rule::Rule;
use super::units::Units;

/// An operation with the gradient of its output `[rows, len, d]`.
#[derive(Debug)]
pub(super) struct Entry {
    pub rule: Rule,
    pub gradient: Tensor<3>,
}

/// Inputs and output gradients of the pass, grouped by unit.
#[derive(Debug)]
pub struct UnitGradients {
    entries: Vec<Entry>,
    units: Units,
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
    pub(super) fn new(entries: Vec<Entry>, units: Units) -> Self {
        Self { entries, units }
    }

    /// The number of units.
    #[must_use]
    pub fn n_units(&self) -> usize {
        self.units.n_units()
    }

    /// The number of operations that were kept.
    #[must_use]
    pub fn n_operations(&self) -> usize {
        self.entries.len()
    }

    /// The squared norm of each unit's gradient over all recorded parameters together, or none if
    /// there are none.
    ///
    /// # Shapes
    ///
    /// - output: `[n_units]`
    #[must_use]
    pub fn squared_norms(&self) -> Option<Tensor<1>> {
        let each = self.squared_norms_by_operation();
        each.into_iter().reduce(|sum, norms| sum + norms)
    }

    /// The squared norm of each unit's gradient over the parameters of each operation, in the order
    /// of the pass.
    ///
    /// # Shapes
    ///
    /// - outputs: `[n_units]`
    #[must_use]
    pub fn squared_norms_by_operation(&self) -> Vec<Tensor<1>> {
        let norms = |entry: &Entry| entry.rule.squared_norms(&entry.gradient, &self.units);
        self.entries.iter().map(norms).collect()
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
        self.sum(|_| weights)
    }

    /// [`UnitGradients::weighted_sum`] with weights of its own for each operation.
    ///
    /// # Shapes
    ///
    /// - weights: `[n_units]` for each of [`UnitGradients::n_operations`], on the inner device
    ///
    /// # Panics
    ///
    /// If there are not weights for each operation, or not one for each unit.
    #[must_use]
    pub fn weighted_sum_by_operation(
        &self,
        weights: &[Tensor<1>],
    ) -> Vec<(ParamId, ParameterGradient)> {
        assert_eq!(
            weights.len(),
            self.entries.len(),
            "weights for each operation"
        );
        self.sum(|operation| &weights[operation])
    }

    fn sum<'a>(
        &self,
        weights: impl Fn(usize) -> &'a Tensor<1>,
    ) -> Vec<(ParamId, ParameterGradient)> {
        let n_units = self.units.n_units();
        let mut sums = Vec::new();
        for (operation, Entry { rule, gradient }) in self.entries.iter().enumerate() {
            let weights = weights(operation);
            let [n_weights] = weights.dims();
            assert_eq!(
                n_weights, n_units,
                "a weight for each of {n_units} units, found {n_weights}"
            );
            let weighted = gradient.clone() * self.units.weights_of_rows(weights, gradient);
            sums.extend(rule.sum(weighted));
        }
        sums
    }

    /// Takes the units with `true` out: their gradients are zero from here on, also where they are
    /// not finite, which a weight of zero would not achieve (zero times NaN is NaN).
    ///
    /// # Panics
    ///
    /// If there is not an answer for each unit.
    pub fn discard(&mut self, units: &[bool]) {
        assert_eq!(units.len(), self.units.n_units(), "an answer for each unit");
        for Entry { rule, gradient } in &mut self.entries {
            let mask = self.units.mask_of_rows(units, gradient);
            let zero = |rows: &mut Tensor<3>| {
                let mask = mask.clone().expand(rows.dims());
                *rows = rows.clone().mask_fill(mask, 0.0);
            };
            zero(gradient);
            rule.kept_rows().map(zero);
        }
    }
}
