//! Table lookup: embeddings and learned positions.

use burn::module::{Module, Param};
use burn::tensor::module::embedding;
use burn::tensor::{Device, Int, Tensor};

use crate::context::Context;
use crate::hook::Operation;
use crate::init::Init;
use crate::random::Key;

/// How to make a [`Table`].
#[derive(Clone, Debug)]
pub struct TableConfig {
    n_entries: usize,
    d: usize,
    init: Init,
}

impl TableConfig {
    /// A table of `n_entries` vectors of `d` features, drawn normal with standard deviation 0.02.
    #[must_use]
    pub fn new(n_entries: usize, d: usize) -> Self {
        Self {
            n_entries,
            d,
            init: Init::Normal(0.02),
        }
    }

    /// With another initialisation.
    #[must_use]
    pub fn with_init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// Draws the table under `key`.
    #[must_use]
    pub fn init(&self, key: Key, device: &Device) -> Table {
        Table {
            weight: self
                .init
                .param([self.n_entries, self.d], key.stream("weight"), device),
        }
    }
}

/// A table of vectors.
///
/// PyTorch equivalent: `nn.Embedding`.
#[derive(Module, Debug)]
pub struct Table {
    weight: Param<Tensor<2>>,
}

impl Table {
    /// The entries named by `ids`.
    ///
    /// Ids are **not** checked here: a backend may panic or return garbage for an id outside the
    /// table, so whoever builds `ids` checks them on the host.
    ///
    /// # Shapes
    ///
    /// - ids: `[batch, len]`
    /// - output: `[batch, len, d]`
    #[must_use]
    pub fn lookup(
        &self,
        ids: Tensor<2, Int>,
        name: &'static str,
        context: &mut Context<'_>,
    ) -> Tensor<3> {
        let seen = context.observes().then(|| ids.clone());
        let output = embedding(self.weight.val(), ids);
        let Some(ids) = seen else { return output };
        let operation = Operation::Lookup {
            ids: &ids,
            table: self.weight.id,
            n_entries: self.n_entries(),
        };
        context.output(name, operation, output)
    }

    /// The first `len` entries, the same for each of `batch` rows.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, len, d]`
    ///
    /// # Panics
    ///
    /// If the table has fewer than `len` entries.
    #[must_use]
    pub fn rows(
        &self,
        batch: usize,
        len: usize,
        name: &'static str,
        context: &mut Context<'_>,
    ) -> Tensor<3> {
        let [n_entries, d] = self.weight.dims();
        assert!(
            len <= n_entries,
            "{len} positions asked of a table of {n_entries}: shorten the input or make the table longer"
        );
        let output = self
            .weight
            .val()
            .slice([0..len, 0..d])
            .unsqueeze::<3>() // [1, len, d]
            .expand([batch, len, d]);
        let operation = Operation::Rows {
            table: self.weight.id,
            n_entries,
        };
        context.output(name, operation, output)
    }

    /// The number of entries.
    #[must_use]
    pub fn n_entries(&self) -> usize {
        self.weight.dims()[0]
    }

    /// The table `[n_entries, d]`.
    #[must_use]
    pub fn weight(&self) -> &Param<Tensor<2>> {
        &self.weight
    }
}
