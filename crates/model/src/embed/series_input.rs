//! A batch of series, made ready on the host.

use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Tensor, TensorData};
use regard_attention::{Mask, Padding};

use super::series_config::SeriesConfig;

/// Added to the variance, as RevIN does.
const EPSILON: f64 = 1e-5;

/// A batch of series as a model takes it: normalised, cut to whole patches, with its masks.
///
/// What is missing stands as the row's mean under a channel that says so, and a patch with nothing in it is hidden
/// from attention; what lies behind the end of a row is no part of it, however long the batch is.
#[derive(Clone, Debug)]
pub struct SeriesInput {
    /// `[rows, steps, features]`.
    pub(super) values: Tensor<3>,
    /// `[rows, steps, 1]`: 1 at steps of the row and of its end padding, 0 behind; absent if no row ends before
    /// another.
    pub(super) steps: Option<Tensor<3>>,
    pub(super) mask: Mask,
    statistics: Option<Statistics>,
    pub(super) calendar: Option<CalendarInput>,
}

/// What is known of the steps of one row beside their values, the same numbers at each step.
#[derive(Clone, Copy, Debug)]
pub struct CalendarRow<'a> {
    /// Of the steps seen, `[steps, calendar]`.
    pub seen: &'a [f32],
    /// Of the steps to come, `[horizon, calendar]`; empty where nothing is told of them.
    pub to_come: &'a [f32],
}

/// What is known of steps, ready on the device.
#[derive(Clone, Debug)]
pub(crate) struct CalendarInput {
    /// The mean over the steps of each patch, `[rows, n_positions, calendar]`.
    pub patches: Tensor<3>,
    /// `[rows, horizon, calendar]`, if there are such steps.
    pub to_come: Option<Tensor<3>>,
}

/// Mean and scale of each channel of each row over what is observed of it: what reversible instance normalisation
/// (Kim et al. 2022, RevIN, <https://openreview.net/forum?id=cGDAkQo1C0p>) takes away and puts back. They carry no
/// gradient.
///
/// Differs from the paper: no trained scale and shift, which PatchTST's scripts leave out too.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// `[rows, 1, channels]`.
    mean: Tensor<3>,
    /// `[rows, 1, channels]`.
    scale: Tensor<3>,
}

impl Statistics {
    /// Brings what a model says of normalised rows of one channel back to their scale.
    ///
    /// # Shapes
    ///
    /// - output and result: `[rows, answers, steps]`
    ///
    /// # Panics
    ///
    /// If the rows have several channels.
    #[must_use]
    pub fn restore(&self, output: Tensor<3>) -> Tensor<3> {
        let [_, _, channels] = self.mean.dims();
        assert_eq!(channels, 1, "rows of one channel are brought back");
        let dtype = output.dtype();
        output * self.scale.clone().cast(dtype) + self.mean.clone().cast(dtype)
    }
}

/// Mean and scale of the observed values; 0 and 1 where there are none.
fn mean_and_scale(values: impl Iterator<Item = f32> + Clone) -> (f64, f64) {
    let observed = values.filter(|value| !value.is_nan()).map(f64::from);
    let n = observed.clone().count() as f64;
    if n == 0.0 {
        return (0.0, 1.0);
    }
    let mean = observed.clone().sum::<f64>() / n;
    let variance = observed.map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    (mean, (variance + EPSILON).sqrt())
}

