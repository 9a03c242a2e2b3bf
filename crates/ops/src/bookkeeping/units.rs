//! Which rows of a batch are whose.

use burn::tensor::{Bool, IndexingUpdateOp, Int, Tensor, TensorData};

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

    /// Whether row `r` is unit `r`, so that nothing needs to be joined.
    fn is_a_row_each(&self) -> bool {
        self.unit_of_row.iter().copied().eq(0..self.n_units)
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
    pub(super) fn join(&self, rows: Tensor<3>) -> Tensor<3> {
        let [n_rows, len, d] = rows.dims();
        self.assert_rows(n_rows);
        if self.is_a_row_each() {
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

    /// The sum over each unit's rows: `[rows, n]` to `[units, n]`.
    pub(super) fn sum_rows(&self, rows: Tensor<2>) -> Tensor<2> {
        let [n_rows, n] = rows.dims();
        self.assert_rows(n_rows);
        if self.is_a_row_each() {
            return rows;
        }
        let index = self.row_index(&rows);
        Tensor::zeros([self.n_units, n], (&rows.device(), rows.dtype())).select_assign(
            0,
            index,
            rows,
            IndexingUpdateOp::Add,
        )
    }

    /// The weight of each row's unit: `[units]` to `[rows, 1, 1]`.
    pub(super) fn weights_of_rows(&self, weights: &Tensor<1>, like: &Tensor<3>) -> Tensor<3> {
        let [n_rows, ..] = like.dims();
        self.assert_rows(n_rows);
        let weights = weights.clone().select(0, self.row_index(like));
        weights.reshape([n_rows, 1, 1])
    }

    /// Whether each row's unit is among `units`: `[rows, 1, 1]`.
    pub(super) fn mask_of_rows(&self, units: &[bool], like: &Tensor<3>) -> Tensor<3, Bool> {
        let n_rows = self.unit_of_row.len();
        let mask: Vec<bool> = self.unit_of_row.iter().map(|unit| units[*unit]).collect();
        Tensor::from_data(TensorData::new(mask, [n_rows, 1, 1]), &like.device())
    }

    fn row_index<const D: usize>(&self, like: &Tensor<D>) -> Tensor<1, Int> {
        integers(self.unit_of_row.iter().map(|unit| *unit as i64), like)
    }
}

pub(super) fn integers<const D: usize>(
    values: impl IntoIterator<Item = i64>,
    like: &Tensor<D>,
) -> Tensor<1, Int> {
    let values: Vec<i64> = values.into_iter().collect();
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), &like.device())
}
