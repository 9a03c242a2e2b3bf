//! The update rules, with their state by parameter name.
//!
//! AdamW's update is Burn's. What is ours is the bookkeeping: Burn keeps optimiser state by parameter
//! id, which is good for one process; files need names. So each parameter's state is held here under
//! its name, and weight decay goes to the weights of linear layers alone.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::{
    AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, GradientsParams, Optimizer,
};
use burn::tensor::{Device, Tensor};
use regard_model::weights::{HostTensor, ParameterPath, TensorFile, parameters};

use crate::layer_decay::LayerDecay;

/// The state of one parameter.
#[derive(Clone)]
enum Moments {
    Vector(AdamWState<1>),
    Matrix {
        state: AdamWState<2>,
        /// Whether the parameter's dimensions are swapped in files.
        is_transposed: bool,
    },
    VectorVelocity {
        velocity: Tensor<1>,
        updates: usize,
    },
    MatrixVelocity {
        velocity: Tensor<2>,
        updates: usize,
        /// Whether the parameter's dimensions are swapped in files.
        is_transposed: bool,
    },
}

/// Which way a parameter goes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum UpdateRule {
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019,
    /// <https://arxiv.org/abs/1711.05101>).
    AdamW,
    /// `velocity = momentum · velocity + gradient`, `parameter -= learning_rate · velocity`, after a
    /// decay of `learning_rate · weight_decay` (SGDW of the same paper).
    ///
    /// PyTorch equivalent: `torch.optim.SGD(momentum=...)`, but for the decoupled decay.
    Sgd {
        /// How much of the last update is made again, in [0, 1).
        momentum: f64,
    },
}

/// How the optimiser steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptimizerSettings {
    /// The update rule.
    pub rule: UpdateRule,
    /// The decay rates of AdamW's first and second moment.
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay of linear layers' weights.
    pub weight_decay: f64,
    /// How much more slowly the lower stages learn.
    pub layer_decay: LayerDecay,
}

/// An update rule with its state.
///
/// PyTorch equivalent: `torch.optim.AdamW` or `torch.optim.SGD` with two parameter groups, of which
/// one has no decay.
///
/// A clone shares the state's tensors until one of the two steps.
#[derive(Clone)]
pub struct NamedOptimizer {
    rule: UpdateRule,
    weight_decay: f64,
    decayed: AdamW,
    plain: AdamW,
    layer_decay: LayerDecay,
    moments: BTreeMap<String, Moments>,
}

/// What a checkpoint keeps of an optimiser.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptimizerState {
    /// `moment_1.<parameter>` and `moment_2.<parameter>`, in the layout of weight files.
    pub moments: TensorFile,
    /// The updates that each parameter has had.
    pub updates: BTreeMap<String, u64>,
}

impl NamedOptimizer {
    /// Without state: no parameter has been updated yet.
    #[must_use]
    pub fn new(settings: &OptimizerSettings) -> Self {
        let with_decay = |decay: f64| {
            AdamWConfig::new()
                .with_beta_1(settings.betas[0] as f32)
                .with_beta_2(settings.betas[1] as f32)
                .with_epsilon(settings.epsilon as f32)
                .with_weight_decay(decay as f32)
                .build()
        };
        Self {
            rule: settings.rule,
            weight_decay: settings.weight_decay,
            decayed: with_decay(settings.weight_decay),
            plain: with_decay(0.0),
            layer_decay: settings.layer_decay,
            moments: BTreeMap::new(),
        }
    }

    /// Updates every parameter that has a gradient, after multiplying the gradients by `scale`.
    #[must_use]
    pub fn step<M: Module>(
        &mut self,
        model: M,
        gradients: GradientsParams,
        learning_rate: f64,
        scale: f64,
    ) -> M {
        model.map(&mut Step {
            optimizer: self,
            gradients,
            learning_rate,
            scale,
            path: ParameterPath::new(),
        })
    }

