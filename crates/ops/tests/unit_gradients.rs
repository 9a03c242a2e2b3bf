//! The per-unit rule of every primitive against a loop over single units.

mod common;

use std::collections::HashSet;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, FloatDType, Gradients, Int, Tensor, TensorData};
use common::{assert_near, device, normals, values};
use regard_ops::bookkeeping::{Bookkeeping, ParameterGradient, UnitGradients, Units};
use regard_ops::primitive::{
    LayerNorm, LayerNormConfig, Linear, LinearConfig, PatchProjection, PatchProjectionConfig,
    Table, TableConfig, Vector, VectorConfig,
};
use regard_ops::{Context, Key};

const ENTRIES: usize = 6;
const POSITIONS: usize = 25;
const D: usize = 4;
const PATCH: usize = 3;

/// Every primitive, the projection of patches too.
#[derive(Module, Debug)]
struct All {
    token: Table,
    position: Table,
    class: Vector,
    patch: PatchProjection,
    norm: LayerNorm,
    layer: Linear,
}

impl All {
    fn new(device: &Device) -> Self {
        let key = Key::new(1);
        Self {
            token: TableConfig::new(ENTRIES, D).init(key.fold(0), device),
            position: TableConfig::new(POSITIONS, D).init(key.fold(1), device),
            class: VectorConfig::new(D).init(key.fold(2), device),
            patch: PatchProjectionConfig::new(PATCH, 1, D).init(key.fold(3), device),
            norm: LayerNormConfig::new(D).init(key.fold(4), device),
            layer: LinearConfig::new(D, 2 * D).init(key.fold(5), device),
        }
    }

    fn forward(&self, batch: &Batch, context: &mut Context<'_>) -> Tensor<3> {
        let [rows, len] = batch.ids.dims();
        let sum = self.token.lookup(batch.ids.clone(), "token", context)
            + self.position.rows(rows, len, "position", context)
            + self.class.forward(rows, len, "class", context)
            + self
                .patch
                .forward(batch.series.clone().unsqueeze_dim(2), "patch", context);
        let normed = self.norm.forward(sum, "norm", context);
        self.layer.forward(normed, "layer", context)
    }
}

struct Batch {
    ids: Tensor<2, Int>,
    series: Tensor<2>,
    probe: Tensor<3>,
}

impl Batch {
    fn new(rows: usize, len: usize, precision: FloatDType, device: &Device) -> Self {
        let key = Key::new(3);
        let ids: Vec<i64> = (0..rows * len)
            .map(|i| key.below(i as u64, ENTRIES as u64 - 1) as i64)
            .collect();
        Self {
            ids: Tensor::from_data(TensorData::new(ids, [rows, len]), device),
            series: normals("series", [rows, len + PATCH - 1], device).cast(precision),
            probe: normals("probe", [rows, len, 2 * D], device).cast(precision),
        }
    }

    fn rows(&self, rows: &[usize]) -> Self {
        let index: Vec<i32> = rows.iter().map(|row| *row as i32).collect();
        let index = Tensor::<1, Int>::from_data(index.as_slice(), &self.ids.device());
        Self {
            ids: self.ids.clone().select(0, index.clone()),
            series: self.series.clone().select(0, index.clone()),
            probe: self.probe.clone().select(0, index),
        }
    }

    /// Not linear in the output, so that a unit's output gradient depends on its rows.
    fn loss(&self, output: Tensor<3>) -> Tensor<1> {
        (output.square() * self.probe.clone()).sum()
    }
}

struct Cast(FloatDType);

impl ModuleMapper for Cast {
    fn map_float<const R: usize>(&mut self, param: Param<Tensor<R>>) -> Param<Tensor<R>> {
        param.map(|tensor| tensor.cast(self.0).detach().require_grad())
    }
}

/// Ids, and gradients where there are any, in the order of the module.
fn gradients(net: &All, gradients: Option<&Gradients>) -> Vec<(ParamId, Vec<f64>)> {
    struct Take<'a>(Option<&'a Gradients>, Vec<(ParamId, Vec<f64>)>);
    impl ModuleVisitor for Take<'_> {
        fn visit_float<const R: usize>(&mut self, param: &Param<Tensor<R>>) {
            let gradient = match self.0 {
                Some(gradients) => values(&param.val().grad(gradients).expect("a gradient")),
                None => vec![0.0; param.val().shape().num_elements()],
            };
            self.1.push((param.id, gradient));
        }
    }
    let mut take = Take(gradients, Vec::new());
    net.visit(&mut take);
    take.1
}

/// Each unit's gradients from a pass of its own.
fn one_by_one(net: &All, batch: &Batch, units: &Units) -> Vec<Vec<(ParamId, Vec<f64>)>> {
    (0..units.n_units())
        .map(|unit| {
            let rows: Vec<usize> = (0..units.unit_of_row().len())
                .filter(|row| units.unit_of_row()[*row] == unit)
                .collect();
            if rows.is_empty() {
                return gradients(net, None);
            }
            let alone = batch.rows(&rows);
            let output = net.forward(&alone, &mut Context::evaluation());
            gradients(net, Some(&alone.loss(output).backward()))
        })
        .collect()
}

fn all_at_once(net: &All, batch: &Batch, units: &Units, mut hook: Bookkeeping) -> UnitGradients {
    let frozen = net.clone().no_grad();
    let mut context = Context::evaluation().with_hook(&mut hook);
    let output = frozen.forward(batch, &mut context);
    let mut gradients = batch.loss(output).backward();
    hook.finish(&mut gradients, units)
        .expect("all outputs are used")
}

fn host(gradient: &ParameterGradient) -> Vec<f64> {
    match gradient {
        ParameterGradient::Vector(gradient) => values(gradient),
        ParameterGradient::Matrix(gradient) => values(gradient),
        other => panic!("a rank that this test does not know: {other:?}"),
    }
}

