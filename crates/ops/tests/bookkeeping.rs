//! Per-unit gradients from one backward pass against a loop over single units.

mod common;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::activation::tanh;
use burn::tensor::{Device, FloatDType, Int, Tensor};
use common::{assert_near, device, normals, values};
use proptest::prelude::*;
use regard_ops::bookkeeping::{
    Bookkeeping, BookkeepingError, ParameterGradient, UnitGradients, Units,
};
use regard_ops::primitive::{Linear, LinearConfig};
use regard_ops::{Context, Key};

/// Two layers, the second without a bias.
#[derive(Module, Debug)]
struct Net {
    first: Linear,
    second: Linear,
}

/// The extents of a net and its input.
#[derive(Clone, Copy, Debug)]
struct Size {
    len: usize,
    d_in: usize,
    d_hidden: usize,
    d_out: usize,
}

impl Net {
    fn new(size: Size, device: &Device) -> Self {
        let first = LinearConfig::new(size.d_in, size.d_hidden);
        let second = LinearConfig::new(size.d_hidden, size.d_out).with_bias(false);
        Self {
            first: first.init(Key::new(1).fold(0), device),
            second: second.init(Key::new(1).fold(1), device),
        }
    }

    fn forward(&self, input: Tensor<3>, context: &mut Context<'_>) -> Tensor<3> {
        let hidden = tanh(self.first.forward(input, "first", context));
        self.second.forward(hidden, "second", context)
    }

    fn parameters(&self) -> Vec<ParamId> {
        let bias = self.first.bias().expect("the first layer has a bias");
        vec![self.first.weight().id, bias.id, self.second.weight().id]
    }

    /// The gradients of [`Net::parameters`].
    fn gradients(&self, loss: &Tensor<1>) -> Vec<Vec<f64>> {
        let gradients = loss.backward();
        let bias = self.first.bias().expect("the first layer has a bias").val();
        let of_bias = bias.grad(&gradients).expect("a gradient");
        let weight = |layer: &Linear| layer.weight().val().grad(&gradients).expect("a gradient");
        vec![
            values(&weight(&self.first)),
            values(&of_bias),
            values(&weight(&self.second)),
        ]
    }
}

/// Not linear in the output, so that a unit's output gradient depends on its rows.
fn loss(output: Tensor<3>, probe: Tensor<3>) -> Tensor<1> {
    (output.square() * probe).sum()
}

/// Casts parameters; trainable ones stay trainable.
struct Cast(FloatDType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            let is_trainable = tensor.is_require_grad();
            let tensor = tensor.cast(self.0).detach();
            if is_trainable {
                tensor.require_grad()
            } else {
                tensor
            }
        })
    }
}

struct Setting {
    net: Net,
    input: Tensor<3>,
    probe: Tensor<3>,
    units: Units,
}

impl Setting {
    fn new(size: Size, unit_of_row: &[usize], device: &Device) -> Self {
        Self::in_precision(FloatDType::F32, size, unit_of_row, device)
    }

    fn in_precision(
        precision: FloatDType,
        size: Size,
        unit_of_row: &[usize],
        device: &Device,
    ) -> Self {
        let rows = unit_of_row.len();
        Self {
            net: Net::new(size, device).map(&mut Cast(precision)),
            input: normals("input", [rows, size.len, size.d_in], device).cast(precision),
            probe: normals("probe", [rows, size.len, size.d_out], device).cast(precision),
            units: Units::new(unit_of_row.to_vec()),
        }
    }

    /// One backward pass with book-keeping over the frozen net.
    fn all_at_once(&self) -> UnitGradients {
        let mut hook = Bookkeeping::new();
        let frozen = self.net.clone().no_grad();
        let mut context = Context::evaluation().with_hook(&mut hook);
        let output = frozen.forward(self.input.clone(), &mut context);
        let mut gradients = loss(output, self.probe.clone()).backward();
        hook.finish(&mut gradients, &self.units)
            .expect("all outputs are used")
    }