impl SeriesConfig {
    /// Makes a batch; a row holds its steps one after the other, `channels` numbers each, NaN = missing.
    ///
    /// # Panics
    ///
    /// If there is no row, a row holds a part of a step or more than `max_steps`, or a value is missing or infinite
    /// that may not be: whoever reads data checks it.
    #[must_use]
    pub fn batch(&self, rows: &[&[f32]], device: &Device) -> SeriesInput {
        assert!(!rows.is_empty(), "a batch has at least one row");
        let lengths: Vec<usize> = rows.iter().map(|row| self.length_of(row)).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0).max(1);
        let (steps, positions) = (self.covered(longest), self.n_positions(longest));
        let (channels, features) = (self.channels, self.n_features());
        let mut values = vec![0.0_f32; rows.len() * steps * features];
        let mut statistics = [Vec::new(), Vec::new()];
        let mut hidden = vec![true; rows.len() * positions];
        for (r, (row, &len)) in rows.iter().zip(&lengths).enumerate() {
            let out = &mut values[r * steps * features..][..steps * features];
            for channel in 0..channels {
                let (mean, scale) = match self.instance_norm {
                    true => mean_and_scale(row.iter().skip(channel).step_by(channels).copied()),
                    false => (0.0, 1.0),
                };
                statistics[0].push(mean as f32);
                statistics[1].push(scale as f32);
                for t in 0..self.covered(len) {
                    let value = row[t.min(len - 1) * channels + channel];
                    if value.is_nan() {
                        out[t * features + channels + channel] = 1.0;
                    } else {
                        let value = (f64::from(value) - mean) / scale;
                        out[t * features + channel] = value as f32;
                    }
                }
            }
            for p in 0..self.n_positions(len) {
                let begin = (p * self.patch_stride).min(len - 1);
                let end = (begin + self.patch_length).min(len);
                let patch = &row[begin * channels..end * channels];
                hidden[r * positions + p] = patch.iter().all(|value| value.is_nan());
            }
        }
        let tensor = |values: Vec<f32>, shape: [usize; 3]| {
            Tensor::<3>::from_data(TensorData::new(values, shape), device)
        };
        let n = rows.len();
        let covered: Vec<usize> = lengths.iter().map(|len| self.covered(*len)).collect();
        let visible = covered.iter().any(|covered| *covered < steps).then(|| {
            let row = |covered: &usize| {
                let covered = *covered;
                (0..steps).map(move |t| if t < covered { 1.0 } else { 0.0 })
            };
            tensor(covered.iter().flat_map(row).collect(), [n, steps, 1])
        });
        let mask = match hidden.contains(&true) {
            true => Mask::none().with_padding(Padding::new(hidden, n, positions)),
            false => Mask::none(),
        };
        let [mean, scale] = statistics;
        SeriesInput {
            values: tensor(values, [n, steps, features]),
            steps: visible,
            mask,
            statistics: self.instance_norm.then(|| Statistics {
                mean: tensor(mean, [n, 1, channels]),
                scale: tensor(scale, [n, 1, channels]),
            }),
            calendar: None,
        }
    }

    /// [`SeriesConfig::batch`] with what is known of the steps of each row.
    ///
    /// # Panics
    ///
    /// As [`SeriesConfig::batch`]; if the model does not go by the calendar, there are other numbers than a row's steps and
    /// `calendar` ask for, or rows have different numbers of steps to come.
    #[must_use]
    pub fn batch_with_calendar(
        &self,
        rows: &[&[f32]],
        calendar: &[CalendarRow<'_>],
        device: &Device,
    ) -> SeriesInput {
        let input = self.batch(rows, device);
        assert_eq!(
            rows.len(),
            calendar.len(),
            "each row has what is known of its steps"
        );
        let longest = rows.iter().map(|row| row.len() / self.channels).max();
        let positions = self.n_positions(longest.unwrap_or(0).max(1));
        let width = self.calendar;
        assert!(width > 0, "the model does not go by the calendar");
        let mut patches = vec![0.0_f32; rows.len() * positions * width];
        for (r, (row, known)) in rows.iter().zip(calendar).enumerate() {
            let len = row.len() / self.channels;
            assert_eq!(
                known.seen.len(),
                len * width,
                "{width} numbers are known of each of {len} steps"
            );
            for p in 0..self.n_positions(len) {
                let begin = (p * self.patch_stride).min(len - 1);
                let end = (begin + self.patch_length).min(len);
                let mean = &mut patches[(r * positions + p) * width..][..width];
                for step in known.seen[begin * width..end * width].chunks_exact(width) {
                    for (mean, value) in mean.iter_mut().zip(step) {
                        *mean += value / (end - begin) as f32;
                    }
                }
            }
        }
        let to_come: Vec<f32> = calendar
            .iter()
            .flat_map(|row| row.to_come)
            .copied()
            .collect();
        let steps = calendar[0].to_come.len();
        assert!(
            steps.is_multiple_of(width) && calendar.iter().all(|row| row.to_come.len() == steps),
            "{width} numbers are known of each step to come, of as many steps in each row"
        );
        let tensor = |values: Vec<f32>, len: usize| {
            let data = TensorData::new(values, [rows.len(), len, width]);
            Tensor::<3>::from_data(data, device)
        };
        SeriesInput {
            calendar: Some(CalendarInput {
                patches: tensor(patches, positions),
                to_come: (steps > 0).then(|| tensor(to_come, steps / width)),
            }),
            ..input
        }
    }

    fn length_of(&self, row: &[f32]) -> usize {
        let len = row.len() / self.channels;
        assert_eq!(
            row.len() % self.channels,
            0,
            "a row of {} numbers, {} a step",
            row.len(),
            self.channels
        );
        assert!(
            len <= self.max_steps,
            "a series of {len} steps in a model of {}",
            self.max_steps
        );
        assert!(
            row.iter()
                .all(|value| value.is_finite() || (self.missing && value.is_nan())),
            "a value is missing or infinite in a model of complete series"
        );
        len
    }
}

impl SeriesInput {
    /// What was taken from each row, if rows are normalised one by one.
    #[must_use]
    pub fn statistics(&self) -> Option<&Statistics> {
        self.statistics.as_ref()
    }

    /// The normalised values of rows of one channel; what is missing, or behind the end of a row, is 0.
    ///
    /// # Shapes
    ///
    /// - result: `[rows, 1, n_steps]`
    pub(crate) fn flat(&self, n_steps: usize) -> Tensor<3> {
        let [rows, steps, _] = self.values.dims();
        let kept = steps.min(n_steps);
        let flat = (self.values.clone())
            .slice([0..rows, 0..kept, 0..1])
            .reshape([rows, 1, kept]);
        flat.pad([(0, 0), (0, n_steps - kept)], PadMode::Constant(0.0))
    }

    /// What is known of the steps to come.
    ///
    /// # Panics
    ///
    /// If nothing is.
    pub(crate) fn to_come(&self) -> &Tensor<3> {
        let calendar = self.calendar.as_ref();
        calendar
            .and_then(|calendar| calendar.to_come.as_ref())
            .expect("a forecast that goes by the calendar is given that of the steps to come")
    }

    /// The mask over patches.
    #[must_use]
    pub fn mask(&self) -> &Mask {
        &self.mask
    }

    /// The number of rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.values.dims()[0]
    }
}
