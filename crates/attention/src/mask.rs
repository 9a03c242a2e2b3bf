//! What may attend to what.

use std::sync::{Arc, OnceLock};

use burn::tensor::{Bool, DType, Device, Tensor, TensorData};

/// Which keys are hidden from which queries.
///
/// A mask keeps its structure (padding, causal, dense), so that a mechanism can skip work; it becomes
/// a tensor only where one is needed, once. A key is hidden if any part hides it. Everywhere,
/// **true = hidden**, as in Burn. A query that sees no key gets weights zero, output zero and
/// gradient zero.
#[derive(Clone, Debug, Default)]
pub struct Mask {
    padding: Option<Arc<Padding>>,
    causal: bool,
    /// `[batch or 1, query_len, key_len]`, true = hidden.
    dense: Option<Tensor<3, Bool>>,
    /// The mask as tensors, made on first use and shared by clones: the blocks of an encoder all
    /// use the same.
    tensors: Arc<OnceLock<MaskTensors>>,
}

/// Which positions of each row are filling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Padding {
    /// Row after row, true = filling.
    hidden: Vec<bool>,
    batch: usize,
    len: usize,
}

impl Padding {
    /// Position `t` of row `b` is filling if `hidden[b * len + t]`.
    ///
    /// # Panics
    ///
    /// If `hidden` does not hold `batch * len` values.
    #[must_use]
    pub fn new(hidden: Vec<bool>, batch: usize, len: usize) -> Self {
        assert_eq!(
            hidden.len(),
            batch * len,
            "padding of {batch} rows of {len} positions takes {} values",
            batch * len
        );
        Self { hidden, batch, len }
    }

    /// The number of rows.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The number of positions in a row, filling included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no positions at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hidden.is_empty()
    }

    /// The positions of a row, true = filling.
    #[must_use]
    pub fn row(&self, row: usize) -> &[bool] {
        &self.hidden[row * self.len..][..self.len]
    }

    /// 1 at real positions and 0 at filling, as a tensor.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, len]`
    #[must_use]
    pub fn visible(&self, device: &Device, dtype: DType) -> Tensor<2> {
        let values: Vec<f32> = self.hidden.iter().map(|h| f32::from(!h)).collect();
        Tensor::from_data(
            TensorData::new(values, [self.batch, self.len]),
            (device, dtype),
        )
    }

    /// The number of real positions of each row.
    #[must_use]
    pub fn lengths(&self) -> Vec<usize> {
        (0..self.batch)
            .map(|row| self.row(row).iter().filter(|hidden| !**hidden).count())
            .collect()
    }
}

/// A mask as tensors.
#[derive(Clone, Debug)]
pub(crate) struct MaskTensors {
    query_len: usize,
    key_len: usize,
    /// Added to the scores: 0, or so low that the weight becomes exactly 0. Broadcasts over
    /// `[batch, 1, query_len, key_len]`.
    pub(crate) bias: Tensor<4>,
    /// 1 for a query that sees a key, 0 for one that sees none; absent if each sees one.
    pub(crate) sees_a_key: Option<Tensor<4>>,
}

impl Mask {
    /// Nothing is hidden.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Hides filling.
    #[must_use]
    pub fn with_padding(mut self, padding: Padding) -> Self {
        self.tensors = Arc::default();
        self.padding = Some(Arc::new(padding));
        self
    }

    /// Hides what stands behind the first `lengths[b]` of `len` positions in row `b`.
    ///
    /// # Panics
    ///
    /// If a length exceeds `len`.
    #[must_use]
    pub fn with_lengths(self, lengths: &[usize], len: usize) -> Self {
        let mut hidden = Vec::with_capacity(lengths.len() * len);
        for &length in lengths {
            assert!(length <= len, "a row of {length} positions in {len}");
            hidden.extend((0..len).map(|t| t >= length));
        }
        self.with_padding(Padding::new(hidden, lengths.len(), len))
    }

    /// Hides the future: the last query sees every key, the one before all but the last key, and so
    /// on.
    #[must_use]
    pub fn with_causal(mut self) -> Self {
        self.tensors = Arc::default();
        self.causal = true;
        self
    }

    /// Hides what `hidden` says, true = hidden.
    ///
    /// # Shapes
    ///
    /// - hidden: `[batch or 1, query_len, key_len]`
    #[must_use]
    pub fn with_dense(mut self, hidden: Tensor<3, Bool>) -> Self {
        self.tensors = Arc::default();
        self.dense = Some(hidden);
        self
    }

