//! Smaller steps for the lower stages.

/// Layer-wise decay of the learning rate (Howard and Ruder 2018, section 3.2,
/// <https://arxiv.org/abs/1801.06146>): each stage learns at `factor` times the rate of the stage
/// above it, the head at the full rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerDecay {
    factor: f64,
    n_stages: usize,
}

impl LayerDecay {
    /// For a model of `n_stages` stages, the embedding and the head among them.
    #[must_use]
    pub fn new(factor: f64, n_stages: usize) -> Self {
        Self { factor, n_stages }
    }

    /// The same rate for all.
    #[must_use]
    pub fn none() -> Self {
        Self::new(1.0, 1)
    }

    /// What the learning rate of the parameter called `name` is multiplied by.
    #[must_use]
    pub fn multiplier(&self, name: &str) -> f64 {
        let above = (self.n_stages - 1).saturating_sub(self.stage(name));
        // Exactly 1 without decay: `powi` of 1 is 1.
        self.factor.powi(above as i32)
    }

    /// The stage that a parameter belongs to; the final norm belongs to the head's.
    fn stage(&self, name: &str) -> usize {
        let mut steps = name.split('.');
        match (steps.next(), steps.next().map(str::parse::<usize>)) {
            (Some("embed"), _) => 0,
            (Some("blocks"), Some(Ok(block))) => block + 1,
            _ => self.n_stages - 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_learns_more_slowly_than_the_one_above() {
        let decay = LayerDecay::new(0.5, 4);
        for (name, multiplier) in [
            ("embed.token.weight", 0.125),
            ("blocks.0.attention.qkv.weight", 0.25),
            ("blocks.1.norm1.weight", 0.5),
            ("norm.weight", 1.0),
            ("head.weight", 1.0),
        ] {
            assert_eq!(decay.multiplier(name), multiplier, "{name}");
            assert_eq!(LayerDecay::none().multiplier(name), 1.0, "{name}");
        }
    }
}