    /// The state, for a checkpoint.
    #[must_use]
    pub fn state(&self) -> OptimizerState {
        let mut state = OptimizerState::default();
        for (name, moments) in &self.moments {
            let (updates, first, second) = match moments {
                Moments::Vector(AdamWState { momentum }) => (
                    momentum.time,
                    HostTensor::from_tensor(momentum.moment_1.clone(), false),
                    Some(HostTensor::from_tensor(momentum.moment_2.clone(), false)),
                ),
                Moments::VectorVelocity { velocity, updates } => (
                    *updates,
                    HostTensor::from_tensor(velocity.clone(), false),
                    None,
                ),
                Moments::MatrixVelocity {
                    velocity,
                    updates,
                    is_transposed,
                } => (
                    *updates,
                    HostTensor::from_tensor(velocity.clone(), *is_transposed),
                    None,
                ),
                Moments::Matrix {
                    state: AdamWState { momentum },
                    is_transposed,
                } => (
                    momentum.time,
                    HostTensor::from_tensor(momentum.moment_1.clone(), *is_transposed),
                    Some(HostTensor::from_tensor(
                        momentum.moment_2.clone(),
                        *is_transposed,
                    )),
                ),
            };
            state.moments.insert(format!("moment_1.{name}"), first);
            if let Some(second) = second {
                state.moments.insert(format!("moment_2.{name}"), second);
            }
            state.updates.insert(name.clone(), updates as u64);
        }
        state
    }

    /// Takes over the state of a checkpoint.
    ///
    /// # Errors
    ///
    /// With every moment that is missing, belongs to no parameter of `model` or has another shape;
    /// the optimiser is not touched then.
    pub fn load<M: Module>(
        &mut self,
        model: &M,
        mut state: OptimizerState,
        device: &Device,
    ) -> Result<(), Vec<String>> {
        let mut problems = Vec::new();
        let mut loaded = BTreeMap::new();
        for parameter in parameters(model) {
            let name = parameter.name;
            let taken = [1, 2].map(|i| state.moments.take(&format!("moment_{i}.{name}")));
            let updates = state.updates.remove(&name);
            let is_sgd = matches!(self.rule, UpdateRule::Sgd { .. });
            let (first, second, updates) = match (taken, updates) {
                ([Some(first), Some(second)], Some(updates)) if !is_sgd => {
                    (first, Some(second), updates as usize)
                }
                ([Some(first), None], Some(updates)) if is_sgd => (first, None, updates as usize),
                // A frozen parameter has had no update and has no moments.
                ([None, None], None) => continue,
                _ => {
                    problems.push(format!("{name} has only a part of its moments"));
                    continue;
                }
            };
            let shape = parameter.shape;
            let second_shape = second.as_ref().map(|second| &second.shape);
            if first.shape != shape || second_shape.is_some_and(|found| *found != shape) {
                problems.push(format!(
                    "the moments of {name} have the shapes {:?} and {:?}, expected {shape:?}",
                    first.shape,
                    second_shape.unwrap_or(&first.shape)
                ));
                continue;
            }
            // The weights of linear layers: decayed, and swapped in files.
            let is_transposed = parameter.decayed;
            let moments = match (shape.len(), second) {
                (1, Some(second)) => {
                    Moments::Vector(restore(first, second, updates, false, device))
                }
                (1, None) => Moments::VectorVelocity {
                    velocity: to_tensor(first, false, device),
                    updates,
                },
                (2, Some(second)) => Moments::Matrix {
                    state: restore(first, second, updates, is_transposed, device),
                    is_transposed,
                },
                (2, None) => Moments::MatrixVelocity {
                    velocity: to_tensor(first, is_transposed, device),
                    updates,
                    is_transposed,
                },
                (rank, _) => {
                    problems.push(format!("{name} has {rank} dimensions, expected 1 or 2"));
                    continue;
                }
            };
            loaded.insert(name, moments);
        }
        let strays = state.moments.names().map(str::to_owned);
        for name in strays.chain(state.updates.into_keys()) {
            problems.push(format!("{name} belongs to no parameter of the model"));
        }
        if problems.is_empty() {
            self.moments = loaded;
            Ok(())
        } else {
            Err(problems)
        }
    }
}

fn restore<const D: usize>(
    first: HostTensor,
    second: HostTensor,
    updates: usize,
    is_transposed: bool,
    device: &Device,
) -> AdamWState<D> {
    AdamWState::new(AdaptiveMomentumState::new(
        updates,
        to_tensor(first, is_transposed, device),
        to_tensor(second, is_transposed, device),
    ))
}

fn to_tensor<const D: usize>(host: HostTensor, is_transposed: bool, device: &Device) -> Tensor<D> {
    let mut shape = host.shape.clone();
    if is_transposed {
        shape.reverse();
    }
    let like = Tensor::zeros(shape, device);
    host.into_tensor::<D>(&like, is_transposed)
}

/// The mapper that updates parameter by parameter.
struct Step<'a> {
    optimizer: &'a mut NamedOptimizer,
    gradients: GradientsParams,
    learning_rate: f64,
    scale: f64,
    path: ParameterPath,
}

