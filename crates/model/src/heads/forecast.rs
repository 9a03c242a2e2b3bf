//! Forecasts.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use regard_ops::primitive::{Linear, LinearConfig};
use regard_ops::{Context, Init, Key};

use super::positions::all_positions;
use crate::embed::Input;

/// One linear map from all positions of a row at once to the steps to come (the flattened head of PatchTST), for
/// each quantile its own; with a skip, another from the normalised steps seen is added, which no block changes; with a
/// calendar, at each step one from what is known of it, the same map at every step.
///
/// PyTorch equivalent: `nn.Linear(n_positions * d_model, n_outputs * horizon)` on `x.flatten(1)`, plus
/// `nn.Linear(lookback, n_outputs * horizon)` on what RevIN gave, plus `nn.Linear(calendar, n_outputs, bias=False)` on
/// the steps to come `[batch, horizon, calendar]`, its last two dimensions swapped.
#[derive(Module, Debug)]
pub struct ForecastHead {
    linear: Linear,
    skip: Option<Linear>,
    calendar: Option<Linear>,
    n_positions: usize,
    n_outputs: usize,
    horizon: usize,
}

impl ForecastHead {
    /// From `n_positions` of `d_model` features to `horizon` steps of each of `n_outputs`; with a skip from so many steps,
    /// which begins at zero.
    #[must_use]
    pub fn new(
        [n_positions, d_model]: [usize; 2],
        [n_outputs, horizon]: [usize; 2],
        skip: Option<usize>,
        key: Key,
        device: &Device,
    ) -> Self {
        let d_out = n_outputs * horizon;
        let linear = LinearConfig::new(n_positions * d_model, d_out);
        let linear = match skip {
            None => linear,
            // Forecasts begin as what the skip says, and not as noise around it.
            Some(_) => linear.with_init(Init::Normal(1e-3)),
        };
        let zero = |lookback| LinearConfig::new(lookback, d_out).with_init(Init::Constant(0.0));
        Self {
            linear: linear.init(key, device),
            skip: skip.map(|lookback| zero(lookback).init(key.stream("skip"), device)),
            calendar: None,
            n_positions,
            n_outputs,
            horizon,
        }
    }

    /// With a map from so many numbers that are known of each step to come, which begins at zero; none from no number.
    #[must_use]
    pub fn with_calendar(mut self, features: usize, key: Key, device: &Device) -> Self {
        self.calendar = (features > 0).then(|| {
            LinearConfig::new(features, self.n_outputs)
                .with_bias(false)
                .with_init(Init::Constant(0.0))
                .init(key.stream("calendar"), device)
        });
        self
    }

    /// The steps to come.
    ///
    /// # Shapes
    ///
    /// - hidden: `[batch, len, d_model]`
    /// - output: `[batch, n_outputs, horizon]`
    ///
    /// # Panics
    ///
    /// If there is a skip or a calendar and the input is text, or has no calendar of these steps.
    #[must_use]
    pub fn forward(
        &self,
        hidden: Tensor<3>,
        input: &Input,
        context: &mut Context<'_>,
    ) -> Tensor<3> {
        let [batch, _, d_model] = hidden.dims();
        let flat = all_positions(hidden, input.mask(), self.n_positions).reshape([
            batch,
            1,
            self.n_positions * d_model,
        ]);
        let mut output = self.linear.forward(flat, "linear", context); // [batch, 1, n_outputs · horizon]
        if let Some(skip) = &self.skip {
            let Input::Series(series) = input else {
                panic!("a skip from the steps of a series was given text");
            };
            let [lookback, _] = skip.weight().dims();
            let seen = series.flat(lookback).cast(output.dtype());
            output = output + skip.forward(seen, "skip", context);
        }
        let output = output.reshape([batch, self.n_outputs, self.horizon]);
        let Some(calendar) = &self.calendar else {
            return output;
        };
        let Input::Series(series) = input else {
            panic!("a forecast that goes by the calendar was given text");
        };
        let to_come = series.to_come().clone().cast(output.dtype()); // [batch, horizon, calendar]
        assert_eq!(
            to_come.dims()[1],
            self.horizon,
            "the calendar of the steps to come is of all that are told"
        );
        output
            + calendar
                .forward(to_come, "calendar", context)
                .swap_dims(1, 2)
    }
}
