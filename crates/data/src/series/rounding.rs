//! What becomes of numbers that are stored in 32 bits.

/// Steps that the stored numbers should divide the range of a column into at least.
const LEAST_STEPS: f64 = 500.0;

/// The range of a column, and what is lost of its values when they are stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rounding {
    low: f64,
    high: f64,
    lost: f64,
}

impl Rounding {
    pub fn new() -> Self {
        Self {
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
            lost: 0.0,
        }
    }

    /// Takes a value as it is written, NaN where it is missing.
    pub fn take(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.low = self.low.min(value);
        self.high = self.high.max(value);
        self.lost = self.lost.max((value - f64::from(value as f32)).abs());
    }

    /// The range, if what is lost is a part of it that counts.
    pub fn coarse(&self) -> Option<(f64, f64)> {
        let range = self.high - self.low;
        (range > 0.0 && self.lost * LEAST_STEPS > range).then_some((self.low, self.high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coarse(values: &[f64]) -> Option<(f64, f64)> {
        let mut rounding = Rounding::new();
        values.iter().for_each(|value| rounding.take(*value));
        rounding.coarse()
    }

    #[test]
    fn a_small_movement_far_from_zero_is_lost_and_a_large_one_is_not() {
        let wave = |base: f64| -> Vec<f64> {
            let step = |step| base + f64::from(step).sin();
            (0..100).map(step).chain([f64::NAN]).collect()
        };
        for fine in [0.0, 1e3, 1e4] {
            assert_eq!(coarse(&wave(fine)), None, "{fine}");
        }
        for base in [1e6, 1e8, 1e12] {
            let (low, high) = coarse(&wave(base)).expect("values that cannot be told apart");
            assert!(low < base && base < high, "{low} {high}");
        }
        // One value has no range, whatever is lost of it, and whole numbers lose nothing.
        assert_eq!(coarse(&[0.1; 5]), None);
        assert_eq!(coarse(&[16e6, 16e6 + 1.0]), None);
        assert_eq!(coarse(&[f64::NAN]), None);
    }
}