    /// A backward pass of its own for each unit: its gradients, parameter by parameter.
    fn one_by_one(&self) -> Vec<Vec<Vec<f64>>> {
        (0..self.units.n_units())
            .map(|unit| {
                let rows: Vec<i32> = (0..self.units.unit_of_row().len())
                    .filter(|row| self.units.unit_of_row()[*row] == unit)
                    .map(|row| row as i32)
                    .collect();
                if rows.is_empty() {
                    let shapes = self.net.gradients(&self.whole_loss());
                    return shapes.iter().map(|g| vec![0.0; g.len()]).collect();
                }
                let rows = Tensor::<1, Int>::from_data(rows.as_slice(), &self.input.device());
                let input = self.input.clone().select(0, rows.clone());
                let probe = self.probe.clone().select(0, rows);
                let output = self.net.forward(input, &mut Context::evaluation());
                self.net.gradients(&loss(output, probe))
            })
            .collect()
    }

    fn whole_loss(&self) -> Tensor<1> {
        let output = self
            .net
            .forward(self.input.clone(), &mut Context::evaluation());
        loss(output, self.probe.clone())
    }

    /// Compares norms, and sums under several weightings.
    fn check(&self, tolerance: f64) {
        let all = self.all_at_once();
        let loop_gradients = self.one_by_one();
        let norms: Vec<f64> = loop_gradients
            .iter()
            .map(|unit| unit.iter().flatten().map(|g| g * g).sum::<f64>().sqrt())
            .collect();
        let found = all.squared_norms().expect("the net has linear layers");
        assert_near("norms", &values(&found.sqrt()), &norms, tolerance);

        let n_units = self.units.n_units();
        let plain = self.input.device().inner();
        let weightings: [Vec<f64>; 3] = [
            vec![1.0; n_units],
            (0..n_units).map(|unit| (unit % 2) as f64).collect(),
            (0..n_units).map(|unit| 0.3 * unit as f64 - 0.5).collect(),
        ];
        for weights in weightings {
            let options = (&plain, self.input.dtype());
            let tensor = Tensor::<1>::from_data(weights.as_slice(), options);
            let found = all.weighted_sum(&tensor);
            let names = self.net.parameters();
            assert_eq!(found.iter().map(|(id, _)| *id).collect::<Vec<_>>(), names);
            for (parameter, (_, found)) in found.iter().enumerate() {
                let mut expected = vec![0.0; loop_gradients[0][parameter].len()];
                for (unit, weight) in weights.iter().enumerate() {
                    for (sum, g) in expected.iter_mut().zip(&loop_gradients[unit][parameter]) {
                        *sum += weight * g;
                    }
                }
                let found = match found {
                    ParameterGradient::Vector(g) => values(g),
                    ParameterGradient::Matrix(g) => values(g),
                    other => panic!("a rank that this test does not know: {other:?}"),
                };
                assert_near("weighted sum", &found, &expected, tolerance);
            }
        }
    }
}

/// Sizes for which the ghost norm and the instantiated gradient are chosen, one position and many.
const SIZES: [Size; 4] = [
    Size {
        len: 1,
        d_in: 20,
        d_hidden: 16,
        d_out: 24,
    },
    Size {
        len: 3,
        d_in: 40,
        d_hidden: 30,
        d_out: 20,
    },
    Size {
        len: 40,
        d_in: 3,
        d_hidden: 4,
        d_out: 2,
    },
    Size {
        len: 1,
        d_in: 1,
        d_hidden: 1,
        d_out: 1,
    },
];

fn check_in_both_precisions(size: Size, unit_of_row: &[usize]) {
    Setting::new(size, unit_of_row, &device()).check(1e-5);
    Setting::in_precision(FloatDType::F64, size, unit_of_row, &device()).check(1e-11);
}

#[test]
fn a_row_a_unit() {
    for size in SIZES {
        check_in_both_precisions(size, &[0, 1, 2, 3, 4]);
    }
}

