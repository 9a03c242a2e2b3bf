//! What a private computation did, step by step, as the accountant has to know it.

use std::fmt;

use crate::error::{AccountingError, check_noise_multiplier, check_sample_rate};

/// Which two datasets must be hard to tell apart.
///
/// Adjacency never changes the noise; it changes the pair of distributions that is compared. A
/// unit's contribution to a sum is at most the clipping bound C throughout, and a noise multiplier is
/// the noise's standard deviation divided by C.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Adjacency {
    /// One dataset has one unit more than the other.
    #[default]
    AddRemove,
    /// One unit is replaced by one that contributes nothing; the number of units is public.
    ZeroOut,
    /// One unit is replaced by any other; the number of units is public.
    ReplaceOne,
}

impl fmt::Display for Adjacency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AddRemove => "add-remove",
            Self::ZeroOut => "zero-out",
            Self::ReplaceOne => "replace-one",
        })
    }
}

/// A private computation: one release, or several one after the other.
///
/// A `noise_multiplier` is the standard deviation of the noise divided by the bound C on the norm of
/// one unit's contribution to the sum. Zero means no noise: such an event promises nothing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A sum over all units, with Gaussian noise.
    Gaussian {
        /// Standard deviation of the noise / C.
        noise_multiplier: f64,
    },
    /// A sum over a Poisson sample, with Gaussian noise: every unit is drawn by itself with
    /// probability `sample_rate`. The step of DP-SGD.
    PoissonSampledGaussian {
        /// The probability with which a unit is drawn.
        sample_rate: f64,
        /// Standard deviation of the noise / C.
        noise_multiplier: f64,
    },
    /// A sum over a batch of fixed size, drawn without replacement, with Gaussian noise. It needs a
    /// public number of units: zero-out or replace-one adjacency. Both have the bound of
    /// replacement (a zeroed unit keeps its place in the draw), where a sum moves by up to 2C.
    FixedSizeSampledGaussian {
        /// The number of units in the dataset.
        dataset_size: u64,
        /// The number of units drawn.
        batch_size: u64,
        /// Standard deviation of the noise / C.
        noise_multiplier: f64,
    },
    /// A Poisson sample of which at most `max_batch_size` units are kept, drawn evenly, with
    /// Gaussian noise. What is accounted is an upper bound: where the batch is full, a unit pushes
    /// another one out. Dear: splitting a large draw into micro-batches costs nothing. Under zero-out
    /// adjacency it has the bound of replacement, since a zeroed unit keeps its place in the draw.
    TruncatedPoissonSampledGaussian {
        /// The number of units in the (larger) dataset.
        dataset_size: u64,
        /// The probability with which a unit is drawn.
        sample_rate: f64,
        /// The largest number of units kept.
        max_batch_size: u64,
        /// Standard deviation of the noise / C.
        noise_multiplier: f64,
    },
    /// Several events one after the other, each of which may depend on what the earlier ones
    /// released. Their order does not matter.
    Composed(Vec<Event>),
    /// One event several times.
    SelfComposed {
        /// What happens.
        event: Box<Event>,
        /// How often.
        steps: u64,
    },
}

impl Event {
    /// `steps` steps of DP-SGD: [`Event::PoissonSampledGaussian`] several times.
    #[must_use]
    pub fn dp_sgd(sample_rate: f64, noise_multiplier: f64, steps: u64) -> Self {
        Self::PoissonSampledGaussian {
            sample_rate,
            noise_multiplier,
        }
        .repeated(steps)
    }

    /// This event, `steps` times.
    #[must_use]
    pub fn repeated(self, steps: u64) -> Self {
        Self::SelfComposed {
            event: Box::new(self),
            steps,
        }
    }
}

/// One kind of release under one adjacency, its arguments checked and reduced to what matters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// Nothing private is touched.
    Nothing,
    /// No noise: anything may be known.
    Bare,
    /// Two Gaussians `1` apart.
    Gaussian { sigma: f64 },
    /// A unit is there with probability `rate`, or is not.
    Sampled { rate: f64, sigma: f64 },
    /// A unit is there with probability `rate`, and is replaced by its opposite.
    SampledReplaced { rate: f64, sigma: f64 },
    /// A batch of a share `rate` of all units, in which one is replaced by one `1` apart.
    FixedSize { rate: f64, sigma: f64 },
    /// A unit is there as in `Sampled` or, if `replaced`, as in `SampledReplaced`. Of a batch that
    /// would be larger than `max_batch_size` as many are kept.
    Truncated {
        rate: f64,
        /// How many units may be drawn besides.
        others: u64,
        max_batch_size: u64,
        sigma: f64,
        replaced: bool,
    },
}

/// The steps of an event, equal ones counted together.
pub(crate) fn steps_of(
    event: &Event,
    adjacency: Adjacency,
) -> Result<Vec<(Step, u64)>, AccountingError> {
    let mut steps = Vec::new();
    collect(event, adjacency, 1, &mut steps)?;
    let total = steps
        .iter()
        .try_fold(0u64, |sum, (_, count)| sum.checked_add(*count));
    total.ok_or(AccountingError::TooManySteps)?;
    Ok(steps)
}

