//! Embedding of series.

use burn::module::Module;
use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Tensor};
use regard_attention::Position;
use regard_ops::primitive::{
    LayerNorm, LayerNormConfig, Linear, LinearConfig, PatchProjection, PatchProjectionConfig,
};
use regard_ops::{Context, Init, Key, Operation, dropout};

use super::series_config::{SeriesConfig, StemConfig};
use super::series_input::SeriesInput;
use crate::feed_forward::Activation;

/// `dropout(patch_t(stem(series)) + calendar(mean of what is known of the steps of t) + position[t])`.
///
/// The calendar's map has no bias, since the patches' has one, and begins at zero.
#[derive(Module, Debug)]
pub struct SeriesEmbedding {
    stem: Vec<Convolution>,
    patch: PatchProjection,
    calendar: Option<Linear>,
    position: Option<Position>,
    dropout: f64,
}

/// The paths of the stem's layers.
const LAYERS: [&str; StemConfig::MOST_LAYERS] = ["stem0", "stem1", "stem2", "stem3"];

impl SeriesEmbedding {
    pub(crate) fn new(
        config: &SeriesConfig,
        d_model: usize,
        dropout: f64,
        key: Key,
        device: &Device,
    ) -> Self {
        let features = config.n_features();
        let stem: Vec<Convolution> = config.stem.map_or_else(Vec::new, |stem| {
            let key = key.stream("stem");
            (0..stem.layers)
                .map(|i| {
                    let d_in = if i == 0 { features } else { d_model };
                    Convolution::new([d_in, d_model], stem.kernel, key.fold(i as u64), device)
                })
                .collect()
        });
        let channels = if stem.is_empty() { features } else { d_model };
        Self {
            stem,
            patch: PatchProjectionConfig::new(config.patch_length, config.patch_stride, d_model)
                .with_channels(channels)
                .init(key.stream("patch"), device),
            calendar: (config.calendar > 0).then(|| {
                LinearConfig::new(config.calendar, d_model)
                    .with_bias(false)
                    .with_init(Init::Constant(0.0))
                    .init(key.stream("calendar"), device)
            }),
            position: config.position.init(
                config.max_positions(),
                d_model,
                key.stream("position"),
                device,
            ),
            dropout,
        }
    }

    /// The embedded patches.
    ///
    /// # Shapes
    ///
    /// - output: `[rows, n_positions, d_model]`
    ///
    /// # Panics
    ///
    /// If the model goes by the calendar and the input has none.
    #[must_use]
    pub fn forward(&self, input: &SeriesInput, context: &mut Context<'_>) -> Tensor<3> {
        let dtype = self.patch.weight().val().dtype();
        let visible = input.steps.as_ref().map(|steps| steps.clone().cast(dtype));
        let mut steps = input.values.clone().cast(dtype); // [rows, steps, features]
        for (i, (convolution, name)) in self.stem.iter().zip(LAYERS).enumerate() {
            let output =
                context.within(name, |context| convolution.forward(steps.clone(), context));
            let output = if i == 0 { output } else { output + steps };
            // Behind the end of a row there is nothing, as there is nothing behind the longest one.
            steps = match &visible {
                Some(visible) => output * visible.clone(),
                None => output,
            };
        }
        let mut hidden = self.patch.forward(steps, "patch", context); // [rows, n_positions, d_model]
        if let Some(calendar) = &self.calendar {
            let known = input.calendar.as_ref();
            let known =
                known.expect("a model that goes by the calendar is given that of the steps");
            let known = known.patches.clone().cast(dtype);
            hidden = hidden + calendar.forward(known, "calendar", context);
        }
        if let Some(position) = &self.position {
            hidden = position.add_to(hidden, "position", context);
        }
        hidden = context.output("sum", Operation::Function, hidden);
        dropout(hidden, self.dropout, "sum", context)
    }
}

/// `GELU(norm(convolution(input)))`, as many steps as before; what lies outside counts as 0.
///
/// PyTorch equivalent: `nn.Conv1d(padding="same")`, then `nn.LayerNorm` over the channels and `nn.GELU`.
#[derive(Module, Debug)]
struct Convolution {
    convolution: PatchProjection,
    norm: LayerNorm,
    kernel: usize,
}

impl Convolution {
    fn new([d_in, d_out]: [usize; 2], kernel: usize, key: Key, device: &Device) -> Self {
        Self {
            convolution: PatchProjectionConfig::new(kernel, 1, d_out)
                .with_channels(d_in)
                .init(key.stream("convolution"), device),
            norm: LayerNormConfig::new(d_out).init(key.stream("norm"), device),
            kernel,
        }
    }

    fn forward(&self, steps: Tensor<3>, context: &mut Context<'_>) -> Tensor<3> {
        let reach = self.kernel / 2;
        let padded = steps.pad([(reach, reach), (0, 0)], PadMode::Constant(0.0));
        let output = self.convolution.forward(padded, "convolution", context);
        let output = self.norm.forward(output, "norm", context);
        context.output(
            "activation",
            Operation::Function,
            Activation::Gelu.apply(output),
        )
    }
}
