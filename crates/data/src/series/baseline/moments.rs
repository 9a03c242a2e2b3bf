//! Sums over all windows of a part, without cutting a window.
//!
//! Windows that begin on each row in turn share almost all their products: with `s` over the first rows `a` to `b` of
//! windows,
//!
//! ```text
//! S[i, j] = sum of x[s + i] x[s + j]        S[i + 1, j + 1] = S[i, j] - x[a + i] x[a + j] + x[b + i] x[b + j]
//! ```
//!
//! so that the matrix of a window of 1,232 rows costs one pass over the series for its first row and one addition for
//! each of the others, where adding up windows would cost a thousand times as much.

use nalgebra::{DMatrix, DVector};

/// Sums over windows: how many, of each place, of the products of each two places.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    pub count: f64,
    pub first: DVector<f64>,
    pub second: DMatrix<f64>,
}

impl Moments {
    pub fn new(len: usize) -> Self {
        Self {
            count: 0.0,
            first: DVector::zeros(len),
            second: DMatrix::zeros(len, len),
        }
    }

    /// Adds the windows that begin on each row of a run of values and end inside it.
    pub fn add(&mut self, values: &[f64]) {
        let len = self.first.len();
        let Some(windows) = (values.len() + 1)
            .checked_sub(len)
            .filter(|windows| *windows > 0)
        else {
            return;
        };
        self.count += windows as f64;
        let mut sum: f64 = values[..windows].iter().sum();
        for place in 0..len {
            self.first[place] += sum;
            if place + 1 < len {
                sum += values[windows + place] - values[place];
            }
        }
        for apart in 0..len {
            let products = values[..windows]
                .iter()
                .zip(&values[apart..apart + windows]);
            let mut sum: f64 = products.map(|(a, b)| a * b).sum();
            for place in 0..len - apart {
                let other = place + apart;
                self.second[(place, other)] += sum;
                if apart > 0 {
                    self.second[(other, place)] += sum;
                }
                if other + 1 < len {
                    sum += values[windows + place] * values[windows + other]
                        - values[place] * values[other];
                }
            }
        }
    }

    /// The sums where from every place of a window `weights * window` is subtracted first.
    pub fn less(&self, weights: &DVector<f64>) -> Self {
        let of_first = weights.dot(&self.first);
        let of_second = &self.second * weights;
        let twice = weights.dot(&of_second);
        Self {
            count: self.count,
            first: self.first.map(|sum| sum - of_first),
            second: DMatrix::from_fn(self.second.nrows(), self.second.ncols(), |i, j| {
                self.second[(i, j)] - of_second[i] - of_second[j] + twice
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_windows_one_by_one() {
        let values: Vec<f64> = (0..40).map(|row| f64::from(row * row % 17) - 5.0).collect();
        let weights = DVector::from_vec(vec![0.25, 0.0, 0.5, -0.5, 1.0]);
        let (mut moments, mut naive, mut less) =
            (Moments::new(5), Moments::new(5), Moments::new(5));
        for run in [&values[..30], &values[20..], &values[..4]] {
            moments.add(run);
            for window in run.windows(5) {
                let window = DVector::from_row_slice(window);
                let shift = weights.dot(&window);
                let shifted = window.map(|value| value - shift);
                for (sums, window) in [(&mut naive, window), (&mut less, shifted)] {
                    sums.count += 1.0;
                    sums.second += &window * window.transpose();
                    sums.first += window;
                }
            }
        }
        for (fast, slow) in [(&moments, &naive), (&moments.less(&weights), &less)] {
            assert_eq!(fast.count, slow.count);
            assert!((&fast.first - &slow.first).amax() < 1e-9);
            assert!((&fast.second - &slow.second).amax() < 1e-9);
        }
    }
}
