//! Absolute positions.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use regard_ops::primitive::{Table, TableConfig};
use regard_ops::{Context, Key};
use serde::{Deserialize, Serialize};

/// Which positions a model knows, as a configuration names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PositionKind {
    /// A trained vector for each position.
    #[default]
    Learned,
    /// Sines and cosines of the position.
    Sinusoidal,
    /// None: the model sees a bag of tokens.
    None,
}

impl PositionKind {
    /// One of each kind, for tests that hold for every kind of position.
    pub const EXAMPLES: &[Self] = &[Self::Learned, Self::Sinusoidal, Self::None];

    /// Makes the positions of a model, or `None` where there are none.
    #[must_use]
    pub fn init(
        self,
        max_len: usize,
        d_model: usize,
        key: Key,
        device: &Device,
    ) -> Option<Position> {
        match self {
            Self::Learned => Some(Position::Learned(
                TableConfig::new(max_len, d_model).init(key, device),
            )),
            Self::Sinusoidal => Some(Position::Sinusoidal(d_model)),
            Self::None => None,
        }
    }
}

/// Position vectors, to be added to an embedding.
#[derive(Module, Debug)]
pub enum Position {
    /// A trained table.
    Learned(Table),
    /// Computed, for this many features.
    Sinusoidal(usize),
}

impl Position {
    /// Adds the position vectors to `input`.
    ///
    /// # Shapes
    ///
    /// - input and output: `[batch, len, d_model]`
    ///
    /// # Panics
    ///
    /// If there are more positions than a learned table has.
    #[must_use]
    pub fn add_to(
        &self,
        input: Tensor<3>,
        name: &'static str,
        context: &mut Context<'_>,
    ) -> Tensor<3> {
        let [batch, len, _] = input.dims();
        match self {
            Self::Learned(table) => input + table.rows(batch, len, name, context),
            Self::Sinusoidal(d_model) => {
                let options = (&input.device().inner(), input.dtype());
                let positions =
                    Tensor::<2>::from_data(sinusoidal_positions(len, *d_model), options);
                input + positions.unsqueeze::<3>()
            }
        }
    }
}

/// `sin(t / 10000^(2i / d))` at feature `2i` of position `t` and the cosine at `2i + 1` (Vaswani et
/// al. 2017, section 3.5).
///
/// # Shapes
///
/// - output: `[len, d_model]`
#[must_use]
pub fn sinusoidal_positions(len: usize, d_model: usize) -> TensorData {
    let mut values = Vec::with_capacity(len * d_model);
    for t in 0..len {
        for feature in 0..d_model {
            let exponent = (feature - feature % 2) as f64 / d_model as f64;
            let angle = t as f64 / 10_000_f64.powf(exponent);
            let value = if feature % 2 == 0 {
                angle.sin()
            } else {
                angle.cos()
            };
            values.push(value as f32);
        }
    }
    TensorData::new(values, [len, d_model])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_position_is_an_example() {
        // A newcomer does not compile until it has its place in this chain, and so in the list.
        let next = |last| match last {
            None => Some(PositionKind::Learned),
            Some(PositionKind::Learned) => Some(PositionKind::Sinusoidal),
            Some(PositionKind::Sinusoidal) => Some(PositionKind::None),
            Some(PositionKind::None) => None,
        };
        let all = std::iter::successors(next(None), |last| next(Some(*last)));
        assert_eq!(all.collect::<Vec<_>>(), PositionKind::EXAMPLES);
    }
}
