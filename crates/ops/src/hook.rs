//! The hook: told of every operation of a forward pass, and free to change its output.

use std::fmt;

use burn::module::ParamId;
use burn::tensor::{Int, Tensor};

/// Why a stage runs.
///
/// Gradient checkpointing runs a stage twice. What is recorded once (attention maps) looks at
/// [`Pass::Forward`]; what must have a tape (probes) looks at the pass that has one; what changes the
/// computation (a perturbation) must do the same in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// The stage runs for the first time.
    Forward,
    /// The stage runs again, with a tape, during the backward pass.
    Recompute,
}

/// Where in a model an operation stands.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The stage: 0 is the embedding, then the blocks, then the head.
    pub stage: usize,
    /// The names from the stage down to the operation, for instance `["attention", "qkv"]`.
    pub path: &'a [&'static str],
    /// Why the stage runs.
    pub pass: Pass,
}

impl fmt::Display for Site<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stage {}: {}", self.stage, self.path.join("."))
    }
}

/// What an operation did: which parameters it used, on which input.
///
/// It holds all that private training needs for a per-unit gradient, given the gradient of the
/// output.
#[derive(Debug)]
#[non_exhaustive]
pub enum Operation<'a> {
    /// `output = input · weight + bias`, with weight `[d_in, d_out]`.
    Linear {
        /// `[batch, len, d_in]`.
        input: &'a Tensor<3>,
        /// The weight.
        weight: ParamId,
        /// The bias `[d_out]`, if there is one.
        bias: Option<ParamId>,
    },
    /// `output[b, t] = table[ids[b, t]]`.
    Lookup {
        /// `[batch, len]`.
        ids: &'a Tensor<2, Int>,
        /// The table `[n_entries, d]`.
        table: ParamId,
        /// The entries of the table.
        n_entries: usize,
    },
    /// `output[b, t] = table[t]`: the first `len` entries, the same for every row.
    Rows {
        /// The table `[n_entries, d]`.
        table: ParamId,
        /// The entries of the table.
        n_entries: usize,
    },
    /// `output = normalized ∘ weight + bias`.
    ScaleShift {
        /// `[batch, len, d]`.
        normalized: &'a Tensor<3>,
        /// The scale `[d]`.
        weight: ParamId,
        /// The shift `[d]`.
        bias: ParamId,
    },
    /// `output[b, t] = vector`.
    Vector {
        /// The vector `[d]`.
        vector: ParamId,
    },
    /// An operation without parameters that is worth seeing: the embedding's sum, the heads' mixed
    /// values, an activation, a residual sum, the pooled vector.
    Function,
}

/// Looks into a forward pass.
///
/// All methods have defaults that do nothing; `()` is the hook that sees nothing and costs nothing.
pub trait Hook {
    /// Whether [`Hook::output`] wants to be called.
    ///
    /// A primitive may take a faster, fused way when nobody looks.
    fn observes(&self) -> bool {
        false
    }

    /// Told of an operation; what it returns is what the model goes on with.
    ///
    /// # Shapes
    ///
    /// `output`: `[batch, len, d]`; the returned tensor has the same shape.
    fn output(&mut self, site: Site<'_>, operation: Operation<'_>, output: Tensor<3>) -> Tensor<3> {
        let _ = (site, operation);
        output
    }

    /// Whether the attention weights of this site are wanted. Mechanisms that have none at hand
    /// compute them only when asked.
    fn wants_attention_weights(&self, site: Site<'_>) -> bool {
        let _ = site;
        false
    }

    /// Told of attention weights, after [`Hook::wants_attention_weights`] said yes.
    ///
    /// # Shapes
    ///
    /// `weights`: `[batch, heads, query_len, key_len]`; rows sum to 1, or to 0 where everything is
    /// hidden.
    fn attention_weights(&mut self, site: Site<'_>, weights: &Tensor<4>) {
        let _ = (site, weights);
    }
}

impl Hook for () {}