fn collect(
    event: &Event,
    adjacency: Adjacency,
    times: u64,
    into: &mut Vec<(Step, u64)>,
) -> Result<(), AccountingError> {
    let step = match event {
        Event::Composed(events) => {
            for event in events {
                collect(event, adjacency, times, into)?;
            }
            return Ok(());
        }
        Event::SelfComposed { event, steps } => {
            let times = times
                .checked_mul(*steps)
                .ok_or(AccountingError::TooManySteps)?;
            return collect(event, adjacency, times, into);
        }
        Event::Gaussian { noise_multiplier } => {
            gaussian(*noise_multiplier, adjacency == Adjacency::ReplaceOne)?
        }
        Event::PoissonSampledGaussian {
            sample_rate,
            noise_multiplier,
        } => poisson(*sample_rate, *noise_multiplier, adjacency)?,
        Event::FixedSizeSampledGaussian {
            dataset_size,
            batch_size,
            noise_multiplier,
        } => fixed_size(*dataset_size, *batch_size, *noise_multiplier, adjacency)?,
        Event::TruncatedPoissonSampledGaussian {
            dataset_size,
            sample_rate,
            max_batch_size,
            noise_multiplier,
        } => {
            if *max_batch_size == 0 {
                return Err(AccountingError::MaxBatchSize);
            }
            truncated(
                poisson(*sample_rate, *noise_multiplier, adjacency)?,
                *dataset_size,
                *max_batch_size,
                adjacency,
            )
        }
    };
    if step == Step::Nothing || times == 0 {
        return Ok(());
    }
    match into.iter_mut().find(|(known, _)| *known == step) {
        Some((_, count)) => {
            *count = count
                .checked_add(times)
                .ok_or(AccountingError::TooManySteps)?;
        }
        None => into.push((step, times)),
    }
    Ok(())
}

fn gaussian(noise_multiplier: f64, replaced: bool) -> Result<Step, AccountingError> {
    check_noise_multiplier(noise_multiplier)?;
    if noise_multiplier == 0.0 {
        return Ok(Step::Bare);
    }
    let sigma = if replaced {
        noise_multiplier / 2.0
    } else {
        noise_multiplier
    };
    Ok(Step::Gaussian { sigma })
}

fn poisson(
    rate: f64,
    noise_multiplier: f64,
    adjacency: Adjacency,
) -> Result<Step, AccountingError> {
    check_noise_multiplier(noise_multiplier)?;
    check_sample_rate(rate)?;
    let replaced = adjacency == Adjacency::ReplaceOne;
    Ok(if rate == 0.0 {
        Step::Nothing
    } else if noise_multiplier == 0.0 {
        Step::Bare
    } else if rate == 1.0 {
        gaussian(noise_multiplier, replaced)?
    } else if replaced {
        Step::SampledReplaced {
            rate,
            sigma: noise_multiplier,
        }
    } else {
        Step::Sampled {
            rate,
            sigma: noise_multiplier,
        }
    })
}

fn fixed_size(
    dataset_size: u64,
    batch_size: u64,
    noise_multiplier: f64,
    adjacency: Adjacency,
) -> Result<Step, AccountingError> {
    check_noise_multiplier(noise_multiplier)?;
    if adjacency == Adjacency::AddRemove {
        return Err(AccountingError::Adjacency {
            event: "a batch of fixed size",
            adjacency,
            why: "the share that is drawn depends on the number of units, which differs; \
                  choose zero-out or replace-one, or sample by Poisson",
        });
    }
    if batch_size > dataset_size {
        return Err(AccountingError::BatchSize {
            dataset_size,
            found: batch_size,
        });
    }
    Ok(if batch_size == 0 {
        Step::Nothing
    } else if noise_multiplier == 0.0 {
        Step::Bare
    } else if batch_size == dataset_size {
        gaussian(noise_multiplier, true)?
    } else {
        Step::FixedSize {
            rate: batch_size as f64 / dataset_size as f64,
            sigma: noise_multiplier / 2.0,
        }
    })
}

/// Condition on how many of the other units are drawn, which is the same for both datasets. Below
/// `max_batch_size` nothing differs from Poisson sampling. From there on a unit that is drawn is
/// kept with probability `max_batch_size / (others drawn + 1)`, and then stands where another one
/// would have stood: the sum moves by up to 2C.
fn truncated(step: Step, dataset_size: u64, max_batch_size: u64, adjacency: Adjacency) -> Step {
    let (rate, sigma) = match step {
        Step::Sampled { rate, sigma } | Step::SampledReplaced { rate, sigma } => (rate, sigma),
        Step::Gaussian { sigma } if adjacency == Adjacency::ReplaceOne => (1.0, 2.0 * sigma),
        Step::Gaussian { sigma } => (1.0, sigma),
        other => return other,
    };
    let others = dataset_size.saturating_sub(1);
    if crate::binomial::upper_tail(others, rate, max_batch_size) == 0.0 {
        return step;
    }
    Step::Truncated {
        rate,
        others,
        max_batch_size,
        sigma,
        // A zeroed unit may keep its place in a full batch, so it is a replacement there.
        replaced: adjacency != Adjacency::AddRemove,
    }
}
