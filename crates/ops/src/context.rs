//! What a forward pass carries along: the hook, the place, the randomness.

use burn::tensor::Tensor;

use crate::hook::{Hook, Operation, Pass, Site};
use crate::random::Key;

/// The state of one forward pass.
///
/// It knows where the pass stands (stage and path), which hook looks on, and, in training, the key
/// that dropout draws from. A context is made for one pass of one part of a batch.
pub struct Context<'a> {
    hook: Option<&'a mut dyn Hook>,
    stage: usize,
    path: Vec<&'static str>,
    pass: Pass,
    randomness: Option<Randomness>,
}

/// The randomness of a training pass.
#[derive(Clone, Copy, Debug)]
struct Randomness {
    key: Key,
    first_row: u64,
}

impl Context<'static> {
    /// A pass that nobody looks into, without dropout.
    #[must_use]
    pub fn evaluation() -> Self {
        Self {
            hook: None,
            stage: 0,
            path: Vec::new(),
            pass: Pass::Forward,
            randomness: None,
        }
    }

    /// A training pass: dropout is on and draws from `key`, which must name the run's seed and the
    /// step.
    ///
    /// `first_row` is the position of the input's first row in the whole batch. Each row draws under
    /// its own number, so a batch gives the same result in one piece as in several.
    #[must_use]
    pub fn training(key: Key, first_row: u64) -> Self {
        Self {
            randomness: Some(Randomness { key, first_row }),
            ..Self::evaluation()
        }
    }
}

impl<'a> Context<'a> {
    /// The same pass with `hook` looking on.
    #[must_use]
    pub fn with_hook<'b>(self, hook: &'b mut dyn Hook) -> Context<'b> {
        Context {
            hook: Some(hook),
            stage: self.stage,
            path: self.path,
            pass: self.pass,
            randomness: self.randomness,
        }
    }

    /// The same pass, told to be `pass`.
    #[must_use]
    pub fn with_pass(mut self, pass: Pass) -> Self {
        self.pass = pass;
        self
    }

    /// Why its stages run.
    #[must_use]
    pub fn pass(&self) -> Pass {
        self.pass
    }

    /// Says why the next stages run.
    pub fn set_pass(&mut self, pass: Pass) {
        self.pass = pass;
    }

    /// Moves on to a stage of the model.
    pub fn enter_stage(&mut self, stage: usize) {
        self.stage = stage;
        self.path.clear();
    }

    /// Runs `f` one level down the path.
    pub fn within<R>(&mut self, name: &'static str, f: impl FnOnce(&mut Self) -> R) -> R {
        self.path.push(name);
        let result = f(self);
        self.path.pop();
        result
    }

    /// Whether a hook wants to see operations.
    #[must_use]
    pub fn observes(&self) -> bool {
        self.hook.as_ref().is_some_and(|hook| hook.observes())
    }

    /// Tells the hook of the operation `name`; goes on with what it returns.
    #[must_use]
    pub fn output(
        &mut self,
        name: &'static str,
        operation: Operation<'_>,
        output: Tensor<3>,
    ) -> Tensor<3> {
        let (stage, pass) = (self.stage, self.pass);
        let Some(hook) = self.hook.as_mut().filter(|hook| hook.observes()) else {
            return output;
        };
        self.path.push(name);
        let site = Site {
            stage,
            path: &self.path,
            pass,
        };
        let output = hook.output(site, operation, output);
        self.path.pop();
        output
    }

    /// Whether the hook wants the attention weights of this place.
    #[must_use]
    pub fn wants_attention_weights(&self) -> bool {
        self.hook
            .as_ref()
            .is_some_and(|hook| hook.wants_attention_weights(self.site()))
    }

    /// Tells the hook of attention weights `[batch, heads, query_len, key_len]`.
    pub fn attention_weights(&mut self, weights: &Tensor<4>) {
        let (stage, pass) = (self.stage, self.pass);
        if let Some(hook) = self.hook.as_mut() {
            let site = Site {
                stage,
                path: &self.path,
                pass,
            };
            hook.attention_weights(site, weights);
        }
    }

    /// The key of the random site `name` here and the number of the first row, or `None` when the
    /// pass is not a training pass.
    pub(crate) fn random_site(&self, name: &'static str) -> Option<(Key, u64)> {
        let Randomness { key, first_row } = self.randomness?;
        let mut key = key.fold(self.stage as u64);
        for part in &self.path {
            key = key.stream(part);
        }
        Some((key.stream(name), first_row))
    }

    fn site(&self) -> Site<'_> {
        Site {
            stage: self.stage,
            path: &self.path,
            pass: self.pass,
        }
    }
}
