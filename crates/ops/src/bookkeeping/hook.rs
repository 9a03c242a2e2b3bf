//! The hook that keeps what per-unit gradients need.

use std::collections::HashSet;
use std::fmt;

use burn::module::ParamId;
use burn::tensor::{Gradients, Tensor};

use super::gradients::{Entry, UnitGradients};
use super::rule::Rule;
use super::units::Units;
use crate::hook::{Hook, Operation, Site};

/// An operation of the pass and the probe on its output.
#[derive(Debug)]
struct Record {
    site: String,
    rule: Rule,
    probe: Tensor<3>,
}

/// The hook that keeps what per-unit gradients need.
///
/// Run the model with its weights frozen (`no_grad`): the weighted sum replaces the weights' own
/// gradients.
#[derive(Debug, Default)]
pub struct Bookkeeping {
    records: Vec<Record>,
    only: Option<HashSet<ParamId>>,
}

impl Bookkeeping {
    /// Nothing kept yet; every parameter of the pass will be.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing kept yet; of the parameters of the pass these will be, and the others are constants.
    /// An operation without any of them costs nothing.
    #[must_use]
    pub fn only(parameters: HashSet<ParamId>) -> Self {
        Self {
            records: Vec::new(),
            only: Some(parameters),
        }
    }

    fn wants(&self, parameter: ParamId) -> bool {
        let only = self.only.as_ref();
        only.is_none_or(|only| only.contains(&parameter))
    }

    /// What is to be kept of an operation; nothing if it has no parameter that counts.
    fn rule(&self, operation: Operation<'_>) -> Option<Rule> {
        let wanted = |parameter: ParamId| self.wants(parameter).then_some(parameter);
        // Without a wildcard: a newcomer does not compile until it has a rule.
        match operation {
            Operation::Linear {
                input,
                weight,
                bias,
            } => {
                let (weight, bias) = (wanted(weight), bias.and_then(wanted));
                // A bias alone does not look at the input.
                let input = weight.map(|weight| (weight, input.clone().inner()));
                (input.is_some() || bias.is_some()).then_some(Rule::Linear {
                    weight: input,
                    bias,
                })
            }
            Operation::Lookup {
                ids,
                table,
                n_entries,
            } => wanted(table).map(|table| Rule::Lookup {
                table,
                n_entries,
                ids: ids.clone(),
            }),
            Operation::Rows { table, n_entries } => {
                wanted(table).map(|table| Rule::Rows { table, n_entries })
            }
            Operation::ScaleShift {
                normalized,
                weight,
                bias,
            } => {
                let (weight, bias) = (wanted(weight), wanted(bias));
                let weight = weight.map(|weight| (weight, normalized.clone().inner()));
                (weight.is_some() || bias.is_some()).then_some(Rule::ScaleShift { weight, bias })
            }
            Operation::Vector { vector } => wanted(vector).map(|vector| Rule::Vector { vector }),
            Operation::Function => None,
        }
    }

    /// Takes the output gradients out of `gradients`.
    ///
    /// # Errors
    ///
    /// - [`BookkeepingError::Shared`] if a parameter was used twice: the cross terms of shared
    ///   parameters have no rule.
    /// - [`BookkeepingError::Untracked`] if a probe got no gradient: the loss does not depend on that
    ///   output, or the input's device has no autodiff.
    pub fn finish(
        self,
        gradients: &mut Gradients,
        units: &Units,
    ) -> Result<UnitGradients, BookkeepingError> {
        let mut entries = Vec::with_capacity(self.records.len());
        let mut used = HashSet::new();
        for Record { site, rule, probe } in self.records {
            if !rule.parameters().into_iter().all(|id| used.insert(id)) {
                return Err(BookkeepingError::Shared { site });
            }
            let Some(gradient) = probe.grad_remove(gradients) else {
                return Err(BookkeepingError::Untracked { site });
            };
            entries.push(Entry { rule, gradient });
        }
        Ok(UnitGradients::new(entries, units.clone()))
    }
}

impl Hook for Bookkeeping {
    fn observes(&self) -> bool {
        true
    }

    fn output(&mut self, site: Site<'_>, operation: Operation<'_>, output: Tensor<3>) -> Tensor<3> {
        let Some(rule) = self.rule(operation) else {
            return output;
        };
        // Zero strides: the probe costs no memory.
        let zeros = Tensor::<3>::zeros([1, 1, 1], (&output.device().inner(), output.dtype()));
        let mut probe = zeros.expand(output.dims()).autodiff();
        // Burn refuses to add tensors that differ in this.
        if let Some(strategy) = output.gradient_checkpointing_strategy() {
            probe = probe.with_gradient_checkpointing_strategy(strategy);
        }
        let probe = probe.require_grad();
        self.records.push(Record {
            site: site.to_string(),
            rule,
            probe: probe.clone(),
        });
        output + probe
    }
}

/// Why book-keeping cannot answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BookkeepingError {
    /// A parameter was used at two places.
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