    /// The filling, if there is any.
    #[must_use]
    pub fn padding(&self) -> Option<&Padding> {
        self.padding.as_deref()
    }

    /// Whether the future is hidden.
    #[must_use]
    pub fn is_causal(&self) -> bool {
        self.causal
    }

    /// Whether nothing is hidden.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.padding.is_none() && !self.causal && self.dense.is_none()
    }

    /// Refuses a mask for another number of rows: broadcasting would take it silently.
    pub(crate) fn assert_rows(&self, rows: usize) {
        if let Some(padding) = &self.padding {
            assert_eq!(
                padding.batch, rows,
                "the padding mask is for {} rows, found {rows}",
                padding.batch
            );
        }
        if let Some(dense) = &self.dense {
            let [batch, _, _] = dense.dims();
            assert!(
                batch == 1 || batch == rows,
                "the dense mask is for {batch} rows, found {rows}"
            );
        }
    }

    /// Whether some query may see no key at all.
    fn may_hide_all(&self, query_len: usize, key_len: usize) -> bool {
        if self.dense.is_some() {
            return true;
        }
        if self.causal && query_len > key_len {
            return true;
        }
        self.padding.as_ref().is_some_and(|padding| {
            (0..padding.batch).any(|row| {
                let row = padding.row(row);
                if self.causal {
                    row.first().is_none_or(|first| *first)
                } else {
                    row.iter().all(|hidden| *hidden)
                }
            })
        })
    }

    /// The mask as tensors, or `None` when nothing is hidden.
    ///
    /// # Panics
    ///
    /// If the mask was made for other lengths.
    pub(crate) fn tensors(
        &self,
        query_len: usize,
        key_len: usize,
        device: &Device,
        dtype: DType,
    ) -> Option<MaskTensors> {
        if self.is_none() {
            return None;
        }
        let make = || self.make_tensors(query_len, key_len, device, dtype);
        let kept = self.tensors.get_or_init(make);
        let fits = kept.query_len == query_len
            && kept.key_len == key_len
            && kept.bias.dtype() == dtype
            && kept.bias.device() == *device;
        Some(if fits { kept.clone() } else { make() })
    }

    fn make_tensors(
        &self,
        query_len: usize,
        key_len: usize,
        device: &Device,
        dtype: DType,
    ) -> MaskTensors {
        let low = hidden_score(dtype);
        let options = (device, dtype);
        let score = |hidden: bool| if hidden { low } else { 0.0 };
        let mut parts: Vec<Tensor<4>> = Vec::new();
        if let Some(padding) = &self.padding {
            assert_eq!(
                padding.len, key_len,
                "the padding mask is for {} keys, found {key_len}",
                padding.len
            );
            let values: Vec<f32> = padding.hidden.iter().map(|h| score(*h)).collect();
            let data = TensorData::new(values, [padding.batch, 1, 1, key_len]);
            parts.push(Tensor::from_data(data, options));
        }
        if self.causal {
            let mut values = Vec::with_capacity(query_len * key_len);
            for q in 0..query_len {
                values.extend((0..key_len).map(|k| score(k + query_len > q + key_len)));
            }
            let data = TensorData::new(values, [1, 1, query_len, key_len]);
            parts.push(Tensor::from_data(data, options));
        }
        if let Some(dense) = &self.dense {
            let [batch, q, k] = dense.dims();
            assert_eq!(
                [q, k],
                [query_len, key_len],
                "the dense mask is for {q} queries and {k} keys, found {query_len} and {key_len}"
            );
            let bias = Tensor::zeros([batch, q, k], options).mask_fill(dense.clone(), low);
            parts.push(bias.unsqueeze_dim::<4>(1));
        }
        let bias = parts
            .into_iter()
            .reduce(|sum, part| sum + part)
            .unwrap_or_else(|| Tensor::zeros([1, 1, 1, 1], options));
        let sees_a_key = self.may_hide_all(query_len, key_len).then(|| {
            let best = bias.clone().max_dim(3); // [batch, 1, query_len, 1]
            let blind = best.clone().lower_elem(f64::from(low) / 2.0);
            best.ones_like().mask_fill(blind, 0.0)
        });
        MaskTensors {
            query_len,
            key_len,
            bias,
            sees_a_key,
        }
    }
}

/// A score so low that its softmax weight is exactly 0 beside any visible one, yet finite: minus
/// infinity would make NaN of a row in which everything is hidden.
fn hidden_score(dtype: DType) -> f32 {
    match dtype {
        // Three parts may hide the same key, and the sum must stay finite.
        DType::F16 => -2e4,
        _ => -1e30,
    }
}