impl ModuleMapper for Step<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return param;
        };
        let gradient = if self.scale == 1.0 {
            gradient
        } else {
            gradient.mul_scalar(self.scale)
        };
        let name = self.path.name();
        let decayed = self.path.is_decayed();
        let is_transposed = self.path.is_transposed();
        let NamedOptimizer {
            rule,
            weight_decay,
            decayed: with_decay,
            plain,
            layer_decay,
            moments,
        } = &mut *self.optimizer;
        let learning_rate = self.learning_rate * layer_decay.multiplier(&name);
        let sgd = match rule {
            UpdateRule::AdamW => None,
            UpdateRule::Sgd { momentum } => {
                Some((*momentum, if decayed { *weight_decay } else { 0.0 }))
            }
        };
        let adamw = if decayed { with_decay } else { plain };
        let kept = moments.remove(&name);
        param.map(|tensor| {
            let tracked = tensor.is_require_grad();
            let (tensor, next) = match sgd {
                Some((momentum, decay)) => {
                    let (updates, velocity) = descend(momentum, gradient, kept);
                    let tensor = tensor.inner().mul_scalar(1.0 - learning_rate * decay)
                        - velocity.clone().mul_scalar(learning_rate);
                    (tensor, with_velocity(velocity, updates, is_transposed))
                }
                None => update(
                    adamw,
                    learning_rate,
                    tensor.inner(),
                    gradient,
                    kept,
                    is_transposed,
                ),
            };
            moments.insert(name, next);
            let tensor = tensor.autodiff();
            if tracked {
                tensor.require_grad()
            } else {
                tensor
            }
        })
    }
}

/// The velocity after one more gradient, and the updates that it has had.
fn descend<const D: usize>(
    momentum: f64,
    gradient: Tensor<D>,
    kept: Option<Moments>,
) -> (usize, Tensor<D>) {
    let kept: Option<(usize, Tensor<D>)> = match (D, kept) {
        (1, Some(Moments::VectorVelocity { velocity, updates })) => Some((updates, cast(velocity))),
        (
            2,
            Some(Moments::MatrixVelocity {
                velocity, updates, ..
            }),
        ) => Some((updates, cast(velocity))),
        _ => None,
    };
    match kept {
        Some((updates, velocity)) => (updates + 1, velocity.mul_scalar(momentum) + gradient),
        None => (1, gradient),
    }
}

fn with_velocity<const D: usize>(
    velocity: Tensor<D>,
    updates: usize,
    is_transposed: bool,
) -> Moments {
    match D {
        1 => Moments::VectorVelocity {
            velocity: cast(velocity),
            updates,
        },
        2 => Moments::MatrixVelocity {
            velocity: cast(velocity),
            updates,
            is_transposed,
        },
        rank => {
            panic!("the primitives hold vectors and matrices, found a parameter of rank {rank}")
        }
    }
}

/// A tensor whose rank the compiler knows only as `A`, under the rank that it has at run time.
fn cast<const A: usize, const B: usize>(tensor: Tensor<A>) -> Tensor<B> {
    Tensor::from_bridge(tensor.into_bridge())
}

/// One update of one parameter by AdamW. The rank is known to the compiler only as `D`, so state and tensors
/// go through the rank that they have at run time.
fn update<const D: usize>(
    rule: &AdamW,
    learning_rate: f64,
    tensor: Tensor<D>,
    gradient: Tensor<D>,
    kept: Option<Moments>,
    is_transposed: bool,
) -> (Tensor<D>, Moments) {
    match D {
        1 => {
            let kept = kept.and_then(|moments| match moments {
                Moments::Vector(state) => Some(state),
                _ => None,
            });
            let (tensor, state) = rule.step::<1>(learning_rate, cast(tensor), cast(gradient), kept);
            (
                cast(tensor),
                Moments::Vector(state.expect("AdamW keeps state")),
            )
        }
        2 => {
            let kept = kept.and_then(|moments| match moments {
                Moments::Matrix { state, .. } => Some(state),
                _ => None,
            });
            let (tensor, state) = rule.step::<2>(learning_rate, cast(tensor), cast(gradient), kept);
            let state = state.expect("AdamW keeps state");
            let moments = Moments::Matrix {
                state,
                is_transposed,
            };
            (cast(tensor), moments)
        }
        rank => {
            panic!("the primitives hold vectors and matrices, found a parameter of rank {rank}")
        }
    }
}