/// Norms and weighted sums over the parameters `counted`.
fn compare(
    all: &UnitGradients,
    each: &[Vec<(ParamId, Vec<f64>)>],
    counted: &HashSet<ParamId>,
    tolerance: f64,
) {
    let norm = |unit: &Vec<(ParamId, Vec<f64>)>| {
        let counted = unit.iter().filter(|(id, _)| counted.contains(id));
        counted
            .flat_map(|(_, g)| g)
            .map(|g| g * g)
            .sum::<f64>()
            .sqrt()
    };
    let norms: Vec<f64> = each.iter().map(norm).collect();
    let found = all.squared_norms().expect("there are parameters");
    assert_near("norms", &values(&found.clone().sqrt()), &norms, tolerance);
    let weights: Vec<f64> = (0..each.len())
        .map(|unit| 0.3 * unit as f64 - 0.5)
        .collect();
    let tensor = Tensor::<1>::from_data(weights.as_slice(), (&Device::flex(), found.dtype()));
    let sums = all.weighted_sum(&tensor);
    let by_operation = vec![tensor; all.n_operations()];
    let again = all.weighted_sum_by_operation(&by_operation);
    let ids: HashSet<ParamId> = sums.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, *counted);
    assert_eq!(sums.len(), counted.len(), "each once");
    for ((id, sum), (other, same)) in sums.iter().zip(&again) {
        assert_eq!((id, host(sum)), (other, host(same)));
        let place = each[0]
            .iter()
            .position(|(other, _)| other == id)
            .expect("a parameter");
        let mut expected = vec![0.0; each[0][place].1.len()];
        for (unit, weight) in each.iter().zip(&weights) {
            for (sum, g) in expected.iter_mut().zip(&unit[place].1) {
                *sum += weight * g;
            }
        }
        assert_near("weighted sum", &host(sum), &expected, tolerance);
    }
}

const UNITS: &[&[usize]] = &[
    &[0, 1, 2, 3, 4],
    &[0, 0, 1, 1, 2],
    &[2, 0, 1, 0, 2],
    &[1, 0, 1, 1],
    // Unit 1 has no row: a norm and a gradient of zero.
    &[2, 0, 2],
    &[0, 0],
];

#[test]
fn the_rules_of_all_primitives_equal_a_loop_over_units() {
    for (precision, tolerance) in [(FloatDType::F64, 1e-11), (FloatDType::F32, 1e-5)] {
        let net = All::new(&device()).map(&mut Cast(precision));
        let all: HashSet<ParamId> = gradients(&net, None).iter().map(|(id, _)| *id).collect();
        // Few positions and many, the whole table of positions and a part of it.
        for len in [1, 3, 20, POSITIONS] {
            for unit_of_row in UNITS {
                let units = Units::new(unit_of_row.to_vec());
                let batch = Batch::new(unit_of_row.len(), len, precision, &device());
                let each = one_by_one(&net, &batch, &units);
                let found = all_at_once(&net, &batch, &units, Bookkeeping::new());
                compare(&found, &each, &all, tolerance);
            }
        }
    }
}

#[test]
fn parameters_that_do_not_count_are_in_neither_norm_nor_sum() {
    let precision = FloatDType::F64;
    let net = All::new(&device()).map(&mut Cast(precision));
    let units = Units::new(vec![2, 0, 1, 0, 2]);
    let batch = Batch::new(5, 3, precision, &device());
    let each = one_by_one(&net, &batch, &units);
    let bias = net.layer.bias().expect("a bias").id;
    for counted in [
        HashSet::from([bias]),
        HashSet::from([net.layer.weight().id, bias]),
        HashSet::from([net.token.weight().id]),
        HashSet::from([net.position.weight().id, net.layer.weight().id]),
    ] {
        let found = all_at_once(&net, &batch, &units, Bookkeeping::only(counted.clone()));
        compare(&found, &each, &counted, 1e-11);
    }
}

#[test]
fn a_discarded_unit_is_zero_even_where_it_is_not_finite() {
    let precision = FloatDType::F64;
    let net = All::new(&device()).map(&mut Cast(precision));
    let units = Units::new(vec![0, 1, 0, 2]);
    let mut batch = Batch::new(4, 3, precision, &device());
    let mut each = one_by_one(&net, &batch, &units);
    for (_, gradient) in &mut each[0] {
        gradient.fill(0.0);
    }
    // Unit 0 has two rows, of which one is spoilt on the way in and one on the way out.
    let spoil = |row: usize, len: usize, width: usize| {
        let data = vec![f64::NAN; len * width];
        (row, TensorData::new(data, [1, len, width]))
    };
    let (row, data) = spoil(0, 3, 2 * D);
    let spoilt = Tensor::<3>::from_data(data, (&device(), batch.probe.dtype()));
    batch.probe = batch
        .probe
        .slice_assign([row..row + 1, 0..3, 0..2 * D], spoilt);
    let (row, data) = spoil(2, 1, 3 + PATCH - 1);
    let spoilt = Tensor::<3>::from_data(data, (&device(), batch.series.dtype()));
    let [_, len] = batch.series.dims();
    batch.series = (batch.series).slice_assign([row..row + 1, 0..len], spoilt.reshape([1, len]));
    let mut found = all_at_once(&net, &batch, &units, Bookkeeping::new());
    let norms = values(&found.squared_norms().expect("there are parameters"));
    assert!(norms[0].is_nan() && norms[1].is_finite() && norms[2].is_finite());
    found.discard(&[true, false, false]);
    let all = gradients(&net, None).iter().map(|(id, _)| *id).collect();
    compare(&found, &each, &all, 1e-11);
}