#[test]
fn several_rows_a_unit_in_any_order_and_number() {
    for size in SIZES {
        for unit_of_row in [
            &[0, 0, 1, 1, 2, 2][..],
            &[0, 0, 0, 1, 2, 2],
            &[2, 0, 1, 0, 2, 2],
            &[1, 0, 2],
            &[0, 0, 0],
            // Unit 1 has no row: a norm and a gradient of zero.
            &[2, 0, 2],
        ] {
            check_in_both_precisions(size, unit_of_row);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_rows_of_any_units(
        unit_of_row in proptest::collection::vec(0..5_usize, 1..9),
        (len, d_in, d_hidden, d_out) in (1..6_usize, 1..9_usize, 1..9_usize, 1..9_usize),
    ) {
        let size = Size { len, d_in, d_hidden, d_out };
        // In f32 a sum whose terms cancel has no digits to compare.
        let double = FloatDType::F64;
        Setting::in_precision(double, size, &unit_of_row, &device()).check(1e-9);
    }
}

#[test]
fn the_device_may_be_without_gradients_or_checkpoint_by_itself() {
    let unit_of_row = [1, 0, 1];
    let setting = Setting::new(SIZES[1], &unit_of_row, &device());
    let norms = |setting: &Setting| {
        let norms = setting
            .all_at_once()
            .squared_norms()
            .expect("the net has linear layers");
        values(&norms)
    };
    let expected = norms(&setting);
    for device in [
        Device::flex(),
        Device::flex().autodiff().gradient_checkpointing(),
    ] {
        let found = norms(&Setting::new(SIZES[1], &unit_of_row, &device));
        assert_near("norms", &found, &expected, 1e-6);
    }
}

#[test]
fn a_weight_used_twice_is_refused() {
    let device = device();
    let layer = LinearConfig::new(3, 3).init(Key::new(1), &device).no_grad();
    let mut hook = Bookkeeping::new();
    let mut context = Context::evaluation().with_hook(&mut hook);
    let input = normals("input", [2, 1, 3], &device);
    let once = layer.forward(input, "once", &mut context);
    let twice = context.within("head", |context| layer.forward(once, "twice", context));
    let error = hook
        .finish(&mut twice.sum().backward(), &Units::one_row_each(2))
        .expect_err("shared");
    let site = "stage 0: head.twice".to_owned();
    assert_eq!(error, BookkeepingError::Shared { site });
    assert_eq!(
        error.to_string(),
        "stage 0: head.twice: this weight was already used in the same pass; shared weights have no per-unit rule, so give the layer its own weight"
    );
}

#[test]
fn an_output_that_the_loss_does_not_read_is_refused() {
    let device = device();
    let size = SIZES[3];
    let net = Net::new(size, &device).no_grad();
    let mut hook = Bookkeeping::new();
    let mut context = Context::evaluation().with_hook(&mut hook);
    let input = normals("input", [2, 1, 1], &device);
    let first = net.first.forward(input, "first", &mut context);
    let _unread = net.second.forward(first.clone(), "second", &mut context);
    let error = hook
        .finish(&mut first.sum().backward(), &Units::one_row_each(2))
        .expect_err("the second output is not read");
    let site = "stage 0: second".to_owned();
    assert_eq!(error, BookkeepingError::Untracked { site });
    assert!(
        error
            .to_string()
            .starts_with("stage 0: second: no gradient reached this output"),
        "{error}"
    );
}

#[test]
fn a_pass_without_parameters_has_no_norms() {
    let mut gradients = normals("x", [1], &device()).require_grad().sum().backward();
    let all = Bookkeeping::new()
        .finish(&mut gradients, &Units::one_row_each(1))
        .expect("nothing to refuse");
    assert!(all.squared_norms().is_none());
    assert!(
        all.weighted_sum(&Tensor::ones([1], &Device::flex()))
            .is_empty()
    );
}

#[test]
#[should_panic(expected = "every row of the batch belongs to a unit")]
fn units_of_another_batch_are_refused_by_norms() {
    let mut setting = Setting::new(SIZES[0], &[0, 1, 2], &device());
    setting.units = Units::one_row_each(2);
    let _ = setting.all_at_once().squared_norms();
}

#[test]
#[should_panic(expected = "every row of the batch belongs to a unit")]
fn units_of_another_batch_are_refused_by_sums() {
    let mut setting = Setting::new(SIZES[0], &[0, 1, 2], &device());
    setting.units = Units::one_row_each(1);
    let _ = setting
        .all_at_once()
        .weighted_sum(&Tensor::ones([1], &Device::flex()));
}

#[test]
#[should_panic(expected = "a weight for each of 3 units, found 4")]
fn weights_for_other_units_are_refused() {
    let setting = Setting::new(SIZES[0], &[0, 1, 2], &device());
    let _ = setting
        .all_at_once()
        .weighted_sum(&Tensor::ones([4], &Device::flex()));
}
